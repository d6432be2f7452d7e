"""The world's side of the pins, played by the bench, so that one clock takes both stamps."""

from __future__ import annotations

import json
import select
import socket
import time
from pathlib import Path

from tests.bench.rooms import RELAY_PIN, SMOKE_PIN

_LONGEST_S = 5.0
_EDGE = {high: b'{"pin":%d,"high":%s}\n' % (SMOKE_PIN, word)
         for high, word in ((True, b"true"), (False, b"false"))}  # fmt: skip


class BenchFailed(Exception):
    """What is measured did not do what it should."""


class WorldSide:
    """Answers on `world.sock` to whoever claims the pins; one client at a time.

    `smoke` is the level of the smoke loop's pin that a new client is told.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self.path = path
        self.smoke = False
        self.relay: bool | None = None
        """The relay line's level; None as long as it is not claimed."""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._client: socket.socket | None = None
        self._rest = b""

    def close(self) -> None:
        self._drop()
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def wait_for_client(self, timeout_s: float = 20.0) -> None:
        """Wait until somebody takes the pins; who only looks whether we answer is passed over.

        Raises: BenchFailed.
        """
        self._drop()
        until_s = time.monotonic() + timeout_s
        while True:
            self._listener.settimeout(max(until_s - time.monotonic(), 0.001))
            try:
                client, _ = self._listener.accept()
                client.settimeout(_LONGEST_S)
                hello = client.recv(4096)
            except TimeoutError:
                raise BenchFailed(f"nobody took the pins within {timeout_s:.0f} s") from None
            if hello == b'{"client":"pins"}\n':
                break
            client.close()
        client.sendall(json.dumps({"pins": {str(SMOKE_PIN): self.smoke}}).encode() + b"\n")
        self._client = client

    def wait_for_relay(self, level: bool | None = None, timeout_s: float = _LONGEST_S) -> None:
        """Wait until the relay's line has this level, or any. Raises: BenchFailed."""
        until_s = time.monotonic() + timeout_s
        while self.relay is None or level not in (None, self.relay):
            if time.monotonic() > until_s:
                raise BenchFailed(f"the relay's line did not become {level}, it is {self.relay}")
            self._take(_LONGEST_S)

    def trip(self) -> float:
        """Let smoke in; return the milliseconds until the relay's line follows.

        Raises: BenchFailed.
        """
        while self._take(0.0):
            pass
        if self.relay is not False:
            raise BenchFailed("the relay was not released before the trip")
        began_ns = time.perf_counter_ns()
        self._say(True)
        self.wait_for_relay(True)
        return (time.perf_counter_ns() - began_ns) / 1e6

    def clear(self) -> None:
        """Take the smoke away and wait until the relay is released. Raises: BenchFailed."""
        self._say(False)
        self.wait_for_relay(False)

    def _say(self, high: bool) -> None:
        assert self._client is not None, "nobody has taken the pins"
        self.smoke = high
        self._client.sendall(_EDGE[high])

    def _take(self, wait_s: float) -> bool:
        """Take in what the client says; return whether it said anything. Raises: BenchFailed."""
        assert self._client is not None, "nobody has taken the pins"
        if wait_s == 0.0 and not select.select([self._client], [], [], 0.0)[0]:
            return False
        try:
            chunk = self._client.recv(65_536)
        except TimeoutError:
            return False
        if not chunk:
            raise BenchFailed("who held the pins has gone")
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self.relay = json.loads(line)["lines"].get(str(RELAY_PIN), self.relay)
        return True

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        self._rest = b""
        self.relay = None
