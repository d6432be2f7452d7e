"""A simulated projector's socket: listens while its outlet has power, and fails on demand."""

from __future__ import annotations

import secrets
import selectors
import socket

from simulators.peer import Peer
from simulators.pjlink import Conversation
from simulators.plan import ProjectorPart
from simulators.port import Port
from simulators.projector import Power
from simulators.world import World


class PjlinkServer:
    """`follow` is called on each turn of the loop; everything runs on the loop's thread."""

    def __init__(
        self, selector: selectors.BaseSelector, world: World, part: ProjectorPart
    ) -> None:
        assert part.address is not None
        self._selector = selector
        self._world = world
        self._part = part
        self._projector = world.projectors[part.id]
        self._port = Port(selector, part.id, part.address, self._meet)

    def follow(self) -> None:
        self._port.follow(self._projector.power is not Power.UNPOWERED)

    def wait_s(self) -> float:
        return self._port.wait_s()

    def close(self) -> None:
        self._port.close()

    @property
    def _fault(self) -> str | None:
        return self._world.projector_faults.get(self._part.id)

    def _meet(self, sock: socket.socket) -> Peer | None:
        if self._fault == "drop":
            return None
        conversation = Conversation(
            self._projector,
            self._part.id,
            lambda on: self._world.switch_projector(self._part.id, on),
            password=self._part.password,
            salt=secrets.token_hex(4),
            busy=self._fault == "busy",
        )

        def took(peer: Peer, line: bytes) -> None:
            if self._fault != "silent":
                self._say(peer, conversation.answer(line))
                if conversation.is_over:
                    peer.close()

        peer = Peer(self._selector, sock, took, end=b"\r", line_limit=256, backlog_limit=65_536)
        if self._fault != "silent":
            peer.send(conversation.greeting)
        return peer

    def _say(self, peer: Peer, answer: bytes) -> None:
        if not answer:
            return
        match self._fault:
            case "garbage":
                peer.send(b"\xff\x00%1?" + answer[::-1] + b"\r")
            case "late":
                self._port.send_late(peer, answer)
            case "drop":
                peer.close()
            case _:
                peer.send(answer)
