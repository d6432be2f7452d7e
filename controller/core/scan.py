"""The scan: read, decide, act, record; this is *decide*.

`scan()` is a pure function of the room, what was remembered, the image, the requests and now:
the same inputs give the same outputs, bit for bit. It knows no pin, socket, thread or clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from controller.core import alarmlist, gate, operator
from controller.core.alarmlist import AlarmList
from controller.core.alarms import Condition, Priority, State
from controller.core.event import Event
from controller.core.memory import Memory
from controller.core.priority import (
    Demand,
    OutputSpec,
    OutputState,
    Slot,
    commanded,
    pulse_end_s,
)
from controller.core.reading import NEVER_READ, Now, Reading
from controller.core.reason import Reason, ReasonValue, unknown, why
from controller.core.request import Answer, Origin, Request, Status
from controller.core.room import RULE_FAILED, Room
from controller.core.rules.base import Command, Rule, Seen, Step
from controller.core.rules.permissive import blocked
from controller.core.rules.proof import AGAIN_S, ProofState
from controller.core.trust import Trusted, assess

IDLE_S = 1.0
"""A scan comes at the latest after this long, whatever happens."""


SOUNDING = (State.ACTIVE_UNACKNOWLEDGED, State.LATCHED_UNACKNOWLEDGED)


class Decision(msgspec.Struct, frozen=True):
    """What one scan decided. `moved`: outputs whose command or coil changes; `changed`: alarms.

    `durable`: something changed that must be written down. `wake_at_s`: when to scan again if
    nothing happens before.
    """

    memory: Memory
    points: dict[str, Reading]
    moved: tuple[str, ...]
    changed: tuple[str, ...]
    events: tuple[Event, ...]
    commands: tuple[Command, ...]
    answers: tuple[Answer, ...]
    wake_at_s: float
    durable: bool


class Judgement(msgspec.Struct, frozen=True):
    """The first half of a scan: what the rules want and what the outputs are to be.

    It is all that acting needs; the alarms, which never act, are looked at after it. `demands`
    are those of rules and hands.
    """

    was: Memory
    now: Now
    seen: Seen
    points: dict[str, Reading]
    trusted: Trusted
    states: dict[str, Any]
    steps: dict[str, Step]
    hands: Mapping[str, operator.Held]
    demands: list[Demand]
    conditions: list[Condition]
    outputs: dict[str, OutputState]
    moved: list[str]
    events: list[Event]
    commands: list[Command]
    answers: list[Answer]
    wake_s: float
    durable: bool


def scan(
    room: Room,
    was: Memory,
    image: Mapping[str, Reading],
    requests: Sequence[Request],
    now: Now,
) -> Decision:
    return annunciate(room, judge(room, was, image, requests, now))


def judge(
    room: Room,
    was: Memory,
    image: Mapping[str, Reading],
    requests: Sequence[Request],
    now: Now,
) -> Judgement:
    """Step the rules and give each output to its highest demand."""
    now_s = now.mono_s
    trusted, points, wake_s = assess(room.measured, room.twins, was.trusted, image, now_s)
    seen = Seen(points, was.outputs, now, frozenset(was.alarms.permits))
    answers: list[Answer] = []
    events: list[Event] = []
    pressed = _buttons(room, was.points, points, now_s)
    if requests or pressed:
        seen.requests = _admit(room, was, seen, [*requests, *pressed], answers, events)

    states: dict[str, Any] = {}
    seen.states = states
    demands: list[Demand] = []
    conditions: list[Condition] = []
    commands: list[Command] = []
    steps: dict[str, Step] = {}
    failed: dict[str, str] = {}
    durable = False
    for id, rule in room.rules.items():
        old = was.rules[id]
        before = was.steps.get(id)
        if before is not None and _stands(rule, before, was, points, states, now_s):
            step = before
        else:
            try:
                step = rule.step(old, seen)
            except Exception as error:
                # One rule's error must not take the others with it; what it wanted still holds.
                step = Step(old, demands=() if before is None else before.demands)
                failed[id] = f"{type(error).__name__}: {error}"
            step.settled = step.state is old
        states[id] = step.state
        steps[id] = step
        if step.state is not old:
            durable = durable or id not in room.volatile
        demands += step.demands
        conditions += step.conditions
        events += step.events
        commands += step.commands
        answers += step.answers
        if step.points:
            points.update(step.points)
        if step.wake_s < wake_s:
            wake_s = step.wake_s
    wrong: dict[str, ReasonValue] = {"rules": tuple(failed), "error": "; ".join(failed.values())}
    conditions.append(Condition(RULE_FAILED.id, bool(failed), wrong))
    hands, by_hand, ended, hand_wake_s = operator.step(was.hands, seen)
    demands += by_hand
    events += ended
    outputs, moved, output_wake_s = _arbitrate(
        room.outputs.values(),
        was.outputs,
        [*demands, *_sounding(room, was.alarms)],
        states,
        now_s,
        events,
    )
    return Judgement(
        was, now, seen, points, trusted, states, steps, hands, demands, conditions, outputs, moved,
        events, commands, answers, min(wake_s, hand_wake_s, output_wake_s), durable,
    )  # fmt: skip


def annunciate(room: Room, judged: Judgement) -> Decision:
    """Step the alarms, sound those that no rule sounds, and gather the whole decision."""
    was, now_s, events = judged.was, judged.now.mono_s, judged.events
    list_, changed, told, wake_s = alarmlist.step(
        room.alarms, was.alarms, judged.conditions, judged.seen.requests, now_s
    )
    events += told
    outputs, moved = judged.outputs, judged.moved
    if list_ is not was.alarms:
        outputs, sirens, _ = _arbitrate(
            [room.outputs[siren] for siren in room.sirens],
            outputs,
            [*judged.demands, *_sounding(room, list_)],
            judged.states,
            now_s,
            events,
        )
        moved = [*moved, *sirens]
    changed_rules = any(state is not was.rules[id] for id, state in judged.states.items())
    memory = Memory(
        judged.states if changed_rules else was.rules,
        outputs,
        list_,
        judged.hands,
        judged.trusted,
        judged.steps,
        judged.points,
    )
    return Decision(
        memory,
        judged.points,
        tuple(moved),
        tuple(changed),
        tuple(events),
        tuple(judged.commands),
        tuple(judged.answers),
        min(judged.wake_s, wake_s, now_s + IDLE_S),
        judged.durable
        or bool(moved)
        or outputs is not was.outputs
        or list_ is not was.alarms
        or judged.hands is not was.hands,
    )


def _stands(
    rule: Rule,
    before: Step,
    was: Memory,
    points: Mapping[str, Reading],
    states: Mapping[str, Any],
    now_s: float,
) -> bool:
    """Whether a rule would say again what it said, because nothing that it reads has changed."""
    reads = rule.reads
    if reads is None or not before.settled or now_s >= before.wake_s:
        return False
    return all(points.get(id) is was.points.get(id) for id in reads[0]) and all(
        states.get(id) is was.rules.get(id) for id in reads[1]
    )


def _buttons(
    room: Room, was: Mapping[str, Reading], points: Mapping[str, Reading], now_s: float
) -> list[Request]:
    """A silence button makes a request when it is pressed; held down or stuck, no more."""
    return [
        Request(f"{id} {now_s:.3f}", "silence", actor=id, origin=Origin.BUTTON)
        for id in room.silences
        if points.get(id, NEVER_READ).is_true and not was.get(id, NEVER_READ).is_true
    ]


def _sounding(room: Room, list_: AlarmList) -> list[Demand]:
    """The siren for critical alarms that no protective rule sounds itself (fire does)."""
    for id, alarm in list_.alarms.items():
        spec = room.alarms[id]
        sounds = (
            spec.priority is Priority.CRITICAL
            and spec.group != "fire"
            and alarm.stands
            and alarm.state(list_.is_out_of_service(spec)) in SOUNDING
            and not alarm.silenced
        )
        if sounds:
            reason = why("alarm.sounding", alarm=id)
            return [Demand(siren, Slot.AUTOMATIC, True, reason) for siren in room.sirens]
    return []


def _admit(
    room: Room,
    was: Memory,
    seen: Seen,
    requests: Sequence[Request],
    answers: list[Answer],
    events: list[Event],
) -> list[Request]:
    """The gate: answer every request, and return those that are let through."""
    seen.states = was.rules
    on = {id: state.on for id, state in was.outputs.items()}
    admitted = []
    for request in requests:
        refused = gate.refuses(request, room.policy, seen.points, on, seen.now)
        refused = refused or _refused_by_room(room, was, seen, request)
        if refused is not None:
            expired = refused.id == "refused.expired"
            status = Status.EXPIRED if expired else Status.REFUSED
        else:
            admitted.append(request)
            later = request.action in room.deferred or request.action == gate.RESEND
            status = Status.ACCEPTED if later else Status.DONE
        answers.append(Answer(request.id, status, refused))
        events.append(_asked(request, status, refused))
    return admitted


def _refused_by_room(room: Room, was: Memory, seen: Seen, request: Request) -> Reason | None:
    found = alarmlist.refuses(room.alarms, room.parts, request, was.alarms)
    if found is None:
        found = operator.refuses(
            room.outputs, request, was.hands, seen, blocked(was.rules), was.rules
        )
    if found is not None:
        return found
    handled = request.action in alarmlist.ACTIONS | gate.NOTES | gate.FEED | operator.ACTIONS
    rules = {id: rule for id, rule in room.rules.items() if request.action in rule.handles()}
    for id, rule in rules.items():
        refused = rule.refuses(request, was.rules[id], seen)
        if refused is not None:
            return refused
        handled = handled or concerns(rule, request)
    if handled:
        return None
    return unknown("id", request.args.get("id", "") or ("" if rules else request.action))


def concerns(rule: Rule, request: Request) -> bool:
    """Whether a request is about this rule's part; one without an id is about the room."""
    part = getattr(rule, "part", None)
    return part is None or request.args.get("id") == part


