"""A room's parts, opened, and the threads' work for each of them.

A part that cannot be opened is a fault of its readings, never of the start: something stands in
its place that says why whenever it is asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec

from controller.build import Measures
from controller.config.power import HostConfig
from controller.config.schema import RoomFile
from controller.core.memory import Memory
from controller.core.partconfig import HostAccess, PartConfig
from controller.core.parts import DeviceError, DeviceUnreachable, Host, Quantity
from controller.core.priority import coil
from controller.core.room import Room
from controller.guard import Guard
from controller.pollers import (
    ContactPoller,
    HostPoller,
    Line,
    Poller,
    ProjectorPoller,
    SensorPoller,
    UpsPoller,
)
from controller.secretfiles import host_key
from firmware import kinds

log = logging.getLogger(__name__)

_FAULTS = (DeviceError, ValueError, OSError, ImportError)
"""What opening a part may end with: the part, its register map, a file, a library left out."""


class Unopened:
    """Stands where a part could not be opened. Whatever it is asked, it says why it cannot."""

    # What every measuring part of a room gives, so that its silence has a name.
    quantities = (Quantity("temperature_c", float("-inf"), float("inf"), 0.1),)

    def __init__(self, fault: str, period_s: float = 5.0) -> None:
        self.period_s = period_s
        self._fault = fault

    def read(self) -> NoReturn:
        raise DeviceUnreachable(f"it could not be opened: {self._fault}")

    def send(self, command: str) -> NoReturn:
        self.read()

    stop = clear = start = initialise = test = test_start = look = read

    def close(self) -> None:
        """There is nothing to close."""


class UnopenedContact(Unopened):
    """Has no quantities, as every contact that is polled."""

    quantities = None  # type: ignore[assignment]


def open_sensors(file: RoomFile, board: Any) -> dict[str, Any]:
    """Open the inputs that are polled: what measures, and contacts behind a bus."""
    return {
        part.id: _opened(file, part, board)
        for part in file.inputs
        if not hasattr(part, "debounce")
    }


def measures(device: Any) -> Measures:
    """What a polled input says of itself."""
    if _is_contact(device):
        return Measures((), device.period_s, contact=True)
    return Measures(device.quantities, device.period_s)


def open_contacts(file: RoomFile, board: Any) -> dict[str, Any]:
    """Open the contacts on pins; None for one that cannot be opened."""
    contacts: dict[str, Any] = {}
    for part in file.inputs:
        if not hasattr(part, "debounce"):
            continue
        try:
            contacts[part.id] = kinds.modules()[part.kind].open_device(part, board)
        except DeviceError as error:
            log.error("%s cannot be opened: %s", part.id, error)
            contacts[part.id] = None
    return contacts


def open_relays(
    file: RoomFile, board: Any, room: Room, memory: Memory, now_s: float
) -> dict[str, Any]:
    """Claim every line with the level it has to have, in one step; None for one that cannot."""
    relays: dict[str, Any] = {}
    for part in file.outputs:
        energised = coil(room.outputs[part.id], memory.outputs[part.id], now_s)
        try:
            relays[part.id] = kinds.modules()[part.kind].open_device(part, board, energised)
        except DeviceError as error:
            log.error("%s cannot be opened: %s", part.id, error)
            relays[part.id] = None
    return relays


def open_pollers(
    file: RoomFile, board: Any, sensors: Mapping[str, Any], guard: Guard
) -> tuple[list[Line], list[HostPoller]]:
    """Open projectors, UPSes and hosts; return the lines that ask all parts, and the hosts.

    The guard's commanders are told of those that take commands.
    """
    clock, bring = guard.clock, guard.bring
    wires: dict[tuple[str, str], list[Poller]] = {}

    def wire(poller: Poller, device: Any) -> None:
        line = getattr(device, "line", None)
        key = ("part", poller.part) if line is None else ("line", line)
        wires.setdefault(key, []).append(poller)

    for id, sensor in sensors.items():
        kind = ContactPoller if _is_contact(sensor) else SensorPoller
        wire(kind(id, sensor, clock, bring), sensor)
    for projector in file.projectors:
        device = _opened(file, projector, board)
        if device is not None:
            lamp = ProjectorPoller(projector.id, device, clock, bring)
            guard.commanders[projector.id] = lamp.command
            wire(lamp, device)
    for part in file.upses:
        device = _opened(file, part, board)
        if device is not None:
            ups = UpsPoller(part.id, device, clock, bring)
            guard.commanders[part.id] = ups.command
            wire(ups, device)
    hosts = [
        HostPoller(host.id, _opened_host(file, host, board), clock, bring) for host in file.hosts
    ]
    for host in hosts:
        guard.commanders[host.part] = host.command
    lines = [Line(name, on, clock, guard.thread_failed) for (_, name), on in wires.items()]
    return lines, hosts


def access(file: RoomFile, host: HostConfig) -> HostAccess:
    """Return how a host is reached, its files resolved. What its outlet tells is the core's."""
    nut = None
    if host.stop == "nut" or "nut" in host.evidence:
        name, _, port = file.nut.address.rpartition(":")
        password = str(file.resolve(file.nut.password_file))
        nut = (name.strip("[]"), int(port), file.nut.username, password)
    return HostAccess(
        id=host.id,
        stop=host.stop,
        start=host.start,
        evidence=tuple(probe for probe in host.evidence if probe != "outlet"),
        ready=host.ready or (),
        initialise=host.initialise,
        path=host.path,
        key_file=_resolved(file, host.key_file),
        host_key=str(host_key(file, host)),
        password_file=_resolved(file, host.password_file),
        ca=_resolved(file, host.ca),
        nut=nut,
    )


