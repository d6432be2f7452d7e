"""One host's way up: its turn, its boot until it is ready, its initialisation."""

from __future__ import annotations

from controller.core.reason import Reason, why
from controller.core.rules import evidence
from controller.core.rules.base import Command, Seen
from controller.core.rules.planstate import (
    HostSpec,
    HostState,
    Phase,
    replace,
)
from controller.core.rules.planwork import SLOW_SPACING_S, TRY_SPACING_S, Work, next_try_s

CYCLE_S = 15.0
"""How long an outlet stays off before a host is started by it: power supplies hold up for
seconds, and boards tell a loss of power only then (facts 6.1: 10 to 30 s)."""

STANDBY_S = 10.0
"""How long a board needs power before it hears a magic packet or its management controller
answers (guess)."""

INITIALISE_S = 600.0
"""An initialisation that has not ended by then has failed; its commands are bounded too."""


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

    # Without a way to start it, somebody does so by hand, or it starts by itself.
    cause = "plan.start-awaited" if spec.starts is None else "plan.start-asked"

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
            told = replace(host, told_s=seen.now_s, asked_s=None)
        work.state = replace(work.state, started_s=seen.now_s)
        return replace(
            told, phase=Phase.STARTING, since_s=seen.now_s, reason=why(cause),
            cutting=False, held_off=False, proved=False, by_hand=False, silent_s={},
            first_s=None,
        )  # fmt: skip

    work.once_recorded(spec, host, cause, act)


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
    by_itself = host.reason == why("plan.found-up")
    if seen.now_s >= end_s and by_itself and evidence.is_down(spec, host, seen):
        work.move(spec, host, Phase.DOWN, why("plan.down"))  # nobody had started it
        return
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
        again_s = next_try_s(host)
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

    host = work.state.host(spec.id)
    fault = evidence.fault(work.reply(spec, host))
    work.once_recorded(spec, host, "plan.start-again", act, {"fault": fault})


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
