"""Shedding: when each stage of the outage plan begins, and whether all of it fits. REG-06.

A stage begins by whichever comes first. What the UPS cannot tell begins nothing by itself; its
silence on battery does. A runtime that rises again calls nothing off.
"""

from __future__ import annotations

from controller.core.reason import Reason, why
from controller.core.rules.base import NEVER_S, Seen
from controller.core.rules.firestate import fire_state
from controller.core.rules.planstate import (
    GOING,
    HostSpec,
    Limits,
    Parts,
    Phase,
    PlanState,
    Stage,
    begun,
    by_stage,
)
from controller.core.rules.power import Power, PowerState
from controller.core.rules.ups import with_a_say


def expected_s(spec: HostSpec, state: PlanState) -> float:
    """Return how long this host takes to stop: measured, before that its `stop_timeout`."""
    return max(state.durations.get(spec.id, ()), default=spec.stop_timeout_s)


def remaining_s(spec: HostSpec, state: PlanState, now_s: float) -> float:
    """Return how long this host still needs to be down."""
    host = state.host(spec.id)
    if host.phase in (Phase.DOWN, Phase.UNCONFIRMED, Phase.WAITING, Phase.FAILED, Phase.HELD):
        return 0.0
    boots_s = 0.0
    if host.phase in (Phase.STARTING, Phase.INITIALISING) and host.told_s is not None:
        # What boots is waited for before it is stopped.
        boots_s = max(host.told_s + spec.start_timeout_s - now_s, 0.0)
    if host.phase is Phase.STOPPING and host.told_s is not None:
        spent_s = now_s - (host.first_s if host.first_s is not None else host.told_s)
        whole_s = expected_s(spec, state)
        if spent_s >= whole_s:
            whole_s = spec.stop_timeout_s
        return max(whole_s - spent_s, 0.0)
    return boots_s + expected_s(spec, state)


def need_s(limits: Limits, parts: Parts, state: PlanState, now_s: float) -> float:
    """Return the time that what is left needs, stage after stage, plus the reserve."""
    return limits.reserve_s + sum(
        max(remaining_s(spec, state, now_s) for spec in hosts)
        for hosts in by_stage(parts).values()
    )


def stage_need_s(hosts: list[HostSpec], state: PlanState, now_s: float) -> float:
    return max((remaining_s(spec, state, now_s) for spec in hosts), default=0.0)


def spare_s(
    limits: Limits, parts: Parts, state: PlanState, left_s: float | None, now_s: float
) -> float | None:
    """Return by how much the plan fits into the runtime, were the mains to fail now; less than
    0: it does not. A stage that waits for a time alone must still have its own time after it."""
    if left_s is None or not parts.hosts:
        return None
    margins = [left_s - need_s(limits, parts, state, now_s)]
    stages = by_stage(parts)
    for stage in limits.stages:
        if stage.after_s is None or stage.need or stage.runtime_below_s is not None:
            continue
        if begun(state, stage.number) is not None:
            continue
        later_s = sum(
            stage_need_s(hosts, state, now_s)
            for number, hosts in stages.items()
            if number >= stage.number
        )
        margins.append(left_s - stage.after_s - later_s - limits.reserve_s)
    return min(margins)


def everything(
    limits: Limits, parts: Parts, state: PlanState, power: PowerState | None, seen: Seen
) -> Reason | None:
    """Return why all stages must begin at once; None when nothing asks for it. `power`: None while
    what it says is of before a restart."""
    now_s = seen.now_s
    fire = fire_state(seen.states)
    if limits.fire_budget_s > 0 and (fire.latched or fire.countdown is not None):
        return why("plan.fire", detectors=fire.by)
    if state.hot:
        return why("plan.too-hot", limit=limits.shutdown_c)
    if power is None or power.vouched:
        return None
    if power.low and power.state in (Power.OUTAGE, Power.ON_BATTERY):
        return why("plan.battery-low")
    exposed = _lost_exposed(parts, seen) if limits.lost_sheds else None
    # With a mains contact that is present nothing is shed for a UPS's silence.
    if exposed is not None and power.state is Power.LOST and power.present_s is None:
        return why("plan.lost-exposed", ups=exposed)
    if power.silent_s is not None and power.battery_s(now_s) >= limits.ride_through_s:
        left_s = power.left_s(now_s)
        if power.blind or left_s is None:
            return why("plan.silent", seconds=round(now_s - power.silent_s))
        if left_s <= need_s(limits, parts, state, now_s):
            return why("plan.silent-runtime", runtime=round(left_s))
    return None


