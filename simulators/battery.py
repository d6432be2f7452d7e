"""A battery: energy out with the load, energy in from the charger.

Rates are constant between two changes, so each step is exact however long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Battery:
    """Set `drawn_w` and `charging`, then `advance` to a later instant.

    `drawn_w` is what is taken out now; a battery that gives something is not charged. The
    defaults carry 3 kW for 20 min and refill in 4 h: guesses for a UPS of 5 kW.
    """

    capacity_wh: float = 1000.0
    charger_w: float = 250.0
    charge_pct: float = 100.0
    drawn_w: float = 0.0
    charging: bool = True
    now_s: float = 0.0

    @property
    def rate_pct_s(self) -> float:
        """How fast the charge moves now, in percent a second."""
        charged_w = self.charger_w * self.charging
        flow_w = -self.drawn_w if self.drawn_w > 0.0 else charged_w
        return flow_w * 100.0 / (self.capacity_wh * 3600.0)

    @property
    def empty_s(self) -> float:
        """When it is empty if nothing changes; infinity when it is not being emptied."""
        return self.reaches_s(0.0) if self.charge_pct > 0.0 else math.inf

    def reaches_s(self, charge_pct: float) -> float:
        """Return when a falling charge comes to `charge_pct`; infinity if it does not."""
        rate = self.rate_pct_s
        if rate >= 0.0 or self.charge_pct < charge_pct:
            return math.inf
        after_s = self.now_s + (charge_pct - self.charge_pct) / rate
        # Later than now, however coarse the clock's numbers are: whoever steps there gets on.
        return max(after_s, math.nextafter(self.now_s, math.inf))

    def lasts_s(self, load_w: float, charge_pct: float | None = None) -> float:
        """Return how long it carries `load_w` from `charge_pct`, by default from its own."""
        charge_pct = self.charge_pct if charge_pct is None else charge_pct
        if load_w <= 0.0:
            return math.inf if charge_pct > 0.0 else 0.0
        return charge_pct / 100.0 * self.capacity_wh * 3600.0 / load_w

    def advance(self, now_s: float) -> None:
        """Let time pass until `now_s`; a clock that steps back changes nothing."""
        dt_s = max(0.0, now_s - self.now_s)
        if now_s >= self.empty_s:
            self.charge_pct = 0.0  # not a rounding error above it
        else:
            charge_pct = self.charge_pct + self.rate_pct_s * dt_s
            self.charge_pct = min(100.0, max(0.0, charge_pct))
        self.now_s = max(self.now_s, now_s)
