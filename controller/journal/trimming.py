"""Keeping the journal within its years and its size, a little at a time.

Raw readings stay 14 days, minutes a year, hours ten. Where the size is reached earlier, the
oldest raw readings go first, then minutes, then hours; events only when nothing else is left: of
those first what the central system has acknowledged, and at last the oldest that it has not
(`trim_unsent`, whose caller says so aloud). The last one gone becomes the chain's anchor, so
that what stays can still be verified. The newest events stay whatever the size.

A disk that runs short holds the journal at the size it has: what comes then takes the place of
the oldest, and nothing more is let go, for it may be another program that fills the disk.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

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
_NEWEST_KEPT = 500
_RESERVE = (0.02, 64_000_000)  # of the disk, and bytes: the lesser is left free for the log


def trim(con: sqlite3.Connection, now: Now, size_bytes: int, acked_seq: int) -> bool:
    """Take one bounded step; return whether there is more to do. Raises: sqlite3.Error."""
    if now.synchronised:  # a clock that nobody vouches for must not throw years away
        _forget_requests(con, int(now.wall_s))
        for table, unit_ms, keep_ms in _TABLES:
            if _drop_oldest(con, table, (int(now.wall_s * 1000) - keep_ms) // unit_ms):
                return True
    if not is_full(con, size_bytes):
        return False
    for table, _, _ in _TABLES:
        if _drop_oldest(con, table, _ALWAYS):
            return True
    return _drop_events(con, acked_seq)


def trim_unsent(con: sqlite3.Connection, size_bytes: int) -> bool:
    """Let the oldest events go unsent, one bounded step; for when `trim` has nothing else left.

    Returns whether any went. Raises: sqlite3.Error.
    """
    return is_full(con, size_bytes) and _drop_events(con, _ALWAYS)


def allowed_bytes(con: sqlite3.Connection, path: Path, size_bytes: int) -> int:
    """Return what the journal may take: the stated size, or what it has on a disk run short.

    Raises: sqlite3.Error, OSError.
    """
    disk = os.statvfs(path)
    reserve = min(disk.f_blocks * disk.f_frsize * _RESERVE[0], _RESERVE[1])
    if disk.f_bavail * disk.f_frsize >= reserve:
        return size_bytes
    pages, page_size = (
        int(con.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size")
    )
    return min(size_bytes, pages * page_size)


def is_full(con: sqlite3.Connection, size_bytes: int) -> bool:
    return used_bytes(con) >= size_bytes * _FULL


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


def _drop_events(con: sqlite3.Connection, up_to: int) -> bool:
    last = con.execute(
        "SELECT seq, hash FROM (SELECT seq, hash FROM event WHERE seq <= min(?,"
        " (SELECT max(seq) FROM event) - ?) ORDER BY seq LIMIT ?) ORDER BY seq DESC LIMIT 1",
        (up_to, _NEWEST_KEPT, _STEP_ROWS),
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
