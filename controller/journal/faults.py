"""What an error of SQLite means for the journal."""

from __future__ import annotations

import sqlite3


def is_locked(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_corrupt(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


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
