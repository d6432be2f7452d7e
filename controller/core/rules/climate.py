"""Climate: temperature, humidity and dew point inside the equipment's range. Keeps REG-01, REG-02.

Dew point is judged by itself: 27 °C at 60 % is inside both other limits and has a dew point of
18.6 °C, well outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.limits import above, below
from controller.core.reading import Quality, Reading
from controller.core.reason import ReasonValue
from controller.core.rules.base import RuleBase, Seen, Step
from controller.core.rules.trend import TrendState

_Judge = Callable[[str, Reading, float, float | None, bool], None]
_Blind = Callable[..., None]

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
    """The conditions that are beyond their limit now, for the deadband."""

    beyond: tuple[str, ...] = ()


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
        beyond = set(was.beyond)
        conditions: list[Condition] = []

        def judge(
            name: str, reading: Reading, value: float, limit: float | None, is_so: bool
        ) -> None:
            (beyond.add if is_so else beyond.discard)(name)
            values: dict[str, ReasonValue] = {"value": value, "limit": limit}
            conditions.append(Condition(f"{self.part}.{name}", is_so, values, reading.at_s))

        def blind(*names: str) -> None:
            conditions.extend(Condition(f"{self.part}.{name}", None) for name in names)

        reading = seen[f"{self.part}.temperature"]
        air = _usable(reading)
        if air is None:
            blind(
                "temperature-high", "temperature-critical", "temperature-low",
                "temperature-critical-low", "rising-fast",
            )  # fmt: skip
        else:
            band = at.temperature_deadband
            for name, limit in (
                ("temperature-high", at.temperature_high),
                ("temperature-critical", at.temperature_critical),
            ):
                judge(name, reading, air, limit, above(air, limit, band, name in beyond))
            for name, limit in (
                ("temperature-low", at.temperature_low),
                ("temperature-critical-low", at.temperature_critical_low),
            ):
                judge(name, reading, air, limit, below(air, limit, band, name in beyond))
            trend = seen.states.get("trend")
            risen = 0.0
            if isinstance(trend, TrendState):
                risen = trend.rise(reading_id(self.part), air, seen.now_s, at.rise_window_s)
            is_rising = above(risen, at.rise, RISE_DEADBAND_K, "rising-fast" in beyond)
            judge("rising-fast", reading, round(risen, 1), at.rise, is_rising)
        if self._humid:
            self._water(seen, judge, blind, beyond)
        names = tuple(sorted(beyond))
        return Step(was if names == was.beyond else ClimateState(names), conditions=conditions)

    def _water(self, seen: Seen, judge: _Judge, blind: _Blind, beyond: set[str]) -> None:
        at = self.limits
        for quantity, low, high, band in (
            ("humidity", at.humidity_low, at.humidity_high, at.humidity_deadband),
            ("dew-point", at.dew_point_low, at.dew_point_high, at.dew_point_deadband),
        ):
            reading = seen[f"{self.part}.{quantity}"]
            value = _usable(reading)
            over, under = f"{quantity}-high", f"{quantity}-low"
            if value is None:
                blind(over, under)
                continue
            judge(over, reading, value, high, above(value, high, band, over in beyond))
            judge(under, reading, value, low, below(value, low, band, under in beyond))


def reading_id(part: str) -> str:
    return f"{part}.temperature"


def _usable(reading: Reading) -> float | None:
    """Two sensors that disagree may both be right: each still alarms for its own place."""
    if reading.quality in (Quality.GOOD, Quality.DISAGREEING) and isinstance(reading.value, float):
        return reading.value
    return None
