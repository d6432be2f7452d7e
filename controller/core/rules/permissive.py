"""The permissive to start: what must hold before anything is switched on. Keeps REG-08.

A start needs that no known fact forbids it. A mains contact, where there is one, must be good
and present: unknown is not health. A UPS that is known to be on battery, or whose input is known
to be out of band or was a while ago, forbids; one of which nothing is known judges nothing.
`starts` are the outputs that it holds off.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.priority import Demand, Slot
from controller.core.reason import Reason, why
from controller.core.rules.base import NEVER_S, RuleBase, Seen, Step
from controller.core.rules.cut import cut_state
from controller.core.rules.firestate import fire_state
from controller.core.rules.power import Power, power_state
from controller.core.rules.ups import with_a_say

_FORBIDDING = (Power.OUTAGE, Power.ON_BATTERY, Power.DISAGREEMENT, Power.LOST)

BANDS = ("permissive.voltage-unstable", "permissive.out-of-band")
"""The reasons that a waived voltage or frequency answers for."""


class PermissiveState(msgspec.Struct, frozen=True):
    """Why nothing may be started; None when it may."""

    blocked: Reason | None = None


class Permissive(RuleBase):
    id = "permissive"
    State = PermissiveState

    def __init__(
        self,
        mains: Sequence[str],
        starts: Sequence[str] = (),
        upses: Sequence[str] = (),
        stable_s: float = 0.0,
    ) -> None:
        self._mains = tuple(mains)
        self._starts = tuple(starts)
        self._upses = tuple(upses)
        self._stable_s = stable_s

    def alarms(self) -> Sequence[AlarmSpec]:
        return [
            AlarmSpec(f"{id}.absent", Priority.HIGH, on_delay_s=1.0, group="power")
            for id in self._mains
        ]

    def step(self, was: PermissiveState, seen: Seen) -> Step:
        blocked = self._blocked(seen)
        conditions = [
            Condition(f"{id}.absent", seen[id].is_false if seen[id].is_good else None)
            for id in self._mains
        ]
        state = was if blocked == was.blocked else PermissiveState(blocked)
        demands = []
        if blocked is not None:
            # What runs goes on running; what is off stays off, and says why.
            demands = [
                Demand(id, Slot.INTERLOCK, False, blocked)
                for id in self._starts
                if not seen.is_on(id)
            ]
        return Step(state, demands=demands, conditions=conditions, wake_s=self._wake_s(seen))

    def _blocked(self, seen: Seen) -> Reason | None:
        fire = fire_state(seen.states)
        if fire.latched or fire.active():
            return why("permissive.fire")
        if cut_state(seen.states).is_exerted:
            return why("permissive.cut")
        for id in self._mains:
            if seen[id].is_false:
                return why("permissive.mains-absent", point=id)
            if not seen[id].is_true:
                return why("permissive.mains-unknown", point=id)
        power = power_state(seen.states)
        if power is not None and power.state in _FORBIDDING and not power.vouched:
            return why(f"permissive.{power.state}")
        for id, ups in with_a_say(self._upses, seen).items():
            if ups.unstable:
                return why("permissive.voltage-unstable", ups=id)
            if ups.out_s is not None and seen.now_s < ups.out_s + self._stable_s:
                return why("permissive.out-of-band", ups=id, seconds=self._stable_s)
        return None

    def _wake_s(self, seen: Seen) -> float:
        upses = with_a_say(self._upses, seen).values()
        ends_s = [ups.out_s + self._stable_s for ups in upses if ups.out_s is not None]
        return min((end_s for end_s in ends_s if end_s > seen.now_s), default=NEVER_S)


def blocked(states: dict[str, object]) -> Reason | None:
    """Return why nothing may be started, as this scan's permissive says."""
    state = states.get("permissive")
    return state.blocked if isinstance(state, PermissiveState) else None
