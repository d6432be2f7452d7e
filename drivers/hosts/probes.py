"""Probes: who answers now. Each is bounded, and tells silence from not being able to ask.

2026-11: a refused connection is an answer of the machine. Its SSH server ends early in a shutdown,
its kernel last, when the disks are written; to take a shut port for a machine that is down would
cut it off in between. On a loopback address it is our own kernel that refuses, and that answers a
ping, whatever becomes of a host there: the first counts as silence, the second for nothing.
"""

from __future__ import annotations

import enum
import errno
import threading
import time
from collections.abc import Callable

from controller.core.parts import BadReply, DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.hosts.address import Address, parse, scheme_of
from drivers.hosts.command import Command
from drivers.hosts.line import connect, receive, told
from drivers.hosts.process import PLAIN, run
from drivers.hosts.web import exchange

# Guesses: far above what an answer takes in one building, and short, for looks follow each other.
_TCP_S = 2.0
_PING_S = 1  # whole seconds, as every ping takes them
_NAME_S = 2.0  # for the name, beside the ping itself
_HTTP_S = 5.0
_COMMAND_S = 5.0  # a look must be over before the next ones are due
_BANNER = b"SSH-"  # RFC 4253, section 4.2
_BANNER_BYTES = 255
_NOBODY_THERE = (errno.EHOSTUNREACH, errno.EHOSTDOWN)  # nobody took the frame
_SSH_PORT = 22
_WEB_PORTS = {"http": 80, "https": 443}


class Answer(enum.Enum):
    """What a probe found; a probe that could not ask raises DeviceError instead."""

    ANSWERS = enum.auto()
    REFUSES = enum.auto()
    """Not what was asked for, yet the machine itself: its kernel sent a refusal."""
    OURSELVES = enum.auto()
    """Our own kernel, in the place of a host on a loopback address."""
    SILENT = enum.auto()


Probe = Callable[[], Answer]


def probe(url: str, ended: threading.Event, ca: str | None = None) -> Probe:
    """Return the probe of an address: ping, tcp, ssh, http, https or command.

    Raises: ValueError, naming what cannot be probed.
    """
    match scheme_of(url):
        case "ping":
            return _bound(ping, parse(url, 0))
        case "tcp":
            return _bound(tcp, parse(url))
        case "ssh":
            return _bound(banner, parse(url, _SSH_PORT))
        case "http" | "https" as scheme:
            address = parse(url, _WEB_PORTS[scheme])
            return lambda: web(address, scheme == "https", ca)
        case "command":
            command = Command(url, ended)
            return lambda: succeeds(command)
    raise ValueError(f"{url}: not an address that can be probed")


def _bound(probe: Callable[[Address], Answer], address: Address) -> Probe:
    return lambda: probe(address)


def ping(address: Address) -> Answer:
    """One echo request. Raises: DeviceError when it cannot be sent or the name is unknown."""
    command = ["ping", "-n", "-q", "-c", "1", "-W", str(_PING_S), "--", address.host]
    end = run(command, _PING_S + _NAME_S, environment=PLAIN)
    if end.status == 0:
        return Answer.OURSELVES if address.is_loopback else Answer.ANSWERS
    if end.status == 1:
        return Answer.SILENT
    raise DeviceUnreachable(f"{address.url}: {end.how}")


def tcp(address: Address) -> Answer:
    """A connection. Raises: DeviceError when the name is unknown or there is no network."""
    try:
        connect(address.host, address.port, time.monotonic() + _TCP_S).close()
    except OSError as error:
        return _without_answer(address, error)
    return Answer.ANSWERS


def banner(address: Address) -> Answer:
    """An SSH server that greets. Raises: as tcp."""
    until_s = time.monotonic() + _TCP_S
    try:
        with connect(address.host, address.port, until_s) as line:
            said = b""
            while len(said) < len(_BANNER) and (chunk := receive(line, _BANNER_BYTES, until_s)):
                said += chunk
    except OSError as error:
        return _without_answer(address, error)
    return Answer.ANSWERS if said.startswith(_BANNER) else Answer.REFUSES


def _without_answer(address: Address, error: OSError) -> Answer:
    if isinstance(error, DeviceError):  # of the name: nobody was asked
        raise error
    if isinstance(error, ConnectionError):
        # Its kernel is alive, and may still be writing to its disks.
        return Answer.SILENT if address.is_loopback else Answer.REFUSES
    if isinstance(error, TimeoutError) or error.errno in _NOBODY_THERE:
        return Answer.SILENT
    raise told(address.url, error) from error


def web(address: Address, tls: bool, ca: str | None) -> Answer:
    """A page with a status of 200 to 399. Raises: DeviceError when `ca` cannot be read."""
    path = address.path if address.path.startswith("/") else f"/{address.path}"
    until_s = time.monotonic() + _HTTP_S
    try:
        reply = exchange(address, path, until_s, tls=tls, ca=ca, read_body=False)
    except (DeviceTimeout, DeviceUnreachable, BadReply):
        return Answer.SILENT
    return Answer.ANSWERS if 200 <= reply.status < 400 else Answer.SILENT


def succeeds(command: Command) -> Answer:
    """A command that ends with status 0. Raises: DeviceUnreachable when it cannot be started."""
    try:
        command.run(_COMMAND_S)
    except DeviceUnreachable:
        raise
    except DeviceError:
        return Answer.SILENT
    return Answer.ANSWERS
