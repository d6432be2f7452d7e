"""A sensor in the simulated air: what it would say when asked now, and how it fails."""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping

from simulators.air import Air
from simulators.dht_pulses import pulses
from simulators.faults import LINE_FAULTS

# Step and range of what each part can say. Sources: AM2302 and DHT11 datasheets.
_STEP = {"dht22": 0.1, "dht11": 1.0}
_RANGE = {
    "dht22": {"temperature": (-40.0, 80.0), "humidity": (0.0, 100.0)},
    "dht11": {"temperature": (0.0, 50.0), "humidity": (20.0, 90.0)},
}
# A real part's last digit never stands still. A little more than half a step of noise moves
# it about once a minute at the usual period, even where the value lies exactly on a step.
_NOISE_STEPS = 0.52

_FAULTS = {"silent": "absent", "garbage": "checksum", "short": "short", "zeros": "zeros"}

VALUES = (*_FAULTS, "frozen", "normal")
BUS_VALUES = (*LINE_FAULTS, "frozen", "normal")
QUANTITIES = ("temperature", "humidity")
DHTS = tuple(_STEP)


class Probe:
    """One sensor: a DHT, or a transmitter with the `ranges` and `steps` of its quantities.

    `held` stands in for what the air would say, by quantity.
    """

    def __init__(
        self,
        kind: str,
        seed: str,
        *,
        ranges: Mapping[str, tuple[float, float]] | None = None,
        steps: Mapping[str, float] | None = None,
    ) -> None:
        self.kind = kind
        self.ranges = _RANGE[kind] if ranges is None else ranges
        self._steps = dict.fromkeys(QUANTITIES, _STEP[kind]) if steps is None else steps
        self.held: dict[str, float] = {}
        self.state = "normal"
        self._noise = random.Random(seed)
        self._last: dict[str, float] | None = None

    def set_state(self, value: str) -> None:
        """Fail in one of `VALUES` or `BUS_VALUES`; "normal" also ends what is held."""
        self.state = value
        if value == "normal":
            self.held.clear()

    def limits(self, quantity: str) -> tuple[float, float]:
        """Return what the part can say at all of `quantity`."""
        return self.ranges[quantity]

    def values(self, air: Air) -> dict[str, float]:
        """Return what it measures now, by quantity."""
        if self.state != "frozen" or self._last is None:
            truth = {"temperature": air.temperature_c, "humidity": air.humidity_pct}
            self._last = {
                quantity: self._say(quantity, truth[quantity]) for quantity in self.ranges
            }
        return dict(self._last)

    def measure(self, air: Air) -> array[int]:
        """Return the pulses of a DHT's measurement; see `simulators.dht_pulses`."""
        said = self.values(air)
        return pulses(
            self.kind, said["temperature"], said["humidity"], fault=_FAULTS.get(self.state)
        )

    def _say(self, quantity: str, truth: float) -> float:
        """Return a value on the part's steps, within its range and one step of the truth."""
        low, high = self.limits(quantity)
        step = self._steps[quantity]
        steps = min(max(self.held.get(quantity, truth), low), high) / step
        said = round(steps + self._noise.uniform(-_NOISE_STEPS, _NOISE_STEPS))
        if abs(said - steps) > 1:
            said = round(steps)
        return min(max(said * step, low), high)
