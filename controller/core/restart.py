"""Restart: what is remembered, set against what the lines really are. Behaviour section 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.core import alarmlist, operator
from controller.core.event import Event
from controller.core.memory import Memory
from controller.core.priority import OutputSpec, OutputState, Slot
from controller.core.reason import why
from controller.core.room import Room
from controller.core.rules.cut import Cut
from controller.core.rules.fire import Fire
from controller.core.trust import Trusted


class Boot(msgspec.Struct, frozen=True):
    """How the time before the restart relates to now.

    `same`: the machine has run through, so old instants still hold. Otherwise `shift_s` moves
    them onto the new clock, counting the time between as far as wall clocks tell it.
    """

    same: bool
    shift_s: float = 0.0


def restored(
    room: Room, was: Memory, lines: Mapping[str, bool], now_s: float, boot: Boot
) -> tuple[Memory, list[Event]]:
    """Return the memory to start with, and what must be recorded about it.

    `lines`: what each output really is, by this boot's line file, which is the truth also where
    the journal is of an earlier boot (its disk failed) or lost. Without them, as after a new
    boot, the lines are at their power-on state, whatever was commanded before.
    """
    events: list[Event] = []
    states: dict[str, Any] = {}
    for id, rule in room.rules.items():
        kept = was.rules.get(id)
        if kept is not None and not boot.same:
            kept = rule.moved(kept, boot.shift_s)
        state: Any = rule.State() if kept is None else rule.restored(kept, now_s, boot.same)
        if isinstance(rule, Cut):
            found = [cut for cut in rule.cuts if lines.get(cut)]
            exerted = rule.exerted(state, now_s) if found else state
            if exerted is not state:
                events.append(Event("fire", "room", "cut.found", data={"outputs": found}))
                fire = room.rules["fire"]
                assert isinstance(fire, Fire)
                states[fire.id] = fire.found(states[fire.id], now_s)
            state = exerted
        states[id] = state
    outputs = {
        id: _standing(spec, was.outputs.get(id), lines, now_s, boot.same)
        for id, spec in room.outputs.items()
    }
    alarms = alarmlist.restored(was.alarms, now_s, None if boot.same else boot.shift_s)
    known = {id: alarm for id, alarm in alarms.alarms.items() if id in room.alarms}
    return (
        Memory(
            states,
            outputs,
            msgspec.structs.replace(alarms, alarms=known),
            operator.restored(was.hands, boot.same),
            Trusted(),
        ),
        events,
    )


def _standing(
    spec: OutputSpec,
    kept: OutputState | None,
    lines: Mapping[str, bool],
    now_s: float,
    same_boot: bool,
) -> OutputState:
    """The line is as it is; why it is so is known only where the journal agrees with it."""
    on = lines.get(spec.id, spec.unpowered)
    if kept is not None and same_boot and kept.on is on:
        return kept
    # Whether a shunt coil was ever energised for it nobody knows: it is pulsed again.
    pulsed_s = now_s if on and spec.pulse_s is not None else None
    return OutputState(on, Slot.DEFAULT, why("power-on"), now_s, pulsed_s=pulsed_s)
