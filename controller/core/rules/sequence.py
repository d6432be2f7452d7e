"""One host's way down and up again: asked, watched, confirmed. Behaviour section 7.

What cannot be taken back (a stop, a start, an outlet's cut) is first decided and recorded, and
done only by a scan that sees the record kept: a crash in between finds it written. After a
restart nothing is replayed: the world is looked at again, and what is still to be done is
decided anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from controller.core.event import Event
from controller.core.reason import Reason, why
from controller.core.request import Answer
from controller.core.rules import evidence
from controller.core.rules.base import NEVER_S, Command, Seen
from controller.core.rules.planstate import (
    MEASURED,
    HostSpec,
    HostState,
    Phase,
    PlanState,
    is_left_alone,
    replace,
    with_host,
)
from controller.core.rules.system import PREFIX

TRY_SPACING_S = 10.0
QUICK_TRIES = 6
SLOW_SPACING_S = 60.0
"""A stop or start that could not be given is given again until its time is over, after a minute
of tries once a minute: a management controller takes a minute or two to boot (guess)."""

ROSE = 3
"""A host that comes up again during the outage is stopped again so often."""

CYCLE_S = 15.0
"""How long an outlet stays off before a host is started by it: power supplies hold up for
seconds, and boards tell a loss of power only then (facts 6.1: 10 to 30 s)."""

STANDBY_S = 10.0
"""How long a board needs power before it hears a magic packet or its management controller
answers (guess)."""

UNRECORDED_S = 2.0
"""A failing journal is waited for so long (behaviour section 7)."""

INITIALISE_S = 600.0
"""An initialisation that has not ended by then has failed; its commands are bounded too."""

RECORDED = f"{PREFIX}plan-recorded"
_JOURNAL = f"{PREFIX}journal.failing"


_ALIVE = frozenset(
    {Phase.RUNNING, Phase.QUEUED, Phase.STARTING, Phase.INITIALISING, Phase.UNCONFIRMED}
)
"""Phases in which nothing proves that a host is down."""


class Work:
    """One scan's work on the plan: the state as it grows, and what is to be told.

    `is_read`: each UPS has spoken since the start, or is known to be silent; what it said before
    stops nobody. `asks_all`: fire, heat, a low battery or an unstable mains asks for stops.
    `asks`: they are still asked for, by these or by the time on battery.
    """

    def __init__(self, state: PlanState, seen: Seen) -> None:
        self.state = state
        self.seen = seen
        self.events: list[Event] = []
        self.commands: list[Command] = []
        self.answers: list[Answer] = []
        self.is_read = True
        self.asks_all = False
        self.asks = False
        self.wake_s = NEVER_S

    def wake(self, at_s: float) -> None:
        if at_s > self.seen.now_s:
            self.wake_s = min(self.wake_s, at_s)

    def tell(
        self,
        subject: str,
        cause: str,
        data: Mapping[str, object] | None = None,
        actor: str = "rule",
    ) -> int:
        """Record a step of the plan; return its number."""
        step = self.state.step + 1
        self.state = replace(self.state, step=step)
        told = {"step": step, **(data or {})}
        self.events.append(Event("plan", subject, cause, actor, told))
        return step

    def is_recorded(self, step: int, asked_s: float) -> bool:
        """Whether a step's record is kept, or cannot be and was waited for."""
        kept = self.seen[RECORDED].number
        if kept is not None and kept >= step:
            return True
        failing = self.seen[_JOURNAL].value not in (False, None)
        self.wake(asked_s + UNRECORDED_S)
        return failing and self.seen.now_s >= asked_s + UNRECORDED_S

    def put(self, spec: HostSpec, host: HostState) -> None:
        self.state = with_host(self.state, spec.id, host)

    def move(
        self,
        spec: HostSpec,
        host: HostState,
        phase: Phase,
        reason: Reason | None,
        data: Mapping[str, object] | None = None,
    ) -> HostState:
        """Put the host into another phase, with its event."""
        values = {} if reason is None else reason.values
        cause = f"plan.{phase}" if reason is None else reason.id
        told = {"phase": phase.value, **values, **(data or {})}
        step = self.tell(spec.id, cause, told)
        new = replace(
            host, phase=phase, since_s=self.seen.now_s, reason=reason, step=step,
            asked_s=None, told_s=None, tries=0, cycle_s=None,
            proved=phase is Phase.DOWN or (host.proved and phase not in _ALIVE),
            held_off=host.held_off and phase not in _ALIVE,
        )  # fmt: skip
        self.put(spec, new)
        return new

    def once_recorded(
        self, spec: HostSpec, host: HostState, cause: str, act: Callable[[HostState], HostState]
    ) -> None:
        """Record a step first; do it, by `act`, in a scan that sees it recorded."""
        if host.asked_s is None:
            step = self.tell(spec.id, cause)
            self.put(spec, replace(host, step=step, asked_s=self.seen.now_s))
        elif self.is_recorded(host.step, host.asked_s):
            self.put(spec, act(host))

    def command(self, spec: HostSpec, host: HostState, action: str) -> HostState:
        serial = host.serial + 1
        self.commands.append(Command(spec.id, serial, action))
        return replace(
            host, serial=serial, told_s=self.seen.now_s, asked_s=None, tries=host.tries + 1,
            clear_s=None,
        )  # fmt: skip

    def reply(self, spec: HostSpec, host: HostState) -> str | None:
        """What became of the last command: "ok", a fault, or None while it is under way."""
        return evidence.reply(spec.id, host.serial, self.seen)


