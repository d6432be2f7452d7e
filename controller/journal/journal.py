"""The journal as the rest of the controller sees it: nothing here waits for the disk."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from controller.clock import Clock
from controller.core.event import Recorded
from controller.journal.backlog import LIMIT
from controller.journal.codec import PointStore, Stored
from controller.journal.readonly import HistoryUnavailable, ReadOnly
from controller.journal.seen import SeenRequests
from controller.journal.store import Kept
from controller.journal.writer import BATCH_ROWS, Memory, Writer, WriterThread

log = logging.getLogger(__name__)

_READINGS_HELD = 20_000


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
    ) -> None:
        self._clock = clock
        self._calls: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._readings: deque[Stored] = deque(maxlen=_READINGS_HELD)
        self._seen = SeenRequests()
        self._file = ReadOnly(path)
        self._on_recorded = on_recorded
        self._recorded = threading.Condition()
        self._recorded_seq = 0
        self._spilled: Memory | None = None
        self._writer = Writer(path, size_bytes, clock, points or {}, on_fault, self._committed)
        self._thread = WriterThread(self._turn, self._writer.failed)
        self._io = Path("/proc/thread-self/io")

    def open(self) -> Kept:
        """Open the file and start the writer. A bad disk is a fault, never an exception."""
        kept, requests = self._writer.open()
        self._seen.load(requests)
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
        if events or memory:
            self._put(_Call(tuple(events), memory))
        elif len(self._readings) // BATCH_ROWS != before // BATCH_ROWS:
            self._calls.put(None)  # enough for a batch: wake the writer

    @property
    def fault(self) -> str | None:
        """What keeps the journal from the disk, in English; None while all is well."""
        return self._writer.fault

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

    def seen_request(self, id: str) -> bool:
        """Whether a request of this id was seen within a day; remembers it from now on."""
        fresh = self._seen.add(id, self._clock.now().wall_s)
        if fresh:
            self._calls.put(_Request(*fresh))
        return fresh is None

    def acknowledge(self, seq: int) -> None:
        """The central system has everything up to `seq`; kept lazily, with what comes next."""
        self._writer.acked_seq = max(seq, self._writer.acked_seq)

    def events_after(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """Return durable events after `seq`, in order; none while the file cannot be read."""
        return self.events_between(seq + 1, 2**62, limit)

    def events_between(self, first: int, last: int, limit: int = 1000) -> list[dict[str, Any]]:
        """Return durable events `first` to `last`; none while the file cannot be read."""
        try:
            return self._file.events_between(first, last, limit)
        except HistoryUnavailable as error:
            log.debug("no events now: %s", error)
            return []

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
            self._recorded.notify_all()
        if self._on_recorded:
            self._on_recorded(seq)
