"""Keeping the journal within its years and its size, a little at a time.

Raw readings stay 14 days, minutes a year, hours ten. Where the size is reached earlier, the
oldest raw readings go first, then minutes, then hours; events only when nothing else is left,
and of those only what the central system has acknowledged. The last one gone becomes the
chain's anchor, so that what stays can still be verified.
"""

from __future__ import annotations

import sqlite3

from controller.core.reading import Now

_DAY_MS = 86_400_000
_TABLES = (  # table, milliseconds of one unit of `at`, milliseconds kept
    ("reading", 1, 14 * _DAY_MS),
    ("minute", 60_000, 366 * _DAY_MS),
    ("hour", 3_600_000, 3653 * _DAY_MS),
)
_ALWAYS = 2**62
_STEP_ROWS = 500
_FULL = 0.95  # of the size; the rest is for the log and for what comes meanwhile
_REQUESTS = 10_000


def trim(con: sqlite3.Connection, now: Now, size_bytes: int, acked_seq: int) -> bool:
    """Take one bounded step; return whether there is more to do. Raises: sqlite3.Error."""
    if now.synchronised:  # a clock that nobody vouches for must not throw years away
        _forget_requests(con, int(now.wall_s))
        for table, unit_ms, keep_ms in _TABLES:
            if _drop_oldest(con, table, (int(now.wall_s * 1000) - keep_ms) // unit_ms):
                return True
    if used_bytes(con) < size_bytes * _FULL:
        return False
    for table, _, _ in _TABLES:
        if _drop_oldest(con, table, _ALWAYS):
            return True
    return _drop_events(con, acked_seq)


def used_bytes(con: sqlite3.Connection) -> int:
    """Return the size of what is in use; freed pages of the file are used again."""
    pages, free, size = (
        int(con.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _drop_oldest(con: sqlite3.Connection, table: str, before: int) -> bool:
    """Drop up to 500 rows of the series whose oldest row is the oldest of all."""
    oldest = con.execute(
        f"SELECT id, (SELECT min(at) FROM {table} WHERE series = id) AS first FROM series"
        " WHERE first < ? ORDER BY first LIMIT 1",
        (before,),
    ).fetchone()
    if oldest is None:
        return False
    con.execute(
        f"DELETE FROM {table} WHERE series = ?1 AND at < ?2 AND at <= ifnull((SELECT at FROM"
        f" {table} WHERE series = ?1 ORDER BY at LIMIT 1 OFFSET {_STEP_ROWS - 1}), ?2)",
        (oldest[0], before),
    )
    return True


def _drop_events(con: sqlite3.Connection, acked_seq: int) -> bool:
    last = con.execute(
        "SELECT seq, hash FROM (SELECT seq, hash FROM event WHERE seq <= ? ORDER BY seq LIMIT ?)"
        " ORDER BY seq DESC LIMIT 1",
        (acked_seq, _STEP_ROWS),
    ).fetchone()
    if last is None:
        return False
    con.execute("BEGIN IMMEDIATE")
    try:
        con.execute("INSERT OR REPLACE INTO anchor VALUES (1, ?, ?)", last)
        con.execute("DELETE FROM event WHERE seq <= ?", (last[0],))
        con.execute("COMMIT")
    except BaseException:
        if con.in_transaction:
            con.execute("ROLLBACK")
        raise
    return True


def _forget_requests(con: sqlite3.Connection, now_s: int) -> None:
    con.execute(
        "DELETE FROM request WHERE expires < max(?, ifnull((SELECT expires FROM request"
        f" ORDER BY expires DESC LIMIT 1 OFFSET {_REQUESTS}), 0))",
        (now_s,),
    )
