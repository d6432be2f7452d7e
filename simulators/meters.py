"""What a simulated UPS says of itself: its meters never stand quite still, unless frozen."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from controller.core.parts import UPS_VALUES

if TYPE_CHECKING:
    from simulators.ups import SimulatedUps

# An online UPS of 5 kW with a battery of 48 V: guesses.
RATING_W = 5000.0
MAINS_V = 220.0
MAINS_HZ = 50.0
_BATTERY_AGE_D = 400.0
_OVERLOAD_PCT = 120.0

_KEYS = {value.point: key for key, value in UPS_VALUES.items()}

Values = dict[str, bool | float | str]


class Meters:
    """The meters of one UPS."""

    def __init__(self, ups: SimulatedUps, seed: str) -> None:
        self._ups = ups
        self._phases = [random.Random(seed).uniform(0.0, math.tau) for _ in range(2)]
        self._frozen: tuple[Values, Values] | None = None

    def freeze(self) -> None:
        """Repeat what they say now, for ever."""
        self._frozen = self.values(), self.inner_values()

    def thaw(self) -> None:
        self._frozen = None

    def values(self) -> Values:
        """Return the normal form, by the keys of `UPS_VALUES` and within their ranges."""
        if self._frozen is not None:
            return dict(self._frozen[0])
        ups = self._ups
        live = ups.input or ups.forced == "mains"
        load_pct = ups.load_w / RATING_W * 100.0
        if "overload" in ups.faults:
            load_pct = max(load_pct, _OVERLOAD_PCT)
        said: Values = {
            "supply": ups.supply,
            "battery_low": ups.battery_low,
            "charge_pct": ups.charge_pct,
            "runtime_s": ups.runtime_s,
            "load_pct": load_pct + self._ripple(0.4) * (load_pct > 0.0),
            "input_voltage_v": MAINS_V + self._ripple(1.2) if live else 0.0,
            "input_frequency_hz": MAINS_HZ + self._ripple(0.05) if live else 0.0,
            "battery_age_d": _BATTERY_AGE_D,
            "self_test": ups.self_test,
            "faults": " ".join(sorted(ups.faults)),
        }
        said |= {_KEYS[quantity]: value for quantity, value in ups.held.items()}
        for key, value in said.items():
            if isinstance(value, float):
                said[key] = min(max(value, UPS_VALUES[key].low), UPS_VALUES[key].high)
        return said

    def inner_values(self) -> Values:
        """Return what it measures beside the normal form, by the names that register maps have."""
        if self._frozen is not None:
            return dict(self._frozen[1])
        ups = self._ups
        output_v = MAINS_V + self._ripple(0.9) if ups.has_output else 0.0
        input_v = MAINS_V + self._ripple(1.2) if ups.input else 0.0
        battery_v = 48.0 + 6.0 * ups.battery.charge_pct / 100.0 + self._ripple(0.15)
        # Its electronics are a little warmer than the room.
        battery_c = 26.0 + self._ripple(0.3)
        return {
            "output_voltage_v": output_v,
            "output_frequency_hz": MAINS_HZ if ups.has_output else 0.0,
            "output_current_a": ups.load_w / MAINS_V * (1.0 + self._ripple(0.01)),
            "bypass_voltage_v": input_v,
            "bypass_frequency_hz": MAINS_HZ if ups.input else 0.0,
            "battery_voltage_v": battery_v,
            "battery_current_a": ups.battery.drawn_w / battery_v,
            "battery_temperature_c": battery_c,
            "battery_temperature_k": battery_c + 273.15,
            "temperature_c": battery_c + 4.0,
        }

    def _ripple(self, most: float) -> float:
        """The same at the same instant, so that it is exact for any step."""
        slow, fast = self._phases
        now_s = self._ups.now_s
        return most * (
            0.6 * math.sin(now_s * math.tau / 47.0 + slow)
            + 0.4 * math.sin(now_s * math.tau / 7.3 + fast)
        )
