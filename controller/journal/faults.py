"""What an error of SQLite means for the journal."""

from __future__ import annotations

import sqlite3


def is_locked(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_corrupt(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_damage(error: Exception) -> bool:
    """Whether reading again would find the same: what is there is no row of ours any more."""
    if not isinstance(error, sqlite3.Error):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    # Bytes that are no text come without a code.
    return code is None or code & 0xFF == sqlite3.SQLITE_CORRUPT


def is_unreadable_place(error: Exception) -> bool:
    """Whether the medium gave nothing: for good at one place, or for now everywhere."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR


def fault_of(error: Exception) -> str:
    """Return what to tell a person about a journal that cannot be used."""
    if isinstance(error, sqlite3.Error):
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return "the journal is locked by another program"
            case sqlite3.SQLITE_FULL:
                return "the disk is full"
            case sqlite3.SQLITE_READONLY:
                return "the journal cannot be written: read-only"
            case sqlite3.SQLITE_CANTOPEN:
                return "the journal cannot be opened"
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return "the journal is corrupt"
    return f"the journal fails: {error}"
