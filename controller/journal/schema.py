"""The tables of the journal, and how each version becomes the next.

sqlite-utils runs the migrations; it is imported only when there is one to run, because it
costs 15 MB and 80 ms (measured) that a journal of the present version need not pay.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

VERSION = 1
"""`PRAGMA user_version` of a journal that this program writes."""


class UnknownJournal(Exception):
    """The file was written by a newer version or by another program; it is left as it is."""


def migrate(con: sqlite3.Connection) -> None:
    """Bring the tables to VERSION; each step stands or falls as a whole. Raises: sqlite3.Error."""
    from sqlite_utils import Database, Migrations

    migrations = Migrations("journal")
    for step in (m001_events_memory_readings,):
        migrations()(step)
    migrations.apply(Database(con))


def m001_events_memory_readings(db: Database) -> None:
    """The first journal.

    `anchor` is where the chain begins once old events are gone. `series` and `word` name what
    the integers of `reading` stand for (see codec.py). `minute` and `hour` hold roll-ups, `at`
    counting minutes and hours since the epoch.
    """
    db.table("event").create(
        {
            "seq": int,
            "boot": str,
            "at": int,
            "kind": str,
            "subject": str,
            "cause": str,
            "actor": str,
            "data": str,
            "prev": str,
            "hash": str,
        },
        pk="seq",
        not_null={"boot", "at", "kind", "subject", "cause", "actor", "data", "prev", "hash"},
        strict=True,
    )
    db.table("event").create_index(["at"])
    db.table("anchor").create({"id": int, "seq": int, "hash": str}, pk="id", strict=True)
    db.table("memory").create(
        {"id": int, "text": str, "boot": str, "mono": float, "wall": float, "seq": int},
        pk="id",
        not_null={"text", "boot", "mono", "wall", "seq"},
        strict=True,
    )
    db.table("cursor").create(
        {"name": str, "value": int}, pk="name", not_null={"value"}, strict=True
    )
    db.table("request").create(
        {"id": str, "expires": int}, pk="id", not_null={"expires"}, strict=True
    )
    db.table("request").create_index(["expires"])
    db.table("series").create(
        {"id": int, "point": str, "step": float, "unit": str, "form": int},
        pk="id",
        not_null={"point", "step", "unit", "form"},
        strict=True,
    )
    db.table("series").create_index(["point", "step", "unit", "form"], unique=True)
    db.table("word").create({"id": int, "text": str}, pk="id", not_null={"text"}, strict=True)
    db.table("word").create_index(["text"], unique=True)
    # sqlite-utils has no word for WITHOUT ROWID.
    db.execute(
        "CREATE TABLE reading (series INTEGER NOT NULL, at INTEGER NOT NULL,"
        " value INTEGER NOT NULL, PRIMARY KEY (series, at)) WITHOUT ROWID, STRICT"
    )
    for table in ("minute", "hour"):
        db.execute(
            f"CREATE TABLE {table} (series INTEGER NOT NULL, at INTEGER NOT NULL, low INTEGER,"
            " high INTEGER, total INTEGER NOT NULL, n INTEGER NOT NULL, worst INTEGER NOT NULL,"
            " PRIMARY KEY (series, at)) WITHOUT ROWID, STRICT"
        )
    db.execute("PRAGMA user_version = 1")
