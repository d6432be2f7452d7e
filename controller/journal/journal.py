"""The journal as the rest of the controller sees it: nothing here waits for the disk."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from controller.clock import Clock
from controller.core.event import Recorded
from controller.journal.backlog import LIMIT
from controller.journal.codec import PointStore, Stored
from controller.journal.readonly import Found, HistoryUnavailable, ReadOnly
from controller.journal.seen import SeenRequests
from controller.journal.store import Kept
from controller.journal.writer import BATCH_ROWS, Memory, Unsent, Writer, WriterThread

log = logging.getLogger(__name__)

_READINGS_HELD = 20_000

HANG_S = 5.0
"""So long may a card be busy with itself (guess: they stall for a second or two)."""

QUIET_S = 300.0
"""A disk that answered late, and was asked nothing for so long, gets another chance."""

HANGS = "the disk does not answer"


class _Call(NamedTuple):
    events: Sequence[Recorded]
    memory: Memory | None


class _Request(NamedTuple):
    id: str
    expires: int


class _End:
    pass


# None only wakes the writer; the event is set once everything before it was tried.
_Item = _Call | _Request | threading.Event | _End | None


class Journal:
    """The room's record in the SQLite file `path`, kept within `size_bytes`.

    `on_fault` is told what keeps the journal from the disk, and None when it is back; once per
    change, from the starting or the writing thread. `on_recorded` is told the last durable
    event after each commit. `points` says how each point's readings are stored.
    `on_unsent_lost` is given where a central system is to get every event: it is told which went
    unacknowledged at the stated size, at each such step, and None once it is past those.
    """

    def __init__(
        self,
        path: Path,
        size_bytes: int,
        clock: Clock,
        on_fault: Callable[[str | None], None],
        *,
        points: Mapping[str, PointStore] | None = None,
        on_recorded: Callable[[int], None] | None = None,
        on_unsent_lost: Callable[[Unsent | None], None] | None = None,
    ) -> None:
        self.path = path
        self._clock = clock
        self._calls: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._readings: deque[Stored] = deque(maxlen=_READINGS_HELD)
        self._seen = SeenRequests()
        self._file = ReadOnly(path)
        self._on_recorded = on_recorded
        self._recorded = threading.Condition()
        self._recorded_seq = 0
        self._asked_seq, self._asked_s, self._was_late = 0, 0.0, False
        self._spilled: Memory | None = None
        self._unread: str | None = None
        self._damaged: tuple[int, int] | None = None  # the first and the last one met
        self._writer = Writer(
            path,
            size_bytes,
            clock,
            points or {},
            on_fault,
            self._committed,
            self._seen,
            on_unsent_lost,
        )
        self._thread = WriterThread(self._turn, self._writer.failed)
        self._io = Path("/proc/thread-self/io")

    def open(self) -> Kept:
        """Open the file and start the writer. A bad disk is a fault, never an exception."""
        kept = self._writer.open()
        self._recorded_seq = self._writer.backlog.recorded_seq
        self._thread.start()
        self._io = Path(f"/proc/self/task/{self._thread.native_id}/io")
        return kept

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what there is and end the writer, as far as that takes `timeout_s` at most."""
        if self._thread.is_alive():
            self._calls.put(_End())
            self._thread.join(timeout_s)
        self._file.close()

    def record(
        self,
        events: Sequence[Recorded],
        memory: Memory | None = None,
        readings: Sequence[Stored] = (),
    ) -> None:
        """Queue events and the memory (text, mono_s, wall_s) that goes with them, and readings.

        Events and memory are one transaction. Never waits; while the disk hangs, the oldest
        calls are lost, and recorded as lost when it is back.
        """
        before = len(self._readings)
        self._readings.extend(readings)
        if events:
            if self._recorded_seq >= self._asked_seq:
                now_s = time.monotonic()
                self._was_late = self._was_late and now_s - self._asked_s <= QUIET_S
                self._asked_s = now_s
            self._asked_seq = events[-1].seq
        if events or memory:
            self._put(_Call(tuple(events), memory))
        elif len(self._readings) // BATCH_ROWS != before // BATCH_ROWS:
            self._calls.put(None)  # enough for a batch: wake the writer

    @property
    def fault(self) -> str | None:
        """What is wrong with the journal, in English; None while all is well.

        Damaged and missing events are told until they are let go, or the program ends.
        """
        return self.use_fault or self._cut or self._damage

    @property
    def use_fault(self) -> str | None:
        """What keeps the journal from being written, or read at all; None while it is in use.

        A disk that hangs raises no error: it is told by how long it has recorded nothing.
        """
        waits_s = time.monotonic() - self._asked_s
        if self._recorded_seq < self._asked_seq:
            hangs = self._was_late or waits_s > HANG_S
        else:
            hangs = self._was_late and waits_s <= QUIET_S
        return self._writer.fault or (HANGS if hangs else self._unread)

    @property
    def _cut(self) -> str | None:
        match self._writer.cut:
            case (first, last) if last >= self.first_seq:
                return f"the end of the journal was missing: events {first} to {last}"
        return None

    @property
    def _damage(self) -> str | None:
        match self._damaged:
            case (first, last) if last >= self.first_seq:
                if first == last:
                    return f"event {first} of the journal cannot be read"
                return f"events of the journal cannot be read, the first {first}, the last {last}"
        return None

    @property
    def recorded_seq(self) -> int:
        """The last event that is durable, in the numbers of `record`."""
        return self._recorded_seq

    @property
    def offset(self) -> int:
        """What the file's numbers are ahead of `record`'s; 0 unless it was unreadable at first."""
        return self._writer.backlog.offset

    @property
    def dropped(self) -> int:
        """Events lost for want of room since the start."""
        return self._writer.backlog.dropped

    @property
    def acked_seq(self) -> int:
        """The last event that the central system has acknowledged, in the file's numbers."""
        return self._writer.acked_seq

    @property
    def first_seq(self) -> int:
        """The first event that is still kept, or will be, in the file's numbers."""
        return self._writer.gone_seq + 1

    @property
    def unsent(self) -> int:
        """How many durable events are kept that the central system has not acknowledged."""
        had = max(self.acked_seq, self._writer.gone_seq)
        return max(0, self.recorded_seq + self.offset - had)

    @property
    def used_bytes(self) -> int:
        """Bytes of the file in use, as of the last housekeeping."""
        return self._writer.used_bytes

    @property
    def bytes_written(self) -> int:
        """Bytes that the writer's thread has handed to the kernel since the start.

        Counted by the kernel (`wchar` of the thread): the log's frames and the pages copied
        from it into the file. The file system's own records come on top and are not counted.
        0 where the kernel keeps no such account.
        """
        try:
            fields = dict(line.split(": ") for line in self._io.read_text().splitlines())
        except OSError:
            return 0
        return int(fields["wchar"])

    def wait_recorded(self, seq: int, timeout_s: float) -> bool:
        """Wait until event `seq` is durable; False when it is not within `timeout_s`."""
        with self._recorded:
            return self._recorded.wait_for(lambda: self._recorded_seq >= seq, timeout_s)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until everything queued before, readings too, is on the disk as far as it can."""
        done = threading.Event()
        self._calls.put(done)
        return done.wait(timeout_s)

    def seen_request(self, id: str, issued_s: float | None = None) -> bool:
        """Whether a request of this id was seen within a day; remembers it from now on.

        One issued before another that is forgotten already counts as seen.
        """
        fresh = self._seen.add(id, self._clock.now().wall_s, issued_s)
        if fresh:
            self._calls.put(_Request(*fresh))
        return fresh is None

    def acknowledge(self, seq: int) -> None:
        """The central system has everything up to `seq`; kept lazily, with what comes next."""
        self._writer.acked_seq = max(seq, self._writer.acked_seq)

    def events_after(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """Return durable events after `seq`, in order; none while the file cannot be read."""
        return self.find_after(seq, limit).events

    def events_between(self, first: int, last: int, limit: int = 1000) -> list[dict[str, Any]]:
        """Return durable events `first` to `last` but the damaged ones."""
        return self.find(first, last, limit).events

    def find_after(self, seq: int, limit: int) -> Found:
        """Return durable events after `seq` and which of them are damaged: see `find`."""
        return self.find(seq + 1, 2**62, limit)

    def find(self, first: int, last: int, limit: int) -> Found:
        """Return durable events `first` to `last` and which are damaged; `limit` in all.

        Nothing while the file cannot be read. That is a fault, and so is what is damaged.
        """
        # Behind a damaged page it could not be told where the events end.
        last = min(last, self.recorded_seq + self.offset)
        try:
            found = self._file.find(first, last, limit)
        except HistoryUnavailable as error:
            log.debug("no events now: %s", error)
            self._unread = f"the journal cannot be read from event {first} on: {error}"
            return Found([], [])
        self._unread = None
        if found.unreadable:
            self._note_damage(found.unreadable)
        return found

    def _note_damage(self, unreadable: Sequence[int]) -> None:
        first, last = self._damaged or (unreadable[0], unreadable[0])
        known = self._damaged
        self._damaged = (min(first, *unreadable), max(last, *unreadable))
        if self._damaged != known:
            log.error("%s", self._damage)

    def seq_before(self, at_s: float) -> int:
        """Return the number of the last event before wall time `at_s`; 0 while nobody can tell."""
        try:
            return self._file.seq_before(at_s * 1000)
        except HistoryUnavailable:
            return 0

    def _put(self, call: _Call) -> None:
        if self._calls.qsize() >= LIMIT:  # the writer hangs in the disk
            match self._next_now():
                case _Call(_, memory):
                    self._spilled = memory or self._spilled
                case threading.Event() as waiting:
                    waiting.set()
        self._calls.put(call)

    def _next_now(self) -> _Item:
        try:
            return self._calls.get_nowait()
        except queue.Empty:
            return None

    def _turn(self) -> bool:
        """One turn of the writer's thread; False when it was the last."""
        try:
            items = [self._calls.get(timeout=self._writer.wait_s())]
        except queue.Empty:
            items = []
        items += [self._next_now() for _ in range(self._calls.qsize())]
        spilled, self._spilled = self._spilled, None
        self._writer.take((), spilled)
        for item in items:
            match item:
                case _Call(events, memory):
                    self._writer.take(events, memory)
                case _Request():
                    self._writer.take_request(item)
        for _ in range(len(self._readings)):
            self._writer.take_reading(self._readings.popleft())
        is_end = any(isinstance(item, _End) for item in items)
        flushed = [item for item in items if isinstance(item, threading.Event)]
        if is_end:
            self._writer.close()
        else:
            self._writer.turn(everything=bool(flushed))
        for done in flushed:
            done.set()
        return not is_end

    def _committed(self, seq: int) -> None:
        with self._recorded:
            self._recorded_seq = seq
            now_s = time.monotonic()
            # What answers late each time has not mended.
            self._was_late = now_s - self._asked_s > HANG_S
            self._asked_s = now_s
            self._recorded.notify_all()
        if self._on_recorded:
            self._on_recorded(seq)
