"""Switching the UPS itself off after the last stage; it comes back by itself with the mains.

What it answers proves nothing: it is told again while its own word is that it drains, and a
person is told when that does not help.
"""

from __future__ import annotations

from collections.abc import Sequence

from controller.core.rules import comeback
from controller.core.rules.base import Command, Seen
from controller.core.rules.planstate import Limits, Parts, Phase, PlanState, begun, replace
from controller.core.rules.planwork import Work
from controller.core.rules.power import Power, PowerState
from controller.core.rules.ups import with_a_say

TRIES = 3
AGAIN_S = comeback.UPS_OFF_S
"""One that is told again may begin its wait anew."""


def switch_off(limits: Limits, parts: Parts, work: Work, power: PowerState) -> None:
    """Tell those on battery to switch off, once nothing that they feed may run."""
    state, now_s = work.state, work.seen.now_s
    drained = _drained(parts, work.seen)
    is_outage = limits.ups_off and power.state is Power.OUTAGE
    if not (is_outage and drained and _all_done(parts, state)):
        if state.ups_asked_s is not None:
            work.state = replace(state, ups_asked_s=None)
        upses = with_a_say(parts.upses, work.seen).values()
        has_obeyed = any(ups.supply == "off" for ups in upses)
        if state.ups_tries and (has_obeyed or power.state is Power.MAINS):
            work.state = replace(work.state, ups_tries=0)
        if state.ups_told_s is not None:
            # One that said nothing of it may have obeyed, or will yet switch off.
            if has_obeyed or _was_waited_for(state, now_s):
                work.state = replace(work.state, ups_told_s=None)
            work.wake(state.ups_told_s + AGAIN_S)
        return
    if state.over_s is None or now_s < state.over_s + comeback.OFF_HOLD_S:
        return
    if state.ups_asked_s is not None:
        if work.is_recorded(state.ups_step, state.ups_asked_s):
            # One that is on the mains feeds whatever it feeds.
            work.commands += [Command(id, -state.ups_step, "off") for id in drained]
            work.state = replace(
                state, ups_asked_s=None, ups_told_s=now_s, ups_tries=state.ups_tries + 1
            )
        return
    if state.ups_told_s is not None:
        work.wake(state.ups_told_s + AGAIN_S)
    if state.ups_tries < TRIES and _was_waited_for(state, now_s):
        step = work.tell("room", "plan.ups-off")
        work.state = replace(work.state, ups_step=step, ups_asked_s=now_s)


def is_refused(parts: Parts, state: PlanState, seen: Seen) -> bool:
    """Whether one drains on, however often it was told."""
    tried = state.ups_tries >= TRIES and _was_waited_for(state, seen.now_s)
    return tried and any(seen[f"{id}.supply"].is_good for id in _drained(parts, seen))


def _was_waited_for(state: PlanState, now_s: float) -> bool:
    return state.ups_told_s is None or now_s >= state.ups_told_s + AGAIN_S


def _all_done(parts: Parts, state: PlanState) -> bool:
    """Whether every stage has begun and every host is proved to be down."""
    hosts = [state.host(spec.id) for spec in parts.hosts]
    all_begun = all(begun(state, spec.stage) is not None for spec in parts.hosts)
    all_down = all(host.phase is Phase.DOWN and host.proved for host in hosts)
    return bool(hosts) and all_begun and all_down


def _drained(parts: Parts, seen: Seen) -> Sequence[str]:
    return [id for id, ups in with_a_say(parts.upses, seen).items() if ups.on_battery]
