"""The drill: the plan gone through with nothing switched and no host told. Keeps REG-18.

Host after host, in the plan's order, the way of stopping it (of starting it, where the return is
drilled) is tried as far as that does no harm, timed, and recorded with the time that the plan
would take. A real outage ends it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.event import Event
from controller.core.reason import Reason, why
from controller.core.request import Answer, Request, Status
from controller.core.rules import evidence, shed
from controller.core.rules.base import NEVER_S, Command, RuleBase, Seen, Step
from controller.core.rules.planstate import LastRun, Limits, Parts, PlanState
from controller.core.rules.power import power_state

TEST_S = 60.0
"""So long a host's test may take; its driver is bounded more tightly."""

_SERIAL = -1000
"""Below all serials of the plan: a host tells them apart."""


class Tried(msgspec.Struct, frozen=True):
    """What became of one host's test."""

    host: str
    ok: bool
    text: str = ""
    took_s: float = 0.0


class DrillState(msgspec.Struct, frozen=True):
    """`left`: hosts that are still to be tried, the present one first; `told_s`: since when it
    is. `tried`: what was found. When a drill has ended, `since_s` (when it began), `plan` and
    `tried` go on saying what it was; of one before this boot nobody knows when it began."""

    since_s: float | None = None
    plan: str = "outage"
    left: tuple[str, ...] = ()
    told_s: float | None = None
    serial: int = _SERIAL
    tried: tuple[Tried, ...] = ()
    asked_id: str = ""
    last_run: LastRun | None = None

    @property
    def is_running(self) -> bool:
        return bool(self.left)

    @property
    def action(self) -> str:
        """What each host does in this plan."""
        return "start" if self.plan == "return" else "stop"

    def ended(self) -> DrillState:
        """Return it with nothing under way."""
        return msgspec.structs.replace(self, left=(), told_s=None, asked_id="")


class Drill(RuleBase):
    id = "drill"
    State = DrillState

    def __init__(self, limits: Limits, parts: Parts) -> None:
        self._limits = limits
        self._parts = parts

    def alarms(self) -> Sequence[AlarmSpec]:
        return [AlarmSpec("plan.drill-failed", Priority.HIGH, latched=True, group="power")]

    def handles(self) -> frozenset[str]:
        return frozenset({"drill"})

    def deferred(self) -> frozenset[str]:
        return frozenset({"drill"})

    def refuses(self, request: Request, was: DrillState, seen: Seen) -> Reason | None:
        if request.action != "drill":
            return None
        if request.args.get("plan", "outage") not in ("outage", "return"):
            return why("refused.bad-argument", argument="plan", allowed="outage, return")
        if was.is_running:
            return why("refused.already")
        return self._forbids(seen)

    def _forbids(self, seen: Seen) -> Reason | None:
        plan, power = seen.states.get("plan"), power_state(seen.states)
        busy = isinstance(plan, PlanState) and (plan.begun or plan.returning_s is not None)
        if busy or (power is not None and power.on_s is not None):
            return why("refused.plan-runs")
        return None

    def restored(self, was: DrillState, now_s: float, same_boot: bool) -> DrillState:
        """A drill does not outlive the controller: it can be asked for again."""
        since_s = was.since_s if same_boot else None
        return msgspec.structs.replace(was.ended(), since_s=since_s)

    def step(self, was: DrillState, seen: Seen) -> Step:
        events: list[Event] = []
        commands: list[Command] = []
        answers: list[Answer] = []
        new = was
        asked = next((r for r in seen.requests if r.action == "drill"), None)
        if asked is not None:
            new = self._begin(was, asked, seen, events)
        if new.is_running and self._forbids(seen) is not None:
            events.append(Event("plan", "room", "drill.aborted"))
            answers.append(Answer(new.asked_id, Status.FAILED, why("drill.aborted")))
            new = new.ended()
        if new.is_running:
            new = self._try(new, seen, events, commands)
            if not new.is_running:
                new = self._end(new, seen, events, answers)
        failed = new.last_run is not None and not new.last_run.ok and not new.is_running
        hosts = tuple(one.host for one in new.tried if not one.ok)
        return Step(
            new,
            conditions=[Condition("plan.drill-failed", failed, {"hosts": hosts})],
            events=events,
            commands=commands,
            answers=answers,
            wake_s=NEVER_S if new.told_s is None else new.told_s + TEST_S,
        )

    def _begin(
        self, was: DrillState, asked: Request, seen: Seen, events: list[Event]
    ) -> DrillState:
        plan = asked.args.get("plan", "outage")
        hosts = sorted(self._parts.hosts, key=lambda spec: spec.stage, reverse=plan == "return")
        events.append(Event("plan", "room", "drill.begun", asked.actor, {"plan": plan}))
        return DrillState(
            seen.now_s, plan, tuple(spec.id for spec in hosts),
            serial=was.serial, asked_id=asked.id, last_run=was.last_run,
        )  # fmt: skip

    def _try(
        self, was: DrillState, seen: Seen, events: list[Event], commands: list[Command]
    ) -> DrillState:
        host = was.left[0]
        if was.told_s is None:
            serial = was.serial - 1
            action = "test" if was.action == "stop" else "test-start"
            commands.append(Command(host, serial, action))
            return msgspec.structs.replace(was, serial=serial, told_s=seen.now_s)
        reply = evidence.reply(host, was.serial, seen)
        took_s = round(seen.now_s - was.told_s, 1)
        if reply is None and took_s < TEST_S:
            return was
        ok = reply == "ok"
        fault = "" if ok else evidence.fault(reply) or "no answer"
        data = {"action": was.action, "ok": ok, "took_s": took_s, "fault": fault}
        events.append(Event("plan", host, "drill.tried", data=data))
        tried = (*was.tried, Tried(host, ok, fault, took_s))
        return msgspec.structs.replace(was, left=was.left[1:], told_s=None, tried=tried)

    def _end(
        self, was: DrillState, seen: Seen, events: list[Event], answers: list[Answer]
    ) -> DrillState:
        ok = all(one.ok for one in was.tried)
        plan = seen.states.get("plan")
        state = plan if isinstance(plan, PlanState) else PlanState()
        power = power_state(seen.states)
        left_s = None if power is None else power.left_s(seen.now_s)
        need_s = shed.need_s(self._limits, self._parts, state, seen.now_s)
        data = {"plan": was.plan, "ok": ok, "need_s": need_s, "runtime_s": left_s}
        events.append(Event("plan", "room", "drill.ended", data=data))
        status = Status.DONE if ok else Status.FAILED
        answers.append(Answer(was.asked_id, status, None if ok else why("drill.failed")))
        last = LastRun("drill", seen.now.wall_s, ok)
        return msgspec.structs.replace(was.ended(), last_run=last)
