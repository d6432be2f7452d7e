"""The writer: the one thread that writes the journal, and what it does when the disk fails.

While the disk is away it keeps on in memory, tries again after 1, 2, 4 .. 30 s, and writes what
it has when the disk is back. Disk times are real seconds; only the batches of readings follow
the room's paced clock, so that a fast simulation is seen as fast.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from controller.clock import Clock, boot_id
from controller.core.event import Recorded
from controller.journal.backlog import LIMIT, Backlog
from controller.journal.chain import START, Place
from controller.journal.codec import PointStore, Stored
from controller.journal.faults import fault_of, is_corrupt
from controller.journal.rescue import look, proven_corrupt, set_aside
from controller.journal.schema import UnknownJournal
from controller.journal.seen import SeenRequests
from controller.journal.store import (
    NOTHING_KEPT,
    OPENING_WAIT_S,
    Batch,
    Kept,
    Store,
)
from controller.journal.thinning import Thinning
from controller.journal.trimming import allowed_bytes, trim, trim_unsent, used_bytes

log = logging.getLogger(__name__)

BATCH_S = 10.0
BATCH_ROWS = 500
HOUSEKEEPING_S = 60.0
_TRIM_PAUSE_S = 0.05
_RETRY_S = (1.0, 30.0)
_REQUESTS_HELD = 10_000
_TIDY_EVENTS = 5_000
"""So many events are looked after at once, however long the next housekeeping is away."""

_ALL = 2**62

Memory = tuple[str, float, float]


class Unsent(NamedTuple):
    """Events that were let go before the central system had them: `first` to `last`.

    Those from `new_from` on went just now; past `last` where none did.
    """

    first: int
    last: int
    new_from: int


class Writer:
    """Owns the store and everything not yet in it. Not thread-safe: one thread at a time."""

    def __init__(
        self,
        path: Path,
        size_bytes: int,
        clock: Clock,
        points: Mapping[str, PointStore],
        on_fault: Callable[[str | None], None],
        on_recorded: Callable[[int], None],
        seen: SeenRequests,
        on_unsent_lost: Callable[[Unsent | None], None] | None = None,
    ) -> None:
        self.backlog = Backlog(None)
        self.fault: str | None = None
        self.used_bytes = 0
        self.acked_seq = 0
        self.gone_seq = 0
        self.cut: tuple[int, int] | None = None
        self._path = path
        self._size_bytes = size_bytes
        self._clock = clock
        self._boot = boot_id()
        self._on_fault = on_fault
        self._on_recorded = on_recorded
        self._seen = seen
        self._on_unsent_lost = on_unsent_lost
        self._told_gone = 0
        self._lost_stands = False
        self._thinning = Thinning(points)
        self._memory: Memory | None = None
        self._requests: list[tuple[str, int]] = []
        self._written_ack = 0
        self._store: Store | None = None
        self._retry_s, self._retry_at = _RETRY_S[0], 0.0
        self._batch_at = self._tidy_at = time.monotonic()
        self._since_tidy = 0
        self._is_corrupt = False

    def open(self) -> Kept:
        """Open the file or go on without it; return what it held.

        Where its end is missing, `last_seq` is the last that is known to have been there.
        """
        kept: Kept | None = None
        try:
            self._store = Store(self._path, OPENING_WAIT_S)
            kept = self._store.kept()
        except UnknownJournal as error:
            self._lose(error)
        except (sqlite3.Error, OSError) as error:
            self._lose(error)
            kept = look(self._path)
        if kept and (self._store or kept.last_seq):
            self.backlog = Backlog(Place(kept.last_seq, kept.last_hash))
            self._go_on_from(kept)
            # The backlog records what the next event leaves out as lost.
            kept = msgspec.structs.replace(kept, last_seq=kept.used_seq)
        if kept is None or kept.requests is None:
            self._seen.unread()
        else:
            self._seen.load(kept.requests)
        return kept or NOTHING_KEPT

    def take(self, events: Iterable[Recorded], memory: Memory | None) -> None:
        for event in events:
            self.backlog.accept(event)
        self._memory = memory or self._memory

    def take_request(self, request: tuple[str, int]) -> None:
        self._requests.append(request)
        del self._requests[:-_REQUESTS_HELD]

    def take_reading(self, stored: Stored) -> None:
        self._thinning.take(stored)

    def wait_s(self) -> float:
        """How long the thread may sleep when nothing comes."""
        due = min(self._batch_at, self._tidy_at) if self._store else self._retry_at
        return max(0.0, due - time.monotonic())

    def turn(self, everything: bool = False) -> None:
        """Write what is due; with `everything`, whatever there is."""
        now_s = time.monotonic()
        if self._store is None and (everything or now_s >= self._retry_at):
            self._attach()
        if self._store is None:
            if len(self.backlog) >= LIMIT:  # room is short: readings go before events
                self._thinning.rows.clear()
                self._thinning.spans.clear()
            return
        try:
            self._write(self._store, now_s, everything)
        except (sqlite3.Error, OSError) as error:
            self._lose(error)

    def failed(self, error: Exception) -> None:
        """An error of our own: begin again with the file, and say so."""
        self._lose(error)

    def close(self) -> None:
        self._thinning.finish_minutes()
        self.turn(everything=True)
        if self._store:
            self._store.close()
            self._store = None

    def _write(self, store: Store, now_s: float, everything: bool) -> None:
        thinning = self._thinning
        # The id of a request goes along with the event that says what became of it.
        must_last = len(self.backlog) or self._memory
        is_due = everything or now_s >= self._batch_at or len(thinning.rows) >= BATCH_ROWS
        if must_last or is_due:
            self._commit(store)
            self._batch_at = now_s + self._clock.real_s(BATCH_S)
        if everything or now_s >= self._tidy_at:
            self._tidy(store, now_s)
        self._look_for_lost()

    def _commit(self, store: Store) -> None:
        events = list(self.backlog.seal())
        is_acked = self.acked_seq != self._written_ack
        batch = Batch(
            events=events,
            memory=(self._memory[0], self._boot, *self._memory[1:]) if self._memory else None,
            requests=list(self._requests),
            rows=list(self._thinning.rows),
            spans=list(self._thinning.spans),
            acked_seq=self.acked_seq if is_acked else None,
        )
        if not (batch.must_last or batch.rows or batch.spans or is_acked):
            return
        store.write(batch)
        self.backlog.committed(len(events))
        self._memory = None
        self._requests.clear()
        self._thinning.rows.clear()
        self._thinning.spans.clear()
        self._written_ack = batch.acked_seq or self._written_ack
        self._set_fault(None)
        if events:
            _tell(self._on_recorded, self.backlog.recorded_seq)
            self._since_tidy += len(events)
            if self._since_tidy >= _TIDY_EVENTS:
                self._tidy_at = 0.0
        store.checkpoint()

    def _tidy(self, store: Store, now_s: float) -> None:
        if not store.is_in_place:
            raise OSError(f"{self._path} was taken away")
        # Where nobody is told of events, none is kept for that.
        sent = self._written_ack if self._on_unsent_lost else _ALL
        allowed = allowed_bytes(store.normal, self._path, self._size_bytes)
        is_more = trim(store.normal, self._clock.now(), allowed, sent)
        is_more = is_more or trim_unsent(store.normal, self._size_bytes)
        self.gone_seq = store.gone_seq
        self.used_bytes = used_bytes(store.normal)
        self._since_tidy = 0
        if not is_more:
            store.checkpoint(soon=True)
        self._tidy_at = now_s + (_TRIM_PAUSE_S if is_more else HOUSEKEEPING_S)

    def _attach(self) -> None:
        try:
            if self._is_corrupt and proven_corrupt(self._path):
                aside = set_aside(self._path, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
                log.error("the journal was corrupt; it is kept as %s and a new one begun", aside)
            self._is_corrupt = False
            self._written_ack = 0  # it may be a new file
            store = Store(self._path)
            # From here on `_lose` closes it.
            self._store = store
            if store.place == START:  # begun anew: what the one before knew of goes along
                self._requests = self._seen.held()
            elif self.backlog.known is None:  # it could not be read at the start
                kept = store.kept()
                self._go_on_from(kept)
                self._seen.load(kept.requests or ())
                self.backlog.go_on_at(store.place, kept.used_seq)
            anchor = self.backlog.meet(store.place)
            if anchor:
                store.begin_at(anchor)
            self.gone_seq = store.gone_seq
            self._commit(store)
            self._look_for_lost()
            self.used_bytes = used_bytes(store.normal)
        except (UnknownJournal, sqlite3.Error, OSError) as error:
            self._lose(error)
            return
        self._retry_s = _RETRY_S[0]
        self._tidy_at = time.monotonic() + HOUSEKEEPING_S
        self._set_fault(None)

    def _go_on_from(self, kept: Kept) -> None:
        """Take up what was acknowledged and what is gone, of before this run."""
        if kept.used_seq > kept.last_seq:
            self.cut = (kept.last_seq + 1, kept.used_seq)
            log.error("the end of the journal is missing: events %s to %s", *self.cut)
        self.acked_seq = self._written_ack = kept.acked_seq
        self.gone_seq = self._told_gone = kept.gone_seq
        self._lost_stands = self._on_unsent_lost is not None and self.gone_seq > self.acked_seq
        if self._on_unsent_lost and self._lost_stands:  # of before: no news, but it stands
            gone = self.gone_seq
            _tell(self._on_unsent_lost, Unsent(self.acked_seq + 1, gone, gone + 1))

    def _look_for_lost(self) -> None:
        """Tell what is gone before the central system had it, until it is past that."""
        if self._on_unsent_lost is None:
            self.acked_seq = max(self.acked_seq, self.gone_seq)
            return
        gone, acked = self.gone_seq, self.acked_seq
        if gone > max(acked, self._told_gone):
            new_from = max(acked, self._told_gone) + 1
            self._lost_stands, self._told_gone = True, gone
            _tell(self._on_unsent_lost, Unsent(acked + 1, gone, new_from))
        elif self._lost_stands and acked >= gone:
            self._lost_stands = False
            _tell(self._on_unsent_lost, None)

    def _lose(self, error: Exception) -> None:
        """Let go of the file and say why; what was not committed stays here."""
        if self._store:
            self._store.close()
            self._store = None
        self._is_corrupt = isinstance(error, sqlite3.Error) and is_corrupt(error)
        # The whole file is checked by the thread, at once the first time; the start waits for
        # no such thing.
        is_first = self._retry_s == _RETRY_S[0]
        at_once = self._is_corrupt and is_first
        self._retry_at = time.monotonic() + (0.0 if at_once else self._retry_s)
        self._retry_s = min(self._retry_s * 2, _RETRY_S[1])
        text = str(error) if isinstance(error, UnknownJournal) else fault_of(error)
        self._set_fault(text)

    def _set_fault(self, text: str | None) -> None:
        if text == self.fault:
            return
        self.fault = text
        if text:
            log.warning("%s; going on in memory", text)
        else:
            log.warning("the journal is written again")
        _tell(self._on_fault, text)


T = TypeVar("T")


def _tell(listener: Callable[[T], None], what: T) -> None:
    try:
        listener(what)
    except Exception:
        log.exception("a listener of the journal failed")


class WriterThread(threading.Thread):
    """Runs `turn` until it returns False; an error of our own is reported and does not end it."""

    PAUSE_S = 1.0

    def __init__(self, turn: Callable[[], bool], failed: Callable[[Exception], None]) -> None:
        super().__init__(name="journal", daemon=True)
        self._turn = turn
        self._failed = failed

    def run(self) -> None:
        is_going = True
        while is_going:
            try:
                is_going = self._turn()
            except Exception as error:
                log.exception("the journal's writer failed and goes on")
                self._failed(error)
                time.sleep(self.PAUSE_S)