def queue(work: Work, spec: HostSpec, reason: Reason, left: bool = False) -> None:
    """The host's stage has begun. `left`: it was down before that."""
    moved = work.move(spec, work.state.host(spec.id), Phase.QUEUED, reason)
    work.put(spec, replace(moved, first_s=None, by_hand=False, cutting=False, left=left))


def clear(work: Work, spec: HostSpec) -> None:
    """Take a signal back that would stop the host again as soon as it has booted."""
    host, now_s = work.state.host(spec.id), work.seen.now_s
    if host.phase in (Phase.QUEUED, Phase.STOPPING, Phase.INITIALISING):
        return
    if host.clear_s is not None:
        reply = work.reply(spec, host)
        if reply == "ok":
            work.put(spec, replace(host, signal=False, clear_s=None))
            return
        if now_s < host.clear_s + TRY_SPACING_S:
            work.wake(host.clear_s + TRY_SPACING_S)
            return
    serial = host.serial + 1
    work.commands.append(Command(spec.id, serial, "clear"))
    work.put(spec, replace(host, serial=serial, clear_s=now_s))


def stop(work: Work, spec: HostSpec, waits_for: str | None) -> None:
    """A queued host is told to stop once those that go before it are down.

    It is told in any case: asking one that is down costs nothing, and a network that died with
    the mains would make all of them look so.
    """
    host = work.state.host(spec.id)
    if waits_for is not None and host.asked_s is None:
        reason = why("plan.waits-for", host=waits_for)
        if host.reason != reason:
            work.put(spec, replace(host, reason=reason))
        return

    def act(host: HostState) -> HostState:
        told = replace(work.command(spec, host, "stop"), signal=spec.signals, clear_s=None)
        first_s = host.first_s if host.first_s is not None else work.seen.now_s
        return replace(
            told, phase=Phase.STOPPING, since_s=work.seen.now_s, first_s=first_s, fell=False,
            reason=why("plan.stop-asked"), was_up=evidence.is_up(spec, work.seen),
        )  # fmt: skip

    work.once_recorded(spec, host, "plan.stop-asked", act)


def watch(work: Work, spec: HostSpec) -> None:
    """A host that may have been told to stop before a restart, now that nothing asks for it any
    more: whether it goes down or has booted since, is seen and not hastened."""
    host = work.state.host(spec.id)
    moved = work.move(spec, host, Phase.STOPPING, why("plan.watched"))
    now_s = work.seen.now_s
    work.put(spec, replace(moved, told_s=now_s, first_s=now_s, fell=False, was_up=False))


