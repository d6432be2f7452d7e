"""Which readings are kept, and their minutes.

A reading is stored when its value left the deadband around the last stored one, when its
quality changed, and each 5 min all the same, so that silence in the record is a gap and not a
constant. Every reading that is offered counts in its minute, stored or not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from controller.core.reading import Quality
from controller.journal.codec import Form, PointStore, Series, Stored, code_of, steps_of

HEARTBEAT_MS = 300_000
MINUTE_MS = 60_000
HELD = 20_000  # rows, and minutes, kept while the disk is away; the oldest go first


class Row(NamedTuple):
    """A reading to store: `value` in steps, 0 or 1, or a word."""

    series: Series
    at_ms: int
    value: int | str | None
    quality: Quality


class Span(NamedTuple):
    """What a series did in one minute (`at`: minutes since the epoch), in steps.

    `low` and `high` are None, and `n` 0, where nothing good was read; `worst` is a quality's
    code (see codec.QUALITIES).
    """

    series: Series
    at: int
    low: int | None
    high: int | None
    total: int
    n: int
    worst: int


class Thinning:
    """Keeps what was stored last of each point, and the minute that is being filled."""

    def __init__(self, points: Mapping[str, PointStore]) -> None:
        self.rows: deque[Row] = deque(maxlen=HELD)
        self.spans: deque[Span] = deque(maxlen=HELD)
        self._points = points
        self._last: dict[str, Row] = {}
        self._filling: dict[str, Span] = {}

    def take(self, stored: Stored) -> None:
        how = self._points.get(stored.point) or PointStore()
        row = self._row(stored, how)
        if row.series.form is not Form.WORD:
            self._count(row)
        was = self._last.get(stored.point)
        if was is None or _tells_more(was, row, how):
            self._last[stored.point] = row
            self.rows.append(row)

    def finish_minutes(self) -> None:
        """Close the minutes being filled, at the end of the program; they add up later."""
        self.spans.extend(self._filling.values())
        self._filling.clear()

    def _row(self, stored: Stored, how: PointStore) -> Row:
        value, quality = stored.value, stored.quality
        form, steps = self._form(stored), None
        match value:
            case bool():
                steps = int(value)
            case float() | int():
                steps = steps_of(value, how.step)
                if steps is None:
                    quality = Quality.BAD
            case str():
                word = value.encode("utf-8", "replace").decode()
                return Row(Series(stored.point, 1.0, "", form), stored.at_ms, word, quality)
        step, unit = (how.step, how.unit) if form is Form.NUMBER else (1.0, "")
        return Row(Series(stored.point, step, unit, form), stored.at_ms, steps, quality)

    def _form(self, stored: Stored) -> Form:
        match stored.value:
            case bool():
                return Form.FLAG
            case str():
                return Form.WORD
            case None:
                was = self._last.get(stored.point)
                return was.series.form if was else Form.NUMBER
            case _:
                return Form.NUMBER

    def _count(self, row: Row) -> None:
        minute = row.at_ms // MINUTE_MS
        was = self._filling.get(row.series.point)
        if was and (was.at != minute or was.series != row.series):
            self.spans.append(was)
            was = None
        is_good = row.quality is Quality.GOOD and isinstance(row.value, int)
        steps = row.value if is_good else None
        worst = code_of(row.quality)
        assert not isinstance(steps, str)
        total, n = steps or 0, int(steps is not None)
        low = high = steps
        if was:
            lows = [one for one in (was.low, steps) if one is not None]
            highs = [one for one in (was.high, steps) if one is not None]
            low, high = min(lows, default=None), max(highs, default=None)
            total, n, worst = total + was.total, n + was.n, max(worst, was.worst)
        self._filling[row.series.point] = Span(row.series, minute, low, high, total, n, worst)


def _tells_more(was: Row, row: Row, how: PointStore) -> bool:
    if row.quality != was.quality or row.series != was.series:
        return True
    if abs(row.at_ms - was.at_ms) >= HEARTBEAT_MS:
        return True
    if isinstance(row.value, int) and isinstance(was.value, int):
        deadband = 1
        if how.deadband and row.series.form is Form.NUMBER:
            deadband = max(1, round(how.deadband / how.step))
        return abs(row.value - was.value) >= deadband
    return row.value != was.value
