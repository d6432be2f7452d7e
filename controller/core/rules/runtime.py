"""The runtime that a UPS estimates, smoothed to the safe side.

Estimates jump with the load, and a single reply may be nonsense (0, or all ones). Of the last
five the second lowest counts: one outlier decides nothing, and what is left errs towards less.
Between readings, and when the UPS falls silent on battery, time runs down.
"""

from __future__ import annotations

import msgspec

from controller.core.reading import Reading

SAMPLES = 5
LEAST = 3
"""Fewer readings than this are no estimate: the first one might be the outlier."""


class Runtime(msgspec.Struct, frozen=True):
    """The last estimates as (monotonic s, s left), oldest first."""

    samples: tuple[tuple[float, float], ...] = ()

    def taken(self, reading: Reading) -> Runtime:
        """Take a new reading; one that is not good, or that was taken already, changes nothing."""
        value = reading.number
        if value is None or (self.samples and reading.at_s <= self.samples[-1][0]):
            return self
        return Runtime((*self.samples, (reading.at_s, value))[-SAMPLES:])

    def left_s(self, draining: bool, now_s: float) -> float | None:
        """Return the seconds left by the estimates; `draining`: time since then counts off."""
        if len(self.samples) < LEAST:
            return None
        aged = [
            max(value - (now_s - at_s), 0.0) if draining else value for at_s, value in self.samples
        ]
        return sorted(aged)[1]

    def moved(self, shift_s: float) -> Runtime:
        """The same estimates on another boot's clock."""
        return Runtime(tuple((at_s + shift_s, value) for at_s, value in self.samples))

    def until(self, now_s: float) -> Runtime:
        """The same estimates, none of them from after now."""
        return Runtime(tuple((min(at_s, now_s), value) for at_s, value in self.samples))
