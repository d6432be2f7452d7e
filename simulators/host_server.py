"""Where a simulated host answers: it listens while it is up, its controller while it has power."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from functools import partial

from simulators.aside import AsideServer
from simulators.peer import Peer
from simulators.port import Port
from simulators.powerplan import HostPart, Listener
from simulators.redfish import ManagementController
from simulators.ssh_server import SshServer
from simulators.tls_server import TlsServer
from simulators.web import HEAD_END, MOST_BYTES, Request, request, response
from simulators.world import World

_BANNER = b"SSH-2.0-Simulated\r\n"
_ASIDE = ("ssh", "https", "redfish")

Call = Callable[[Callable[[], object]], None]
"""Has something done on the world's loop; from any thread."""


class HostServer:
    """One host. `follow` is called on each turn of the world's loop; `wanted` are the servers
    beside it that are to listen now."""

    def __init__(
        self, selector: selectors.BaseSelector, world: World, part: HostPart, call: Call
    ) -> None:
        self._selector = selector
        self._host = world.power.hosts[part.id]
        self._ports = [
            Port(selector, part.id, listener.address, partial(self._meet, listener.protocol))
            for listener in part.listeners
            if listener.protocol not in _ASIDE
        ]
        self._aside = {
            _server(listener, world, part, call): listener.protocol
            for listener in part.listeners
            if listener.protocol in _ASIDE
        }

    @property
    def has_aside(self) -> bool:
        return bool(self._aside)

    def wanted(self) -> list[AsideServer]:
        return [
            server
            for server, protocol in self._aside.items()
            if (self._host.manageable if protocol == "redfish" else self._host.answers)
        ]

    def follow(self) -> None:
        for port in self._ports:
            port.follow(self._host.answers)

    def wait_s(self) -> float:
        return min((port.wait_s() for port in self._ports), default=float("inf"))

    def close(self) -> None:
        for port in self._ports:
            port.close()

    def _meet(self, protocol: str, sock: socket.socket) -> Peer:
        took = _page if protocol == "http" else _nothing
        peer = Peer(self._selector, sock, took, end=HEAD_END, line_limit=MOST_BYTES)
        if protocol == "banner":
            peer.send(_BANNER)
        return peer


def _page(peer: Peer, head: bytes) -> None:
    asked = request(head)
    peer.send(response(400) if asked is None else _up(asked, b""))
    peer.close()


def _nothing(_peer: Peer, _line: bytes) -> None:
    """An open port is all that a probe wants to see."""


def _up(_request: Request, _body: bytes) -> bytes:
    return response(200, b"up\n", {"Content-Type": "text/plain"})


def _server(listener: Listener, world: World, part: HostPart, call: Call) -> AsideServer:
    seed = part.account.seed
    if listener.protocol == "https":
        return TlsServer(part.id, listener.address, seed, _up)
    if listener.protocol == "ssh":
        stop = partial(call, partial(world.stop_host, part.id))
        return SshServer(part.id, listener.address, part.account, stop)
    resets: dict[str, Callable[[], object]] = {
        "On": partial(world.start_host, part.id),
        "GracefulShutdown": partial(world.stop_host, part.id),
        "ForceOff": partial(world.switch_off_host, part.id),
    }
    # The other thread only looks at one word of the host, and has the world's do the rest.
    controller = ManagementController(
        world.power.hosts[part.id], part.account, lambda asked: call(resets[asked])
    )
    return TlsServer(part.id, listener.address, seed, controller.answer)