def watch_stop(work: Work, spec: HostSpec, asked: bool) -> None:
    """A host that was told to stop: confirmed, told again, or given up. `asked`: its stop is
    still asked for."""
    host, now_s = work.state.host(spec.id), work.seen.now_s
    assert host.told_s is not None and host.first_s is not None
    if evidence.is_down(spec, host, work.seen):
        _down(work, spec, host)
        return
    end_s = host.first_s + spec.stop_timeout_s
    if asked and host.tries == 0 and host.asked_s is None:
        _stop_again(work, spec, replace(host, first_s=now_s))
        return
    may_run = host.fell or (host.tries == 0 and now_s >= end_s)
    if not asked and may_run and evidence.is_up(spec, work.seen):
        comes_up(work, spec, host)
        return
    if now_s >= end_s:
        reason = why("plan.unconfirmed", confirmed=float(evidence.confirmed(spec, host, now_s)),
                     needs=float(spec.needs))  # fmt: skip
        work.move(spec, host, Phase.UNCONFIRMED, reason)
        return
    work.wake(end_s)
    work.wake(evidence.settles_s(host, now_s))
    if host.asked_s is not None:
        _stop_again(work, spec, host)
        return
    if host.fell and evidence.is_up(spec, work.seen) and host.rose < ROSE:
        # It went down and came up again: it has rebooted instead.
        _stop_again(work, spec, replace(host, fell=False, rose=host.rose + 1))
        return
    if not host.fell and len(host.silent_s) == len(spec.kinds):
        host = replace(host, fell=True)
        work.put(spec, host)
    reply = work.reply(spec, host)
    if reply is not None and reply.startswith("failed"):
        again_s = _again_s(host)
        if now_s >= again_s:
            _stop_again(work, spec, host)
        else:
            work.wake(again_s)
            reason = why("plan.stop-failed", fault=evidence.fault(reply))
            if host.reason != reason:
                work.put(spec, replace(host, reason=reason))


def _again_s(host: HostState) -> float:
    """When a command that could not be given is given again."""
    assert host.told_s is not None
    return host.told_s + (TRY_SPACING_S if host.tries <= QUICK_TRIES else SLOW_SPACING_S)


def _stop_again(work: Work, spec: HostSpec, host: HostState) -> None:
    work.once_recorded(
        spec, host, "plan.stop-again", lambda host: work.command(spec, host, "stop")
    )


def _down(work: Work, spec: HostSpec, host: HostState) -> None:
    now_s = work.seen.now_s
    took_s = None if host.first_s is None else round(now_s - host.first_s, 1)
    # What was down before the outage is left as it was found.
    cause = "fell-silent" if host.left else "down-by-hand" if host.by_hand else "down"
    work.move(spec, host, Phase.DOWN, why(f"plan.{cause}"), {"took_s": took_s})
    if took_s is not None and host.was_up and not host.by_hand:
        kept = (*work.state.durations.get(spec.id, ()), took_s)[-MEASURED:]
        work.state = replace(work.state, durations={**work.state.durations, spec.id: kept})


def watch_out(work: Work, spec: HostSpec, reason: Reason | None) -> None:
    """A host that is down, or that nothing proves to be. `reason`: why its stage has begun;
    None when it has not."""
    host, seen = work.state.host(spec.id), work.seen
    work.wake(evidence.settles_s(host, seen.now_s))
    is_up = evidence.is_up(spec, seen)
    if host.phase is Phase.UNCONFIRMED:
        if evidence.is_down(spec, host, seen):
            work.move(spec, host, Phase.DOWN, why("plan.down"))
        elif is_up and host.reason == why("plan.called-off"):
            # It was to start, perhaps was told so, and was not asked to stop since.
            if reason is None:
                comes_up(work, spec, host)
            else:
                queue(work, spec, reason)
        elif reason is None and is_up and not host.cutting:
            work.state = replace(work.state, ok=False)
            work.move(spec, host, Phase.RUNNING, why("plan.still-up"))
        elif spec.cut_unconfirmed and _timed_out(host) and not host.cutting:
            work.once_recorded(spec, host, "plan.outlet-cut", partial(_cut, work))
    elif host.phase is Phase.DOWN and not host.proved and evidence.is_down(spec, host, seen):
        work.put(spec, replace(host, proved=True))
    elif host.phase is Phase.DOWN and is_up:
        host = replace(host, by_hand=False)
        if reason is None and is_left_alone(host):
            work.move(spec, host, Phase.RUNNING, why("plan.found-up"))
        elif reason is None:
            comes_up(work, spec, host)
        elif host.rose < ROSE:
            work.put(spec, replace(host, rose=host.rose + 1, first_s=None))
            work.move(spec, work.state.host(spec.id), Phase.QUEUED, why("plan.came-up"))
        else:
            work.move(spec, host, Phase.UNCONFIRMED, why("plan.will-not-stay-down"))


def _cut(work: Work, host: HostState) -> HostState:
    """A run in which a host lost its power unstopped has not gone well."""
    work.state = replace(work.state, ok=False)
    return replace(host, cutting=True)


def _timed_out(host: HostState) -> bool:
    """It was asked to stop and had its time; one that merely will not stay down had not."""
    return host.reason is not None and host.reason.id == "plan.unconfirmed"


