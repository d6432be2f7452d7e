"""The secret files of a simulated room: what is missing is written, so that the room runs."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from controller.config.power import HostConfig
from controller.config.schema import RoomFile
from simulators.keys import CLIENT, HOST, certificate, private_key, private_text, public_line
from simulators.powerplan import HostPart, host_parts, seed_of

log = logging.getLogger(__name__)

_Wanted = tuple[Path, Callable[[], bytes]]


def write_missing(room: RoomFile) -> None:
    """Write the keys and passwords of the room's simulated UPSes and hosts that are not there."""
    for path, made in _wanted(room):
        if path.exists():
            continue
        try:
            text = made()
            path.touch(mode=0o600)
            path.write_bytes(text)
        except ImportError as error:
            log.warning("%s: not written: %s (see the extra demo)", path, error)
        except OSError as error:
            log.warning("%s: not written: %s", path, error)
        else:
            log.info("%s: written for the simulated room", path)


def _wanted(room: RoomFile) -> Iterator[_Wanted]:
    for ups in room.upses:
        password_file = getattr(ups, "password_file", None)
        if ups.id not in room.simulation.real and password_file is not None:
            yield room.resolve(password_file), _password
    parts = {part.id: part for part in host_parts(room)}
    if any(part.runs_upsmon for part in parts.values()):
        yield room.resolve(room.nut.password_file), _password
    for host in room.hosts:
        if host.id in parts:
            yield from _of_host(host, parts[host.id], room)


def _of_host(host: HostConfig, part: HostPart, room: RoomFile) -> Iterator[_Wanted]:
    seed = seed_of(room, host.id)
    if host.password_file is not None:
        yield room.resolve(host.password_file), _password
    if host.stop.startswith("ssh://"):
        if host.key_file is not None:
            yield room.resolve(host.key_file), partial(_client_key, seed)
        yield room.resolve(host.host_key or f"{host.id}.host-key"), partial(_host_line, seed)
    if host.ca is not None:
        names = [listener.address[0] for listener in part.listeners if listener.over_tls]
        yield room.resolve(host.ca), partial(certificate, seed, (names or ["localhost"])[0])


def _client_key(seed: str) -> bytes:
    return private_text(private_key(seed, CLIENT), openssh=True)


def _host_line(seed: str) -> bytes:
    return f"{public_line(private_key(seed, HOST))}\n".encode()


def _password() -> bytes:
    return f"{secrets.token_hex(8)}\n".encode()
