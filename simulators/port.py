"""An address of the simulated network: listens while it is asked to, with few and short guests."""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable

from simulators.peer import Peer, listen
from simulators.powerplan import Address

log = logging.getLogger(__name__)

MAX_PEERS = 8
# Real projectors drop an idle connection after about 30 s and answer within about 5 s (PJLink
# specification); the other devices are taken to be alike. Network times are real ones, whatever
# the room's pace.
IDLE_S = 30.0
LATE_S = 8.0
_RETRY_S = 1.0


class Port:
    """`follow` is called on each turn of the loop; everything runs on the loop's thread.

    `meet` makes a peer of each new connection, or refuses it.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        name: str,
        address: Address,
        meet: Callable[[socket.socket], Peer | None],
    ) -> None:
        self._selector = selector
        self._name = name
        self._address = address
        self._meet = meet
        self._listener: socket.socket | None = None
        self._peers: list[Peer] = []
        self._late: deque[tuple[float, Peer, bytes]] = deque(maxlen=4 * MAX_PEERS)
        self._retry_at_s = 0.0

    def follow(self, listening: bool) -> None:
        """Open or close, drop who is idle, send what was held back."""
        now_s = time.monotonic()
        if listening and self._listener is None and now_s >= self._retry_at_s:
            self._open(now_s)
        elif not listening:
            self.close()
        while self._late and self._late[0][0] <= now_s:
            _, peer, data = self._late.popleft()
            peer.send(data)
        for peer in self._peers:
            if now_s >= peer.heard_s + IDLE_S:
                peer.close()
        self._forget_closed()

    def wait_s(self) -> float:
        """Return how long `follow` has nothing to do unless something happens, in real time."""
        due_s = [peer.heard_s + IDLE_S for peer in self._peers]
        due_s += [at_s for at_s, _, _ in self._late]
        return min(due_s, default=float("inf")) - time.monotonic()

    def send_late(self, peer: Peer, data: bytes) -> None:
        """Send after `LATE_S`."""
        self._late.append((time.monotonic() + LATE_S, peer, data))

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
        host, port = self._address
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family, backlog=MAX_PEERS)
        except OSError as error:
            if self._retry_at_s == 0.0:
                log.warning("%s: cannot listen on %s:%s: %s", self._name, host, port, error)
            self._retry_at_s = now_s + _RETRY_S
            return
        self._retry_at_s = 0.0
        self._listener = listener
        listen(self._selector, listener, self._accept)

    def _accept(self, sock: socket.socket) -> None:
        self._forget_closed()
        peer = self._meet(sock) if len(self._peers) < MAX_PEERS else None
        if peer is None:
            sock.close()
        elif not peer.is_closed:
            self._peers.append(peer)

    def _forget_closed(self) -> None:
        self._peers = [peer for peer in self._peers if not peer.is_closed]
