"""Magic packets on the simulated network. Source: AMD, Magic Packet Technology."""

from __future__ import annotations

import contextlib
import selectors
import socket

from simulators.powerplan import Address
from simulators.world import World

_PORT = 9
_SYNC = b"\xff" * 6
_PACKET_BYTES = len(_SYNC) + 16 * 6


class WakeCatcher:
    """Wakes the hosts that are named: by a packet to `address`, and by a broadcast where port 9
    may be had (other worlds on this machine hear it, too)."""

    def __init__(self, selector: selectors.BaseSelector, world: World) -> None:
        self._selector = selector
        self._world = world
        self._sockets: list[socket.socket] = []
        own = self._bind(("127.0.0.1", 0))
        self.address: Address = own.getsockname()
        with contextlib.suppress(OSError):
            self._bind(("0.0.0.0", _PORT))

    def close(self) -> None:
        for sock in self._sockets:
            self._selector.unregister(sock)
            sock.close()
        self._sockets.clear()

    def _bind(self, address: Address) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setblocking(False)
            sock.bind(address)
        except OSError:
            sock.close()
            raise
        self._sockets.append(sock)
        self._selector.register(sock, selectors.EVENT_READ, lambda _mask: self._receive(sock))
        return sock

    def _receive(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(2048)
        except OSError:
            return
        mac = mac_of(data)
        if mac is not None:
            self._world.wake(mac)


def mac_of(packet: bytes) -> str | None:
    """Return the address that a magic packet names, anywhere in it; None for any other packet."""
    at = packet.find(_SYNC)
    while at >= 0:
        mac = packet[at + 6 : at + 12]
        if len(packet) >= at + _PACKET_BYTES and packet[at + 6 : at + _PACKET_BYTES] == mac * 16:
            return mac.hex(":")
        at = packet.find(_SYNC, at + 1)
    return None
