"""The plan: hosts stopped stage by stage when the mains fails, started in order when it returns.

Keeps REG-06 and REG-07. When each stage begins stands in `shed`, what must hold before a start
in `comeback`, one host's way in `stopping` and `starting`. A stage once begun is finished,
whatever the mains does; stages that have not begun are called off when the mains is stable again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from controller.core.alarms import AlarmSpec
from controller.core.reading import Quality, Reading
from controller.core.reason import Reason, unknown, why
from controller.core.request import Answer, Request, Status
from controller.core.rules import (
    comeback,
    evidence,
    planoutcome,
    planrestart,
    shed,
    starting,
    stopping,
    upsoff,
)
from controller.core.rules.base import RuleBase, Seen, Step
from controller.core.rules.cut import cut_state
from controller.core.rules.planstate import (
    COMING,
    OUT,
    Begun,
    HostSpec,
    HostState,
    LastRun,
    Limits,
    Parts,
    Phase,
    PlanState,
    begun,
    by_stage,
    fell_silent,
    hosts_in,
    is_left_alone,
    replace,
)
from controller.core.rules.planwork import Work
from controller.core.rules.power import Power, PowerState, power_state
from controller.core.rules.ups import with_a_say

YIELD_S = 1.0
"""A start that is given again lets those go first whose turn comes at the same time."""


class Plan(RuleBase):
    id = "plan"
    State = PlanState

    def __init__(self, limits: Limits, parts: Parts) -> None:
        self.limits = limits
        self.parts = parts
        self._specs = {spec.id: spec for spec in parts.hosts}

    def alarms(self) -> Sequence[AlarmSpec]:
        return planoutcome.alarms(self.parts)

    def handles(self) -> frozenset[str]:
        return frozenset({"start-hosts", "confirm-down"})

    def deferred(self) -> frozenset[str]:
        return frozenset({"start-hosts"})

    def refuses(self, request: Request, was: PlanState, seen: Seen) -> Reason | None:
        if request.action == "confirm-down":
            spec = self._specs.get(request.args.get("host", ""))
            if spec is None:
                return unknown("host", request.args.get("host", ""))
            if was.host(spec.id).phase in (Phase.DOWN, *COMING):
                return why("refused.already")
            if evidence.is_up(spec, seen):
                return why("refused.host-answers", host=spec.id)
            return None
        if request.action != "start-hosts":
            return None
        waived = _waived(request)
        strange = [id for id in waived if id not in comeback.WAIVABLE]
        if strange or len(waived) > 1:
            allowed = ", ".join(comeback.WAIVABLE)
            return why("refused.bad-argument", argument="override", allowed=allowed)
        return self.lacks(was, seen, waived)

    def lacks(self, state: PlanState, seen: Seen, waived: Sequence[str]) -> Reason | None:
        """Return why no host would be started, if a person asked for it and waived these; None
        when one would."""
        if not hosts_in(self.parts, state, frozenset({*OUT, Phase.WAITING})):
            return why("refused.nothing-down")
        lacking = comeback.lacking(self.items(state, seen, waived), waived)
        return None if lacking is None else lacking.reason

    def restored(self, was: PlanState, now_s: float, same_boot: bool) -> PlanState:
        hosts = {
            id: planrestart.restored(spec, was.host(id), now_s, same_boot)
            for id, spec in self._specs.items()
            if id in was.hosts
        }
        state = replace(was, hosts=hosts, ups_asked_s=None, asked_id="")
        if same_boot:
            return state
        return replace(
            state,
            begun={key: replace(one, at_s=now_s) for key, one in was.begun.items()},
            returning_s=None if was.returning_s is None else now_s,
            over_s=None if was.over_s is None else now_s,
            started_s=None if was.started_s is None else now_s,
            hot_s=None,
            ups_told_s=None if was.ups_told_s is None else now_s,
        )

    def items(
        self, state: PlanState, seen: Seen, waived: Sequence[str] | None = None
    ) -> list[comeback.Item]:
        """Return the permissives of a return, as they are now; `waived`: by default, what is."""
        waived = state.overrides if waived is None else waived
        return comeback.items(self.limits, self.parts, state, self._power(seen), seen, waived)

    def step(self, was: PlanState, seen: Seen) -> Step:
        work = Work(was, seen)
        power = self._power(seen)
        upses = with_a_say(self.parts.upses, seen).values()
        work.is_read = all(ups.is_read for ups in upses)
        self._listen(work)
        self._heat(work)
        self._requests(work)
        self._cut(work)
        self._begin(work, power)
        self._return(work, power)
        work.asks = work.asks_all or (work.is_read and self._drains(work, power))
        for spec in self.parts.hosts:
            self._host(work, spec, power)
        self._over(work)
        upsoff.switch_off(self.limits, self.parts, work, power)
        state = work.state
        work.wake(shed.wake_s(self.limits, self.parts, state, power, seen.now_s))
        if state.over_s is not None:
            work.wake(state.over_s + comeback.OFF_HOLD_S)
        if state.started_s is not None:
            work.wake(state.started_s + self.limits.spacing_s)
        if state.hot_s is not None:
            work.wake(state.hot_s + self.limits.shutdown_for_s)
        if power.on_s is not None:
            work.wake(power.on_s + self.limits.ride_through_s)
        return Step(
            state,
            demands=planoutcome.demands(self.limits, self.parts, work),
            conditions=planoutcome.conditions(self.limits, self.parts, state, power, seen),
            events=work.events,
            commands=work.commands,
            answers=work.answers,
            points={
                f"{id}.state": Reading(
                    state.host(id).phase.value, Quality.GOOD, state.host(id).since_s
                )
                for id in self._specs
            },
            wake_s=work.wake_s,
        )

    def _power(self, seen: Seen) -> PowerState:
        return power_state(seen.states) or PowerState()

    def _listen(self, work: Work) -> None:
        for spec in self.parts.hosts:
            host = work.state.hosts.get(spec.id)
            if host is None:
                host = HostState(since_s=work.seen.now_s, signal=spec.signals)
            host = evidence.listened(spec, host, work.seen)
            if host.left and evidence.is_up(spec, work.seen):
                host = replace(host, left=False)
            work.put(spec, host)

    def _heat(self, work: Work) -> None:
        """Too hot for too long, by good readings; it stays so until the room has cooled."""
        state, now_s = work.state, work.seen.now_s
        hottest = shed.max_c(self.parts, work.seen)
        if hottest is None:
            # What is not seen is not hot for five minutes by good readings.
            hot_s, hot = None, state.hot
        elif hottest >= self.limits.shutdown_c:
            hot_s = state.hot_s if state.hot_s is not None else now_s
            hot = state.hot or now_s >= hot_s + self.limits.shutdown_for_s
        else:
            hot_s, hot = None, state.hot and hottest >= self._cool_c()
        if (hot_s, hot) != (state.hot_s, state.hot):
            work.state = replace(state, hot_s=hot_s, hot=hot)

    def _cool_c(self) -> float:
        own = self.limits.temperature_below
        return own if own is not None else self.limits.shutdown_c - comeback.COOLER_K

    def _requests(self, work: Work) -> None:
        for request in work.seen.requests:
            if request.action == "confirm-down":
                spec = self._specs[request.args["host"]]
                host = replace(work.state.host(spec.id), by_hand=True)
                work.put(spec, host)
                if host.phase is not Phase.STOPPING:
                    by_itself = host.phase is Phase.RUNNING
                    reason = why("plan.declared-down" if by_itself else "plan.down-by-hand")
                    work.move(spec, host, Phase.DOWN, reason, {"by": request.actor})
            elif request.action == "start-hosts":
                if work.state.asked_id:
                    work.answers.append(Answer(work.state.asked_id, Status.DONE))
                waived = _waived(request)
                work.tell("room", "plan.start-hosts", {"waived": list(waived)}, request.actor)
                work.state = replace(work.state, asked_id=request.id)
                self._begin_return(work, hosts_in(self.parts, work.state, OUT), waived)

    def _cut(self, work: Work) -> None:
        """Whoever has lost its supply by a cut is down; it comes back by the plan."""
        if not self._is_cut(work.seen):
            return
        for spec in self.parts.hosts:
            host = work.state.host(spec.id)
            if host.phase is not Phase.DOWN:
                work.move(spec, host, Phase.DOWN, why("plan.cut"))
        self._end_return(work, Status.FAILED)

    def _is_cut(self, seen: Seen) -> bool:
        """Whether a cut has taken the hosts' supply."""
        return self.parts.cut_feeds and cut_state(seen.states).is_exerted

    def _begin(self, work: Work, power: PowerState) -> None:
        """Begin what is due: all of it at once where life or the battery asks, else by stages;
        a later stage takes the earlier ones with it."""
        is_read = work.is_read
        all_at_once = shed.everything(
            self.limits, self.parts, work.state, power if is_read else None, work.seen
        )
        if all_at_once is not None and not work.state.urgent:
            work.state = replace(work.state, urgent=True)
        work.asks_all = all_at_once is not None
        reasons: dict[int, Reason] = {}
        for stage in self.limits.stages if is_read else ():
            found = shed.trigger(stage, self.limits, self.parts, work.state, power, work.seen)
            if found is not None:
                reasons[stage.number] = found
        numbers = list(by_stage(self.parts))
        is_unstable = self._is_unstable(work.seen)
        if work.state.braved and not is_unstable:
            work.state = replace(work.state, braved=False)
        if numbers and self.limits.unstable_sheds and is_unstable and not work.state.braved:
            reasons.setdefault(numbers[0], why("plan.unstable"))
            work.asks_all = True
        last = max(reasons, default=0)
        for number in numbers:
            if begun(work.state, number) is not None:
                continue
            reason = all_at_once or reasons.get(number)
            if reason is None and number < last:
                reason = why("plan.before", stage=float(last))
            if reason is not None:
                self._begin_stage(work, number, reason)

    def _is_unstable(self, seen: Seen) -> bool:
        return any(ups.unstable for ups in with_a_say(self.parts.upses, seen).values())

    def _begin_stage(self, work: Work, number: int, reason: Reason) -> None:
        told = {"stage": number, "why": reason.id, **reason.values}
        work.tell("room", "plan.stage-begun", told)
        entry = {str(number): Begun(work.seen.now_s, reason)}
        first = not work.state.begun
        work.state = replace(
            work.state,
            begun={**work.state.begun, **entry},
            over_s=None,
            ok=work.state.ok if not first else True,
        )
        self._end_return(work, Status.FAILED)
        for spec in by_stage(self.parts)[number]:
            host = work.state.host(spec.id)
            unproved = host.phase in (*OUT, Phase.WAITING) and not host.proved
            left = fell_silent(host)
            if host.phase is Phase.RUNNING or left or (unproved and not host.cutting):
                stopping.queue(work, spec, reason, left and is_left_alone(host))
            elif host.phase in (Phase.WAITING, Phase.HELD, Phase.FAILED):
                starting.call_off(work, spec)

    def _over(self, work: Work) -> None:
        """Note since when all that had begun is finished."""
        state = work.state
        over = bool(state.begun) and shed.is_finished(self.parts, state)
        booting = frozenset({Phase.STARTING, Phase.INITIALISING})
        over = over and not hosts_in(self.parts, state, booting)
        over_s = (state.over_s if state.over_s is not None else work.seen.now_s) if over else None
        if over_s != state.over_s:
            work.state = replace(state, over_s=over_s)

    def _return(self, work: Work, power: PowerState) -> None:
        state = work.state
        if state.returning_s is None:
            down = hosts_in(self.parts, state, frozenset({Phase.DOWN, Phase.UNCONFIRMED}))
            # One that went down with no outage is a person's to start.
            down = [spec for spec in down if not is_left_alone(state.host(spec.id))]
            if not (state.begun or down):
                return
            if comeback.lacking(self.items(state, work.seen), ()) is not None:
                return
            work.tell("room", "plan.return-begun")
            self._begin_return(work, down, ())
            return
        if not comeback.is_fed(self.limits, power):
            # No new starts; what boots is waited for, and stopped by the plan when it is due.
            work.tell("room", "plan.return-interrupted", {"power": power.state.value})
            for spec in hosts_in(self.parts, state, frozenset({Phase.WAITING, Phase.HELD})):
                starting.call_off(work, spec)
            self._end_return(work, Status.FAILED)
            return
        if not hosts_in(self.parts, state, COMING):
            ok = state.ok and not hosts_in(
                self.parts, state, frozenset({Phase.FAILED, Phase.HELD})
            )
            work.tell("room", "plan.finished", {"ok": ok})
            last = LastRun("outage", work.seen.now.wall_s, ok)
            work.state = replace(work.state, last_run=last, ok=True)
            self._end_return(work, Status.DONE if ok else Status.FAILED)

    def _end_return(self, work: Work, status: Status) -> None:
        """No more starts; whoever asked for them is told how it ended."""
        if work.state.returning_s is None:
            return
        if work.state.asked_id:
            work.answers.append(Answer(work.state.asked_id, status))
        work.state = replace(work.state, returning_s=None, overrides=(), asked_id="")

    def _begin_return(self, work: Work, hosts: Sequence[HostSpec], waived: Sequence[str]) -> None:
        for spec in hosts:
            host = work.state.host(spec.id)
            if host.phase is Phase.UNCONFIRMED:
                work.state = replace(work.state, ok=False)
            moved = work.move(spec, host, Phase.WAITING, None)
            work.put(spec, replace(moved, rose=0, first_s=None))
        if comeback.braves(waived):
            work.state = replace(work.state, braved=True)
        if "temperature" in waived:
            # A person answers for what is hot now; from here on it counts anew.
            work.state = replace(work.state, hot=False, hot_s=None)
        work.state = replace(
            work.state,
            returning_s=work.seen.now_s,
            overrides=tuple(waived),
            begun={},
            over_s=None,
            urgent=False,
            ups_step=0,
            ups_asked_s=None,
            ups_told_s=None,
            ups_tries=0,
        )

    def _host(self, work: Work, spec: HostSpec, power: PowerState) -> None:
        state = work.state
        host = state.host(spec.id)
        # Who comes up while nothing asks for a stop any more is left running.
        stage = begun(state, spec.stage) if work.asks else None
        if host.signal and stage is None and comeback.is_fed(self.limits, power):
            starting.clear(work, spec)
            host = work.state.host(spec.id)
        match host.phase:
            case Phase.RUNNING:
                if stage is not None:
                    stopping.queue(work, spec, stage.reason)
                elif evidence.is_down(spec, host, work.seen):
                    work.move(spec, host, Phase.DOWN, self._why_down(work, spec, host, power))
                else:
                    work.wake(evidence.settles_s(host, work.seen.now_s))
            case Phase.QUEUED if not (work.is_read or work.asks_all):
                pass
            case Phase.QUEUED if host.first_s is not None and stage is None:
                stopping.watch(work, spec)
            case Phase.QUEUED:
                first = None
                if not state.urgent:
                    first = shed.stopping_first(spec, self.parts, state)
                stopping.stop(work, spec, first)
            case Phase.STOPPING:
                stopping.watch_stop(work, spec, stage is not None)
            case Phase.DOWN | Phase.UNCONFIRMED:
                if not self._is_cut(work.seen):
                    stopping.watch_out(work, spec, None if stage is None else stage.reason)
                self._hold_off(work, spec)
            case Phase.WAITING if state.returning_s is not None:
                self._wait(work, spec, host)
            case Phase.WAITING if stage is not None:
                stopping.queue(work, spec, stage.reason)
            case Phase.WAITING if not work.is_read:
                pass
            case Phase.WAITING if evidence.is_up(spec, work.seen):
                starting.comes_up(work, spec, host)
            case Phase.WAITING:
                starting.call_off(work, spec)
            case Phase.STARTING:
                self._starting(work, spec)
            case Phase.INITIALISING:
                starting.watch_initialise(work, spec)
            case Phase.FAILED | Phase.HELD:
                self._failed(work, spec, host, stage)

    def _why_down(self, work: Work, spec: HostSpec, host: HostState, power: PowerState) -> Reason:
        """A host went down untold: by the outage (its own agent stopped it, its power went) or by
        a stop that it obeys late, and then it comes back by the plan; else by somebody's hand,
        and it is left as it was found."""
        now_s = work.seen.now_s
        silent_s = min(host.silent_s.values(), default=now_s)
        in_outage = bool(work.state.begun) or power.battery_s(now_s) > 0
        in_outage = in_outage or (power.over_s is not None and silent_s <= power.over_s)
        is_late = host.reason == why("plan.still-up")
        is_late = is_late and silent_s < host.since_s + spec.stop_timeout_s
        return why("plan.fell-in-outage" if in_outage or is_late else "plan.fell-silent")

    def _drains(self, work: Work, power: PowerState) -> bool:
        """Whether the battery feeds the room, and has for long enough or is all but empty."""
        drains = power.state in (Power.OUTAGE, Power.ON_BATTERY)
        has_lasted = power.battery_s(work.seen.now_s) >= self.limits.ride_through_s
        return (power.on_s is not None and has_lasted) or (work.state.urgent and drains)

    def _hold_off(self, work: Work, spec: HostSpec) -> None:
        """Take the outlet of a host that is proved down in a room that is too hot; it comes back
        when the host's turn has come, and not in one rush with the others."""
        host = work.state.host(spec.id)
        is_down = host.phase is Phase.DOWN and host.proved and not host.held_off
        if work.state.hot and is_down and work.is_recorded(host.step, host.since_s):
            work.put(spec, replace(host, held_off=True))

    def _wait(self, work: Work, spec: HostSpec, host: HostState) -> None:
        state = work.state
        blocking = comeback.blocked_by(spec, state)
        if blocking is not None:
            work.move(spec, host, Phase.HELD, why("plan.needs-failed", host=blocking))
            return
        reason = comeback.turn(spec, self.parts, state)
        lacking = comeback.lacking(self.items(state, work.seen), state.overrides)
        if reason is None and lacking is not None:
            reason = lacking.reason
        alone = comeback.may_follow(self.limits, self.parts, state, work.seen.now_s)
        if host.asked_s is None and reason is None and not alone:
            reason = why("plan.spacing")
        if reason is None:
            starting.start(work, spec)
        elif host.reason != reason or host.asked_s is not None:
            # A start that was decided and not yet done is decided anew.
            work.put(spec, replace(host, reason=reason, asked_s=None))

    def _starting(self, work: Work, spec: HostSpec) -> None:
        """A host that boots; where nothing is heard of it, it may be told again, which is a start
        and needs all that a start needs. Those that were not told yet go first."""
        starting.watch_start(work, spec)
        has_failed = work.state.host(spec.id).phase is Phase.FAILED
        on_battery = self._power(work.seen).battery_s(work.seen.now_s) > 0
        if has_failed and on_battery and not evidence.is_up(spec, work.seen):
            # The outage has kept it from booting: that is no fault of its own.
            starting.call_off(work, spec)
            return
        again_s, now_s = starting.start_again_s(work, spec), work.seen.now_s
        if again_s is None:
            return
        state = work.state
        if state.returning_s is None:
            starting.start_no_more(work, spec)
            return
        is_free = comeback.may_follow(self.limits, self.parts, state, now_s - YIELD_S)
        if now_s < again_s or not (is_free or state.host(spec.id).asked_s is not None):
            if state.started_s is not None:
                work.wake(state.started_s + self.limits.spacing_s + YIELD_S)
            return
        forbids = comeback.turn(spec, self.parts, state) or comeback.lacking(
            self.items(state, work.seen), state.overrides
        )
        if forbids is None:
            starting.start_again(work, spec)

    def _failed(self, work: Work, spec: HostSpec, host: HostState, stage: Begun | None) -> None:
        """Somebody mended it, or what it needs runs by now; or it is to stop after all."""
        if stage is not None:
            stopping.queue(work, spec, stage.reason)
            return
        needs_failed = host.reason is not None and host.reason.id == "plan.needs-failed"
        running = all(work.state.host(id).phase is Phase.RUNNING for id in spec.after)
        if host.phase is Phase.HELD and needs_failed and running:
            if work.state.returning_s is None:
                self._begin_return(work, [spec], work.state.overrides)
            else:
                work.move(spec, host, Phase.WAITING, None)
            return
        was_in_doubt = host.reason is not None and host.reason.id == "plan.not-confirmed"
        if was_in_doubt and evidence.is_down(spec, host, work.seen):
            work.move(spec, host, Phase.DOWN, why("plan.down"))
            return
        # One that answers and is not initialised is not what others may stand on.
        half = host.reason is not None and host.reason.id.startswith("plan.initialise")
        ready_s = evidence.ready_s(spec, work.seen)
        if not half and ready_s is not None and ready_s > host.since_s:
            phase = Phase.INITIALISING if spec.initialises else Phase.RUNNING
            work.move(spec, host, phase, why("plan.found-up"))


def _waived(request: Request) -> tuple[str, ...]:
    named = request.args.get("override", "")
    return tuple(word for word in named.split(",") if word)


def is_down(states: Mapping[str, object], host: str) -> bool:
    """Whether the plan has confirmed that a host is down: its outlet may be switched."""
    state = states.get("plan")
    found = state.host(host) if isinstance(state, PlanState) else HostState()
    return found.phase is Phase.DOWN and found.proved
