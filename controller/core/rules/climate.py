"""Climate: temperature, humidity and dew point inside the equipment's range. Keeps REG-01, REG-02.

Dew point is judged by itself: 27 °C at 60 % is inside both other limits and has a dew point of
18.6 °C, well outside.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.limits import above, below
from controller.core.reading import Quality, Reading
from controller.core.reason import ReasonValue
from controller.core.rules.base import RuleBase, Seen, Step
from controller.core.rules.trend import TrendState

RISE_DEADBAND_K = 1.0
"""How far a rise must fall back before it counts as over (guess)."""


class ClimateLimits(msgspec.Struct, frozen=True):
    """Limits in °C and %, None where there is none; deadbands in K and %; delays in seconds."""

    temperature_low: float | None = None
    temperature_high: float | None = None
    temperature_critical: float | None = None
    temperature_critical_low: float | None = None
    humidity_low: float | None = None
    humidity_high: float | None = None
    dew_point_low: float | None = None
    dew_point_high: float | None = None
    rise: float | None = 5.0
    rise_window_s: float = 900.0
    temperature_deadband: float = 1.0
    humidity_deadband: float = 3.0
    dew_point_deadband: float = 2.0
    on_delay_s: float = 60.0
    critical_on_delay_s: float = 10.0
    humidity_on_delay_s: float = 300.0
    humidity_off_delay_s: float = 300.0
    off_delay_s: float = 120.0


class ClimateState(msgspec.Struct, frozen=True):
    """Nothing: the alarms remember whether they stand, and that is all the deadband needs."""


class Climate(RuleBase):
    """The limits of one climate sensor. A reading that is not known changes nothing here; that
    it is not known is an alarm of its own (health)."""

    State = ClimateState

    def __init__(
        self, part: str, limits: ClimateLimits, humid: bool = True, mains: Sequence[str] = ()
    ) -> None:
        self.id = f"climate.{part}"
        self.part = part
        self.limits = limits
        self._humid = humid
        quantities = ("temperature", "humidity", "dew-point") if humid else ("temperature",)
        self.reads = (tuple(f"{part}.{name}" for name in quantities), ("trend",))
        self._causes = tuple(f"{id}.absent" for id in mains)

    def alarms(self) -> Sequence[AlarmSpec]:
        at = self.limits
        high = f"{self.part}.temperature-high"
        air = (
            ("temperature-high", Priority.HIGH, at.on_delay_s),
            ("temperature-critical", Priority.CRITICAL, at.critical_on_delay_s),
            ("temperature-low", Priority.LOW, at.on_delay_s),
            ("temperature-critical-low", Priority.HIGH, at.critical_on_delay_s),
            ("rising-fast", Priority.HIGH, 0.0),
        )
        specs = [
            AlarmSpec(
                f"{self.part}.{name}",
                priority,
                latched=priority is Priority.CRITICAL,
                on_delay_s=delay_s,
                off_delay_s=at.off_delay_s,
                group="climate",
                caused_by=self._causes if name == "temperature-high" else (*self._causes, high),
            )
            for name, priority, delay_s in air
        ]
        if self._humid:
            specs += [
                AlarmSpec(
                    f"{self.part}.{name}",
                    Priority.LOW,
                    on_delay_s=at.humidity_on_delay_s,
                    off_delay_s=at.humidity_off_delay_s,
                    group="climate",
                    caused_by=self._causes,
                )
                for name in ("humidity-high", "humidity-low", "dew-point-high", "dew-point-low")
            ]
        return specs

    def step(self, was: ClimateState, seen: Seen) -> Step:
        at = self.limits
        judged = self._judge_temperature(seen)
        if self._humid:
            for quantity, low, high, band in (
                ("humidity", at.humidity_low, at.humidity_high, at.humidity_deadband),
                ("dew-point", at.dew_point_low, at.dew_point_high, at.dew_point_deadband),
            ):
                judged += self._judge(seen[f"{self.part}.{quantity}"], quantity, low, high, band)
        return Step(was, conditions=judged)

    def _judge(
        self, reading: Reading, what: str, low: float | None, high: float | None, band: float
    ) -> list[Condition]:
        value = _usable(reading)
        return [
            self._condition(
                f"{what}-high",
                reading,
                high,
                None if value is None else above(value, high, band),
            ),
            self._condition(
                f"{what}-low", reading, low, None if value is None else below(value, low, band)
            ),
        ]

    def _judge_temperature(self, seen: Seen) -> list[Condition]:
        at, band = self.limits, self.limits.temperature_deadband
        reading = seen[f"{self.part}.temperature"]
        judged = self._judge(reading, "temperature", at.temperature_low, at.temperature_high, band)
        value = _usable(reading)
        hot = cold = rising = None
        risen = 0.0
        if value is not None:
            hot = above(value, at.temperature_critical, band)
            cold = below(value, at.temperature_critical_low, band)
            trend = seen.states.get("trend")
            if isinstance(trend, TrendState):
                point = f"{self.part}.temperature"
                risen = round(trend.rise(point, value, seen.now_s, at.rise_window_s), 1)
            rising = above(risen, at.rise, RISE_DEADBAND_K)
        values: dict[str, ReasonValue] = {
            "value": risen,
            "limit": at.rise,
            "minutes": round(at.rise_window_s / 60),
        }
        return [
            *judged,
            self._condition("temperature-critical", reading, at.temperature_critical, hot),
            self._condition(
                "temperature-critical-low", reading, at.temperature_critical_low, cold
            ),
            Condition(f"{self.part}.rising-fast", rising, values, reading.at_s),
        ]

    def _condition(
        self, name: str, reading: Reading, limit: float | None, is_so: bool | None
    ) -> Condition:
        value = reading.value if isinstance(reading.value, float) else None
        return Condition(
            f"{self.part}.{name}", is_so, {"value": value, "limit": limit}, reading.at_s
        )


def _usable(reading: Reading) -> float | None:
    """Two sensors that disagree may both be right: each still alarms for its own place."""
    if reading.quality in (Quality.GOOD, Quality.DISAGREEING) and isinstance(reading.value, float):
        return reading.value
    return None