def _lost_exposed(parts: Parts, seen: Seen) -> str | None:
    upses = with_a_say(parts.upses, seen)
    return next((id for id, ups in upses.items() if ups.is_lost_exposed(seen.now_s)), None)


def trigger(
    stage: Stage, limits: Limits, parts: Parts, state: PlanState, power: PowerState, seen: Seen
) -> Reason | None:
    """Return why this stage begins now; None when it does not. Only while on battery."""
    now_s = seen.now_s
    if power.on_s is None or power.battery_s(now_s) < limits.ride_through_s:
        return None
    if stage.after_s is not None and power.battery_s(now_s) >= stage.after_s:
        return why("plan.after", seconds=stage.after_s)
    left_s = power.left_s(now_s)
    if left_s is not None:
        if stage.need:
            need = need_s(limits, parts, state, now_s)
            if left_s <= need:
                return why("plan.need", runtime=round(left_s), need=round(need))
        elif stage.runtime_below_s is not None and left_s <= stage.runtime_below_s:
            return why("plan.runtime", runtime=round(left_s))
    if stage.charge_below is not None and power.charge_lost:
        return why("plan.charge-unknown")
    if (
        stage.charge_below is not None
        and power.charge is not None
        and power.charge < stage.charge_below
    ):
        return why("plan.charge", charge=round(power.charge))
    hottest = max_c(parts, seen)
    if (
        stage.temperature_above is not None
        and hottest is not None
        and hottest > stage.temperature_above
    ):
        return why("plan.temperature", temperature=hottest)
    return None


def begins_in_s(
    stage: Stage, limits: Limits, parts: Parts, state: PlanState, power: PowerState, now_s: float
) -> float | None:
    """Return in how long the stage begins by time or runtime, were nothing to change; None when
    only charge or temperature will tell."""
    due: list[float] = []
    counted_s = power.battery_s(now_s)
    if stage.after_s is not None:
        due.append(stage.after_s - counted_s)
    left_s = power.left_s(now_s)
    if left_s is not None:
        if stage.need:
            due.append(left_s - need_s(limits, parts, state, now_s))
        elif stage.runtime_below_s is not None:
            due.append(left_s - stage.runtime_below_s)
    ride_s = limits.ride_through_s - counted_s
    return max(min(due), ride_s, 0.0) if due else None


def wake_s(
    limits: Limits, parts: Parts, state: PlanState, power: PowerState, now_s: float
) -> float:
    """Return when time alone begins the next stage."""
    if power.on_s is None:
        return NEVER_S
    due = [
        in_s
        for stage in limits.stages
        if begun(state, stage.number) is None
        and (in_s := begins_in_s(stage, limits, parts, state, power, now_s)) is not None
    ]
    return now_s + min(due) if due else NEVER_S


def max_c(parts: Parts, seen: Seen) -> float | None:
    """The highest good temperature of the room."""
    readings = [seen[point].number for point in parts.temperatures]
    return max((value for value in readings if value is not None), default=None)


def is_finished(parts: Parts, state: PlanState) -> bool:
    """Whether every host whose stage has begun has come to an end."""
    return not any(
        state.host(spec.id).phase in GOING for spec in parts.hosts if begun(state, spec.stage)
    )


def stopping_first(spec: HostSpec, parts: Parts, state: PlanState) -> str | None:
    """Return a host that must be down before this one is told: one of an earlier stage that has
    begun, or one that needs this one to run. None: nothing stands before it."""
    for other in parts.hosts:
        if other.id == spec.id or state.host(other.id).phase not in (
            *GOING,
            Phase.STARTING,
            Phase.INITIALISING,
        ):
            continue
        earlier = other.stage < spec.stage
        depends = spec.id in other.after and begun(state, other.stage) is not None
        if earlier or depends:
            return other.id
    return None
