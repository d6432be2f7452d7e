"""A simulated projector's socket: listens while its outlet has power, and fails on demand."""

from __future__ import annotations

import logging
import secrets
import selectors
import socket
import time
from collections import deque

from simulators.peer import Peer, listen
from simulators.pjlink import Conversation
from simulators.plan import ProjectorPart
from simulators.projector import Power
from simulators.world import World

log = logging.getLogger(__name__)

MAX_PEERS = 8
# Real projectors drop an idle connection after about 30 s and answer within about 5 s
# (PJLink specification). Network times are real ones, whatever the room's pace.
IDLE_S = 30.0
LATE_S = 8.0
_RETRY_S = 1.0


class PjlinkServer:
    """`follow` is called on each turn of the loop; everything runs on the loop's thread."""

    def __init__(
        self, selector: selectors.BaseSelector, world: World, part: ProjectorPart
    ) -> None:
        self._selector = selector
        self._world = world
        self._part = part
        self._projector = world.projectors[part.id]
        self._listener: socket.socket | None = None
        self._peers: list[Peer] = []
        self._late: deque[tuple[float, Peer, bytes]] = deque(maxlen=4 * MAX_PEERS)
        self._retry_at_s = 0.0

    def follow(self) -> None:
        """Open or close with the supply, drop who is idle, send what was held back."""
        now_s = time.monotonic()
        powered = self._projector.power is not Power.UNPOWERED
        if powered and self._listener is None and now_s >= self._retry_at_s:
            self._open(now_s)
        elif not powered:
            self.close()
        while self._late and self._late[0][0] <= now_s:
            _, peer, data = self._late.popleft()
            peer.send(data)
        for peer in self._peers:
            if now_s >= peer.heard_s + IDLE_S:
                peer.close()
        self._peers = [peer for peer in self._peers if not peer.is_closed]

    def wait_s(self) -> float:
        """Return how long `follow` has nothing to do unless something happens, in real time."""
        due_s = [peer.heard_s + IDLE_S for peer in self._peers]
        due_s += [at_s for at_s, _, _ in self._late]
        return min(due_s, default=float("inf")) - time.monotonic()

    def close(self) -> None:
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None
        for peer in self._peers:
            peer.close()
        self._peers.clear()
        self._late.clear()

    def _open(self, now_s: float) -> None:
        assert self._part.address is not None
        host, port = self._part.address
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family, backlog=MAX_PEERS)
        except OSError as error:
            if self._retry_at_s == 0.0:
                log.warning("%s: cannot listen on %s:%s: %s", self._part.id, host, port, error)
            self._retry_at_s = now_s + _RETRY_S
            return
        self._retry_at_s = 0.0
        self._listener = listener
        listen(self._selector, listener, self._accept)

    @property
    def _fault(self) -> str | None:
        return self._world.projector_faults.get(self._part.id)

    def _accept(self, sock: socket.socket) -> None:
        self._peers = [peer for peer in self._peers if not peer.is_closed]
        if len(self._peers) >= MAX_PEERS or self._fault == "drop":
            sock.close()
            return
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
        self._peers.append(peer)
        if self._fault != "silent":
            peer.send(conversation.greeting)

    def _say(self, peer: Peer, answer: bytes) -> None:
        if not answer:
            return
        match self._fault:
            case "garbage":
                peer.send(b"\xff\x00%1?" + answer[::-1] + b"\r")
            case "late":
                self._late.append((time.monotonic() + LATE_S, peer, answer))
            case "drop":
                peer.close()
            case _:
                peer.send(answer)
