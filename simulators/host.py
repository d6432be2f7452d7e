"""A server that takes its time to stop and to boot, and what it loses when its power goes."""

from __future__ import annotations

from enum import StrEnum

STOP_S = 15.0
BOOT_S = 20.0
# Guesses for a server of one or two height units.
RUNNING_W = 400.0
STANDBY_W = 10.0

FAULTS = ("silent", "hang", "no-boot")
"""A dead network, an operating system that ignores the stop, and one that does not come up."""

VALUES = (*FAULTS, "crash", "on", "off", "normal")


class Phase(StrEnum):
    UNPOWERED = "unpowered"
    OFF = "off"
    BOOTING = "booting"
    UP = "up"
    STOPPING = "stopping"
    CRASHED = "crashed"


_RUNNING = (Phase.BOOTING, Phase.UP, Phase.STOPPING, Phase.CRASHED)


class SimulatedHost:
    """One server; physics and phases, no network.

    `ends_s` is when booting or stopping is over, `hard_cuts` how often its power went while it
    ran, `stops` and `starts` how often it came to be down and up. It starts as running, with
    power. When power returns it does what it did before the loss, or boots in any case where
    `boots_with_power` (what a server started by its outlet has to be set to).
    """

    def __init__(
        self,
        *,
        stop_s: float = STOP_S,
        boot_s: float = BOOT_S,
        boots_with_power: bool = False,
        now_s: float = 0.0,
    ) -> None:
        self.phase = Phase.UP
        self.fault: str | None = None
        self.now_s = now_s
        self.ends_s = float("inf")
        self.hard_cuts = 0
        self.stops = 0
        self.starts = 0
        self._stop_s = stop_s
        self._boot_s = boot_s
        self._boots_with_power = boots_with_power
        self._ran_before_loss = False

    @property
    def is_up(self) -> bool:
        return self.phase is Phase.UP

    @property
    def is_running(self) -> bool:
        """Whether it is switched on: what its management controller says, and what draws power."""
        return self.phase in _RUNNING

    @property
    def has_power(self) -> bool:
        return self.phase is not Phase.UNPOWERED

    @property
    def answers(self) -> bool:
        """Whether its operating system answers on the network."""
        return self.phase in (Phase.UP, Phase.STOPPING) and self.fault != "silent"

    @property
    def manageable(self) -> bool:
        """Whether its management controller answers on the network."""
        return self.has_power and self.fault != "silent"

    @property
    def drawn_w(self) -> float:
        if self.is_running:
            return RUNNING_W
        return STANDBY_W if self.has_power else 0.0

    def supply(self, present: bool) -> None:
        """Give or take its power."""
        if present and not self.has_power:
            self._enter(Phase.OFF)
            if self._boots_with_power or self._ran_before_loss:
                self.start()
        elif not present and self.has_power:
            self._ran_before_loss = self.is_running
            self.hard_cuts += self.is_running
            self._enter(Phase.UNPOWERED)

    def stop(self) -> bool:
        """Ask its operating system to shut down; return whether it does."""
        if not self.is_up or self.fault == "hang":
            return False
        self._enter(Phase.STOPPING, self._stop_s)
        return True

    def start(self) -> bool:
        """Switch it on: the button, its management controller, or a magic packet; return whether
        it boots."""
        if self.phase is not Phase.OFF:
            return False
        self._enter(Phase.BOOTING, float("inf") if self.fault == "no-boot" else self._boot_s)
        return True

    def switch_off(self) -> None:
        """Hold the button: off at once, and hard."""
        if self.is_running:
            self.hard_cuts += self.phase is not Phase.CRASHED
            self._enter(Phase.OFF)

    def act(self, value: str) -> None:
        """Do one of `VALUES`. "off" is a clean shutdown that is already over; "normal" ends the
        fault, and a crash or a hung boot by booting again."""
        match value:
            case "on":
                self.start()
            case "off":
                if self.is_running:
                    self._enter(Phase.OFF)
            case "crash":
                if self.is_running:
                    self._enter(Phase.CRASHED)
            case "normal":
                stuck = self.fault == "no-boot" and self.phase is Phase.BOOTING
                self.fault = None
                if stuck or self.phase is Phase.CRASHED:
                    self._enter(Phase.OFF)
                    self.start()
            case _:
                self.fault = value

    def advance(self, now_s: float) -> None:
        """Let time pass until `now_s`."""
        while self.ends_s <= now_s:
            self.now_s = self.ends_s
            if self.phase is Phase.BOOTING:
                self.starts += 1
                self._enter(Phase.UP)
            else:
                self.stops += 1
                self._enter(Phase.OFF)
        self.now_s = max(self.now_s, now_s)

    def _enter(self, phase: Phase, for_s: float = float("inf")) -> None:
        self.phase = phase
        self.ends_s = self.now_s + for_s