def close_all(parts: Mapping[str, Callable[[], None]], within_s: float) -> None:
    """Close all parts, each on a thread of its own: one that hangs keeps neither the others nor
    the program from their end."""
    threads = []
    for name, close in parts.items():
        thread = threading.Thread(
            target=_close, args=(name, close), name=f"close-{name}", daemon=True
        )
        thread.start()
        threads.append(thread)
    until_s = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(until_s - time.monotonic(), 0.0))
        if thread.is_alive():
            log.warning("%s has not ended", thread.name)


def _close(name: str, close: Callable[[], None]) -> None:
    try:
        close()
    except Exception:
        log.exception("%s could not be closed", name)


def _is_contact(device: Any) -> bool:
    return getattr(device, "quantities", None) is None


def _resolved(file: RoomFile, name: str | None) -> str | None:
    return None if name is None else str(file.resolve(name))


def _opened(file: RoomFile, part: PartConfig, board: Any) -> Any:
    """Open a part that is polled; its `password_file` is relative to the room file."""
    password = getattr(part, "password_file", None)
    if password is not None:
        part = msgspec.structs.replace(part, password_file=_resolved(file, password))
    try:
        return kinds.modules()[part.kind].open_device(part, board)
    except _FAULTS as error:
        fault = _one_line(error)
        log.error("%s cannot be opened: %s", part.id, fault)
        is_contact = part in file.inputs and hasattr(part, "role")
        stand_in = UnopenedContact if is_contact else Unopened
        return stand_in(fault, float(getattr(part, "period", 5.0)))


def _opened_host(file: RoomFile, host: HostConfig, board: Any) -> Host:
    from drivers.hosts import open_host

    reached = access(file, host)
    if file.simulated and host.id not in file.simulation.real:
        reached = msgspec.structs.replace(reached, start=_in_the_world(reached.start, board))
    try:
        return open_host(reached)
    except _FAULTS as error:
        fault = _one_line(error)
        log.error("%s cannot be opened: %s", host.id, fault)
        return Unopened(fault)


def _in_the_world(start: str | None, board: Any) -> str | None:
    """Aim the magic packet for a simulated host at its world: none of it leaves the machine."""
    if start is None or not start.startswith("wol://"):
        return start
    host, port = board.pins.wake or ("127.255.255.255", 9)
    return f"{start.partition('@')[0]}@{host}:{port}"


def _one_line(error: Exception) -> str:
    return "; ".join(str(error).splitlines()) or type(error).__name__
