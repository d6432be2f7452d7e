"""Checking a journal: the database, the numbers, the hashes, and that its end is there.

What a chain of hashes cannot show by itself is a history rewritten from some event to the end,
or one whose last events are gone: against that stand what the file says elsewhere (the memory's
number, what was acknowledged) and what others hold (`capture.py`).
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from controller.journal.chain import Place, Sealed, anchor, hash_of, rows, tells_of
from controller.journal.faults import is_corrupt
from controller.journal.readonly import HistoryUnavailable, ReadOnly
from controller.journal.schema import VERSION
from controller.journal.store import acked_of, memory_of

_MOST = 1000


class Faults:
    """What is wrong, in words; past a thousand only counted."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._more = 0

    def add(self, fault: str) -> None:
        if len(self._told) < _MOST:
            self._told.append(fault)
        else:
            self._more += 1

    def all(self) -> tuple[str, ...]:
        return (*self._told, *([f"and {self._more} more"] if self._more else ()))


class ChainReport(msgspec.Struct, frozen=True):
    """What `verify_chain` found.

    `first` to `last` are kept; `hash` is the last one's, to be compared with what others hold.
    `trimmed`: the last event that was let go for want of room, 0 where none was. `dropped`: the
    ranges whose loss the journal itself records.
    """

    events: int
    first: int
    last: int
    hash: str
    trimmed: int
    dropped: tuple[tuple[int, int], ...]
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


def verify_chain(path: Path) -> ChainReport:
    """Check the journal at `path`, also beside its writer.

    Raises: HistoryUnavailable where there is none, or none of this version.
    """
    faults = Faults()
    with closing(ReadOnly(path)) as file:
        try:
            with file.look() as con:
                if con.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                    raise HistoryUnavailable(f"{path}: is no journal of this program's version")
                # Altered bytes may be no text any more; their event is still named.
                con.text_factory = _read_text
                con.execute("BEGIN")  # one look, however long the writer goes on meanwhile
                return _checked(con, faults)
        except HistoryUnavailable as error:
            if isinstance(error.__cause__, sqlite3.Error) and is_corrupt(error.__cause__):
                return ChainReport(0, 0, 0, "", 0, (), (f"database: {error.__cause__}",))
            raise


def _checked(con: sqlite3.Connection, faults: Faults) -> ChainReport:
    dropped: list[tuple[int, int]] = []
    events, first = 0, 0
    began = was = anchor(con)
    try:
        for (state,) in con.execute("PRAGMA integrity_check(10)").fetchall():
            if state != "ok":
                faults.add(f"database: {state}")
        for row in rows(con, -(2**62), 2**62, -1):
            events += 1
            first = first or row.seq
            expected = was.seq + 1
            if row.seq != expected and not _tells_of(row, expected):
                faults.add(f"event {row.seq}: comes after {was.seq}")
            elif row.seq != expected:
                dropped.append((expected, row.seq))
            if row.prev != was.hash:
                faults.add(f"event {row.seq}: is not chained to the one before")
            if not _is_what_was_hashed(row):
                faults.add(f"event {row.seq}: is not what was hashed")
            was = Place(row.seq, row.hash)
        memory, acked = memory_of(con), acked_of(con)
        if memory and memory.seq > was.seq:
            faults.add(f"event {memory.seq}: the memory was written after it, and it is not there")
        if acked > was.seq:
            faults.add(f"event {acked}: the central system has it, and it is not there")
    except sqlite3.DatabaseError as error:
        faults.add(f"database: after event {was.seq}: {error}")
    return ChainReport(events, first, was.seq, was.hash, began.seq, tuple(dropped), faults.all())


def _is_what_was_hashed(row: Sealed) -> bool:
    try:
        return row.hash == hash_of(row)
    except (ValueError, RecursionError):  # its data is no JSON any more
        return False


def _tells_of(row: Sealed, first: int) -> bool:
    try:
        return tells_of(row.cause, json.loads(row.data), first)
    except (ValueError, RecursionError):
        return False


def _read_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
