"""The simulated world: everything outside the controller's pins and sockets, in one model.

No socket, thread or clock in here: the instant is handed in, and what happened on the wires is
taken out as edges. `simulators.server` puts it behind a socket.

How it hangs together: relay coils move switchgear; switchgear and the mains supply outlets,
air conditioner and racks; those warm or cool the air and light lamps; contacts show doors,
smoke, the mains and what the switchgear did.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from simulators.air import Air
from simulators.contacts import Contact
from simulators.plan import ContactPart, Plan
from simulators.probe import Probe
from simulators.projector import HEAT_W, Projector
from simulators.subjects import Refused, subjects_of
from simulators.switchgear import Switchgear

RACKS_W = 3000.0
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
        self.switchgear = {part.id: Switchgear(part) for part in plan.coils}
        self.projectors = {
            part.id: Projector(part.cooling_s, now_s=now_s) for part in plan.projectors
        }
        self.projector_faults: dict[str, str] = {}
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
            + [projector.ends_s for projector in self.projectors.values()],
            default=float("inf"),
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
        if id not in self.probes:
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
        """Return everything that is so, whatever the controller knows of it.

        Keys: mono_s, clock_synchronised, air, supply; contacts, sensors, outputs and projectors
        by their ids; lines (of the controller) and pins (its inputs) by number, true is high.
        """
        return {
            "mono_s": self.now_s,
            "clock_synchronised": self.clock_synchronised,
            "air": {
                "temperature_c": self.air.temperature_c,
                "humidity_pct": self.air.humidity_pct,
                "cooling": self.air.cooling,
                "heat_w": self.air.heat_w,
            },
            "supply": {
                "mains": self.mains.value,
                "room_cut": self._is_cut("room"),
                "ups_cut": self._is_cut("ups"),
            },
            "contacts": {
                id: {
                    "role": contact.part.role,
                    "value": contact.value,
                    "closed": contact.closed(),
                    "wire_cut": contact.wire_cut,
                }
                for id, contact in self.contacts.items()
            },
            "sensors": {
                id: {"state": probe.state, "held": probe.held} for id, probe in self.probes.items()
            },
            "outputs": {
                id: {
                    "role": gear.part.role,
                    "energised": gear.energised,
                    "on": gear.is_on,
                    "stuck": gear.stuck,
                }
                for id, gear in self.switchgear.items()
            },
            "projectors": {
                id: {
                    "power": projector.power,
                    "lit": projector.is_lit,
                    "lamp_c": projector.lamp_c,
                    "hot_cuts": projector.hot_cuts,
                    "fault": self.projector_faults.get(id),
                }
                for id, projector in self.projectors.items()
            },
            "lines": {str(pin): high for pin, high in self.lines.items()},
            "pins": {str(pin): high for pin, high in self._levels.items()},
        }

    def _step(self, to_s: float) -> None:
        self.air.advance(max(0.0, to_s - self.now_s))
        self.now_s = max(self.now_s, to_s)
        for projector in self.projectors.values():
            projector.advance(self.now_s)
        for contact in self.contacts.values():
            contact.advance(self.now_s)

    def _settle(self) -> None:
        """Carry what changed through the room, from the coils to the contacts."""
        for gear in self.switchgear.values():
            # A line that nobody has claimed yet leaves its relay released.
            gear.drive(self.lines.get(gear.part.pin) is gear.part.active_high)
        from_mains = self.mains.value and not self._is_cut("room")
        from_ups = not self._is_cut("ups")
        for part in self.plan.projectors:
            outlet = self.switchgear.get(part.outlet)
            supplied = from_ups if part.on_ups else from_mains
            self.projectors[part.id].supply(supplied and (outlet is None or outlet.is_on))
        self.air.cooling = from_mains and self._cooling_asked()
        racks_run = from_ups if self.plan.has_ups else from_mains
        lit = sum(projector.is_lit for projector in self.projectors.values())
        self.air.heat_w = RACKS_W * racks_run + HEAT_W * lit
        for contact in self.contacts.values():
            if contact.part.role == "mains" and contact is not self.mains:
                contact.natural = self.mains.value
            elif contact.part.role == "feedback" and contact.part.of in self.switchgear:
                contact.natural = self.switchgear[contact.part.of].is_on
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

    def _is_cut(self, scope: str) -> bool:
        return any(
            gear.is_on
            for gear in self.switchgear.values()
            if gear.part.role == "cut-off" and gear.part.scope == scope
        )

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
