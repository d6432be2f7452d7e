"""Trend: how far each temperature has risen lately. Judges nothing; climate and fire read it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.rules.base import RuleBase, Seen, Step

SPACING_S = 10.0
"""Samples kept no closer than this: a quarter of an hour is then 90 numbers a point."""

WINDOW_S = 900.0
"""The longest look back any rule takes: 15 min (facts 1.4, cooling failure)."""


class Samples(msgspec.Struct, frozen=True):
    """(monotonic seconds, value), oldest first, and the newest reading's own time."""

    taken: tuple[tuple[float, float], ...] = ()

    def rise(self, value: float, now_s: float, window_s: float) -> float:
        """Return how far `value` lies above the lowest sample of the window; 0 or more."""
        lowest = value
        for at_s, sample in reversed(self.taken):
            if now_s - at_s > window_s:
                break
            lowest = min(lowest, sample)
        return value - lowest


class TrendState(msgspec.Struct, frozen=True):
    points: dict[str, Samples] = {}

    def rise(self, point: str, value: float, now_s: float, window_s: float) -> float:
        samples = self.points.get(point)
        return samples.rise(value, now_s, window_s) if samples is not None else 0.0


class Trend(RuleBase):
    id = "trend"
    State = TrendState

    def __init__(self, temperatures: Sequence[str]) -> None:
        self._temperatures = tuple(temperatures)

    def step(self, was: TrendState, seen: Seen) -> Step:
        points = was.points
        for point in self._temperatures:
            reading = seen[point]
            value = reading.number
            if value is None:
                continue
            samples = points.get(point, Samples())
            if samples.taken and reading.at_s - samples.taken[-1][0] < SPACING_S:
                continue
            kept = tuple(s for s in samples.taken if reading.at_s - s[0] <= WINDOW_S)
            points = {**points, point: Samples((*kept, (reading.at_s, value)))}
        return Step(was if points is was.points else TrendState(points))
