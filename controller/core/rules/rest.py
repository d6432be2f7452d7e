"""Rest: a compressor that stopped stays off for its minimum time. An interlock, slot 3."""

from __future__ import annotations

import msgspec

from controller.core.priority import Demand, OutputSpec, Slot
from controller.core.reason import why
from controller.core.rules.base import RuleBase, Seen, Step


class RestState(msgspec.Struct, frozen=True):
    pass


class Rest(RuleBase):
    """Holds one output off until it has been off for `minimum_off_s`.

    It needs no memory of its own: since when the output is off is part of the output's state,
    and after a new boot an output that is off counts as off from then (rest never shortens).
    """

    State = RestState

    def __init__(self, output: OutputSpec) -> None:
        self.id = f"rest.{output.id}"
        self._output = output

    def step(self, was: RestState, seen: Seen) -> Step:
        state = seen.outputs[self._output.id]
        end_s = state.since_s + self._output.minimum_off_s
        if state.on or seen.now_s >= end_s:
            return Step(was)
        reason = why("interlock.rest")
        demand = Demand(self._output.id, Slot.INTERLOCK, False, reason, end_s)
        return Step(was, demands=[demand], wake_s=end_s)