def call_off(work: Work, spec: HostSpec) -> None:
    """A start that did not come about: the host is again what it was proved to be."""
    host = work.state.host(spec.id)
    phase = Phase.DOWN if host.proved else Phase.UNCONFIRMED
    work.move(spec, host, phase, why("plan.called-off"))


def comes_up(work: Work, spec: HostSpec, host: HostState) -> None:
    """A host that boots without us: it is waited for, and initialised, like any other."""
    moved = work.move(spec, host, Phase.STARTING, why("plan.found-up"))
    work.put(
        spec,
        replace(moved, told_s=work.seen.now_s, cutting=False, by_hand=False, first_s=None),
    )


def start(work: Work, spec: HostSpec) -> None:
    """A host whose turn it is."""
    if work.state.host(spec.id).signal:
        clear(work, spec)
    host, seen = work.state.host(spec.id), work.seen
    if evidence.is_up(spec, seen) and host.asked_s is None:
        comes_up(work, spec, host)
        return
    if host.first_s is None:
        host = replace(host, first_s=seen.now_s)
        work.put(spec, host)
    assert host.first_s is not None
    lacks = _lacks(work, spec, host)
    if lacks is not None:
        end_s = host.first_s + spec.start_timeout_s
        work.wake(end_s)
        if seen.now_s >= end_s:
            work.move(spec, host, Phase.FAILED, lacks)
        elif host.reason != lacks or host.cutting or host.held_off:
            work.put(spec, replace(host, cutting=False, held_off=False, reason=lacks))
        return

    def act(host: HostState) -> HostState:
        if spec.starts == "outlet":
            assert spec.outlet is not None
            outlet = seen.outputs[spec.outlet]
            off_s = seen.now_s if outlet.on else min(outlet.since_s, seen.now_s)
            told = replace(
                host, told_s=seen.now_s, asked_s=None,
                cycle_s=max(off_s + CYCLE_S, seen.now_s),
            )  # fmt: skip
        elif spec.starts == "command":
            told = work.command(spec, host, "start")
        else:
            # Somebody starts it by hand, or it starts by itself: it is waited for.
            told = replace(host, told_s=seen.now_s, asked_s=None)
        work.state = replace(work.state, started_s=seen.now_s)
        return replace(
            told, phase=Phase.STARTING, since_s=seen.now_s, reason=why("plan.start-asked"),
            cutting=False, held_off=False, proved=False, by_hand=False, silent_s={},
            first_s=None,
        )  # fmt: skip

    work.once_recorded(spec, host, "plan.start-asked", act)


def _lacks(work: Work, spec: HostSpec, host: HostState) -> Reason | None:
    """Why a host whose turn it is cannot be started yet: an outlet is taken only from one that is
    down, a board without power hears no start, and a signal that stands would stop it again."""
    if host.signal:
        return why("plan.clearing")
    if spec.starts == "outlet" and not _is_safe_to_cycle(spec, host, work.seen):
        return why("plan.not-confirmed")
    if spec.starts != "command" or spec.outlet is None:
        return None
    outlet = work.seen.outputs[spec.outlet]
    if outlet.on and work.seen.now_s >= outlet.since_s + STANDBY_S:
        return None
    if outlet.on:
        work.wake(outlet.since_s + STANDBY_S)
    return why("plan.outlet-first")


def _is_safe_to_cycle(spec: HostSpec, host: HostState, seen: Seen) -> bool:
    """An outlet is taken from a host only when it is down, or has no power anyway."""
    assert spec.outlet is not None
    return not seen.is_on(spec.outlet) or host.by_hand or evidence.is_down(spec, host, seen)


def watch_start(work: Work, spec: HostSpec) -> None:
    """A host that boots: ready, or given up."""
    host, seen = work.state.host(spec.id), work.seen
    reply = work.reply(spec, host) if host.tries else None
    if reply == "ok" and host.first_s is None:
        host = replace(host, first_s=host.told_s)
        work.put(spec, host)
    assert host.told_s is not None
    ready_s = evidence.ready_s(spec, seen)
    # A look of before the start says nothing of it.
    if ready_s is not None and ready_s >= max(host.told_s, host.cycle_s or 0.0):
        if spec.initialises:
            work.move(spec, host, Phase.INITIALISING, why("plan.ready"))
        else:
            work.move(spec, host, Phase.RUNNING, why("plan.ready"))
        return
    told_s = host.told_s if host.first_s is None else host.first_s
    end_s = max(told_s, host.cycle_s or 0.0) + spec.start_timeout_s
    if seen.now_s >= end_s:
        fault = evidence.fault(reply)
        work.move(spec, host, Phase.FAILED, why("plan.start-failed", fault=fault))
        return
    work.wake(end_s)
    if host.cycle_s is not None:
        work.wake(host.cycle_s)


