"""What is not yet on the disk: bounded, in order, and chained when it is written.

Numbers are allotted by the caller, who knows the journal's last one from `open()`. Where the
file could not be read at the start (locked for good, another version), the caller began at 1;
should that file come back, its numbers go on from its own last one, and `offset` is the
difference. It is 0 otherwise.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import NamedTuple

from controller.core.event import Event, Recorded
from controller.journal.chain import DROPPED, START, Place, Sealed, seal

log = logging.getLogger(__name__)

LIMIT = 20_000


class Gap(NamedTuple):
    """Lost events, both ends included (the caller's numbers); one event will stand for them."""

    first: int
    last: int
    boot: str
    at_s: float


class Backlog:
    """Events waiting for the disk. `known` is where the file's chain stands; None: never read."""

    def __init__(self, known: Place | None, limit: int = LIMIT) -> None:
        self.known = known
        self.offset = 0
        self.dropped = 0
        self._limit = limit
        self._next = (known or START).seq + 1
        self._waiting: deque[Recorded | Gap] = deque()
        self._sealed: list[Sealed] = []  # of the first ones waiting; survives a failed write

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def recorded_seq(self) -> int:
        """The last durable event, in the caller's numbers."""
        return self.known.seq - self.offset if self.known else 0

    def accept(self, recorded: Recorded) -> None:
        """Take an event. A number left out is a loss and is recorded as one."""
        if recorded.seq < self._next:
            log.error("event %s came twice: %s", recorded.seq, recorded.event)
            return
        if recorded.seq > self._next:
            self.dropped += recorded.seq - self._next
            gap = Gap(self._next, recorded.seq - 1, recorded.boot, recorded.at_s)
            self._waiting.append(gap)
        self._waiting.append(recorded)
        self._next = recorded.seq + 1
        if len(self._waiting) > self._limit:
            self._drop_oldest()

    def seal(self) -> list[Sealed]:
        """Return the rows of all that wait, chained to what the disk is known to hold."""
        assert self.known is not None
        was = self.known
        if self._sealed:
            was = Place(self._sealed[-1].seq, self._sealed[-1].hash)
        for position in range(len(self._sealed), len(self._waiting)):
            row = self._seal(self._waiting[position], was)
            self._sealed.append(row)
            was = Place(row.seq, row.hash)
        return self._sealed

    def committed(self, count: int) -> None:
        """The first `count` sealed rows are on the disk."""
        if count:
            last = self._sealed[count - 1]
            self.known = Place(last.seq, last.hash)
        for _ in range(count):
            self._waiting.popleft()
        del self._sealed[:count]

    def go_on_at(self, disk: Place, used_seq: int) -> None:
        """Take up a file read only now, behind `used_seq`; what it lacks up to there is lost."""
        self.known, self.offset = disk, used_seq
        if used_seq > disk.seq:
            self._waiting.appendleft(Gap(disk.seq + 1 - used_seq, 0, "", 0.0))
            self.dropped += used_seq - disk.seq

    def meet(self, disk: Place) -> Place | None:
        """Agree with a file just opened; return the anchor to give it when it is a new one."""
        known = self.known
        if known is None:
            self.known, self.offset = disk, disk.seq
            return None
        if disk == known:
            return None
        if disk.seq == 0:
            return known
        for count, row in enumerate(self._sealed, 1):
            if row.hash == disk.hash:  # a commit that said it failed and had not
                self.committed(count)
                return None
        if disk.seq < known.seq:  # an older copy was put back: what it lacks is lost
            gap = Gap(disk.seq + 1 - self.offset, known.seq - self.offset, "", 0.0)
            self._waiting.appendleft(gap)
            self.dropped += known.seq - disk.seq
        else:  # somebody else wrote: ours go behind
            self.offset += disk.seq - known.seq
        self.known = disk
        self._sealed.clear()
        return None

    def _drop_oldest(self) -> None:
        first, second = self._waiting.popleft(), self._waiting.popleft()
        start = first.first if isinstance(first, Gap) else first.seq
        end = second.last if isinstance(second, Gap) else second.seq
        self.dropped += sum(not isinstance(one, Gap) for one in (first, second))
        self._waiting.appendleft(Gap(start, end, second.boot, second.at_s))
        self._sealed.clear()

    def _seal(self, waiting: Recorded | Gap, was: Place) -> Sealed:
        if isinstance(waiting, Recorded):
            seq = waiting.seq + self.offset
            return seal(seq, waiting.boot, waiting.at_s, waiting.event, was.hash)
        first, last = waiting.first + self.offset, waiting.last + self.offset
        event = Event("system", "journal", DROPPED, "rule", {"from": first, "to": last})
        return seal(last, waiting.boot, waiting.at_s, event, was.hash)
