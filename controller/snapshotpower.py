"""The plan as it stands, as plain data: how the room is fed, what is left, who goes when."""

from __future__ import annotations

from typing import Any

from controller.core.parts import UPS_VALUES
from controller.core.reading import NEVER_READ
from controller.core.reason import Reason
from controller.core.room import Room
from controller.core.rules import evidence, shed
from controller.core.rules.base import Seen
from controller.core.rules.comeback import WAIVABLE, lacking
from controller.core.rules.drill import DrillState
from controller.core.rules.plan import Plan
from controller.core.rules.planstate import (
    GOING,
    HostSpec,
    LastRun,
    PlanState,
    Stage,
    begun,
    by_stage,
)
from controller.core.rules.power import PowerRule, PowerState
from controller.core.rules.ups import UpsRule
from controller.plain import Stamps, point_value, reason_object, sentence, stamp


def plan_object(
    room: Room, locale: str, seen: Seen, mono_s: float, stamps: Stamps
) -> dict[str, Any] | None:
    """Return the plan; None in a room that has neither a UPS nor hosts."""
    power_rule = room.rules.get("power")
    if not isinstance(power_rule, PowerRule):
        return None
    return _View(room, power_rule, locale, seen, mono_s, stamps).object()


class _View:
    def __init__(
        self,
        room: Room,
        power_rule: PowerRule,
        locale: str,
        seen: Seen,
        mono_s: float,
        stamps: Stamps,
    ) -> None:
        self._room = room
        self._locale = locale
        self._seen = seen
        self._now_s = mono_s
        self._stamps = stamps
        self._power_rule = power_rule
        power = seen.states["power"]
        assert isinstance(power, PowerState)
        self._power = power
        rule = room.rules.get("plan")
        self._rule = rule if isinstance(rule, Plan) else None
        state = seen.states.get("plan")
        self._state = state if isinstance(state, PlanState) else PlanState()
        drill = seen.states.get("drill")
        self._drill = drill if isinstance(drill, DrillState) else DrillState()

    def object(self) -> dict[str, Any]:
        rule, state, now_s = self._rule, self._state, self._now_s
        need_s = spare_s = None
        if rule is not None:
            left_s = self._power.left_s(now_s)
            need_s = round(shed.need_s(rule.limits, rule.parts, state, now_s), 1)
            spare_s = shed.spare_s(rule.limits, rule.parts, state, left_s, now_s)
        return {
            "phase": self._phase(),
            "power": self._power_object(),
            "upses": [
                self._ups(rule) for rule in self._room.rules.values() if isinstance(rule, UpsRule)
            ],
            "need_s": need_s,
            "spare_s": None if spare_s is None else round(spare_s, 1),
            "fits": None if spare_s is None else spare_s >= 0,
            "stages": [] if rule is None else self._stages(rule),
            "hosts": [] if rule is None else [self._host(spec) for spec in rule.parts.hosts],
            "permissive": None if rule is None else self._permissive(rule),
            "last_run": self._last_run(),
            "drill": self._drill_object(),
        }

    def _phase(self) -> str:
        if self._state.returning_s is not None:
            return "returning"
        if self._state.begun or self._power.on_s is not None:
            return "outage"
        return "idle"

    def _why(self, reason: Reason | None) -> dict[str, Any]:
        if reason is None:
            return {"reason": None, "why": None}
        return {"reason": sentence(self._locale, reason), "why": reason_object(reason)}

    def _power_object(self) -> dict[str, Any]:
        power, now_s = self._power, self._now_s
        left_s = power.left_s(now_s)
        return {
            "state": power.state.value,
            "since": self._stamps.at(power.since_s),
            **self._why(power.reason),
            "on_battery_s": round(power.battery_s(now_s), 1),
            "runtime_s": None if left_s is None else round(left_s, 1),
            "projected": power.projected,
            # What a UPS that is lost said last is not what it has now.
            "charge": None if power.projected else power.charge,
            "stable_s": None if power.mains_s is None else round(now_s - power.mains_s, 1),
            "stable_needed_s": self._power_rule.stable_s,
            "vouched": power.vouched,
        }

    def _ups(self, rule: UpsRule) -> dict[str, Any]:
        id = rule.parts.id
        readings = {key: self._seen[f"{id}.{value.point}"] for key, value in UPS_VALUES.items()}
        values = {key: _rounded(point_value(reading)) for key, reading in readings.items()}
        faults = values["faults"]
        link = self._seen[f"{id}.link"].value
        at_s = max(reading.at_s for reading in readings.values())
        return {
            "id": id,
            "kind": next((p.kind for p in self._room.points.values() if p.part == id), ""),
            "supply": values["supply"],
            "battery_low": values["battery_low"],
            "charge": values["charge_pct"],
            "runtime_s": values["runtime_s"],
            "load": values["load_pct"],
            "input_voltage": values["input_voltage_v"],
            "input_frequency": values["input_frequency_hz"],
            "battery_age_d": values["battery_age_d"],
            "self_test": values["self_test"],
            "faults": faults.split() if isinstance(faults, str) else [],
            "quality": {key: reading.quality.value for key, reading in readings.items()},
            "at": None if at_s == NEVER_READ.at_s else self._stamps.at(at_s),
            "link": link,
        }

    def _stages(self, rule: Plan) -> list[dict[str, Any]]:
        stages = {stage.number: stage for stage in rule.limits.stages}
        hosts = by_stage(rule.parts)
        return [
            self._stage(rule, stages.get(number, Stage(number)), hosts.get(number, []))
            for number in sorted({*stages, *hosts})
        ]

    def _stage(self, rule: Plan, stage: Stage, hosts: list[HostSpec]) -> dict[str, Any]:
        state, now_s = self._state, self._now_s
        entry = begun(state, stage.number)
        in_s = None
        if entry is None:
            in_s = shed.begins_in_s(stage, rule.limits, rule.parts, state, self._power, now_s)
        return {
            "stage": stage.number,
            "begun": None if entry is None else self._stamps.at(entry.at_s),
            **self._why(None if entry is None else entry.reason),
            "need_s": round(shed.stage_need_s(hosts, state, now_s), 1),
            "begins_in_s": None if in_s is None else round(in_s, 1),
            "triggers": {
                "after_s": stage.after_s,
                "charge_below": stage.charge_below,
                "runtime_below_s": stage.runtime_below_s,
                "need": stage.need,
                "temperature_above": stage.temperature_above,
            },
            "hosts": [spec.id for spec in hosts],
            "done": entry is not None
            and not any(state.host(spec.id).phase in GOING for spec in hosts),
        }

    def _host(self, spec: HostSpec) -> dict[str, Any]:
        host, now_s = self._state.host(spec.id), self._now_s
        words = {True: "up", False: "down", None: "unknown"}
        deadline_s = None
        if host.phase in GOING and host.first_s is not None:
            deadline_s = host.first_s + spec.stop_timeout_s
        elif host.phase.value == "starting" and host.told_s is not None:
            deadline_s = max(host.told_s, host.cycle_s or 0.0) + spec.start_timeout_s
        return {
            "id": spec.id,
            "name": spec.name,
            "stage": spec.stage,
            "phase": host.phase.value,
            "since": self._stamps.at(host.since_s),
            **self._why(host.reason),
            "evidence": {
                kind: words[evidence.answers(spec, kind, self._seen)] for kind in spec.kinds
            },
            "needs": spec.needs,
            "confirmed": evidence.confirmed(spec, host, now_s),
            "expected_stop_s": round(shed.expected_s(spec, self._state), 1),
            "measured": spec.id in self._state.durations,
            "deadline": self._stamps.at(deadline_s),
            "outlet": spec.outlet,
        }

    def _permissive(self, rule: Plan) -> dict[str, Any]:
        items = rule.items(self._state, self._seen)
        missing = lacking(items, self._state.overrides)

        def may(*waived: str) -> bool:
            return rule.lacks(self._state, self._seen, waived) is None

        open_ = [item.id for item in items if item.id in WAIVABLE and item.ok is not True]
        return {
            "ok": missing is None,
            "startable": may(),
            "waivable": [id for id in open_ if may(id)],
            **self._why(None if missing is None else missing.reason),
            "items": [
                {
                    "id": item.id,
                    "ok": item.ok,
                    "waived": item.id in self._state.overrides,
                    "text": sentence(self._locale, item.reason),
                    "why": reason_object(item.reason),
                }
                for item in items
            ],
        }

    def _last_run(self) -> dict[str, Any] | None:
        runs = [run for run in (self._state.last_run, self._drill.last_run) if run is not None]
        if not runs:
            return None
        last: LastRun = max(runs, key=lambda run: run.at_wall_s)
        return {"kind": last.kind, "at": stamp(last.at_wall_s), "ok": last.ok}

    def _drill_object(self) -> dict[str, Any] | None:
        drill = self._drill
        if not drill.tried and not drill.is_running:
            return None
        steps = [
            {"host": one.host, "action": drill.action, "ok": one.ok, "text": one.text,
             "took_s": one.took_s}
            for one in drill.tried
        ]  # fmt: skip
        steps += [
            {"host": host, "action": drill.action, "ok": None, "text": "", "took_s": None}
            for host in drill.left
        ]
        since = self._stamps.at(drill.since_s)
        return {"since": since, "plan": drill.plan, "running": drill.is_running, "steps": steps}


def _rounded(value: Any) -> Any:
    """No UPS measures more finely than a tenth."""
    return round(value, 1) if isinstance(value, float) else value
