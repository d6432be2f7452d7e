"""Cooling: the air conditioner runs, but the room warms. Keeps REG-09."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.rules.base import RuleBase, Seen, Step
from controller.core.rules.trend import TrendState

RUNNING_S = 600.0
"""How long cooling must have run before it is judged: a compressor needs minutes (guess)."""

WARMER_K = 3.0
"""Rise within `RUNNING_S` that running cooling should have prevented (guess)."""


class CoolingState(msgspec.Struct, frozen=True):
    pass


class CoolingFailure(RuleBase):
    """One air conditioner against the temperatures of its room."""

    State = CoolingState

    def __init__(
        self, output: str, temperatures: Sequence[str], mains: Sequence[str] = ()
    ) -> None:
        self.id = f"cooling.{output}"
        self._output = output
        self._temperatures = tuple(temperatures)
        self._causes = tuple(f"{id}.absent" for id in mains)

    def alarms(self) -> Sequence[AlarmSpec]:
        return [
            AlarmSpec(
                f"{self._output}.not-cooling",
                Priority.HIGH,
                on_delay_s=60.0,
                off_delay_s=120.0,
                group="climate",
                caused_by=self._causes,
            )
        ]

    def step(self, was: CoolingState, seen: Seen) -> Step:
        output = seen.outputs[self._output]
        trend = seen.states.get("trend")
        risen: list[float] = []
        if isinstance(trend, TrendState):
            for point in self._temperatures:
                value = seen[point].number
                if value is not None:
                    risen.append(trend.rise(point, value, seen.now_s, RUNNING_S))
        alarm = f"{self._output}.not-cooling"
        running = output.on and seen.now_s - output.since_s >= RUNNING_S
        if running and not risen:
            return Step(was, conditions=[Condition(alarm, None)])
        worst = max(risen, default=0.0)
        fails = running and worst > WARMER_K
        return Step(was, conditions=[Condition(alarm, fails, {"value": round(worst, 1)})])
