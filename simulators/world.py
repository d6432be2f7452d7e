"""The simulated world: everything outside the controller's pins and sockets, in one model.

No socket, thread or clock in here: the instant is handed in, and what happened on the wires is
taken out as edges. `simulators.server` puts it behind a socket.

How it hangs together: relay coils move switchgear; switchgear and the mains supply UPSes, outlets
and air conditioner, UPSes the racks and their hosts; those warm or cool the air and light lamps;
contacts show doors, smoke, the mains, what the switchgear did and what a UPS tells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from simulators.air import Air
from simulators.contacts import Contact
from simulators.plan import ContactPart, Plan
from simulators.power import Power
from simulators.probe import DHTS, Probe
from simulators.projector import HEAT_W, Projector
from simulators.subjects import Refused, subjects_of
from simulators.switchgear import Switchgear
from simulators.truth import truth_of

LOG_LENGTH = 10_000


class Edge(msgspec.Struct, frozen=True, array_like=True):
    """A wire that changed its level: high or low, at `at_s` of the room's monotonic clock."""

    at_s: float
    pin: int
    high: bool


class World:
    """The world of one room, from the instant `now_s` on."""

    def __init__(self, plan: Plan, now_s: float) -> None:
        self.plan = plan
        self.now_s = now_s
        self.air = Air()
        self.clock_synchronised = True
        self.lines: dict[int, bool] = {}
        self.log: deque[Edge] = deque(maxlen=LOG_LENGTH)
        self.contacts = {part.id: Contact(part) for part in plan.contacts}
        self.probes = {part.id: Probe(part.kind, part.id) for part in plan.climates}
        self.probes |= {
            part.id: Probe("modbus-climate", part.id, ranges=part.ranges, steps=part.steps)
            for part in plan.bus_climates
        }
        self.switchgear = {part.id: Switchgear(part) for part in plan.coils}
        self.projectors = {
            part.id: Projector(part.cooling_s, now_s=now_s) for part in plan.projectors
        }
        self.projector_faults: dict[str, str] = {}
        self.ups_faults: dict[str, str] = {}
        self.power = Power(plan.upses, plan.hosts, has_ups=plan.has_ups, now_s=now_s)
        self.mains = self._mains_contact()
        self.mains.natural = True
        self._subjects = subjects_of(self)
        self._levels: dict[int, bool] = {}
        self._edges: list[Edge] = []
        self._settle()
        self.take_edges()

    @property
    def levels(self) -> dict[int, bool]:
        """The electrical level of every input pin: true is high, an open loop."""
        return dict(self._levels)

    @property
    def next_s(self) -> float:
        """When something happens by itself the next time."""
        return min(
            [contact.next_s for contact in self.contacts.values()]
            + [projector.ends_s for projector in self.projectors.values()]
            + [self.power.next_s]
        )

    def advance(self, now_s: float) -> None:
        """Let time pass until `now_s`, with all that happens by itself until then."""
        while (next_s := self.next_s) <= now_s:
            self._step(next_s)
            self._settle()
        self._step(now_s)

    def drive(self, lines: Mapping[int, bool]) -> None:
        """Take the electrical levels of output lines. A line keeps its last level for ever."""
        for pin, high in lines.items():
            if self.lines.get(pin) is not high:
                self.lines[pin] = high
                self._note(pin, high)
        self._settle()

    def sim(self, subject: str, value: str) -> None:
        """Make `subject` so. Raises: Refused."""
        found = self._subjects.get(subject)
        if found is None:
            known = ", ".join(sorted(self._subjects))
            raise Refused(f"{subject!r} is not in this room's world; there are: {known}")
        found.check(subject, value)
        found.act(value)
        self._settle()

    def pulses(self, id: str) -> list[int]:
        """Measure with the sensor `id`; the pulse lengths it sends. Raises: Refused."""
        if id not in self.probes or self.probes[id].kind not in DHTS:
            raise Refused(f"{id!r} is not a simulated sensor of this room")
        return list(self.probes[id].measure(self.air))

    def switch_projector(self, id: str, on: bool) -> bool:
        """Switch a projector, by remote or network; return whether it took it."""
        taken = self.projectors[id].switch(on)
        self._settle()
        return taken

    def take_edges(self) -> list[Edge]:
        """Return the edges of input pins since the last call, oldest first."""
        edges, self._edges = self._edges, []
        return edges

    def truth(self) -> dict[str, Any]:
        """Return everything that is so, whatever the controller knows; see `truth_of`."""
        return truth_of(self)

    def stop_host(self, id: str) -> bool:
        """Ask a host's operating system to shut down; return whether it does."""
        taken = self.power.hosts[id].stop()
        self._settle()
        return taken

    def start_host(self, id: str) -> bool:
        """Switch a host on; return whether it boots."""
        taken = self.power.hosts[id].start()
        self._settle()
        return taken

    def switch_off_host(self, id: str) -> None:
        """Switch a host off at once, as its management controller can."""
        self.power.hosts[id].switch_off()
        self._settle()

    def wake(self, mac: str) -> None:
        """Start the host whose network card has this address, if there is one."""
        for part in self.plan.hosts:
            if part.mac == mac and self.power.hosts[part.id].fault != "silent":
                self.start_host(part.id)

    def switch_off_ups(self, id: str) -> None:
        """Switch a UPS's output off, and on again when the mains is there."""
        self.power.upses[id].switch_off()
        self._settle()

    def set_nut_status(self, host: str, status: str) -> None:
        """Set what the virtual UPS of a host says to its upsmon."""
        self.power.nut_status[host] = status
        self._settle()

    def _step(self, to_s: float) -> None:
        self.air.advance(max(0.0, to_s - self.now_s))
        self.now_s = max(self.now_s, to_s)
        self.power.advance(self.now_s)
        for projector in self.projectors.values():
            projector.advance(self.now_s)
        for contact in self.contacts.values():
            contact.advance(self.now_s)

    def _settle(self) -> None:
        """Carry what changed through the room, from the coils to the contacts."""
        for gear in self.switchgear.values():
            # A line that nobody has claimed yet leaves its relay released.
            gear.drive(self.lines.get(gear.part.pin) is gear.part.active_high)
        from_mains = self.mains.value and not self.is_cut("room")
        lit_w = {id: HEAT_W * projector.is_lit for id, projector in self.projectors.items()}
        on_ups_w = sum(lit_w[part.id] for part in self.plan.projectors if part.on_ups)
        self.power.settle(from_mains, self.is_cut("ups"), self._supplies, on_ups_w)
        for part in self.plan.projectors:
            supplied = self.power.ups_fed if part.on_ups else from_mains
            self.projectors[part.id].supply(supplied and self._supplies(part.outlet))
        self.air.cooling = from_mains and self._cooling_asked()
        self.air.heat_w = self.power.racks_w + sum(lit_w.values())
        for contact in self.contacts.values():
            natural = self._natural(contact)
            if natural is not None:
                contact.natural = natural
            self._show(contact)

    def _show(self, contact: Contact) -> None:
        for loop, closed in zip(contact.part.loops, contact.closed(), strict=True):
            high = not closed
            if self._levels.get(loop.pin) is not high:
                self._levels[loop.pin] = high
                self._edges.append(self._note(loop.pin, high))

    def _note(self, pin: int, high: bool) -> Edge:
        edge = Edge(self.now_s, pin, high)
        self.log.append(edge)
        return edge

    def is_cut(self, scope: str) -> bool:
        return any(
            gear.is_on
            for gear in self.switchgear.values()
            if gear.part.role == "cut-off" and gear.part.scope == scope
        )

    def _supplies(self, outlet: str) -> bool:
        """Whether an outlet has its contact closed; one that is not simulated has."""
        return outlet not in self.switchgear or self.switchgear[outlet].is_on

    def _natural(self, contact: Contact) -> bool | None:
        """What the rest of the room makes of a contact; None where it moves by itself."""
        part = contact.part
        if part.role == "mains" and contact is not self.mains:
            return self.mains.value
        if part.role == "feedback" and part.of in self.switchgear:
            return self.switchgear[part.of].is_on
        ups = self.power.upses.get(part.of or "")
        if ups is None:
            return None
        match part.role:
            case "ups-on-battery":
                return ups.supply == "battery"
            case "ups-battery-low":
                return ups.battery_low
            case "ups-fault":
                return bool(ups.faults)
        return None

    def _cooling_asked(self) -> bool:
        """A room without a cooling output has an air conditioner that nobody switches."""
        asked = [gear.is_on for gear in self.switchgear.values() if gear.part.role == "cooling"]
        return any(asked) or not asked

    def _mains_contact(self) -> Contact:
        """The mains is what its contact would say with its wire whole; one with no wires where
        the room has none."""
        for contact in self.contacts.values():
            if contact.part.role == "mains":
                return contact
        return Contact(ContactPart("mains", "mains", ()))
