"""What the fire rule goes by and remembers: its limits, the room's parts, its state."""

from __future__ import annotations

from typing import Any

import msgspec

from controller.core.countdown import Countdown
from controller.core.rules.detectors import Detector, Policy, Vote

PANEL_HOLD_S = 60.0
"""What one press on the panel holds."""

HOLD_STUCK_S = 180.0
"""A hold button active for so long is a fault and is ignored."""

RESET_PULSE_S = 5.0
"""Supply interruption that resets latching detectors (facts 3.3: 5 s by default)."""

RESET_SETTLE_S = 3.0
"""After their supply is back, detectors start up before they may vote (guess)."""


class FireLimits(msgspec.Struct, frozen=True):
    """Seconds, °C and K/min; behaviour section 3."""

    policy: Policy = Policy.TWO_DETECTORS
    window_s: float = 120.0
    verify_s: float = 60.0
    heat_above_c: float = 57.0
    heat_rise_k: float = 8.0
    budget_s: float = 0.0
    countdown_s: float = 60.0
    hold_total_s: float = 180.0
    prealarm_stops_cooling: bool = True


class FireParts(msgspec.Struct, frozen=True):
    """What the room has for this rule: ids of points and outputs."""

    detectors: tuple[Detector, ...] = ()
    call_points: tuple[str, ...] = ()
    emergencies: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    temperatures: tuple[str, ...] = ()
    sirens: tuple[str, ...] = ()
    beacons: tuple[str, ...] = ()
    coolings: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    resets: tuple[str, ...] = ()


class FireState(msgspec.Struct, frozen=True):
    """`why_running` says what the countdown is for: a reason id, "" without one.

    `latched`: a fire was confirmed and not reset. `cut`: the cut is due. `cooling_off`: cooling
    stays off until somebody switches it on again.
    """

    looked: bool = False
    votes: dict[str, Vote] = {}
    latched: bool = False
    latched_s: float = 0.0
    by: tuple[str, ...] = ()
    cut: bool = False
    countdown: Countdown | None = None
    countdown_why: str = ""
    cooling_off: bool = False
    silenced: tuple[str, ...] = ()
    pressed: tuple[str, ...] = ()
    held_by: dict[str, float] = {}
    reset_s: float | None = None
    reset_id: str = ""

    def active(self) -> tuple[str, ...]:
        """The detectors that see smoke now."""
        return tuple(sorted(name for name, vote in self.votes.items() if vote.active))

    def causes(self) -> tuple[str, ...]:
        """What sounds: each active detector or pressed contact, and the confirmed fire."""
        return (*self.active(), *self.pressed, *(("fire",) if self.latched else ()))


def fire_state(states: dict[str, Any]) -> FireState:
    """Return the fire rule's state of this scan, for the rules that come after it."""
    state = states.get("fire")
    return state if isinstance(state, FireState) else FireState()
