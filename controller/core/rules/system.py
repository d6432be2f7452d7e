"""System: what the shell knows of itself, as alarms like any other. Keeps REG-20.

The shell brings these as points of the image: the text of a fault, or false.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.rules.base import RuleBase, Seen, Step

PREFIX = "system."
"""Points that begin so are the shell's own and are not published."""


class SystemState(msgspec.Struct, frozen=True):
    pass


class System(RuleBase):
    """`alarms`: which of the shell's faults there are; the point of `x.y` is `system.x.y`."""

    id = "system"
    State = SystemState

    def __init__(self, alarms: Sequence[AlarmSpec]) -> None:
        self._alarms = tuple(alarms)

    def alarms(self) -> Sequence[AlarmSpec]:
        return self._alarms

    def step(self, was: SystemState, seen: Seen) -> Step:
        conditions = []
        for spec in self._alarms:
            fault = seen[PREFIX + spec.id].value
            values = {"fault": fault} if isinstance(fault, str) else {}
            told = None if fault is None else fault is not False
            conditions.append(Condition(spec.id, told, values))
        return Step(was, conditions=conditions)


def system_alarms(has_feed: bool, secrets: Sequence[str]) -> list[AlarmSpec]:
    """The shell's alarms; `secrets` are parts that have a secret file."""
    alarms = [
        AlarmSpec("journal.failing", Priority.HIGH, group="health"),
        AlarmSpec("controller.thread-failed", Priority.HIGH, off_delay_s=60.0, group="health"),
        AlarmSpec("controller.output-failed", Priority.CRITICAL, group="health"),
        AlarmSpec("controller.memory-lost", Priority.HIGH, latched=True, group="health"),
        AlarmSpec("clock.unsynchronised", Priority.LOW, on_delay_s=60.0, group="health"),
        *(AlarmSpec(f"{id}.secret-missing", Priority.HIGH, group="health") for id in secrets),
    ]
    if has_feed:
        alarms.append(AlarmSpec("feed.down", Priority.LOW, on_delay_s=10.0, group="health"))
        alarms.append(AlarmSpec("feed.events-lost", Priority.HIGH, group="health"))
    return alarms
