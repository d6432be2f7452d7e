"""What the plan comes to: demands on the hosts' outlets, and alarms for people."""

from __future__ import annotations

from collections.abc import Sequence

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.priority import Demand, Slot
from controller.core.reason import why
from controller.core.rules import comeback, evidence, shed, upsoff
from controller.core.rules.base import Seen
from controller.core.rules.permissive import BANDS, blocked
from controller.core.rules.planstate import (
    GOING,
    OUT,
    HostState,
    Limits,
    Parts,
    Phase,
    PlanState,
    fell_silent,
)
from controller.core.rules.planwork import Work
from controller.core.rules.power import PowerState

UNREACHABLE_S = 60.0
"""A host that runs and answers nothing for so long is told of."""

UNWATCHED_S = 300.0
"""Longer than a switch takes to restart (guess): what tells too little of a host for so long would
not tell in an outage either that it is down."""

SIGNAL_S = 60.0
"""A signal that could not be taken back in so long, some six tries, is told of."""

FIT_DELAY_S = 60.0
"""The load's peaks are shorter than this (guess): only a plan that stays too long is alarmed."""


def alarms(parts: Parts) -> Sequence[AlarmSpec]:
    """Return the alarms that the plan can raise."""
    causes = (*(f"{id}.absent" for id in parts.mains), "power.outage")
    list_ = [
        AlarmSpec("plan.does-not-fit", Priority.HIGH, on_delay_s=FIT_DELAY_S,
                  off_delay_s=FIT_DELAY_S, group="power"),
        AlarmSpec("plan.shedding", Priority.HIGH, group="power", caused_by=causes),
        AlarmSpec("plan.ups-not-off", Priority.HIGH, group="power", caused_by=causes),
    ]  # fmt: skip
    for id in (spec.id for spec in parts.hosts):
        list_ += [
            AlarmSpec(f"{id}.stop-unconfirmed", Priority.HIGH, group="power"),
            AlarmSpec(f"{id}.start-failed", Priority.HIGH, group="power"),
            AlarmSpec(f"{id}.initialise-failed", Priority.HIGH, group="power"),
            AlarmSpec(f"{id}.unreachable", Priority.LOW, on_delay_s=UNREACHABLE_S,
                      off_delay_s=5.0, group="power", caused_by=causes),
            AlarmSpec(f"{id}.unwatched", Priority.LOW, on_delay_s=UNWATCHED_S,
                      off_delay_s=5.0, group="power", caused_by=causes),
        ]  # fmt: skip
    list_ += [
        AlarmSpec(f"{spec.id}.signal-stands", Priority.HIGH, on_delay_s=SIGNAL_S, group="power")
        for spec in parts.hosts
        if spec.signals
    ]
    return list_


def demands(limits: Limits, parts: Parts, work: Work) -> list[Demand]:
    """Return what the plan wants of the hosts' outlets."""
    demands: list[Demand] = []
    seen = work.seen
    for spec in parts.hosts:
        host, outlet = work.state.host(spec.id), spec.outlet
        if outlet is None:
            continue
        if host.cutting and host.phase in (*OUT, Phase.WAITING):
            reason = why("plan.outlet-cut", host=spec.id)
            demands.append(Demand(outlet, Slot.PLAN, False, reason))
        elif host.cycle_s is not None and seen.now_s < host.cycle_s:
            reason = why("plan.outlet-cycle", host=spec.id)
            demands.append(Demand(outlet, Slot.PLAN, False, reason, host.cycle_s))
        elif host.held_off and not work.state.hot:
            reason = why("plan.outlet-held", host=spec.id)
            demands.append(Demand(outlet, Slot.PLAN, False, reason))
        elif spec.starts == "outlet" and _was_cut(host) and not seen.is_on(outlet):
            # It would start by itself, before its turn.
            reason = why("plan.outlet-held", host=spec.id)
            demands.append(Demand(outlet, Slot.PLAN, False, reason))
        elif _is_waived(work.state, host, seen):
            # It meets the permissive in its own slot, where a host's outlet is on when both ask.
            demands.append(Demand(outlet, Slot.INTERLOCK, True, why("plan.outlet-waived")))
        if work.state.hot and host.held_off:
            reason = why("plan.too-hot", limit=limits.shutdown_c)
            demands.append(Demand(outlet, Slot.CRITICAL_EQUIPMENT, False, reason))
    return demands


def _is_waived(state: PlanState, host: HostState, seen: Seen) -> bool:
    """Whether a person answers for the voltage or frequency at which this host gets its power,
    and nothing else holds it off."""
    reason = blocked(seen.states)
    if reason is None or reason.id not in BANDS:
        return False
    waits = host.reason is not None and host.reason.id == "plan.outlet-first"
    gets_power = host.phase is Phase.STARTING or (host.phase is Phase.WAITING and waits)
    return gets_power and comeback.braves(state.overrides)


def _was_cut(host: HostState) -> bool:
    return host.phase is Phase.WAITING or (
        host.phase is Phase.DOWN and host.reason is not None and host.reason.id == "plan.cut"
    )


def conditions(
    limits: Limits, parts: Parts, state: PlanState, power: PowerState, seen: Seen
) -> list[Condition]:
    """Return what is so of each of the alarms."""
    spare_s = shed.spare_s(limits, parts, state, power.left_s(seen.now_s), seen.now_s)
    idle = not state.begun and state.returning_s is None
    short = None if spare_s is None or not idle else spare_s < 0
    minutes = 0.0 if spare_s is None else round(-spare_s / 60, 1)
    conditions = [
        Condition("plan.does-not-fit", short, {"minutes": minutes}),
        Condition("plan.shedding", bool(state.begun)),
        Condition("plan.ups-not-off", upsoff.is_refused(parts, state, seen)),
    ]
    for spec in parts.hosts:
        host = state.host(spec.id)
        id, failed = spec.id, host.phase is Phase.FAILED
        cause = "" if host.reason is None else host.reason.id
        values = {} if host.reason is None else host.reason.values
        initialise = cause.startswith("plan.initialise")
        told = {evidence.answers(spec, kind, seen) for kind in spec.kinds} or {None}
        unreachable = None if told == {None} else told == {False}
        tell = sum(evidence.can_tell(spec, kind, seen) for kind in spec.kinds)
        unwatched = host.phase is Phase.RUNNING and tell < spec.needs
        conditions += [
            Condition(f"{id}.stop-unconfirmed", host.phase is Phase.UNCONFIRMED, values),
            Condition(f"{id}.start-failed", failed and not initialise, values),
            Condition(f"{id}.initialise-failed", failed and initialise, values),
            Condition(
                f"{id}.unreachable",
                unreachable if host.phase is Phase.RUNNING else fell_silent(host),
            ),
            Condition(f"{id}.unwatched", unwatched, {"count": tell, "needs": spec.needs}),
        ]
        if spec.signals:
            stands = host.clear_s is not None and host.phase not in GOING
            conditions.append(Condition(f"{id}.signal-stands", stands))
    return conditions
