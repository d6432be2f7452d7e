"""The file itself: opened, read at the start, written in transactions.

Two connections of one thread: FULL for events and memory (durable once committed), NORMAL for
readings (a power cut may take the last seconds of them, never the file). A `Store` that raised
is not used again; the writer opens a new one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from controller.journal.chain import COLUMNS, START, Place, Sealed, anchor
from controller.journal.codec import Series, pack
from controller.journal.schema import VERSION, UnknownJournal, migrate
from controller.journal.thinning import Row, Span

OPENING_WAIT_S = 0.25
"""How long a lock is waited for at the start, where the room is not guarded yet."""

WRITING_WAIT_S = 2.0
_CHECKPOINT_COMMITS = 200


class KeptMemory(msgspec.Struct, frozen=True):
    """The controller's memory as last written; `seq` is the last event before or with it."""

    text: str
    boot_id: str
    mono_s: float
    wall_s: float
    seq: int


class Kept(msgspec.Struct, frozen=True):
    """What the journal knew at the start; all zero where there was nothing to read.

    `acked_seq`: the last event that the central system has acknowledged; `gone_seq`: the last that
    is no longer kept. `requests`: ids seen with their expiry (epoch seconds), soonest first; None
    where these could not be read.
    """

    last_seq: int
    last_hash: str
    memory: KeptMemory | None
    acked_seq: int
    gone_seq: int = 0
    requests: Sequence[tuple[str, int]] | None = None

    @property
    def used_seq(self) -> int:
        """The last number that was used: past `last_seq` where the end was cut off.

        A number used again would pass for the event that the central system has already.
        """
        return max(self.last_seq, self.acked_seq, self.memory.seq if self.memory else 0)


NOTHING_KEPT = Kept(START.seq, START.hash, None, 0)


class Batch(msgspec.Struct):
    """What one transaction takes. `memory` is text, boot id, mono_s, wall_s."""

    events: Sequence[Sealed] = ()
    memory: tuple[str, str, float, float] | None = None
    requests: Sequence[tuple[str, int]] = ()
    rows: Sequence[Row] = ()
    spans: Sequence[Span] = ()
    acked_seq: int | None = None

    @property
    def must_last(self) -> bool:
        return bool(self.events or self.memory or self.requests)


