"""The chain of events: each row carries the hash of the one before (SHA-256, RFC 8785)."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from controller.canonical import canonical, plain
from controller.core.event import Event

COLUMNS = "seq, boot, at, kind, subject, cause, actor, data, prev, hash"
DROPPED = "events-dropped"
_NO_TEXT = ("seq", "data")
_LAST_MS = 253_402_300_799_999  # the end of the year 9999, the last that RFC 3339 can write


class Place(NamedTuple):
    """Where a chain stands: the last event's number and hash."""

    seq: int
    hash: str


START = Place(0, "0" * 64)


class Sealed(NamedTuple):
    """One row of the table `event`; `at` is UTC epoch milliseconds, `data` canonical JSON."""

    seq: int
    boot: str
    at: int
    kind: str
    subject: str
    cause: str
    actor: str
    data: str
    prev: str
    hash: str


def rfc3339(at_ms: int) -> str:
    """Return UTC with milliseconds: 2026-01-31T12:00:00.250Z."""
    seconds, milliseconds = divmod(min(max(at_ms, 0), _LAST_MS), 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def seal(seq: int, boot: str, at_s: float, event: Event, prev: str) -> Sealed:
    """Return the row of `event` behind the row whose hash is `prev`."""
    at_ms = min(max(round(at_s * 1000), 0), _LAST_MS)
    texts = [plain(text) for text in (boot, event.kind, event.subject, event.cause, event.actor)]
    boot, kind, subject, cause, actor = texts
    data = canonical(plain(event.data))
    open_row = Sealed(seq, boot, at_ms, kind, subject, cause, actor, data, prev, "")
    return open_row._replace(hash=hash_of(open_row))


def hash_of(row: Sealed) -> str:
    """Return SHA-256 over the previous hash and the event's canonical JSON without `hash`."""
    return hashlib.sha256((row.prev + canonical(_body(row))).encode()).hexdigest()


def event_object(row: Sealed) -> dict[str, Any]:
    """Return the event as others get it: on MQTT, at the door, from the command line.

    Raises: ValueError, TypeError or RecursionError where the row is damaged.
    """
    event = {**_body(row), "hash": row.hash}
    if not isinstance(event["data"], dict):
        raise ValueError(f"event {row.seq}: its data is no object")
    if not all(isinstance(value, str) for name, value in event.items() if name not in _NO_TEXT):
        raise ValueError(f"event {row.seq}: holds bytes in the place of text")
    return event


def _body(row: Sealed) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "boot": row.boot,
        "at": rfc3339(row.at),
        "kind": row.kind,
        "subject": row.subject,
        "cause": row.cause,
        "actor": row.actor,
        "data": json.loads(row.data),
        "prev": row.prev,
    }


def rows(con: sqlite3.Connection, first: int, last: int, limit: int) -> Iterator[Sealed]:
    """Yield the events numbered `first` to `last`, in order, `limit` (-1: no limit) at most."""
    query = f"SELECT {COLUMNS} FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
    yield from map(Sealed._make, con.execute(query, (first, last, limit)))


def anchor(con: sqlite3.Connection) -> Place:
    """Return where the chain of this file begins: the last event that is no longer kept."""
    row = con.execute("SELECT seq, hash FROM anchor").fetchone()
    return Place(*row) if row else START


def tells_of(cause: str, data: object, first: int) -> bool:
    """Whether this event is the mark that stands for lost events from number `first`."""
    return cause == DROPPED and isinstance(data, dict) and data.get("from") == first
