"""TCP connections that end at an instant: however slowly a name resolves or a byte drips."""

from __future__ import annotations

import io
import ipaddress
import socket
import time

from controller.core.parts import DeviceTimeout, DeviceUnreachable
from drivers.hosts.process import PLAIN, run

_ADDRESSES = 4  # of one name


def left_s(until_s: float) -> float:
    """Seconds until an instant of time.monotonic(). Raises: TimeoutError when it has passed."""
    left = until_s - time.monotonic()
    if left <= 0.0:
        raise TimeoutError("no answer in time")
    return left


def resolve(host: str, until_s: float) -> list[str]:
    """Return the addresses of a host, the preferred one first.

    A name is asked for by a child process: the C library waits for dead name servers for up to
    half a minute, and cannot be told otherwise nor interrupted.
    Raises: DeviceUnreachable (there is no such name), DeviceTimeout.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        found = run(["getent", "ahosts", host], left_s(until_s), environment=PLAIN)
        rows = [row.split() for row in found.told.splitlines()]
        names = list(dict.fromkeys(row[0] for row in rows if row[1:2] == ["STREAM"]))
        if found.status != 0 or not names:
            raise DeviceUnreachable(f"{host}: no such host name") from None
        return names[:_ADDRESSES]
    return [host]


def connect(host: str, port: int, until_s: float) -> socket.socket:
    """Connect to the first address that answers. Raises: DeviceError of resolve(), OSError."""
    fault: OSError = TimeoutError("no answer in time")
    addresses = resolve(host, until_s)
    for number, address in enumerate(addresses):
        try:
            # Each address has its share: the first, if dead, must not use up all the time.
            share_s = left_s(until_s) / (len(addresses) - number)
            return socket.create_connection((address, port), share_s)
        except OSError as error:
            fault = error
    raise fault


def receive(line: socket.socket, count: int, until_s: float) -> bytes:
    """Return up to `count` bytes, b"" at the end. Raises: OSError."""
    line.settimeout(left_s(until_s))
    return line.recv(count)


class TimedLine:
    """What http.client takes for a connected socket; reading it ends at `until_s`."""

    def __init__(self, line: socket.socket, until_s: float) -> None:
        self._line = line
        self._until_s = until_s

    def sendall(self, data: bytes) -> None:
        self._line.settimeout(left_s(self._until_s))
        self._line.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        return io.BufferedReader(_Reader(self._line, self._until_s))

    def close(self) -> None:
        """The socket is closed by who made it: http.client closes before it has read all."""


class _Reader(io.RawIOBase):
    def __init__(self, line: socket.socket, until_s: float) -> None:
        self._line = line
        self._until_s = until_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._line.settimeout(left_s(self._until_s))
        return self._line.recv_into(buffer)


def told(url: str, error: OSError) -> DeviceTimeout | DeviceUnreachable:
    """An operating system's error in our words."""
    if isinstance(error, TimeoutError):
        return DeviceTimeout(f"{url}: no answer in time")
    return DeviceUnreachable(f"{url}: {error.strerror or error}")
