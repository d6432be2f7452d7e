"""A journal that cannot be used: what it still tells, and how a corrupt one is set aside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from controller.journal.chain import START, anchor
from controller.journal.faults import is_corrupt, is_locked
from controller.journal.store import (
    OPENING_WAIT_S,
    Kept,
    acked_of,
    connect,
    log_size,
    memory_of,
    place_of,
    requests_of,
)

_MOST_SET_ASIDE = 5


def look(path: Path) -> Kept | None:
    """Return what can be read of a journal that cannot be written; None when nothing can."""
    for mode in ("mode=ro", "immutable=1"):
        if mode == "immutable=1" and log_size(path):
            break  # it would be read without its log, and that is an older truth
        try:
            with closing(connect(path, OPENING_WAIT_S, mode)) as con:
                kept = _kept_where_whole(con)
        except sqlite3.Error as error:
            if is_locked(error):
                break  # somebody writes it this moment
            continue
        if kept:
            return kept
    return None


def _kept_where_whole(con: sqlite3.Connection) -> Kept | None:
    """Read what a damaged file still gives: a latched trip may stand in what is whole."""
    found: list[Any] = []
    for read in (place_of, memory_of, acked_of, anchor, requests_of):
        try:
            found.append(read(con))
        except sqlite3.Error as error:
            if is_locked(error):
                raise
            found.append(None)
    place, memory, acked, gone, requests = found
    if place is None and memory is None:
        return None
    seq, hash = place or START
    return Kept(seq, hash, memory, acked or 0, gone.seq if gone else 0, requests)


def proven_corrupt(path: Path) -> bool:
    """Check the whole file again by itself; a lock or a failing disk proves nothing."""
    try:
        with closing(connect(path, OPENING_WAIT_S, "mode=ro")) as con:
            return bool(con.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.Error as error:
        return is_corrupt(error)


def set_aside(path: Path, stamp: str) -> Path:
    """Rename a corrupt journal and its log. Raises: OSError, also when too many stand there."""
    others = [one for one in path.parent.iterdir() if one.name.startswith(f"{path.name}.corrupt-")]
    if sum(not one.name.endswith(("-wal", "-shm")) for one in others) >= _MOST_SET_ASIDE:
        raise OSError(f"{_MOST_SET_ASIDE} corrupt journals stand beside {path} already")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    if aside.exists():  # a rename would overwrite it
        raise OSError(f"{aside} stands there already")
    path.rename(aside)
    for end in ("-wal", "-shm"):
        extra = path.with_name(path.name + end)
        if extra.exists():
            extra.rename(aside.with_name(aside.name + end))
    return aside
