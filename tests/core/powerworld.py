"""What feeds the rig's room and what is fed: UPSes with batteries, and hosts that answer.

Physics are the simulators' own. Everything can fail: a UPS that is silent or says nonsense, a
host that ignores its stop, does not boot, comes up again, or whose network is dead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.battery import Battery
from simulators.host import SimulatedHost

LOAD_W = 3000.0


@dataclass
class Unit:
    """A UPS: `silent` answers nothing (`link` is what is told of that), `says` overrides single
    values (None: it cannot be right, a missing key: it is not told), `breaker` takes its input
    while the mains is there, `deaf` takes no command."""

    id: str
    battery: Battery
    talks: bool = True
    silent: bool = False
    link: str = "silent: no answer"
    frozen: bool = False
    breaker: bool = False
    deaf: bool = False
    volts: float = 230.0
    hertz: float = 50.0
    low_pct: float = 10.0
    says: dict[str, object] = field(default_factory=dict)
    untold: set[str] = field(default_factory=set)
    sent: list[str] = field(default_factory=list)
    switched_off: bool = False

    def feeds(self, mains: bool) -> bool:
        """Whether its output has power."""
        return not self.switched_off and (self.has_input(mains) or self.battery.charge_pct > 0.0)

    def has_input(self, mains: bool) -> bool:
        return mains and not self.breaker

    def settle(self, mains: bool) -> None:
        on = self.has_input(mains)
        if on:
            self.switched_off = False  # it comes back by itself when the mains does
        self.battery.charging = on
        drains = not on and not self.switched_off and self.battery.charge_pct > 0.0
        self.battery.drawn_w = LOAD_W if drains else 0.0

    def values(self, mains: bool, poll: int) -> dict[str, object]:
        on = self.has_input(mains)
        told: dict[str, object] = {
            "supply": "off" if self.switched_off else "mains" if on else "battery",
            "battery-low": self.battery.charge_pct <= self.low_pct,
            "charge": self.battery.charge_pct,
            "runtime": self.battery.lasts_s(LOAD_W),
            "load": 20.0,
            "input-voltage": (self.volts if on else 0.0) + 0.1 * (poll % 2),
            "input-frequency": self.hertz if on else 0.0,
            "self-test": "none",
            "faults": "",
        } | self.says
        return {name: value for name, value in told.items() if name not in self.untold}


@dataclass
class Server:
    """A host. `deaf`: its stop cannot be given or taken back; `refuses`: so many starts cannot be
    given; `misses`: so many starts do not reach it, and nobody knows; `mute`: its commands are
    never answered; `dead_path`: whatever is silent proves nothing; `reboots`: it comes up again
    after it stopped; `sick`: it boots and is never ready; `no_ready`: nothing is listed that
    makes it ready; `initialise_hangs`: nobody ever hears the end of it; `seen_running`: it ran
    when it was last looked at."""

    body: SimulatedHost
    kinds: tuple[str, ...]
    outlet: str | None
    deaf: bool = False
    refuses: int = 0
    misses: int = 0
    dead_path: bool = False
    mute: bool = False
    reboots: bool = False
    sick: bool = False
    no_ready: bool = False
    initialise_fails: bool = False
    initialise_hangs: bool = False
    done: int | None = None
    looked_s: float = 0.0
    busy_until_s: float = 0.0
    seen_running: bool = True
    sent: list[tuple[float, str]] = field(default_factory=list)

    def look(self) -> dict[str, bool | None]:
        body = self.body
        self.seen_running = body.is_running
        up = {"network": body.answers, "client": body.answers, "management": body.is_running}
        told: dict[str, bool | None] = {
            kind: up[kind] or (None if self.dead_path else False)
            for kind in self.kinds
            if kind in up
        }
        if not self.no_ready:
            told["ready"] = body.answers and body.is_up and not self.sick
        return told

    def do(self, action: str, at_s: float) -> str:
        """Carry out a command; return the reply's end."""
        self.sent.append((at_s, action))
        match action:
            case "stop":
                if self.deaf:
                    return "failed: it cannot be reached"
                self.body.stop()
            case "clear":
                if self.deaf:
                    return "failed: it cannot be reached"
            case "start" if self.refuses:
                self.refuses -= 1
                return "failed: its controller is booting"
            case "start" if self.misses:
                self.misses -= 1
            case "start":
                self.body.start()
            case "initialise":
                if self.initialise_fails:
                    return "failed: the office system said no"
            case "test" | "test-start":
                if self.deaf:
                    return "failed: it cannot be reached"
        return "ok"

    def tick(self) -> None:
        if self.reboots and self.body.has_power and not self.body.is_running:
            self.body.start()
