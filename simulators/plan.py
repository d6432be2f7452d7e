"""What of a room is simulated: the one place that reads the room file for the simulators.

Parts named in `[simulation] real` are left out: they are really there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from controller.config.schema import RoomFile

PJLINK_PORT = 4352


class Loop(msgspec.Struct, frozen=True):
    """One loop of wire between a pin with a pull-up and ground: closed is a low level."""

    pin: int
    normally_open: bool


class ContactPart(msgspec.Struct, frozen=True):
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
    """The simulated parts of a room. `has_ups`: what its racks are fed by."""

    contacts: tuple[ContactPart, ...] = ()
    climates: tuple[ClimatePart, ...] = ()
    coils: tuple[CoilPart, ...] = ()
    projectors: tuple[ProjectorPart, ...] = ()
    has_ups: bool = False


def plan_of(room: RoomFile) -> Plan:
    """Read the simulated parts from a room file, and the secrets that their protocols need."""
    real = frozenset(room.simulation.real)

    def simulated(parts: Iterable[Any], *kinds: str) -> list[Any]:
        return [part for part in parts if part.id not in real and _kind(part) in kinds]

    return Plan(
        contacts=tuple(
            _contact(part) for part in simulated(room.inputs, "contact", "contact-pair")
        ),
        climates=tuple(
            ClimatePart(part.id, _kind(part)) for part in simulated(room.inputs, "dht22", "dht11")
        ),
        coils=tuple(_coil(part) for part in simulated(room.outputs, "relay")),
        projectors=tuple(
            _projector(part, room) for part in simulated(room.projectors, "pjlink", "relay-only")
        ),
        has_ups=bool(room.upses),
    )


def _kind(part: Any) -> str:
    """The kind of a part is the driver module that its configuration comes from."""
    return type(part).__module__.rpartition(".")[2].replace("_", "-")


def _contact(part: Any) -> ContactPart:
    if _kind(part) == "contact-pair":
        no_pin, nc_pin = part.pins
        loops: tuple[Loop, ...] = (Loop(no_pin, True), Loop(nc_pin, False))
    else:
        loops = (Loop(part.pin, part.contact == "no"),)
    return ContactPart(part.id, part.role, loops, getattr(part, "of", None))


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
            password = _secret(room.resolve(part.password_file))
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


def _secret(path: Path) -> str | None:
    """A room whose secret is missing still has a projector: one that asks for no password."""
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
