"""The lines that parts are asked over: the form of their addresses, and who shares one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from controller.config.faults import MISSING, Fault, entries, show
from controller.config.forms import ModbusAddress, NutAddress
from controller.config.schema import RoomFile
from controller.config.values import convert
from controller.core.partconfig import PartConfig

ADDRESSES = {
    "modbus": ModbusAddress,
    "modbus-climate": ModbusAddress,
    "modbus-contact": ModbusAddress,
    "nut": NutAddress,
}
# What a serial line has where the address does not say otherwise.
_LINE = {"baudrate": "9600", "parity": "N", "stopbits": "1"}


def check_buses(room: RoomFile) -> list[Fault]:
    """Return every fault of the parts' addresses. Meets faulty rooms too."""
    return [*_addresses(room), *_simulated(room), *_lines(room), *_units(room)]


def _parts(room: RoomFile) -> Iterator[tuple[str, PartConfig, str]]:
    """Each part with a bus's address, by its key; without those whose address has a fault."""
    for table, parts in (("ups", room.upses), ("input", room.inputs)):
        for key, part in entries(table, parts):
            address = getattr(part, "address", None)
            if (
                part.kind in ADDRESSES
                and isinstance(address, str)
                and _fault(part, address) is None
            ):
                yield key, part, address


def _fault(part: PartConfig, address: str) -> str | None:
    try:
        convert(ADDRESSES[part.kind], address)
    except ValueError as error:
        return str(error)
    return None


def _addresses(room: RoomFile) -> Iterator[Fault]:
    for table, parts in (("ups", room.upses), ("input", room.inputs)):
        for key, part in entries(table, parts):
            address = getattr(part, "address", None)
            if part.kind in ADDRESSES and isinstance(address, str):
                allowed = _fault(part, address)
                if allowed is not None:
                    yield Fault(f"{key}.address", show(address), allowed)
                elif (
                    part.kind == "nut"
                    and "@" in address
                    and getattr(part, "password_file", None) is None
                ):
                    yield Fault(
                        f"{key}.password_file", MISSING, "a file, as the address names a user"
                    )


def _simulated(room: RoomFile) -> Iterator[Fault]:
    if room.board.kind != "simulated":
        return
    for key, part, address in _parts(room):
        if address.startswith("rtu:") and part.id not in room.simulation.real:
            yield Fault(
                f"{key}.address",
                show(address),
                "tcp://host:port on a simulated board, or the part among simulation.real",
            )


def line_of(address: str) -> str:
    """The line that an address lies on: its serial device, or its host and port."""
    if address.startswith("rtu:"):
        return urlsplit(address).path
    url = urlsplit(address)
    port = url.port or {"nut": 3493}.get(url.scheme)
    return f"{url.hostname}:{port}" + (url.path if url.scheme == "nut" else "")


def _lines(room: RoomFile) -> Iterator[Fault]:
    """Parts on one serial line must agree on its settings."""
    first: dict[str, tuple[str, dict[str, str]]] = {}
    for key, _, address in _parts(room):
        if not address.startswith("rtu:"):
            continue
        settings = _LINE | dict(parse_qsl(urlsplit(address).query))
        other, agreed = first.setdefault(line_of(address), (key, settings))
        if settings != agreed:
            told = ", ".join(f"{name}={value}" for name, value in agreed.items())
            yield Fault(f"{key}.address", show(address), f"{told}, as {other} on the same line")


def _units(room: RoomFile) -> Iterator[Fault]:
    """A UPS has its unit for itself; inputs may be of one module, each at a place of its own."""
    owners: dict[tuple[str, Any], str] = {}
    taken: dict[tuple[Any, ...], str] = {}
    for key, part, address in _parts(room):
        unit = getattr(part, "unit", None)
        if unit is None and part.kind != "nut":
            continue
        here = (line_of(address), unit)
        name = "address" if unit is None else "unit"
        value = show(address if unit is None else unit)
        if here in owners:
            yield Fault(f"{key}.{name}", value, f"one of its own; {owners[here]} has this one")
        elif part.kind in ("modbus", "nut"):
            owners[here] = key
        for place in _places(part):
            other = taken.setdefault((*here, *place), key)
            if other != key:
                yield Fault(f"{key}.{name}", value, f"a register of its own; {other} reads it")


def _places(part: PartConfig) -> set[tuple[Any, ...]]:
    """Where an input is read: function and register, and the bit of a contact."""
    function = getattr(part, "function", None)
    if part.kind == "modbus-contact":
        return {(function, getattr(part, "register", None), getattr(part, "bit", 0))}
    quantities = (getattr(part, name, None) for name in ("temperature", "humidity"))
    registers = {getattr(quantity, "register", None) for quantity in quantities if quantity}
    return {(function, register) for register in registers if register is not None}
