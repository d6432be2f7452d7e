"""The priority array: who holds an output, and why (BACnet, clause 19).

Rules and requests put demands into slots; the highest slot (the lowest number) wins. When one
slot asks for both, the output's role says which of them wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

import msgspec

from controller.core.reason import Reason, why


class Slot(IntEnum):
    MANUAL_LIFE_SAFETY = 1
    LIFE_SAFETY = 2
    INTERLOCK = 3
    CRITICAL_EQUIPMENT = 5
    PLAN = 7
    OPERATOR = 8
    TIMETABLE = 10
    AUTOMATIC = 12
    DEFAULT = 16


class Demand(msgspec.Struct, frozen=True):
    """What somebody wants of an output. `until_s`, monotonic, where the demand has an end;
    `intermittent`: on and off in turns, as a siren's pre-alarm sounds."""

    output: str
    slot: Slot
    on: bool
    reason: Reason
    until_s: float | None = None
    intermittent: bool = False


class OutputSpec(msgspec.Struct, frozen=True):
    """One output, as the core knows it.

    `on` is the role exerted (the room is cut, cooling runs). `energised_on` says whether an
    energised coil gives on. `minimum_off_s` is a compressor's rest, `pulse_s` how long a shunt
    coil is energised, `prove_s` how long feedback may take; `feedback` are the points that tell
    the actual state. `host`: what hangs on it, which must be down before it is switched.
    """

    id: str
    role: str
    scope: str | None = None
    default: bool = False
    on_wins: bool = True
    energised_on: bool = True
    minimum_off_s: float = 0.0
    pulse_s: float | None = None
    prove_s: float = 2.0
    feedback: tuple[str, ...] = ()
    switchable: bool = False
    host: str | None = None
    place: str = ""

    @property
    def unpowered(self) -> bool:
        """What the output is while nobody drives the coil, as at power-on."""
        return not self.energised_on


class OutputState(msgspec.Struct, frozen=True):
    """What an output was commanded to be, since when, by which slot, and why.

    `pulsed_s` is when the coil of a pulsed output was last energised.
    """

    on: bool
    slot: Slot
    reason: Reason
    since_s: float
    until_s: float | None = None
    pulsed_s: float | None = None
    intermittent: bool = False


DEFAULT_REASON = why("default")


def winner(spec: OutputSpec, demands: Iterable[Demand]) -> Demand:
    """Return the demand that holds the output; the relinquish default where nobody wants it."""
    best: Demand | None = None
    for demand in demands:
        if (
            best is None
            or demand.slot < best.slot
            or (demand.slot == best.slot and demand.on == spec.on_wins != best.on)
        ):
            best = demand
    return best or Demand(spec.id, Slot.DEFAULT, spec.default, DEFAULT_REASON)


def commanded(
    spec: OutputSpec, was: OutputState, demands: Iterable[Demand], now_s: float
) -> OutputState:
    """Return the output's state under these demands; the same object when nothing changed."""
    best = winner(spec, demands)
    if best.on != was.on:
        pulsed_s = now_s if best.on and spec.pulse_s is not None else None
        since_s = now_s
    else:
        pulsed_s, since_s = was.pulsed_s, was.since_s
    new = OutputState(
        best.on, best.slot, best.reason, since_s, best.until_s, pulsed_s, best.intermittent
    )
    return was if new == was else new


def coil(spec: OutputSpec, state: OutputState, now_s: float) -> bool:
    """Return whether the coil is to be energised now. A pulsed coil only for its pulse."""
    if spec.pulse_s is None:
        return state.on is spec.energised_on
    pulsing = state.pulsed_s is not None and now_s < state.pulsed_s + spec.pulse_s
    return state.on and pulsing


def pulse_end_s(spec: OutputSpec, state: OutputState, now_s: float) -> float | None:
    """Return when a pulse now under way ends, else None."""
    if spec.pulse_s is None or state.pulsed_s is None:
        return None
    end_s = state.pulsed_s + spec.pulse_s
    return end_s if end_s > now_s else None
