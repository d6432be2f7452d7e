"""How a reading is packed into one integer, and how it comes back.

The low three bits hold the quality, or 7 for "no value" (then the quality stands above them).
Above them stands the value: a number in steps of its point's resolution, a flag as 0 or 1, a
word as its number in the table of words. Small integers take two bytes in SQLite where a float
takes eight.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import NamedTuple

import msgspec

from controller.core.reading import Quality, Value

QUALITIES = (
    Quality.GOOD,
    Quality.DISAGREEING,
    Quality.FROZEN,
    Quality.STALE,
    Quality.BAD,
    Quality.MISSING,
)
"""From best to worst: the greatest code of a span is its worst quality."""

NO_VALUE = 7
_CODES = {quality: code for code, quality in enumerate(QUALITIES)}
_MOST_STEPS = 2**59  # so that the packed integer stays within SQLite's 64 bits


class PointStore(msgspec.Struct, frozen=True):
    """How a point is stored: `step` is its resolution (> 0), in `unit`.

    A change of at least `deadband` (default: one step) is stored at once.
    """

    step: float = 0.01
    unit: str = ""
    deadband: float | None = None


class Stored(msgspec.Struct, frozen=True):
    """One reading for the journal; `at_ms` is wall time, UTC epoch milliseconds."""

    point: str
    at_ms: int
    value: Value
    quality: Quality


class Form(IntEnum):
    """What the integers of a series stand for."""

    NUMBER = 0
    FLAG = 1
    WORD = 2


class Series(NamedTuple):
    """A point in one way of being stored. Another resolution or unit makes another series."""

    point: str
    step: float
    unit: str
    form: Form


def code_of(quality: Quality) -> int:
    return _CODES[quality]


def pack(value: int | None, quality: Quality) -> int:
    code = _CODES[quality]
    return code << 3 | NO_VALUE if value is None else value << 3 | code


def unpack(packed: int) -> tuple[int | None, Quality]:
    code = packed & 7
    if code == NO_VALUE:
        return None, QUALITIES[packed >> 3]
    return packed >> 3, QUALITIES[code]


def steps_of(value: float, step: float) -> int | None:
    """Return `value` in whole steps; None where it is no finite number within reach."""
    steps = value / step
    return round(steps) if math.isfinite(steps) and abs(steps) < _MOST_STEPS else None


def number_of(steps: float, step: float) -> float:
    """Return the number again, without the binary dust of the multiplication."""
    return round(steps * step, max(0, 3 - math.floor(math.log10(step))))
