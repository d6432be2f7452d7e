"""A journal on a real file, and events to put into it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.clock import Clock
from controller.core.event import Event, Recorded
from controller.journal import Journal, Kept, PointStore, Unsent

Faults = list[str | None]
POINTS = {"rack-air.temperature": PointStore(0.1, "°C"), "rack-air.humidity": PointStore(0.1, "%")}


class Desk:
    """Opens journals on one path, one after the other, as restarts do.

    `lost`: a list where a central system is to get every event: of what went before it had it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: Faults = []
        self.journal: Journal | None = None
        self.size_bytes = 10**9
        self.lost: list[Unsent | None] | None = None

    @staticmethod
    def event(seq: int, **data: object) -> Recorded:
        return Recorded(seq, "boot", 1_764_000_000 + seq, Event("alarm", "smoke-1", data=data))

    def record(self, first: int, last: int) -> None:
        """One call, and so one memory, for each event."""
        assert self.journal
        for seq in range(first, last + 1):
            self.journal.record([self.event(seq)], (f"memory {seq}", 1.0, 2.0))

    def seqs(self) -> list[int]:
        assert self.journal
        return [one["seq"] for one in self.journal.events_after(0, 100_000)]

    def open(self) -> tuple[Journal, Kept]:
        self.close()
        self.journal = Journal(
            self.path,
            self.size_bytes,
            Clock(),
            self.faults.append,
            points=POINTS,
            on_unsent_lost=None if self.lost is None else self.lost.append,
        )
        return self.journal, self.journal.open()

    def close(self) -> None:
        if self.journal:
            self.journal.close()
            self.journal = None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "room.db")
    yield desk
    desk.close()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    def until(is_so: Callable[[], object], timeout_s: float = 5.0) -> None:
        end = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < end, "it did not come to be so"
            time.sleep(0.005)

    return until
