"""Checking a capture of the topic `event` alone: what the central system holds, without the room.

What came is sorted by number in a temporary file of SQLite's, so that a capture of years needs
no memory. Duplicates and restarts belong to at-least-once delivery and are counted; a gap, an
altered event and a forged one are faults, each named by its number.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from controller.canonical import canonical
from controller.journal.chain import START, anchor, tells_of
from controller.journal.readonly import ReadOnly
from controller.journal.verify import Faults

_LONGEST = 1 << 20
"""Bytes of a line; no message of ours comes near it."""

_LAST = 2**53
_HEX = frozenset("0123456789abcdef")


class MixedCapture(ValueError):
    """The capture is of more than one room."""


class CaptureReport(msgspec.Struct, frozen=True):
    """What `verify_capture` found.

    `events` different ones came, from `first` to `last`. `duplicates`: how often one came again;
    `late`: how many came after a later one for the first time, as those do that were asked for
    again; `restarts`: how often the room's program began anew. `gaps`: ranges that never came;
    `dropped`: ranges whose loss the room itself tells of.
    """

    events: int
    first: int
    last: int
    duplicates: int
    late: int
    restarts: int
    gaps: tuple[tuple[int, int], ...]
    dropped: tuple[tuple[int, int], ...]
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


class _Came(NamedTuple):
    """One form in which an event came; `since`: from where on it tells of lost events."""

    seq: int
    hash: str
    prev: str
    boot: str
    since: int | None


def verify_capture(capture: BinaryIO, journal: Path | None = None) -> CaptureReport:
    """Check lines as `mosquitto_sub` prints them, with `-v` or without.

    `journal`: compare with what it holds, too. Raises: MixedCapture, HistoryUnavailable.
    """
    faults = Faults()
    with ExitStack() as stack:
        con = stack.enter_context(closing(sqlite3.connect("", isolation_level=None)))
        con.execute("PRAGMA journal_mode = OFF")
        con.execute(
            "CREATE TABLE came (seq INTEGER, hash TEXT, prev TEXT, boot TEXT, since INTEGER,"
            " PRIMARY KEY (seq, hash)) WITHOUT ROWID"
        )
        con.execute("BEGIN")
        duplicates, late = _take(con, capture, faults)
        held = None
        if journal is not None:
            file = stack.enter_context(closing(ReadOnly(journal)))
            held = stack.enter_context(file.look())
        return _checked(con, held, duplicates, late, faults)


def _take(con: sqlite3.Connection, capture: BinaryIO, faults: Faults) -> tuple[int, int]:
    """Read everything; return how many came again, and how many late."""
    duplicates = late = newest = 0
    topic: str | None = None
    for number, line in _lines(capture, faults):
        name, payload = _parted(line)
        if name is not None:
            if not name.endswith("/event"):
                continue
            if topic not in (None, name):
                raise MixedCapture(f"line {number}: {name} beside {topic}: more than one room")
            topic = name
        try:
            event = json.loads(payload, object_pairs_hook=_object)
            came = _came(event)
        except (ValueError, RecursionError) as error:
            faults.add(f"line {number}: is no event: {error}")
            continue
        if not _is_what_was_hashed(event):
            faults.add(f"event {came.seq}: is not what was hashed (line {number})")
        is_new = con.execute("SELECT 1 FROM came WHERE seq = ?", (came.seq,)).fetchone() is None
        con.execute("INSERT OR IGNORE INTO came VALUES (?, ?, ?, ?, ?)", came)
        duplicates += not is_new
        late += is_new and came.seq < newest
        newest = max(newest, came.seq)
    return duplicates, late


def _checked(
    con: sqlite3.Connection,
    held: sqlite3.Connection | None,
    duplicates: int,
    late: int,
    faults: Faults,
) -> CaptureReport:
    gaps: list[tuple[int, int]] = []
    dropped: list[tuple[int, int]] = []
    events = first = last = restarts = 0
    hashes: set[str] = set()
    boot = ""
    if held:
        held.execute("BEGIN")  # one moment of a journal that may be trimmed meanwhile
    trimmed = anchor(held).seq if held else 0
    found = map(_Came._make, con.execute("SELECT * FROM came ORDER BY seq"))
    for seq, group in groupby(found, key=lambda came: came.seq):
        forms = list(group)
        if len(forms) > 1:
            faults.add(f"event {seq}: came in {len(forms)} forms")
        told = next((form.since for form in forms if form.since is not None), None)
        if events and seq != last + 1 and told == last + 1:
            dropped.append((last + 1, seq))
        elif events and seq != last + 1:
            gaps.append((last + 1, seq - 1))
            one = f"event {last + 1}" if seq == last + 2 else f"events {last + 1} to {seq - 1}"
            faults.add(f"{one}: never came")
            hashes.clear()
        if not events and 1 in (seq, told) and all(form.prev != START.hash for form in forms):
            faults.add(f"event {seq}: is the first, and names one before it")
        if hashes and not any(form.prev in hashes for form in forms):
            faults.add(f"event {seq}: is not chained to the one before")
        if held is not None and seq > trimmed:
            kept = held.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
            if kept is None or all(form.hash != kept[0] for form in forms):
                what = "has no such event" if kept is None else "holds another"
                faults.add(f"event {seq}: the journal {what}")
        restarts += bool(boot) and forms[0].boot != boot
        hashes, boot, last = {form.hash for form in forms}, forms[0].boot, seq
        first = first or seq
        events += 1
    if not events:
        faults.add("no event came: is it a capture of the topic `event`?")
    return CaptureReport(
        events, first, last, duplicates, late, restarts, tuple(gaps), tuple(dropped), faults.all()
    )


def _lines(capture: BinaryIO, faults: Faults) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not empty, with their numbers."""
    number = 0
    while line := capture.readline(_LONGEST):
        number += 1
        if len(line) == _LONGEST and not line.endswith(b"\n"):
            faults.add(f"line {number}: is longer than {_LONGEST} bytes")
            while (rest := capture.readline(_LONGEST)) and not rest.endswith(b"\n"):
                pass
        elif line.strip():
            yield number, line.strip()


