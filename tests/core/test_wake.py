"""When the scan wants to be woken: when time alone changes something, and never in the past.

A wake-up in the past makes the shell scan without a pause, under its lock.
"""

from __future__ import annotations

import pytest

DUE_SOON_S = 0.001


def overdue(rig, seconds, step_s=0.5):
    """The instants at which the scan asked to be woken in the past."""
    found = []
    for _ in range(int(seconds / step_s)):
        rig.run(step_s)
        if rig.decision.wake_at_s < rig.mono_s - DUE_SOON_S and not rig.decision.events:
            found.append(rig.at_s)
    return found


def countdown(rig):
    rig.wire("smoke-2", (True, True))
    rig.run(1.0)
    rig.set("smoke-1", True)
    rig.run(20.0)


def test_a_quiet_room_is_looked_at_each_second(rig):
    rig.run(400.0)
    scans = rig.scans
    rig.run(100.0)
    assert 100 <= rig.scans - scans <= 250
    assert overdue(rig, 20.0) == []


def test_a_countdown_asks_for_its_end(rig):
    countdown(rig)
    assert overdue(rig, 60.0) == []


def test_a_button_held_longer_than_the_panels_minute_asks_for_nothing_in_the_past(rig):
    countdown(rig)
    rig.ask("hold")
    rig.set("hold-button", True)
    assert overdue(rig, 100.0) == []


@pytest.mark.parametrize(
    "how",
    ["well", "unreadable", "out of service", "contradicting", "acknowledged", "active"],
)
def test_a_shelf_ends_whatever_its_detector_is(rig, how):
    rig.ask("shelve", alarm="smoke-1.prealarm", for_="2min", reason="dust")
    match how:
        case "unreadable":
            rig.wire("smoke-1", None)
        case "contradicting":
            rig.wire("smoke-1", (True, True))
        case "out of service":
            rig.ask("out-of-service", point="smoke-1", reason="dust")
        case "active" | "acknowledged":
            rig.set("smoke-1", True)
    rig.run(119.0)
    rig.run(2.0)
    assert rig.memory.alarms.of("smoke-1.prealarm").shelf is None
    assert overdue(rig, 5.0) == []


def test_cooling_and_rest_ask_for_their_ends(rig):
    rig.ask("release-lamp", id="hall")
    rig.ask("projector-on", id="hall")
    rig.ask("switch", output="aircon", to="off", for_="10min")
    assert overdue(rig, 60.0) == []
    rig.ask("projector-off", id="hall")
    rig.ask("switch", output="aircon", to="on", for_="2min")
    assert overdue(rig, 420.0) == []
