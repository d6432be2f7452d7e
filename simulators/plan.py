"""What of a room is simulated: the one place that reads the room file for the simulators.

Parts named in `[simulation] real` are left out: they are really there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from controller.config.schema import RoomFile
from controller.core.registers import RegisterMap
from simulators.busplan import BusClimate, BusContact, bus_climate, bus_contact
from simulators.powerplan import (
    UPS_ROLES,
    HostPart,
    OwnUpsd,
    UpsPart,
    host_parts,
    own_upsd,
    secret,
    ups_parts,
)

PJLINK_PORT = 4352


class Loop(msgspec.Struct, frozen=True):
    """One loop of wire between a pin with a pull-up and ground: closed is a low level."""

    pin: int
    normally_open: bool


class ContactPart(msgspec.Struct, frozen=True):
    """One without loops stands on a bus. `of`: the output that it proves, or the UPS that it
    tells of."""

    id: str
    role: str
    loops: tuple[Loop, ...]
    of: str | None = None


class ClimatePart(msgspec.Struct, frozen=True):
    """A sensor in the air; `kind` is "dht22" or "dht11"."""

    id: str
    kind: str


class CoilPart(msgspec.Struct, frozen=True):
    """One relay and what it moves. `shunt`: a breaker that only a hand recloses."""

    id: str
    role: str
    pin: int
    scope: str | None = None
    active_high: bool = True
    on_when_energised: bool = True
    shunt: bool = False


class ProjectorPart(msgspec.Struct, frozen=True):
    """`address` is None where nothing listens (a projector without a network)."""

    id: str
    outlet: str
    cooling_s: float
    on_ups: bool = False
    address: tuple[str, int] | None = None
    password: str | None = None


class Plan(msgspec.Struct, frozen=True):
    """The simulated parts of a room. `has_ups`: what its racks are fed by; `upsd`: our own."""

    contacts: tuple[ContactPart, ...] = ()
    climates: tuple[ClimatePart, ...] = ()
    coils: tuple[CoilPart, ...] = ()
    projectors: tuple[ProjectorPart, ...] = ()
    has_ups: bool = False
    upses: tuple[UpsPart, ...] = ()
    hosts: tuple[HostPart, ...] = ()
    bus_climates: tuple[BusClimate, ...] = ()
    bus_contacts: tuple[BusContact, ...] = ()
    upsd: OwnUpsd | None = None


def plan_of(room: RoomFile, maps: Mapping[str, RegisterMap] | None = None) -> Plan:
    """Read the simulated parts from a room file, and the secrets that their protocols need.

    `maps` holds the register map of each Modbus UPS by its id; one without is not on the network.
    """
    real = frozenset(room.simulation.real)

    def simulated(parts: Iterable[Any], *kinds: str) -> list[Any]:
        return [part for part in parts if part.id not in real and _kind(part) in kinds]

    upses = ups_parts(room, maps or {})
    only_ups = upses[0].id if len(upses) == 1 else None
    return Plan(
        contacts=tuple(
            _contact(part, only_ups)
            for part in simulated(room.inputs, "contact", "contact-pair", "modbus-contact")
        ),
        climates=tuple(
            ClimatePart(part.id, _kind(part)) for part in simulated(room.inputs, "dht22", "dht11")
        ),
        coils=tuple(_coil(part) for part in simulated(room.outputs, "relay")),
        projectors=tuple(
            _projector(part, room) for part in simulated(room.projectors, "pjlink", "relay-only")
        ),
        has_ups=bool(room.upses or upses),
        upses=upses,
        hosts=host_parts(room),
        bus_climates=tuple(
            filter(None, map(bus_climate, simulated(room.inputs, "modbus-climate")))
        ),
        bus_contacts=tuple(
            filter(None, map(bus_contact, simulated(room.inputs, "modbus-contact")))
        ),
        upsd=own_upsd(room),
    )


def _kind(part: Any) -> str:
    """The kind of a part is the driver module that its configuration comes from."""
    return type(part).__module__.rpartition(".")[2].replace("_", "-")


def _contact(part: Any, only_ups: str | None) -> ContactPart:
    loops: tuple[Loop, ...] = ()
    match _kind(part):
        case "contact-pair":
            no_pin, nc_pin = part.pins
            loops = (Loop(no_pin, True), Loop(nc_pin, False))
        case "contact":
            loops = (Loop(part.pin, part.contact == "no"),)
    of = getattr(part, "of", None)
    if of is None and part.role in UPS_ROLES:
        of = only_ups
    return ContactPart(part.id, part.role, loops, of)


def _coil(part: Any) -> CoilPart:
    on_when_energised = part.energised == "on"
    return CoilPart(
        id=part.id,
        role=part.role,
        pin=part.pin,
        scope=part.scope,
        active_high=part.active == "high",
        on_when_energised=on_when_energised,
        shunt=part.role == "cut-off" and part.pulse is not None and on_when_energised,
    )


def _projector(part: Any, room: RoomFile) -> ProjectorPart:
    address = None
    password = None
    if _kind(part) == "pjlink":
        address = _host_and_port(part.address)
        if part.password_file is not None:
            password = secret(room.resolve(part.password_file))
    return ProjectorPart(
        id=part.id,
        outlet=part.outlet,
        cooling_s=float(part.cooling),
        on_ups=part.supply == "ups",
        address=address,
        password=password,
    )


def _host_and_port(address: str) -> tuple[str, int]:
    """Read "host", "host:port" or "[v6]:port"; the room file has been checked already."""
    found = urlsplit(f"//{address}")
    return found.hostname or "", found.port or PJLINK_PORT
