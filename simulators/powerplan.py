"""What of `[[ups]]`, `[[host]]` and `[nut]` is simulated, as the simulators need it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from controller.config.power import HostConfig
from controller.config.schema import RoomFile
from controller.core.registers import RegisterMap

Address = tuple[str, int]

IMPLIED_UPS = "ups"
UPS_ROLES = ("ups-on-battery", "ups-battery-low", "ups-fault")

_PORTS = {"ssh": 22, "http": 80, "https": 443, "redfish": 443, "nut": 3493}
# One address is served once, by what can do the most: later ones stand above earlier ones.
_PROTOCOLS = ("tcp", "banner", "http", "https", "redfish", "ssh")


class ModbusEnd(msgspec.Struct, frozen=True):
    """Where a Modbus UPS answers, and what its registers mean."""

    address: Address
    unit: int
    map: RegisterMap


class NutEnd(msgspec.Struct, frozen=True):
    """Where a UPS answers behind an upsd, and who may command it; None: anybody."""

    address: Address
    name: str
    user: str | None = None
    password: str | None = None


class UpsPart(msgspec.Struct, frozen=True):
    """`end` is None for a UPS that is known by its contacts, or stands on a serial line."""

    id: str
    end: ModbusEnd | NutEnd | None = None


class Listener(msgspec.Struct, frozen=True):
    """Where a host answers while it is up: "tcp", "banner" (of an SSH server), "http", "https",
    "ssh"; or, whenever it has power, "redfish"."""

    address: Address
    protocol: str

    @property
    def over_tls(self) -> bool:
        return self.protocol in ("https", "redfish")


class Account(msgspec.Struct, frozen=True):
    """Who may stop the host: by SSH with the key in `key_file`, at its management controller
    with `password`. `seed` is what its own keys are derived from, `system` its id there."""

    seed: str = ""
    ssh_user: str = ""
    key_file: Path | None = None
    bmc_user: str = ""
    password: str | None = None
    system: str = ""


class HostPart(msgspec.Struct, frozen=True):
    """`mac` is what a magic packet must name, in small letters with colons."""

    id: str
    listeners: tuple[Listener, ...] = ()
    account: Account = Account()
    mac: str | None = None
    outlet: str | None = None
    starts_with_outlet: bool = False
    runs_upsmon: bool = False


class OwnUpsd(msgspec.Struct, frozen=True):
    """Our own upsd, where hosts that stop by NUT have a virtual UPS each."""

    address: Address
    user: str
    password: str | None


def ups_parts(room: RoomFile, maps: Mapping[str, RegisterMap]) -> tuple[UpsPart, ...]:
    """Return the simulated UPSes; `maps` holds the register map of each Modbus UPS by its id."""
    parts = [
        UpsPart(config.id, _ups_end(config, room, maps))
        for config in room.upses
        if config.id not in room.simulation.real
    ]
    has_contacts = any(getattr(part, "role", None) in UPS_ROLES for part in room.inputs)
    if not room.upses and has_contacts:
        parts.append(UpsPart(IMPLIED_UPS))
    return tuple(parts)


def _ups_end(
    config: Any, room: RoomFile, maps: Mapping[str, RegisterMap]
) -> ModbusEnd | NutEnd | None:
    url = urlsplit(getattr(config, "address", ""))
    if url.scheme == "nut":
        password_file = config.password_file
        password = None if password_file is None else secret(room.resolve(password_file))
        return NutEnd(_address(url), url.path.strip("/"), url.username, password)
    if url.scheme == "tcp" and config.id in maps:
        return ModbusEnd(_address(url), config.unit, maps[config.id])
    return None


def host_parts(room: RoomFile) -> tuple[HostPart, ...]:
    """Return the simulated hosts."""
    return tuple(_host(host, room) for host in room.hosts if host.id not in room.simulation.real)


def own_upsd(room: RoomFile) -> OwnUpsd | None:
    """Return our own upsd where a simulated host is its client."""
    simulated = [host for host in room.hosts if host.id not in room.simulation.real]
    if not any(_runs_upsmon(host) for host in simulated):
        return None
    address = _address(urlsplit(f"nut://{room.nut.address}"))
    return OwnUpsd(address, room.nut.username, secret(room.resolve(room.nut.password_file)))


def _host(host: HostConfig, room: RoomFile) -> HostPart:
    start = host.start or ""
    return HostPart(
        id=host.id,
        listeners=_listeners(host),
        account=_account(host, room),
        mac=start[6:].partition("@")[0].lower() if start.startswith("wol://") else None,
        outlet=host.outlet,
        starts_with_outlet=start == "outlet",
        runs_upsmon=_runs_upsmon(host),
    )


def _runs_upsmon(host: HostConfig) -> bool:
    return host.stop == "nut" or "nut" in host.evidence


def _listeners(host: HostConfig) -> tuple[Listener, ...]:
    found: dict[Address, str] = {}
    for text in (*_means(host), *(host.ready or ())):
        url = urlsplit(text)
        protocol = url.scheme
        if protocol == "ssh" and text != host.stop:
            protocol = "banner"
        if protocol in _PROTOCOLS:
            address = _address(url)
            found[address] = max(found.get(address, "tcp"), protocol, key=_PROTOCOLS.index)
    return tuple(Listener(address, protocol) for address, protocol in found.items())


def _account(host: HostConfig, room: RoomFile) -> Account:
    ssh, bmc = (
        next((url for url in map(urlsplit, _means(host)) if url.scheme == scheme), None)
        for scheme in ("ssh", "redfish")
    )
    return Account(
        seed=seed_of(room, host.id),
        ssh_user=ssh.username or "" if ssh is not None else "",
        key_file=None if host.key_file is None else room.resolve(host.key_file),
        bmc_user=bmc.username or "" if bmc is not None else "",
        password=None if host.password_file is None else secret(room.resolve(host.password_file)),
        system=(bmc.path.strip("/") if bmc is not None else "") or host.id,
    )


def _means(host: HostConfig) -> tuple[str, ...]:
    return host.stop, host.start or "", *host.evidence


def seed_of(room: RoomFile, id: str) -> str:
    """What the keys of a simulated host are derived from: the same for the same host."""
    return f"{room.room.site}/{room.room.id}/{id}"


def tcp_address(address: str) -> Address | None:
    """Return where "tcp://host:port" leads; None for a serial line."""
    url = urlsplit(address)
    return _address(url) if url.scheme == "tcp" else None


def _address(url: SplitResult) -> Address:
    return url.hostname or "", url.port or _PORTS.get(url.scheme, 0)


def secret(path: Path) -> str | None:
    """Return the secret in a file; None for one that is missing: nothing is asked for then."""
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
