"""Read-only look at the journal: charts, events, last values. Never in the writer's way.

Its own read-only connection, so that the panel's process may use it beside the controller's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from controller.core.reading import Quality, Value
from controller.journal.codec import QUALITIES, Form, Series, number_of, unpack
from controller.journal.readonly import HistoryUnavailable, ReadOnly

__all__ = ["History", "HistoryUnavailable", "Sample"]


class Sample(NamedTuple):
    """One place on a chart: what was good there, and the worst quality.

    Of a flag, low and high are 0.0 or 1.0 and `mean` the share of readings that were true; of
    a word all three are the word. None where nothing good was read.
    """

    at_ms: int
    low: float | str | None
    mean: float | str | None
    high: float | str | None
    quality: Quality


class _Level(NamedTuple):
    """A table to draw from: `at` counts in `unit_ms`; the expressions are per row."""

    table: str
    unit_ms: int
    low: str
    high: str
    total: str
    n: str
    worst: str


_GOOD = "CASE WHEN value & 7 = 0 THEN value >> 3 END"
_RAW_WORST = "CASE WHEN value & 7 = 7 THEN value >> 3 ELSE value & 7 END"
_RAW = _Level("reading", 1, _GOOD, _GOOD, f"ifnull({_GOOD}, 0)", "(value & 7 = 0)", _RAW_WORST)
_MINUTE = _Level("minute", 60_000, "low", "high", "total", "n", "worst")
_HOUR = _Level("hour", 3_600_000, "low", "high", "total", "n", "worst")
_LEVELS = (_RAW, _MINUTE, _HOUR)


class History:
    """Queries of the journal at `path`. Thread-safe. Every query raises HistoryUnavailable."""

    def __init__(self, path: Path) -> None:
        self._file = ReadOnly(path)

    def close(self) -> None:
        self._file.close()

    def series(self, point: str, from_ms: int, to_ms: int, width: int) -> list[Sample]:
        """Return what `point` did from `from_ms` up to `to_ms`, in about `width` places at most.

        Times are UTC epoch milliseconds. Drawn from the coarsest of readings, minutes and hours
        that still fills half the width, and from a coarser one where the finer is gone already.
        The minute that is being filled is not in the coarser ones yet.
        """
        if to_ms <= from_ms or width < 1:
            return []
        with self._file.look() as con:
            return _series(con, point, from_ms, to_ms, width)

    def latest(self, point: str) -> tuple[int, Value, Quality] | None:
        """Return wall time (ms), value and quality of the last stored reading, if any."""
        with self._file.look() as con:
            query = "SELECT at, value FROM reading WHERE series = ? ORDER BY at DESC LIMIT 1"
            found = [
                (at_ms, packed, one)
                for id, one in _series_of(con, point)
                for at_ms, packed in con.execute(query, (id,))
            ]
            if not found:
                return None
            at_ms, packed, one = max(found, key=lambda item: item[0])
            steps, quality = unpack(packed)
            return at_ms, _value(con, one, steps), quality

    def events(self, since: int | str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        """Return events, oldest first: after the number `since`, or from the RFC 3339 time on.

        Raises: ValueError when `since` is a text that is no RFC 3339 time with an offset.
        """
        if isinstance(since, str):
            since = self._before(since)
        return self.events_between((since or 0) + 1, 2**62, limit)

    def events_between(self, first: int, last: int, limit: int = 1000) -> list[dict[str, Any]]:
        """Return events `first` to `last`, oldest first, `limit` at most."""
        return self._file.events_between(first, last, limit)

    def _before(self, since: str) -> int:
        """Return the number of the last event before the first one at or after a time."""
        moment = datetime.fromisoformat(since)
        if moment.tzinfo is None:
            raise ValueError(f"no offset in {since!r}")
        return self._file.seq_before(moment.timestamp() * 1000)


def _series(
    con: sqlite3.Connection, point: str, from_ms: int, to_ms: int, width: int
) -> list[Sample]:
    found: list[Sample] = []
    for id, one in _series_of(con, point):
        if one.form is Form.WORD:
            found += _words(con, id, one, from_ms, to_ms, width)
        else:
            level = _level(con, id, from_ms, to_ms, width)
            found += _drawn(con, level, id, one.step, from_ms, to_ms, width)
    return sorted(found, key=lambda sample: sample.at_ms)


def _series_of(con: sqlite3.Connection, point: str) -> list[tuple[int, Series]]:
    query = "SELECT id, point, step, unit, form FROM series WHERE point = ?"
    found = con.execute(query, (point,))
    return [(id, Series(name, step, unit, Form(form))) for id, name, step, unit, form in found]


def _level(con: sqlite3.Connection, id: int, from_ms: int, to_ms: int, width: int) -> _Level:
    fitting = [one for one in _LEVELS if (to_ms - from_ms) / one.unit_ms >= width / 2]
    at = len(fitting) - 1 if fitting else 0
    while at + 1 < len(_LEVELS):
        finer, coarser = _LEVELS[at], _LEVELS[at + 1]
        first, older = _oldest_ms(con, finer, id), _oldest_ms(con, coarser, id)
        if older is None:
            break
        if first is not None and (first <= from_ms or first < older + coarser.unit_ms):
            break  # the finer one reaches back far enough
        at += 1
    return _LEVELS[at]


def _oldest_ms(con: sqlite3.Connection, level: _Level, id: int) -> int | None:
    query = f"SELECT min(at) FROM {level.table} WHERE series = ?"
    at = con.execute(query, (id,)).fetchone()[0]
    return None if at is None else at * level.unit_ms


def _drawn(
    con: sqlite3.Connection,
    level: _Level,
    id: int,
    step: float,
    from_ms: int,
    to_ms: int,
    width: int,
) -> list[Sample]:
    """Group a level's rows so that each place holds a whole number of its units."""
    first, end = -(-from_ms // level.unit_ms), -(-to_ms // level.unit_ms)
    units = max(1, -(-(end - first) // width))
    found = con.execute(
        f"SELECT min(at), min({level.low}), max({level.high}), sum({level.total}),"
        f" sum({level.n}), max({level.worst}) FROM {level.table}"
        " WHERE series = ?1 AND at >= ?2 AND at < ?3 GROUP BY (at - ?2) / ?4 ORDER BY at",
        (id, first, end, units),
    )
    return [
        Sample(
            at * level.unit_ms,
            number_of(low, step) if n else None,
            number_of(total / n, step) if n else None,
            number_of(high, step) if n else None,
            QUALITIES[worst],
        )
        for at, low, high, total, n, worst in found
    ]


def _words(
    con: sqlite3.Connection, id: int, series: Series, from_ms: int, to_ms: int, width: int
) -> list[Sample]:
    """Return the last word of each place; words are kept as long as readings are."""
    each_ms = max(1, -(-(to_ms - from_ms) // width))
    found: Sequence[tuple[int, int]] = con.execute(
        "SELECT max(at), value FROM reading WHERE series = ?1 AND at >= ?2 AND at < ?3"
        " GROUP BY (at - ?2) / ?4 ORDER BY at",
        (id, from_ms, to_ms, each_ms),
    ).fetchall()
    samples = []
    for at_ms, packed in found:
        steps, quality = unpack(packed)
        word = _value(con, series, steps)
        assert word is None or isinstance(word, str)
        samples.append(Sample(at_ms, word, word, word, quality))
    return samples


def _value(con: sqlite3.Connection, series: Series, steps: int | None) -> Value:
    if steps is None:
        return None
    match series.form:
        case Form.FLAG:
            return bool(steps)
        case Form.WORD:
            row = con.execute("SELECT text FROM word WHERE id = ?", (steps,)).fetchone()
            return str(row[0]) if row else None
        case Form.NUMBER:
            return number_of(steps, series.step)
