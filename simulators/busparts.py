"""What answers on a simulated Modbus line: UPSes, transmitters and contacts, by their unit ids."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from controller.core.registers import Register, Write, encode
from simulators.busplan import BusClimate, BusContact
from simulators.powerplan import Address, ModbusEnd
from simulators.world import World

_DAY_S = 86_400.0


class BusPart(Protocol):
    """One device, or one of several that share a unit id."""

    def fault(self) -> str | None:
        """How it fails now: one of `simulators.faults.LINE_FAULTS`."""
        ...

    def words(self) -> Mapping[Register, int]:
        """Everything that its registers hold now; a coil's or discrete input's is 0 or 1."""
        ...

    def write(self, asked: Write) -> bool:
        """Take a write; return whether it knows this one."""
        ...


class UpsOnBus:
    def __init__(self, world: World, id: str, end: ModbusEnd) -> None:
        self._world = world
        self._id = id
        self._map = end.map

    def fault(self) -> str | None:
        return self._world.ups_faults.get(self._id)

    def words(self) -> Mapping[Register, int]:
        meters = self._world.power.upses[self._id].meters
        said = meters.inner_values() | meters.values()
        return encode(self._map, said, time.time() / _DAY_S)

    def write(self, asked: Write) -> bool:
        """A command is carried out with the last of its writes."""
        off = self._map.commands.get("off", ())
        if off and asked == off[-1]:
            self._world.switch_off_ups(self._id)
        return any(asked in writes for writes in self._map.commands.values())


class ClimateOnBus:
    def __init__(self, world: World, part: BusClimate) -> None:
        self._air = world.air
        self._probe = world.probes[part.id]
        self._map = part.map

    def fault(self) -> str | None:
        return self._probe.state

    def words(self) -> Mapping[Register, int]:
        said = self._probe.values(self._air)
        keys = {"temperature": "temperature_c", "humidity": "humidity_pct"}
        return encode(self._map, {keys[quantity]: value for quantity, value in said.items()})

    def write(self, asked: Write) -> bool:
        return False


class ContactOnBus:
    def __init__(self, world: World, part: BusContact) -> None:
        self._contact = world.contacts[part.id]
        self._part = part

    def fault(self) -> str | None:
        return "silent" if self._contact.wire_cut else None

    def words(self) -> Mapping[Register, int]:
        is_set = self._contact.value is not self._part.inverted
        return {self._part.register: is_set << self._part.bit}

    def write(self, asked: Write) -> bool:
        return False


def bus_parts(world: World) -> dict[Address, dict[int, list[BusPart]]]:
    """Return what there is, by address and unit id."""
    found: dict[Address, dict[int, list[BusPart]]] = {}

    def add(address: Address, unit: int, part: BusPart) -> None:
        found.setdefault(address, {}).setdefault(unit, []).append(part)

    for ups in world.plan.upses:
        if isinstance(ups.end, ModbusEnd):
            add(ups.end.address, ups.end.unit, UpsOnBus(world, ups.id, ups.end))
    for climate in world.plan.bus_climates:
        add(climate.address, climate.unit, ClimateOnBus(world, climate))
    for contact in world.plan.bus_contacts:
        add(contact.address, contact.unit, ContactOnBus(world, contact))
    return found
