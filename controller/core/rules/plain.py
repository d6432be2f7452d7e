"""Plain contacts that only alarm: water found (REG-02), a cover opened (REG-04)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.rules.base import RuleBase, Seen, Step

LEAK_DELAY_S = 3.0  # facts 2.2
LEAK_CLEAR_S = 60.0

_ALARMS = {
    "leak": AlarmSpec("leak", Priority.HIGH, True, LEAK_DELAY_S, LEAK_CLEAR_S, "climate"),
    "tamper": AlarmSpec("tamper", Priority.HIGH, True, group="access"),
}


class PlainState(msgspec.Struct, frozen=True):
    pass


class Plain(RuleBase):
    """`contacts`: id to role, of the roles named above."""

    id = "plain"
    State = PlainState

    def __init__(self, contacts: Mapping[str, str]) -> None:
        self._contacts = {id: role for id, role in contacts.items() if role in _ALARMS}

    def alarms(self) -> Sequence[AlarmSpec]:
        return [
            msgspec.structs.replace(_ALARMS[role], id=f"{id}.{role}")
            for id, role in self._contacts.items()
        ]

    def step(self, was: PlainState, seen: Seen) -> Step:
        return Step(
            was,
            conditions=[
                Condition(f"{id}.{role}", seen[id].is_true if seen[id].is_good else None)
                for id, role in self._contacts.items()
            ],
        )
