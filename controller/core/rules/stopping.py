"""One host's way down: asked, watched, confirmed; and what is made of one that is out."""

from __future__ import annotations

from functools import partial

from controller.core.reason import Reason, why
from controller.core.rules import evidence
from controller.core.rules.planstate import (
    MEASURED,
    HostSpec,
    HostState,
    Phase,
    is_left_alone,
    replace,
)
from controller.core.rules.planwork import SLOW_SPACING_S, Work, next_try_s
from controller.core.rules.starting import comes_up

ROSE = 3
"""A host that comes up again during the outage is stopped again so often."""


def queue(work: Work, spec: HostSpec, reason: Reason, left: bool = False) -> None:
    """The host's stage has begun. `left`: it was down before that."""
    moved = work.move(spec, work.state.host(spec.id), Phase.QUEUED, reason)
    work.put(spec, replace(moved, first_s=None, by_hand=False, cutting=False, left=left))


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
    # One that was told may miss a look while it halts: it has its time.
    is_over = now_s >= end_s
    may_run = host.fell and is_over if host.tries else host.fell or is_over
    if not asked and may_run and evidence.is_up(spec, work.seen):
        comes_up(work, spec, host)
        return
    if now_s >= end_s:
        fault = evidence.fault(work.reply(spec, host))
        reason = why("plan.unconfirmed", confirmed=float(evidence.confirmed(spec, host, now_s)),
                     needs=float(spec.needs), fault=fault)  # fmt: skip
        if host.tries == 0:
            reason = why("plan.called-off")  # only watched: it may never have been told
        work.move(spec, host, Phase.UNCONFIRMED, reason)
        return
    work.wake(end_s)
    work.wake(evidence.settles_s(host, now_s))
    if host.asked_s is not None:
        _stop_again(work, spec, host)
        return
    if asked and host.fell and evidence.is_up(spec, work.seen) and host.rose < ROSE:
        # It went down and came up again: it has rebooted instead.
        _stop_again(work, spec, replace(host, fell=False, rose=host.rose + 1))
        return
    if not host.fell and len(host.silent_s) == len(spec.kinds):
        host = replace(host, fell=True)
        work.put(spec, host)
    reply = work.reply(spec, host)
    if reply is not None and reply.startswith("failed"):
        again_s = next_try_s(host)
        if now_s >= again_s:
            _stop_again(work, spec, host)
        else:
            work.wake(again_s)
            reason = why("plan.stop-failed", fault=evidence.fault(reply))
            if host.reason != reason:
                work.put(spec, replace(host, reason=reason))


def _stop_again(work: Work, spec: HostSpec, host: HostState) -> None:
    work.once_recorded(
        spec, host, "plan.stop-again", lambda host: work.command(spec, host, "stop"),
        {"fault": evidence.fault(work.reply(spec, host))},
    )  # fmt: skip


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
        elif reason is not None and _timed_out(host) and not host.cutting:
            _tell_late(work, spec, host)
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


def _tell_late(work: Work, spec: HostSpec, host: HostState) -> None:
    """A stop that could not be given in its time is still given, once a minute, as long as it is
    asked for: the way there may come back before the battery is empty."""
    reply = work.reply(spec, host)
    if reply is None or not reply.startswith("failed"):
        return
    again_s = (host.since_s if host.told_s is None else host.told_s) + SLOW_SPACING_S
    if work.seen.now_s < again_s:
        work.wake(again_s)
    else:
        _stop_again(work, spec, host)


def _cut(work: Work, host: HostState) -> HostState:
    """A run in which a host lost its power unstopped has not gone well."""
    work.state = replace(work.state, ok=False)
    return replace(host, cutting=True)


def _timed_out(host: HostState) -> bool:
    """It was asked to stop and had its time; one that merely will not stay down had not."""
    return host.reason is not None and host.reason.id == "plan.unconfirmed"
