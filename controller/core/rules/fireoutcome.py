"""What a fire comes to: demands on the outputs, and alarms for people. Behaviour section 3."""

from __future__ import annotations

from collections.abc import Sequence

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.priority import Demand, Slot
from controller.core.reason import Reason, why
from controller.core.rules.base import Seen
from controller.core.rules.detectors import Verdict
from controller.core.rules.firestate import (
    HOLD_STUCK_S,
    RESET_PULSE_S,
    FireLimits,
    FireParts,
    FireState,
)


def alarms(parts: FireParts) -> Sequence[AlarmSpec]:
    """Return the alarms that a fire can raise."""
    fire = "fire"
    return [
        *(
            AlarmSpec(f"{d.id}.prealarm", Priority.CRITICAL, latched=True, group=fire)
            for d in parts.detectors
        ),
        AlarmSpec("fire.confirmed", Priority.CRITICAL, latched=True, group=fire),
        AlarmSpec("fire.countdown", Priority.CRITICAL, group=fire),
        AlarmSpec("fire.supply-fault", Priority.CRITICAL, group=fire),
        *(
            AlarmSpec(f"{id}.pressed", Priority.CRITICAL, latched=True, group=fire)
            for id in (*parts.call_points, *parts.emergencies)
        ),
        *(AlarmSpec(f"{id}.stuck", Priority.HIGH, group="health") for id in parts.holds),
        *(
            AlarmSpec(f"{id}.detector-fault", Priority.HIGH, group="health")
            for id in sorted({f for d in parts.detectors for f in d.faults})
        ),
    ]


def demands(limits: FireLimits, parts: FireParts, state: FireState, now_s: float) -> list[Demand]:
    """Return what the fire wants of siren, beacon, cooling, doors and detectors."""
    active = state.active()
    if not (active or state.latched or state.cooling_off or state.reset_s is not None):
        return []
    if state.latched:
        reason = why("fire.confirmed", detectors=state.by)
    else:
        reason = why("fire.prealarm", detectors=active)
    wanted: list[tuple[tuple[str, ...], bool, Reason]] = []
    causes = state.causes()
    if set(causes) - set(state.silenced):
        wanted.append((parts.sirens, True, reason))
    if causes:
        wanted.append((parts.beacons, True, reason))
    if state.latched:
        wanted.append((parts.releases, True, reason))
    if state.latched or (active and limits.prealarm_stops_cooling):
        wanted.append((parts.coolings, False, reason))
    elif state.cooling_off:
        wanted.append((parts.coolings, False, why("fire.held-off")))
    demands = [
        Demand(
            output,
            Slot.LIFE_SAFETY,
            on,
            cause,
            intermittent=outputs is parts.sirens and not state.latched,
        )
        for outputs, on, cause in wanted
        for output in outputs
    ]
    if state.reset_s is not None and now_s < state.reset_s + RESET_PULSE_S:
        until_s = state.reset_s + RESET_PULSE_S
        demands += [
            Demand(output, Slot.PLAN, True, why("fire.detectors-reset"), until_s)
            for output in parts.resets
        ]
    return demands


def conditions(parts: FireParts, state: FireState, seen: Seen) -> list[Condition]:
    """Return what is so of each of the alarms."""
    conditions = [
        Condition(
            f"{d.id}.prealarm",
            vote.active,
            {"detector": d.id},
            vote.since_s if vote.active else None,
        )
        for d in parts.detectors
        if (vote := state.votes.get(d.id)) is not None
    ]
    burning = bool(state.active() or state.pressed or state.countdown is not None)
    conditions.append(
        Condition(
            "fire.confirmed",
            state.latched and burning,
            {"detectors": state.by},
            latch=state.latched,
        )
    )
    conditions.append(
        Condition("fire.countdown", state.countdown is not None, {"detectors": state.by})
    )
    fault = state.countdown_why == f"fire.{Verdict.SUPPLY_FAULT}"
    conditions.append(Condition("fire.supply-fault", fault, {"detectors": state.by}))
    for id in (*parts.call_points, *parts.emergencies):
        known = seen[id].is_good
        conditions.append(Condition(f"{id}.pressed", seen[id].is_true if known else None))
    for id in parts.holds:
        since_s = state.held_by.get(id)
        stuck = since_s is not None and seen.now_s - since_s >= HOLD_STUCK_S
        conditions.append(Condition(f"{id}.stuck", stuck))
    for id in sorted({f for d in parts.detectors for f in d.faults}):
        conditions.append(Condition(f"{id}.detector-fault", seen[id].is_true))
    return conditions