def _asked(request: Request, status: Status, refused: Reason | None) -> Event:
    data: dict[str, Any] = {
        "id": request.id,
        "args": request.args,
        "origin": request.origin.value,
        "status": status.value,
    }
    if request.user:
        data["user"] = request.user
    if refused is not None:
        data["reason"] = refused.id
    if refused is not None and refused.values:
        data["values"] = refused.values
    return Event("request", request.action, "request", request.actor or "unknown", data)


def _arbitrate(
    specs: Iterable[OutputSpec],
    was: dict[str, OutputState],
    demands: Sequence[Demand],
    states: Mapping[str, Any],
    now_s: float,
    events: list[Event],
) -> tuple[dict[str, OutputState], list[str], float]:
    """Give each output to its highest demand; record every change of its level."""
    wanted: dict[str, list[Demand]] = {}
    for demand in demands:
        wanted.setdefault(demand.output, []).append(demand)
    outputs = was
    moved: list[str] = []
    wake_s = float("inf")
    for spec in specs:
        id = spec.id
        old = was[id]
        new = commanded(spec, old, wanted.get(id, ()), now_s)
        if spec.pulse_s is not None:
            new = _pulsed_again(spec, new, states, now_s)
            end_s = pulse_end_s(spec, new, now_s)
            if end_s is not None:
                wake_s = min(wake_s, end_s)
            moved.append(id)  # its coil follows the time as well as the command
        if new is old:
            continue
        if outputs is was:
            outputs = dict(was)
        outputs[id] = new
        if new.intermittent is not old.intermittent:
            moved.append(id)
        if new.on is not old.on:
            moved.append(id)
            data = {
                "to": "on" if new.on else "off",
                "slot": int(new.slot),
                "values": new.reason.values,
            }
            events.append(Event("output", id, new.reason.id, "rule", data))
    return outputs, moved, wake_s


def _pulsed_again(
    spec: OutputSpec, state: OutputState, states: Mapping[str, Any], now_s: float
) -> OutputState:
    """A cut that is commanded and not seen is pulsed again until it is."""
    proof = states.get("proof")
    unproven = isinstance(proof, ProofState) and spec.id in proof.differs_s
    if not (state.on and unproven and state.pulsed_s is not None):
        return state
    if now_s < state.pulsed_s + AGAIN_S:
        return state
    return msgspec.structs.replace(state, pulsed_s=now_s)