def _parted(line: bytes) -> tuple[str | None, bytes]:
    """Part the topic from the payload where `mosquitto_sub -v` wrote both."""
    topic, space, payload = line.partition(b" ")
    if line.startswith(b"{") or not space or b"/" not in topic:
        return None, line
    return topic.decode("utf-8", "replace"), payload


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what each reader would understand otherwise (RFC 8785 asks for I-JSON)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands there twice")
    return found


def _came(event: Any) -> _Came:
    """Return what the chain needs of an event. Raises: ValueError."""
    if not isinstance(event, dict):
        raise ValueError("no object")
    seq = event.get("seq")
    if type(seq) is not int or not 0 < seq <= _LAST:
        raise ValueError("no number")
    hash, prev = event.get("hash"), event.get("prev")
    for text in (hash, prev):
        if not isinstance(text, str) or len(text) != 64 or not _HEX.issuperset(text):
            raise ValueError(f"event {seq} has no hash")
    data = event.get("data")
    since = data.get("from") if isinstance(data, dict) else None
    if (
        type(since) is not int
        or since > _LAST
        or not tells_of(str(event.get("cause")), data, since)
    ):
        since = None
    boot = str(event.get("boot")).encode("utf-8", "replace").decode()
    assert isinstance(hash, str) and isinstance(prev, str)
    return _Came(seq, hash, prev, boot, since)


def _is_what_was_hashed(event: dict[str, Any]) -> bool:
    body = {key: value for key, value in event.items() if key != "hash"}
    try:
        told = sha256((event["prev"] + canonical(body)).encode()).hexdigest()
    except (ValueError, RecursionError):
        return False
    return bool(told == event["hash"])
