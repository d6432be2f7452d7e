"""Memory: everything a scan carries over, and its form in the journal.

It keeps instants, never countdowns. What was read is not part of what is written down: after a
restart, what is not yet read is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.core.alarmlist import AlarmList
from controller.core.operator import Held
from controller.core.priority import OutputState
from controller.core.reading import Reading
from controller.core.rules.base import Rule, Step
from controller.core.trust import Trusted

FORM = 1
"""Version of the written form."""


class Memory(msgspec.Struct, frozen=True):
    """`rules`: each rule's state by the rule's id. `hands`: outputs held by hand.

    `trusted`, `steps` (what each rule said last) and `points` (of what) are not written down.
    """

    rules: dict[str, Any]
    outputs: dict[str, OutputState]
    alarms: AlarmList = AlarmList()
    hands: Mapping[str, Held] = {}
    trusted: Trusted = Trusted()
    steps: Mapping[str, Step] = {}
    points: Mapping[str, Reading] = {}


class _Written(msgspec.Struct):
    form: int
    rules: dict[str, Any]
    outputs: dict[str, OutputState]
    alarms: AlarmList
    hands: dict[str, Held]


def encode(memory: Memory) -> str:
    """Return the memory as it is written to the journal."""
    written = _Written(FORM, memory.rules, memory.outputs, memory.alarms, dict(memory.hands))
    return msgspec.json.encode(written).decode()


def decode(text: str, rules: Mapping[str, Rule]) -> tuple[Memory, list[str]]:
    """Read a written memory; what no longer fits this program is named, not guessed.

    Returns the memory, with the rules that could be read, and the ids of those that could not.
    Raises: ValueError when nothing of it can be read.
    """
    try:
        written = msgspec.json.decode(text, type=_Written)
    except msgspec.DecodeError as error:
        raise ValueError(f"memory: {error}") from error
    if written.form != FORM:
        raise ValueError(f"memory: form {written.form}, this program reads {FORM}")
    states: dict[str, Any] = {}
    lost: list[str] = []
    for id, raw in written.rules.items():
        rule = rules.get(id)
        if rule is None:
            continue  # of a part that is no longer in the room file
        try:
            states[id] = msgspec.convert(raw, rule.State)
        except msgspec.ValidationError:
            lost.append(id)
    return Memory(states, written.outputs, written.alarms, written.hands), lost
