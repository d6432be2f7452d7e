"""The snapshot: the room as it stands, as plain data for the panel and `status` (contract 1)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from controller.clock import Clock
from controller.core import alarms
from controller.core.alarms import AlarmSpec, Priority
from controller.core.priority import OutputSpec, OutputState
from controller.core.reading import NEVER_READ, Quality, Reading
from controller.core.room import Room
from controller.core.rules.access import Access, AccessState, entry_left_s
from controller.core.rules.base import Seen
from controller.core.rules.climate import Climate
from controller.core.rules.cut import CutState
from controller.core.rules.fire import Fire
from controller.core.rules.firestate import FireState
from controller.core.rules.lamp import ProjectorState
from controller.core.rules.projector import Projector
from controller.core.rules.proof import actual
from controller.guard import Published
from controller.plain import (
    Stamps,
    on_off,
    plain,
    point_value,
    reason_object,
    sentence,
    stamp,
)
from controller.snapshotpower import plan_object
from controller.texts import text

State = Literal["normal", "attention", "alarm", "fire"]


class About(msgspec.Struct, frozen=True):
    """What does not change while the controller runs."""

    site: str
    id: str
    name: str
    locale: str
    timezone: str
    simulated: bool
    software: str
    boot: str
    since: str
    budget_s: float = 0.0
    accept_risk: str | None = None


class Snapshots:
    """Makes snapshots of one room."""

    def __init__(self, room: Room, about: About, clock: Clock) -> None:
        self._room = room
        self._about = about
        self._clock = clock
        self._limits = {
            rule.part: rule.limits for rule in room.rules.values() if isinstance(rule, Climate)
        }

    def of(
        self, published: Published, feed: dict[str, Any], journal: dict[str, Any]
    ) -> dict[str, Any]:
        decision = published.decision
        memory = decision.memory
        stamps = Stamps(published.now, self._clock)
        permits = frozenset(memory.alarms.permits)
        seen = Seen(decision.points, memory.outputs, published.now, permits)
        seen.states = memory.rules
        mono_s = self._clock.mono_s()
        shown_alarms = self.alarms(published, stamps)
        fire = self._fire(seen, mono_s, stamps)
        about = msgspec.to_builtins(self._about)
        del about["budget_s"], about["accept_risk"]
        age_s = self._clock.real_s(mono_s - published.now.mono_s)
        return {
            "room": about,
            "state": state_of(fire["phase"], shown_alarms),
            "scan": {
                "number": published.number,
                "at": stamp(published.now.wall_s),
                "age_s": round(max(age_s, 0.0), 3),
            },
            "points": [self.point(id, decision.points, stamps) for id in self._room.points],
            "outputs": [
                self.output(spec, memory.outputs[spec.id], published, seen, stamps)
                for spec in self._room.outputs.values()
            ],
            "alarms": shown_alarms,
            "fire": fire,
            "projectors": [
                self._projector(rule, seen, mono_s)
                for rule in self._room.rules.values()
                if isinstance(rule, Projector)
            ],
            "access": self._access(seen, mono_s),
            "out_of_service": [
                {
                    "id": id,
                    "reason": permit.reason,
                    "by": permit.by,
                    "until": stamps.at(permit.until_s),
                }
                for id, permit in memory.alarms.permits.items()
            ],
            "feed": feed,
            "journal": {**journal, "seq": published.seq},
            "plan": plan_object(self._room, self._about.locale, seen, mono_s, stamps),
        }

    def point(self, id: str, points: dict[str, Reading], stamps: Stamps) -> dict[str, Any]:
        spec = self._room.points[id]
        reading = points.get(id, NEVER_READ)
        missing = reading.quality is Quality.MISSING
        return {
            "id": id,
            "part": spec.part,
            "kind": spec.kind,
            "role": spec.role,
            "place": spec.place,
            "value": point_value(reading),
            "unit": spec.unit,
            "quality": reading.quality.value,
            "at": None if missing else stamps.at(reading.at_s),
            "limits": self._limits_of(spec.part, id.partition(".")[2]),
        }

    def _limits_of(self, part: str, quantity: str) -> dict[str, float | None] | None:
        at = self._limits.get(part)
        if at is None:
            return None
        match quantity:
            case "temperature":
                critical = at.temperature_critical
                return {
                    "low": at.temperature_low,
                    "high": at.temperature_high,
                    "critical": critical,
                }
            case "humidity":
                return {"low": at.humidity_low, "high": at.humidity_high, "critical": None}
            case "dew-point":
                return {"low": at.dew_point_low, "high": at.dew_point_high, "critical": None}
        return None

    def output(
        self,
        spec: OutputSpec,
        state: OutputState,
        published: Published,
        seen: Seen,
        stamps: Stamps,
    ) -> dict[str, Any]:
        """One output: who holds it and why, and the ladder of those who would."""
        slots = [
            {
                "slot": int(demand.slot),
                "value": on_off(demand.on),
                "why": reason_object(demand.reason),
                "until": stamps.at(demand.until_s),
            }
            for step in published.decision.memory.steps.values()
            for demand in step.demands
            if demand.output == spec.id
        ]
        held = published.decision.memory.hands.get(spec.id)
        if held is not None:
            slots.append(
                {
                    "slot": 8,
                    "value": on_off(held.on),
                    "why": {"id": "operator", "values": {"by": held.by}},
                    "until": stamps.at(held.until_s),
                }
            )
        default = {"id": "default", "values": {}}
        slots.append({"slot": 16, "value": on_off(spec.default), "why": default, "until": None})
        return {
            "id": spec.id,
            "role": spec.role,
            "scope": spec.scope,
            "place": spec.place,
            "commanded": on_off(state.on),
            "actual": on_off(actual(spec, seen)),
            "slot": int(state.slot),
            "reason": sentence(self._about.locale, state.reason),
            "why": reason_object(state.reason),
            "since": stamps.at(state.since_s),
            "until": stamps.at(state.until_s),
            "slots": sorted(slots, key=lambda slot: slot["slot"]),
        }

    def alarms(self, published: Published, stamps: Stamps) -> list[dict[str, Any]]:
        """The alarms that are not normal, the gravest first."""
        list_ = published.decision.memory.alarms
        ids = list(list_.alarms)
        ids += [
            id
            for id, spec in self._room.alarms.items()
            if id not in list_.alarms and list_.is_out_of_service(spec)
        ]
        shown = [self.alarm(self._room.alarms[id], published, stamps) for id in ids]
        shown = [alarm for alarm in shown if alarm["state"] != "normal"]
        ranks = [priority.value for priority in Priority]
        shown.sort(key=lambda alarm: (ranks.index(alarm["priority"]), alarm["since"] or ""))
        return shown

    def alarm(self, spec: AlarmSpec, published: Published, stamps: Stamps) -> dict[str, Any]:
        list_ = published.decision.memory.alarms
        alarm = list_.of(spec.id)
        values = {k: plain(v) for k, v in alarm.values.items()}
        known = {"subject": spec.subject, **values}
        state = alarm.state(list_.is_out_of_service(spec))
        told = alarm.stands or not alarm.acknowledged
        return {
            "id": spec.id,
            "subject": spec.subject,
            "condition": spec.condition,
            "state": state.value,
            "priority": spec.priority.value,
            "active": alarm.active,
            "acknowledged": alarm.acknowledged,
            "shelved_until": stamps.at(alarm.shelf.until_s) if alarm.shelf else None,
            "since": stamps.at(alarm.since_s) if told else None,
            "cause": alarm.cause,
            "first_out": alarm.first_out,
            "silenced": alarm.silenced,
            "by": alarm.by,
            "text": text(self._about.locale, f"alarm.{spec.condition}", known),
            "values": values,
        }

    def _fire(self, seen: Seen, mono_s: float, stamps: Stamps) -> dict[str, Any]:
        rule = self._room.rules["fire"]
        state = seen.states["fire"]
        cut = seen.states["cut"]
        assert isinstance(rule, Fire)
        assert isinstance(state, FireState)
        assert isinstance(cut, CutState)
        countdown = state.countdown
        if countdown is not None:
            phase = "countdown"
        elif state.latched:
            phase = "confirmed" if state.active() else "latched"
        else:
            phase = "prealarm" if state.active() else "normal"
        allowance_s = rule.limits.hold_total_s
        return {
            "phase": phase,
            "why": state.countdown_why or None,
            "detectors": list(state.by or state.active()),
            "since": stamps.at(state.latched_s) if state.latched else None,
            "seconds_left": None if countdown is None else round(countdown.left_s(mono_s), 1),
            "held": countdown is not None and countdown.is_held(),
            "hold_left_s": allowance_s
            if countdown is None
            else round(allowance_s - countdown.spent_s(mono_s), 1),
            "budget_s": self._about.budget_s,
            "cuts": [s.id for s in self._room.outputs.values() if s.role == "cut-off"],
            "cut": cut.is_exerted,
            "cut_since": stamps.at(cut.since_s) if cut.is_exerted else None,
            "latched": state.latched,
            "accept_risk": self._about.accept_risk,
        }

    def _projector(self, rule: Projector, seen: Seen, mono_s: float) -> dict[str, Any]:
        state = seen.states[rule.id]
        assert isinstance(state, ProjectorState)
        word = seen[f"{rule.part}.power"]
        left = seen[f"{rule.part}.cooling-left"]
        return {
            "id": rule.part,
            "outlet": rule.outlet.id,
            "kind": "pjlink" if rule.talks else "relay-only",
            "phase": rule.phase(state, seen).value,
            "power": word.value if word.is_good else None,
            "cooling_left_s": left.number,
            "cooling_s": rule.cooling_s,
            "waiting": rule.is_waiting(state, seen),
            "hot": state.hot,
            "hot_cuts": state.hot_cuts,
        }

    def _access(self, seen: Seen, mono_s: float) -> dict[str, Any]:
        rule = self._room.rules["access"]
        state = seen.states["access"]
        assert isinstance(rule, Access)
        assert isinstance(state, AccessState)
        left_s = entry_left_s(rule.limits, state, mono_s)
        return {"armed": state.armed, "entry_left_s": None if left_s is None else round(left_s, 1)}


_UNSEEN = (alarms.State.SHELVED.value, alarms.State.OUT_OF_SERVICE.value)


def state_of(fire_phase: str, shown: list[dict[str, Any]]) -> State:
    """Return the room's state in one word."""
    if fire_phase in ("countdown", "confirmed", "latched"):
        return "fire"
    standing = [alarm for alarm in shown if alarm["state"] not in _UNSEEN]
    if any(alarm["priority"] in ("critical", "high") for alarm in standing):
        return "alarm"
    return "attention" if any(alarm["priority"] == "low" for alarm in standing) else "normal"