class Store:
    """An open journal of the present version, proven writable.

    Raises: UnknownJournal; sqlite3.Error and OSError where it cannot be read or written.
    """

    def __init__(self, path: Path, wait_s: float = WRITING_WAIT_S) -> None:
        if _version(path) > VERSION:
            raise UnknownJournal("the journal was written by a newer version of this program")
        self.path = path
        self.normal = connect(path, wait_s)
        self._full: sqlite3.Connection | None = None
        try:
            self._prepare(wait_s)
            self._inode = path.stat().st_ino
            self.place = place_of(self.normal)
        except BaseException:
            self.close()
            raise
        self._series: dict[Series, int] = {}
        self._words: dict[str, int] = {}
        self._commits = 0

    def _prepare(self, wait_s: float) -> None:
        if self.normal.execute("PRAGMA user_version").fetchone()[0] < VERSION:
            query = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '%sqlite_%'"
            if self.normal.execute(query).fetchone()[0]:
                raise UnknownJournal("the database in the journal's place is another program's")
            self.normal.execute("PRAGMA journal_mode = WAL")
            migrate(self.normal)
        self.normal.execute("PRAGMA synchronous = NORMAL")
        self._full = connect(self.path, wait_s)
        self._full.execute("PRAGMA synchronous = FULL")
        # Copying the log into the file is left to the other connection: no event waits for it.
        self._full.execute("PRAGMA wal_autocheckpoint = 0")
        # Only a write shows that the disk takes one.
        self.normal.execute("INSERT OR REPLACE INTO cursor VALUES ('openings', 1 + ifnull("
                            "(SELECT value FROM cursor WHERE name = 'openings'), 0))")  # fmt: skip

    def kept(self) -> Kept:
        """Read what it held when it was opened. Raises: sqlite3.Error."""
        con = self.normal
        memory, requests = memory_of(con), requests_of(con)
        return Kept(*self.place, memory, acked_of(con), self.gone_seq, requests)

    @property
    def gone_seq(self) -> int:
        """The last event that is no longer kept; 0 where all are. Raises: sqlite3.Error."""
        return anchor(self.normal).seq

    @property
    def is_in_place(self) -> bool:
        """False when the file was taken away or replaced under us."""
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    def begin_at(self, place: Place) -> None:
        """Anchor an empty file's chain. Raises: sqlite3.Error."""
        self.normal.execute("INSERT OR REPLACE INTO anchor VALUES (1, ?, ?)", place)
        self.place = place

    def write(self, batch: Batch) -> None:
        """Commit the batch, all or nothing; durable when it must last. Raises: sqlite3.Error."""
        con = self._full if batch.must_last else self.normal
        assert con is not None
        con.execute("BEGIN IMMEDIATE")
        try:
            self._fill(con, batch)
            con.execute("COMMIT")
        except BaseException:
            if con.in_transaction:
                con.execute("ROLLBACK")
            raise
        if batch.events:
            self.place = Place(batch.events[-1].seq, batch.events[-1].hash)
        self._commits += 1

    def checkpoint(self, soon: bool = False) -> None:
        """Copy the log into the file, from time to time, as far as no reader is in the way."""
        if soon or self._commits >= _CHECKPOINT_COMMITS:
            self.normal.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._commits = 0

    def close(self) -> None:
        for con in (self._full, self.normal):
            if con is not None:
                con.close()

    def _fill(self, con: sqlite3.Connection, batch: Batch) -> None:
        marks = ", ".join("?" * len(Sealed._fields))
        con.executemany(f"INSERT INTO event ({COLUMNS}) VALUES ({marks})", batch.events)
        if batch.memory:
            seq = batch.events[-1].seq if batch.events else self.place.seq
            # A higher number that stands there tells of an end that is missing: it is kept.
            con.execute(
                "INSERT OR REPLACE INTO memory (id, text, boot, mono, wall, seq)"
                " VALUES (1, ?, ?, ?, ?, max(?, ifnull((SELECT seq FROM memory), 0)))",
                (*batch.memory, seq),
            )
        con.executemany("INSERT OR REPLACE INTO request VALUES (?, ?)", batch.requests)
        if batch.acked_seq is not None:
            con.execute("INSERT OR REPLACE INTO cursor VALUES ('acked', ?)", (batch.acked_seq,))
        con.executemany(
            "INSERT OR REPLACE INTO reading VALUES (?, ?, ?)",
            [self._packed(con, row) for row in batch.rows],
        )
        for table, per in (("minute", 1), ("hour", 60)):
            con.executemany(
                f"INSERT INTO {table} AS was VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET"
                " low = min(ifnull(low, excluded.low), ifnull(excluded.low, low)),"
                " high = max(ifnull(high, excluded.high), ifnull(excluded.high, high)),"
                " total = total + excluded.total, n = n + excluded.n,"
                " worst = max(worst, excluded.worst)",
                [(self._id(con, one.series), one.at // per, *one[2:]) for one in batch.spans],
            )

    def _packed(self, con: sqlite3.Connection, row: Row) -> tuple[int, int, int]:
        value = self._word(con, row.value) if isinstance(row.value, str) else row.value
        return self._id(con, row.series), row.at_ms, pack(value, row.quality)

    def _id(self, con: sqlite3.Connection, series: Series) -> int:
        known = self._series.get(series)
        if known is None:
            con.execute(
                "INSERT OR IGNORE INTO series (point, step, unit, form) VALUES (?, ?, ?, ?)",
                series,
            )
            known = con.execute(
                "SELECT id FROM series WHERE (point, step, unit, form) = (?, ?, ?, ?)", series
            ).fetchone()[0]
            self._series[series] = known
        return known

    def _word(self, con: sqlite3.Connection, text: str) -> int:
        known = self._words.get(text)
        if known is None:
            con.execute("INSERT OR IGNORE INTO word (text) VALUES (?)", (text,))
            query = "SELECT id FROM word WHERE text = ?"
            known = self._words[text] = con.execute(query, (text,)).fetchone()[0]
        return known


def connect(path: Path, wait_s: float, mode: str = "mode=rwc") -> sqlite3.Connection:
    con = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=wait_s,
        isolation_level=None,
        check_same_thread=False,  # opened by the starting thread, then the writer's alone
    )
    con.execute("PRAGMA cache_size = -512")
    return con


def memory_of(con: sqlite3.Connection) -> KeptMemory | None:
    row = con.execute("SELECT text, boot, mono, wall, seq FROM memory").fetchone()
    return KeptMemory(*row) if row else None


def acked_of(con: sqlite3.Connection) -> int:
    row = con.execute("SELECT value FROM cursor WHERE name = 'acked'").fetchone()
    return int(row[0]) if row else 0


def requests_of(con: sqlite3.Connection) -> list[tuple[str, int]]:
    return con.execute("SELECT id, expires FROM request ORDER BY expires").fetchall()


def place_of(con: sqlite3.Connection) -> Place:
    row = con.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return Place(*row) if row else anchor(con)


def _version(path: Path) -> int:
    """Return `user_version` without leaving a trace beside the file; 0 where there is none.

    Through SQLite, never by opening the file ourselves: closing it again would drop the locks
    of every connection of this process (sqlite.org/howtocorrupt.html, section 2.2).
    """
    if not path.exists():
        return 0
    mode = "mode=ro" if log_size(path) else "immutable=1"
    with closing(connect(path, OPENING_WAIT_S, mode)) as con:
        return int(con.execute("PRAGMA user_version").fetchone()[0])


def log_size(path: Path) -> int:
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return 0
