"""Wake-on-LAN. Source: AMD, Magic Packet Technology, white paper 20213.

Six bytes FF and sixteen times the MAC address, anywhere in a frame; by custom in a broadcast UDP
datagram to port 9. Nothing answers, so it is sent three times.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from controller.core.parts import DeviceError, DeviceUnreachable
from drivers.hosts.line import resolve

_FORM = re.compile(r"wol://((?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2})(?:@([^:@/]+)(?::(\d+))?)?")
_EVERYBODY = "255.255.255.255"
_PORT = 9
_TIMES = 3
_APART_S = 0.1
_RESOLVE_S = 5.0


class MagicPacket:
    """`wol://MAC`, `wol://MAC@address`, `wol://MAC@address:port`; the address is a broadcast
    address of IPv4, 255.255.255.255 where none is given."""

    def __init__(self, text: str) -> None:
        found = _FORM.fullmatch(text)
        if found is None or int(found[3] or _PORT) not in range(1, 65536):
            raise ValueError(f'{text}: "wol://MAC" or "wol://MAC@address:port"')
        self._text = text
        self._packet = b"\xff" * 6 + bytes.fromhex(re.sub("[:-]", "", found[1])) * 16
        self._host = found[2] or _EVERYBODY
        self._port = int(found[3] or _PORT)

    def start(self) -> None:
        """Send it. Raises: DeviceError."""
        with self._line() as (line, target):
            for number in range(_TIMES):
                time.sleep(_APART_S if number else 0.0)
                line.sendto(self._packet, target)

    def test_start(self) -> None:
        """See that it could be sent; nothing is. Raises: DeviceError."""
        with self._line() as (line, target):
            # To connect a datagram socket only asks this machine for the way to its target.
            line.connect(target)

    @contextmanager
    def _line(self) -> Iterator[tuple[socket.socket, tuple[str, int]]]:
        """Open a socket that may broadcast, and find the target. Raises: DeviceError."""
        try:
            addresses = resolve(self._host, time.monotonic() + _RESOLVE_S)
            target = next((found for found in addresses if ":" not in found), None)
            if target is None:
                raise DeviceError(f"{self._text}: no address of IPv4")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                yield line, (target, self._port)
        except DeviceError:
            raise
        except OSError as error:
            raise DeviceUnreachable(f"{self._text}: {error.strerror or error}") from error
