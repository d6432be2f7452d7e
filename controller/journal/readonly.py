"""Reading the journal beside its writer, in this process or another, never in its way."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from controller.journal.chain import anchor, event_object, rows
from controller.journal.faults import is_damage, is_unreadable_place

_WAIT_S = 0.5
_BAD_ROW = (sqlite3.Error, ValueError, TypeError, RecursionError)


class HistoryUnavailable(Exception):
    """There is no journal to read: not made yet, locked for good, or not readable."""


class Found(NamedTuple):
    """Events of one look, in order, and the numbers there that are damaged."""

    events: list[dict[str, Any]]
    unreadable: list[int]

    @property
    def met(self) -> int:
        """How many numbers the look met: a page is full by these, not by its events."""
        return len(self.events) + len(self.unreadable)

    @property
    def last(self) -> int | None:
        """The last number that the look met, behind which the next one begins."""
        ends = [*self.unreadable[-1:], *(event["seq"] for event in self.events[-1:])]
        return max(ends, default=None)


class ReadOnly:
    """One read-only connection to the journal at `path`, opened when it is needed. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._con: sqlite3.Connection | None = None
        self._inode = 0

    def close(self) -> None:
        with self._lock:
            self._let_go()

    @contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to one reader at a time. Raises: HistoryUnavailable."""
        with self._lock:
            try:
                yield self._connected()
            except (sqlite3.Error, OSError) as error:
                self._let_go()
                raise HistoryUnavailable(f"{self._path}: {error}") from error

    def events_between(self, first: int, last: int, limit: int) -> list[dict[str, Any]]:
        """Return events `first` to `last` without damaged ones, oldest first, `limit` at most."""
        return self.find(first, last, limit).events

    def find(self, first: int, last: int, limit: int) -> Found:
        """Return events `first` to `last`, read and unreadable together `limit` at most."""
        limit = max(0, limit)
        with self.look() as con:
            try:
                return Found([event_object(row) for row in rows(con, first, last, limit)], [])
            except _BAD_ROW:  # of any of them: which one shows below
                return _one_by_one(con, first, last, limit)

    def seq_before(self, at_ms: float) -> int:
        """Return the number of the last event before the first one at or after a wall time."""
        with self.look() as con:
            query = "SELECT ifnull(min(seq) - 1, ?) FROM event WHERE at >= ?"
            return int(con.execute(query, (2**61, at_ms)).fetchone()[0])

    def _connected(self) -> sqlite3.Connection:
        """Return the connection; a new one when the file was replaced since."""
        inode = os.stat(self._path).st_ino
        if self._con is None or inode != self._inode:
            self._let_go()
            self._con = self._opened()
            self._inode = inode
        return self._con

    def _opened(self) -> sqlite3.Connection:
        """Open the file; where nothing can be made beside it, without the log if there is none."""
        uri = self._path.absolute().as_uri()
        modes = ["mode=ro"]
        if not self._path.with_name(self._path.name + "-wal").exists():
            modes.append("immutable=1")
        for mode in modes:
            con = sqlite3.connect(
                f"{uri}?{mode}",
                uri=True,
                timeout=_WAIT_S,
                isolation_level=None,
                check_same_thread=False,  # used under the lock
            )
            try:
                con.execute("SELECT 1 FROM series LIMIT 1")
            except sqlite3.Error:
                con.close()
                if mode == modes[-1]:
                    raise
            else:
                return con
        raise AssertionError("there is always a last mode")

    def _let_go(self) -> None:
        if self._con is not None:
            self._con.close()
            self._con = None


def _one_by_one(con: sqlite3.Connection, first: int, last: int, limit: int) -> Found:
    """Read around what is damaged. Raises: sqlite3.Error where all of it may be there later."""
    # From where events are kept: what was let go is not damaged.
    found, at = Found([], []), max(first, anchor(con).seq + 1)
    passing: Exception | None = None
    while at <= last and found.met < limit:
        try:
            row = next(rows(con, at, last, 1), None)
            if row is None:
                break
            at = row.seq
            found.events.append(event_object(row))
        except _BAD_ROW as error:
            if is_unreadable_place(error):
                passing = error
            elif not is_damage(error):
                raise
            found.unreadable.append(at)
        at += 1
    # A medium that gave others but not this one has lost it; one that gives nothing is away.
    if passing is not None and not found.events:
        raise passing
    return found