def start_again_s(work: Work, spec: HostSpec) -> float | None:
    """When a host that was told to start is told again; None: it is not. What refused it may be
    booting itself, and a packet that nobody answers may not have arrived."""
    host = work.state.host(spec.id)
    reply = work.reply(spec, host) if host.phase is Phase.STARTING and host.tries else None
    if reply is None or evidence.is_up(spec, work.seen):
        return None
    assert host.told_s is not None
    if reply == "ok":
        again_s = None if spec.start_is_heard else host.told_s + SLOW_SPACING_S
    else:
        again_s = _again_s(host)
        reason = why("plan.start-refused", fault=evidence.fault(reply))
        if host.reason != reason:
            work.put(spec, replace(host, reason=reason))
    if again_s is None or again_s >= host.since_s + spec.start_timeout_s:
        return None
    work.wake(again_s)
    return again_s


def start_again(work: Work, spec: HostSpec) -> None:
    def act(host: HostState) -> HostState:
        work.state = replace(work.state, started_s=work.seen.now_s)
        return replace(work.command(spec, host, "start"), reason=why("plan.start-asked"))

    work.once_recorded(spec, work.state.host(spec.id), "plan.start-again", act)


def start_no_more(work: Work, spec: HostSpec) -> None:
    """The return is over: who could not be told to start is not told again."""
    host = work.state.host(spec.id)
    if work.reply(spec, host) != "ok":
        call_off(work, spec)
    elif host.asked_s is not None:
        work.put(spec, replace(host, asked_s=None))


def watch_initialise(work: Work, spec: HostSpec) -> None:
    """A host that is ready is initialised, once."""
    host, now_s = work.state.host(spec.id), work.seen.now_s
    if host.told_s is None:
        work.once_recorded(
            spec, host, "plan.initialise-asked",
            lambda host: work.command(spec, host, "initialise"),
        )  # fmt: skip
        return
    reply = work.reply(spec, host)
    if reply == "ok":
        work.move(spec, host, Phase.RUNNING, why("plan.initialised"))
        return
    end_s = host.told_s + INITIALISE_S
    if reply is not None:
        fault = evidence.fault(reply)
        work.move(spec, host, Phase.FAILED, why("plan.initialise-failed", fault=fault))
    elif now_s >= end_s:
        work.move(spec, host, Phase.FAILED, why("plan.initialise-failed", fault="no end"))
    else:
        work.wake(end_s)


def restored(spec: HostSpec, was: HostState, now_s: float, same_boot: bool) -> HostState:
    """What was under way is decided anew from what is seen; what was silent must be seen again.

    A stop is asked again, for asking twice does no harm, but only while something asks for it:
    else it is watched. A start by command is asked again, too; a start by an outlet is only waited
    for, for the outlet must not be taken from a host that boots. Whether an initialisation ran,
    nobody knows: it is not run again.
    """
    host = replace(was, silent_s={}, asked_s=None, signal=spec.signals, clear_s=None)
    if not same_boot:
        host = replace(
            host,
            since_s=now_s,
            told_s=None if host.told_s is None else now_s,
            first_s=None if host.first_s is None else now_s,
            cycle_s=None,
            # Whatever its outlet did meanwhile, the host may have had power.
            cutting=False,
            proved=False,
        )
        if was.cutting:
            return replace(host, phase=Phase.UNCONFIRMED, reason=why("plan.came-up"))
    if host.phase is Phase.STOPPING or (host.phase is Phase.QUEUED and not same_boot):
        # `first_s` tells that it may have been told already.
        first_s = host.first_s if host.first_s is not None else now_s
        return replace(host, phase=Phase.QUEUED, told_s=None, first_s=first_s)
    by_itself = host.reason == why("plan.found-up")
    if host.phase is Phase.STARTING and spec.starts != "outlet" and not by_itself:
        return replace(host, phase=Phase.WAITING, told_s=None, first_s=None)
    if host.phase is Phase.INITIALISING and (was.told_s is not None or was.asked_s is not None):
        return replace(host, phase=Phase.FAILED, reason=why("plan.initialise-unknown"))
    return host
