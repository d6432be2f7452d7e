"""The permissive to start: what must hold before anything is switched on. Keeps REG-08.

A start needs that no known fact forbids it. A mains contact, where there is one, must be good
and present: unknown is not health. `starts` are the outputs that it holds off.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.priority import Demand, Slot
from controller.core.reason import Reason, why
from controller.core.rules.base import RuleBase, Seen, Step
from controller.core.rules.cut import cut_state
from controller.core.rules.firestate import fire_state


class PermissiveState(msgspec.Struct, frozen=True):
    """Why nothing may be started; None when it may."""

    blocked: Reason | None = None


class Permissive(RuleBase):
    id = "permissive"
    State = PermissiveState

    def __init__(self, mains: Sequence[str], starts: Sequence[str] = ()) -> None:
        self._mains = tuple(mains)
        self._starts = tuple(starts)

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
        return Step(state, demands=demands, conditions=conditions)

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
        return None


def blocked(states: dict[str, object]) -> Reason | None:
    """Return why nothing may be started, as this scan's permissive says."""
    state = states.get("permissive")
    return state.blocked if isinstance(state, PermissiveState) else None
