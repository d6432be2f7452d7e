"""A projector with a lamp that is hot long after it was lit, and a fan that needs the outlet."""

from __future__ import annotations

from enum import StrEnum

from simulators.air import relax

# Envelope of a UHP lamp while lit, and how fast it gets there: guesses.
_LIT_C = 900.0
_LIT_TAU_S = 10.0
_AMBIENT_C = 25.0
# With its fan a lamp is at room temperature (within 6 K) at the end of its cooling time;
# without it takes five times as long: guesses.
_FAN_TAUS = 5.0
_STILL_TAUS = 1.0

HEAT_W = 300.0
"""What a lit lamp adds to the room: a usual lamp's electrical power (guess)."""


class Power(StrEnum):
    UNPOWERED = "unpowered"
    STANDBY = "standby"
    WARM_UP = "warm-up"
    ON = "on"
    COOLING = "cooling"


class Projector:
    """One projector; physics and power states, no network.

    `lamp_c` is the lamp's temperature, `hot_cuts` how often the supply went while lamp or fan
    ran, which is what ruins lamps. `ends_s` is when warm-up or cooling is over.
    """

    def __init__(self, cooling_s: float, warm_up_s: float = 20.0, now_s: float = 0.0) -> None:
        self.power = Power.UNPOWERED
        self.lamp_c = _AMBIENT_C
        self.hot_cuts = 0
        self.now_s = now_s
        self.ends_s = float("inf")
        self._cooling_s = cooling_s
        self._warm_up_s = warm_up_s

    @property
    def is_lit(self) -> bool:
        return self.power in (Power.WARM_UP, Power.ON)

    def supply(self, present: bool) -> None:
        """Give or take the outlet's power. Nothing of the power state survives its loss."""
        if present and self.power is Power.UNPOWERED:
            self._enter(Power.STANDBY)
        elif not present and self.power is not Power.UNPOWERED:
            self.hot_cuts += self.power is not Power.STANDBY
            self._enter(Power.UNPOWERED)

    def switch(self, on: bool) -> bool:
        """Switch on or off, by remote or by network; return whether it was taken.

        A lamp that is cooling cannot be struck again; asking for what is already so is taken.
        """
        match (self.power, on):
            case (Power.STANDBY, True):
                self._enter(Power.WARM_UP, self._warm_up_s)
            case (Power.WARM_UP | Power.ON, False):
                self._enter(Power.COOLING, self._cooling_s)
            case (Power.UNPOWERED, _) | (Power.COOLING, True):
                return False
        return True

    def advance(self, now_s: float) -> None:
        """Let time pass until `now_s`; exact for any step."""
        while self.ends_s <= now_s:
            self._heat(self.ends_s)
            self._enter(Power.ON if self.power is Power.WARM_UP else Power.STANDBY)
        self._heat(now_s)

    def _enter(self, power: Power, for_s: float = float("inf")) -> None:
        self.power = power
        self.ends_s = self.now_s + for_s

    def _heat(self, to_s: float) -> None:
        dt_s = max(0.0, to_s - self.now_s)
        self.now_s = max(self.now_s, to_s)
        if self.is_lit:
            self.lamp_c = relax(self.lamp_c, _LIT_C, dt_s / _LIT_TAU_S)
        else:
            taus = _FAN_TAUS if self.power is Power.COOLING else _STILL_TAUS
            self.lamp_c = relax(self.lamp_c, _AMBIENT_C, dt_s * taus / self._cooling_s)
