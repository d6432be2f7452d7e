"""What a reading costs in the journal, and what a chart of 30 days takes."""

from __future__ import annotations

import contextlib
import math
import random
import sqlite3
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from controller.clock import Clock
from controller.core.reading import Quality
from controller.history import History
from controller.journal import Journal, PointStore
from controller.journal.codec import Stored
from tests.bench.table import Row
from tests.bench.worldside import BenchFailed

_DAY_S = 86_400
_POINT = "rack-air.temperature"
_BYTES, _CHART_MS = 20.0, 50.0
"""Targets, design section 11."""
_WIDTH = 800
"""Pixels of the panel's screen."""
_CHARTS = 20
_PIECE = 5_000


def rows(folder: Path) -> list[Row]:
    return [*_stored(folder / "day.db"), *_charts(folder / "month.db")]


def _stored(path: Path) -> list[Row]:
    """A day of one DHT22's temperature, read each 2.5 s."""
    _fill(path, 1, 2.5)
    with contextlib.closing(sqlite3.connect(path)) as con:
        count = _number(con, "SELECT count(*) FROM reading")
        before = _used(con)
        con.execute("DELETE FROM reading")
        con.execute("DROP TABLE reading")
        freed = before - _used(con)
    return [
        Row("stored reading", freed / count, "bytes", target=_BYTES),
        Row("stored readings of a sensor's day", count, "readings"),
        Row("journal of a sensor's day, roll-ups too", before / 1000, "kB"),
    ]


def _charts(path: Path) -> list[Row]:
    """30 days of one sensor; readings each 10 s give the same minutes and hours."""
    _fill(path, 30, 10.0)
    rows = []
    with contextlib.closing(History(path)) as history:
        for days, name in ((30, "chart of 30 days"), (1, "chart of a day")):
            took_ms = []
            for _ in range(_CHARTS):
                to_ms = int(time.time() * 1000)
                began_s = time.perf_counter()
                shown = history.series(_POINT, to_ms - days * _DAY_S * 1000, to_ms, _WIDTH)
                took_ms.append((time.perf_counter() - began_s) * 1000)
                if not _WIDTH / 2 <= len(shown) <= _WIDTH:
                    raise BenchFailed(f"a {name} has {len(shown)} places, not about {_WIDTH}")
            rows.append(Row(name, statistics.median(took_ms), "ms", target=_CHART_MS))
    return rows


def _fill(path: Path, days: int, period_s: float) -> None:
    """Write a journal as the controller does, up to now."""
    journal = Journal(path, 10**10, Clock(), _no_fault, points={_POINT: PointStore(0.1, "°C")})
    journal.open()
    try:
        piece: list[Stored] = []
        for stored in _air(int(time.time() * 1000), days, period_s):
            piece.append(stored)
            if len(piece) == _PIECE:
                _record(journal, piece)
                piece = []
        _record(journal, piece)
    finally:
        journal.close()


def _record(journal: Journal, piece: list[Stored]) -> None:
    journal.record((), readings=piece)
    if not journal.flush(30.0):
        raise BenchFailed("the journal does not write")


def _air(now_ms: int, days: int, period_s: float) -> Iterator[Stored]:
    """A room's daily wave with the noise of the sensor's last digit, the same in each run."""
    noise = random.Random(1)
    count = int(days * _DAY_S / period_s)
    for number in range(count):
        at_ms = now_ms - int((count - number) * period_s * 1000)
        wave_c = 23.0 + 1.5 * math.sin(2 * math.pi * at_ms / (_DAY_S * 1000))
        value = round(wave_c + noise.uniform(-0.1, 0.1), 1)
        yield Stored(_POINT, at_ms, value, Quality.GOOD)


def _no_fault(fault: str | None) -> None:
    if fault is not None:
        raise BenchFailed(f"the journal cannot be written: {fault}")


def _used(con: sqlite3.Connection) -> int:
    """Return the bytes of the pages in use."""
    free = _number(con, "PRAGMA freelist_count")
    return (_number(con, "PRAGMA page_count") - free) * _number(con, "PRAGMA page_size")


def _number(con: sqlite3.Connection, query: str) -> int:
    return int(con.execute(query).fetchone()[0])
