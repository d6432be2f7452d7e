"""When the panel believes that somebody guards the room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from web.hub import FRESH_S, Hub


class Nobody:
    def stream(self) -> Iterator[dict[str, Any]]:
        return iter(())


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def scanned(number: int, age_s: float = 0.0) -> dict[str, Any]:
    return {"scan": {"number": number, "age_s": age_s}}


def hub() -> tuple[Hub, Clock]:
    clock = Clock()
    return Hub(Nobody(), clock), clock


def test_before_the_first_snapshot_nothing_is_live() -> None:
    panel, _ = hub()
    assert not panel.is_fresh
    assert b"event: lost" in panel.view().frame


def test_a_scan_that_goes_on_is_fresh() -> None:
    panel, clock = hub()
    for number in range(5):
        panel.take(scanned(number))
        clock.now_s += 1.0
        assert panel.is_fresh


def test_a_scan_that_stands_is_lost_although_snapshots_come() -> None:
    panel, clock = hub()
    for _ in range(4):
        panel.take(scanned(7))
        clock.now_s += 1.0
    panel.take(scanned(7))
    assert not panel.view().live
    assert panel.view().since is not None


def test_silence_is_not_fresh_within_three_seconds_of_the_scan() -> None:
    panel, clock = hub()
    panel.take(scanned(1, age_s=0.4))
    clock.now_s += FRESH_S - 0.5
    assert panel.is_fresh
    clock.now_s += 0.2
    assert not panel.is_fresh
    assert FRESH_S < 3.0


def test_a_scan_that_was_old_already_is_not_fresh() -> None:
    panel, _ = hub()
    panel.take(scanned(1, age_s=60.0))
    assert panel.scan_age_s() == 60.0
    assert not panel.is_fresh


def test_a_controller_that_came_back_is_live_again() -> None:
    panel, clock = hub()
    panel.take(scanned(1))
    panel.lose()
    clock.now_s += 10.0
    panel.take(scanned(2))
    assert panel.view().live
    assert panel.view().since is None


def test_the_last_state_stays_to_be_looked_at_after_a_loss() -> None:
    panel, _ = hub()
    panel.take(scanned(1))
    panel.lose()
    assert panel.view().state == scanned(1)


def test_losing_twice_keeps_the_first_time() -> None:
    panel, _ = hub()
    panel.take(scanned(1))
    panel.lose()
    first = panel.view()
    panel.lose()
    assert panel.view() is first
