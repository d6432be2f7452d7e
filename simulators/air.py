"""The air of the room: one temperature and one moisture, each with its inertia.

First order, so each step is exact however long: tests may leap hours, and the world only has to
step when somebody looks or something changes. All constants are guesses for a room of 30 m2 with
two racks until a room is measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# Magnus, Sonntag's constants (WMO), valid -45..60 degrees: the ones the core's dew point uses.
_MAGNUS_B = 17.62
_MAGNUS_C = 243.12
_MAGNUS_HPA = 6.112


def saturated_g_m3(temperature_c: float) -> float:
    """Return how much water a cubic metre of air can hold.

    Source: Magnus formula for the vapour pressure; ideal gas, 216.7 g K / (hPa m3).
    """
    pressure_hpa = _MAGNUS_HPA * math.exp(_MAGNUS_B * temperature_c / (_MAGNUS_C + temperature_c))
    return 216.7 * pressure_hpa / (temperature_c + 273.15)


@dataclass
class Air:
    """Air with the heat that flows into it; `advance` takes it to a later instant.

    `heat_w` is everything that warms it (racks, a lamp), `cooling` whether the air conditioner
    runs. With its racks the room settles at 23 degrees with cooling and at 45 without.
    """

    heat_w: float = 3000.0
    cooling: bool = True
    temperature_c: float = 23.0
    water_g_m3: float = 10.0

    ambient_c: float = 25.0
    loss_w_per_k: float = 150.0
    tau_s: float = 900.0
    capacity_w: float = 3300.0
    ambient_water_g_m3: float = 12.0
    dried_water_g_m3: float = 10.0
    water_tau_s: float = 1800.0

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass with everything that acts on the air as it is now."""
        removed_w = self.capacity_w if self.cooling else 0.0
        goal_c = self.ambient_c + (self.heat_w - removed_w) / self.loss_w_per_k
        self.temperature_c = relax(self.temperature_c, goal_c, dt_s / self.tau_s)
        goal_g_m3 = self.dried_water_g_m3 if self.cooling else self.ambient_water_g_m3
        self.water_g_m3 = relax(self.water_g_m3, goal_g_m3, dt_s / self.water_tau_s)

    @property
    def humidity_pct(self) -> float:
        """Relative humidity, 0..100: the same water is less of what warmer air can hold."""
        return min(100.0, 100.0 * self.water_g_m3 / saturated_g_m3(self.temperature_c))


def relax(value: float, goal: float, taus: float) -> float:
    """Return where a first-order system that starts at `value` is after `taus` time constants."""
    return goal + (value - goal) * math.exp(-taus)
