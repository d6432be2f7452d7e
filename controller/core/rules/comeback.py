"""The return: what must hold before anything is started, and whose turn it is. REG-07, REG-08."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from controller.core.reason import Reason, why
from controller.core.rules.base import NEVER_S, Seen
from controller.core.rules.cut import cut_state
from controller.core.rules.firestate import fire_state
from controller.core.rules.planstate import (
    COMING,
    HostSpec,
    Limits,
    Parts,
    Phase,
    PlanState,
    replace,
)
from controller.core.rules.power import Power, PowerState
from controller.core.rules.shed import everything, is_finished, max_c
from controller.core.rules.ups import UpsState, tells, with_a_say

OFF_HOLD_S = 30.0
"""So long everything stays off after the last stop (facts 6.4: 30 to 60 s): halting machines
need to have halted."""

UPS_OFF_S = 120.0
"""Longer than a UPS that was told to switch off waits before it does (60 s by default: Phoenix
Contact QUINT4, register 0x105A; facts 4), whatever the mains does meanwhile."""

COOLER_K = 5.0
"""Without a limit of its own, a return after a shutdown by heat waits for this much below it."""

WAIVABLE = ("stable", "charge", "voltage", "frequency", "temperature")


class Item(msgspec.Struct, frozen=True):
    """One permissive of the return. `ok` None: nobody knows, which is not yes."""

    id: str
    ok: bool | None
    reason: Reason


def items(
    limits: Limits,
    parts: Parts,
    state: PlanState,
    power: PowerState,
    seen: Seen,
    waived: Sequence[str],
) -> list[Item]:
    """Return all that must hold before a host is started."""
    now_s = seen.now_s
    # Nobody can vouch for a mains whose own contact says otherwise, or says nothing.
    contacts = all(seen[id].is_true for id in parts.mains)
    on_mains = contacts and is_fed(limits, power)
    list_ = [Item("mains", on_mains, why(f"permit.power-{power.state}"))]
    if limits.stable_s > 0:
        since_s = power.mains_s
        stable = since_s is not None and now_s >= since_s + limits.stable_s
        list_.append(Item("stable", stable, why("permit.stable", seconds=limits.stable_s)))
    # Where every UPS is out of service nobody is asked.
    upses = with_a_say(parts.upses, seen)
    if limits.charge_above is not None and upses:
        charge = _charge(upses, seen)
        ok = None if charge is None else charge >= limits.charge_above
        list_.append(Item("charge", ok, why("permit.charge", limit=limits.charge_above)))
    bands = [
        ("voltage", limits.voltage, "input-voltage"),
        ("frequency", limits.frequency, "input-frequency"),
    ]
    for_s = 0.0 if "stable" in waived else limits.stable_s
    is_unstable = any(ups.unstable for ups in upses.values())
    for id, band, quantity in bands:
        if band is not None and upses:
            ok = False if is_unstable else _in_band(upses, quantity, for_s, seen)
            is_unstable = False  # it is told by the first of them only
            list_.append(Item(id, ok, why(f"permit.{id}", low=band.low, high=band.high)))
    limit_c = limits.temperature_below
    if limit_c is None and state.hot:
        limit_c = limits.shutdown_c - COOLER_K
    if limit_c is not None and parts.temperatures:
        hottest = max_c(parts, seen)
        cool = None if hottest is None else hottest < limit_c
        list_.append(Item("temperature", cool, why("permit.temperature", limit=limit_c)))
    fire = fire_state(seen.states)
    list_.append(Item("smoke", not (fire.latched or fire.active()), why("permit.smoke")))
    list_.append(Item("cut", not cut_state(seen.states).is_exerted, why("permit.cut")))
    if limits.ups_off:
        told_s = state.ups_told_s
        stays = told_s is None or now_s >= told_s + UPS_OFF_S
        list_.append(Item("ups-off", stays, why("permit.ups-off")))
    heat = replace(state, hot=False) if "temperature" in waived else state
    asks = everything(limits, parts, heat, power, seen)
    list_.append(Item("calm", asks is None, asks or why("permit.calm")))
    finished = is_finished(parts, state)
    # While one of before still boots, it is not over yet.
    held = not state.begun or (state.over_s is not None and now_s >= state.over_s + OFF_HOLD_S)
    list_.append(Item("finished", finished and held, why("permit.finished")))
    return list_


def is_fed(limits: Limits, power: PowerState) -> bool:
    """Whether the mains is there, or is not known not to be where nothing more is asked."""
    is_unknown = power.reason == why("power.unknown")
    return power.state is Power.MAINS or power.vouched or (is_unknown and not limits.asks_mains)


def _charge(upses: Mapping[str, UpsState], seen: Seen) -> float | None:
    """The least charge of all UPSes as they tell it now; what was told before is no answer."""
    told = [
        seen[f"{id}.charge"].number for id, ups in upses.items() if tells(id, ups, "charge", seen)
    ]
    known = [value for value in told if value is not None]
    return min(known) if known and len(known) == len(told) else None


def _in_band(
    upses: Mapping[str, UpsState], quantity: str, for_s: float, seen: Seen
) -> bool | None:
    """Whether every UPS has seen this of its input in band for so long."""
    told = {id: ups for id, ups in upses.items() if tells(id, ups, quantity, seen)}
    if not told or any(seen[f"{id}.{quantity}"].number is None for id in told):
        return None
    ends_s = [ups.in_band_s.get(quantity, NEVER_S) + for_s for ups in told.values()]
    return seen.now_s >= max(ends_s)


def braves(waived: Sequence[str]) -> bool:
    """Whether a person answers for the voltage or the frequency of the mains."""
    return not {"voltage", "frequency"}.isdisjoint(waived)


def lacking(list_: Sequence[Item], waived: Sequence[str]) -> Item | None:
    """Return the first permissive that does not hold and that nobody has waived."""
    return next((item for item in list_ if item.ok is not True and item.id not in waived), None)


def turn(spec: HostSpec, parts: Parts, state: PlanState) -> Reason | None:
    """Return why it is not this host's turn; None when it is. The last stage to stop is the
    first to start; what it needs must run."""
    for other in parts.hosts:
        phase = state.host(other.id).phase
        if other.stage > spec.stage and phase in COMING:
            return why("plan.waits-for", host=other.id)
        if other.id in spec.after and phase is not Phase.RUNNING:
            return why("plan.waits-for", host=other.id)
    return None


def blocked_by(spec: HostSpec, state: PlanState) -> str | None:
    """Return a host that this one needs and that neither runs nor comes."""
    there = (Phase.RUNNING, *COMING)
    return next((id for id in spec.after if state.host(id).phase not in there), None)


def may_follow(limits: Limits, parts: Parts, state: PlanState, now_s: float) -> bool:
    """Whether the next start keeps its distance from the last, and nobody is being decided on."""
    spaced = state.started_s is None or now_s >= state.started_s + limits.spacing_s
    pending = any(
        state.host(spec.id).phase in (Phase.WAITING, Phase.STARTING)
        and state.host(spec.id).asked_s is not None
        for spec in parts.hosts
    )
    return spaced and not pending
