"""The room as the core knows it."""

from __future__ import annotations

from collections.abc import Sequence

from controller.core import gate
from controller.core.alarms import AlarmSpec, Priority
from controller.core.memory import Memory
from controller.core.priority import OutputSpec, OutputState, Slot
from controller.core.reason import why
from controller.core.rules.base import Rule
from controller.core.trust import PointSpec, Twins

RULE_FAILED = AlarmSpec("controller.rule-failed", Priority.CRITICAL, group="health")


class Room:
    """A room as the core knows it: its points, outputs and rules, in the order they are stepped.

    A later rule may build on what an earlier one judged in the same scan. `volatile` are rules
    whose changes alone are not worth a write to the journal.
    """

    def __init__(
        self,
        points: Sequence[PointSpec],
        outputs: Sequence[OutputSpec],
        rules: Sequence[Rule],
        twins: Sequence[Twins] = (),
        policy: gate.Policy | None = None,
        volatile: frozenset[str] = frozenset(),
        silences: Sequence[str] = (),
    ) -> None:
        self.points = {spec.id: spec for spec in points}
        self.measured = tuple(s for s in points if s.stale_s is not None or s.dew_of is not None)
        self.outputs = {spec.id: spec for spec in outputs}
        self.rules = {rule.id: rule for rule in rules}
        self.twins = tuple(twins)
        self.policy = policy or gate.Policy()
        self.volatile = volatile
        self.silences = tuple(silences)
        self.sirens = tuple(spec.id for spec in outputs if spec.role == "siren")
        self.alarms: dict[str, AlarmSpec] = {
            spec.id: spec for rule in rules for spec in rule.alarms()
        }
        self.alarms[RULE_FAILED.id] = RULE_FAILED
        self.parts = frozenset(spec.part for spec in points) | frozenset(self.outputs)
        self.deferred = frozenset(a for rule in rules for a in rule.deferred())

    def first_memory(self, now_s: float) -> Memory:
        """The memory of a room that never ran: every line at its power-on state."""
        reason = why("power-on")
        outputs = {
            spec.id: OutputState(spec.unpowered, Slot.DEFAULT, reason, now_s)
            for spec in self.outputs.values()
        }
        return Memory({rule.id: rule.State() for rule in self.rules.values()}, outputs)
