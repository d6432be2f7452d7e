"""A simulated upsd's socket, and how it fails on demand."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from datetime import date
from functools import partial

from simulators.nut import Device, Metered, NutConversation, Virtual, words
from simulators.nut_words import variables
from simulators.peer import Peer
from simulators.port import Port
from simulators.powerplan import Address, NutEnd, UpsPart
from simulators.world import World

# What upsd itself says of a driver.
_DRIVER_FAULTS = {"exception": b"ERR DRIVER-NOT-CONNECTED\n", "stale": b"ERR DATA-STALE\n"}


class NutServer:
    """All UPSes at one address. `follow` is called on each turn of the loop."""

    def __init__(self, selector: selectors.BaseSelector, world: World, address: Address) -> None:
        self._selector = selector
        self._world = world
        self._devices: dict[str, Device] = {}
        self._part_of: dict[str, str] = {}
        for part in world.plan.upses:
            if isinstance(part.end, NutEnd) and part.end.address == address:
                self._devices[part.end.name] = _metered(world, part, part.end)
                self._part_of[part.end.name] = part.id
        upsd = world.plan.upsd
        if upsd is not None and upsd.address == address:
            for host in world.plan.hosts:
                if host.runs_upsmon:
                    self._devices[host.id] = _virtual(world, host.id, upsd.user, upsd.password)
        self._port = Port(selector, "upsd", address, self._meet)

    def follow(self) -> None:
        self._port.follow(True)

    def wait_s(self) -> float:
        return self._port.wait_s()

    def close(self) -> None:
        self._port.close()

    def _meet(self, sock: socket.socket) -> Peer:
        conversation = NutConversation(self._devices)

        def took(peer: Peer, line: bytes) -> None:
            text = line.decode("utf-8", "replace")
            answer = "".join(f"{said}\n" for said in conversation.answer(text)).encode()
            self._say(peer, answer, self._fault(text))
            if conversation.is_over:
                peer.close()

        return Peer(self._selector, sock, took, line_limit=4096, backlog_limit=262_144)

    def _fault(self, line: str) -> str | None:
        """The fault of the UPS that a line is about."""
        for word in words(line):
            if word in self._part_of:
                return self._world.ups_faults.get(self._part_of[word])
        return None

    def _say(self, peer: Peer, answer: bytes, fault: str | None) -> None:
        match fault:
            case "silent":
                return
            case "late":
                self._port.send_late(peer, answer)
            case "garbage":
                peer.send(b"\xff\xfe" + answer[::-1] + b"\n")
            case "short":
                peer.send(answer[: len(answer) // 2])
                peer.close()
            case "exception" | "stale":
                peer.send(_DRIVER_FAULTS[fault])
            case _:
                peer.send(answer)


def _metered(world: World, part: UpsPart, end: NutEnd) -> Metered:
    ups = world.power.upses[part.id]
    return Metered(
        end.user,
        end.password,
        lambda: variables(ups, date.today()),
        partial(world.switch_off_ups, part.id),
    )


def _virtual(world: World, host: str, user: str, password: str | None) -> Virtual:
    read: Callable[[], str] = partial(world.power.nut_status.__getitem__, host)
    server = world.power.hosts[host]
    write = partial(world.set_nut_status, host)
    return Virtual(user, password, read, write, lambda: server.answers)
