"""Excursions of the mains out of its band: how often, and since when it is quiet. Keeps REG-08."""

from __future__ import annotations

import msgspec

COUNT = 3
WITHIN_S = 600.0
"""Three excursions in ten minutes are an unstable mains (behaviour section 7)."""


class Band(msgspec.Struct, frozen=True):
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


class Excursions(msgspec.Struct, frozen=True):
    """When the mains last left its band, oldest first; `out`: it is outside now."""

    left_s: tuple[float, ...] = ()
    out: bool = False

    def step(self, out: bool, known: bool, now_s: float) -> Excursions:
        """What is not known neither leaves the band nor comes back."""
        if out and not self.out:
            return Excursions((*self.left_s, now_s)[-COUNT:], True)
        if self.out and known and not out:
            return Excursions(self.left_s, False)
        return self

    @property
    def settles_s(self) -> float:
        """When the oldest of the last three is ten minutes old."""
        return self.left_s[0] + WITHIN_S if len(self.left_s) == COUNT else 0.0


def unstable(excursions: Excursions, now_s: float) -> bool:
    return len(excursions.left_s) == COUNT and now_s < excursions.settles_s
