"""The world's process: one loop on one thread behind the socket `world.sock`, JSON lines.

A client's first line says what it is: `{"client": "pins"}`, `"sensor"` or `"sim"`. What each may
say then stands at the method that takes it. Physics are exact for any step, so the loop sleeps
until somebody asks or something is due: an idle world costs a look a second.
"""

from __future__ import annotations

import fcntl
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import msgspec

from controller.clock import Clock
from controller.config.schema import RoomFile
from controller.core.registers import RegisterMap
from simulators.bell import Bell
from simulators.network import Network
from simulators.peer import Peer, listen
from simulators.plan import Plan, plan_of
from simulators.secretfiles import write_missing
from simulators.subject import Refused
from simulators.world import World

MAX_CLIENTS = 64
ALONE_S = 60.0
"""How long, in real time, the world outlives its last pins client."""
_LOOK_S = 1.0

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class WorldTaken(OSError):
    """Another world already runs on this socket."""


def serve(
    room: RoomFile,
    socket_path: Path,
    clock: Clock,
    maps: Mapping[str, RegisterMap] | None = None,
) -> None:
    """Run the world of `room` until SIGTERM, or until it has been alone for a minute.

    `maps` holds the register map of each Modbus UPS by its id. Secret files of simulated parts
    that are missing are written first. Call it on the main thread. Raises: WorldTaken, OSError.
    """
    write_missing(room)
    server = WorldServer(plan_of(room, maps), socket_path, clock)
    signal.signal(signal.SIGTERM, lambda _number, _frame: server.stop())
    try:
        server.run()
    finally:
        server.close()


class WorldServer:
    """A world on its socket, which answers as soon as this is built and runs in `run`.

    Raises: WorldTaken, OSError.
    """

    def __init__(self, plan: Plan, socket_path: Path, clock: Clock) -> None:
        self._path = socket_path
        self._lock = _lock_beside(socket_path)
        self._world = World(plan, clock.mono_s())
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._bell = Bell(self._selector)
        self._clients: list[Peer] = []
        self._pins: list[Peer] = []
        socket_path.unlink(missing_ok=True)  # left by a world that was killed
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(socket_path))
        socket_path.chmod(0o600)
        self._listener.listen(MAX_CLIENTS)
        listen(self._selector, self._listener, self._accept)
        self._network = Network(self._selector, self._world, self._bell.call)
        # Whoever finds the world finds its projectors, UPSes and hosts.
        self._network.follow()

    def stop(self) -> None:
        """End `run`, from any thread or signal handler."""
        self._bell.call(self._stop)

    def _stop(self) -> None:
        self._stopping = True

    def run(self, alone_s: float = ALONE_S) -> None:
        """Serve until `stop`, or until no pins client was there for `alone_s`, in real time."""
        accompanied_s = time.monotonic()
        while not self._stopping:
            self._advance()
            self._network.follow()
            if self._pins:
                accompanied_s = time.monotonic()
            elif time.monotonic() - accompanied_s > alone_s:
                return
            for key, mask in self._selector.select(min(self._wait_s(), alone_s)):
                self._advance()
                key.data(mask)
                self._tell_pins()

    def close(self) -> None:
        """Give up the socket; call it once `run` has ended."""
        self._path.unlink(missing_ok=True)
        for peer in self._clients:
            peer.close()
        self._network.close()
        self._listener.close()
        self._bell.close()
        self._selector.close()
        self._lock.close()

    def _wait_s(self) -> float:
        """Return how long nothing happens by itself, in real time."""
        world_s = self._clock.real_s(self._world.next_s - self._clock.mono_s())
        return max(0.0, min(_LOOK_S, world_s, self._network.wait_s()))

    def _advance(self) -> None:
        self._world.advance(self._clock.mono_s())
        self._tell_pins()

    def _tell_pins(self) -> None:
        """Say each edge to the pins at once: the way from a contact to a relay starts here."""
        edges = self._world.take_edges()
        for peer in self._pins:
            for edge in edges:
                peer.send(b'{"pin":%d,"high":%s}\n' % (edge.pin, _BOOL[edge.high]))
        self._pins = [peer for peer in self._pins if not peer.is_closed]

    def _accept(self, sock: socket.socket) -> None:
        self._clients = [peer for peer in self._clients if not peer.is_closed]
        if len(self._clients) >= MAX_CLIENTS:
            sock.close()
            return
        role: list[Callable[[Peer, dict[str, Any]], None]] = []

        def took(peer: Peer, line: bytes) -> None:
            try:
                message = _decode(line)
                if role:
                    role[0](peer, message)
                else:
                    role.append(self._introduce(peer, message))
            except (Refused, msgspec.DecodeError) as error:
                peer.send(_encode({"error": str(error)}) + b"\n")

        self._clients.append(Peer(self._selector, sock, took))

    def _introduce(
        self, peer: Peer, message: dict[str, Any]
    ) -> Callable[[Peer, dict[str, Any]], None]:
        match message:
            case {"client": "pins"}:
                pins = {str(pin): high for pin, high in self._world.levels.items()}
                synchronised = self._world.clock_synchronised
                hello: dict[str, Any] = {"pins": pins, "synchronised": synchronised}
                if self._network.wake_address is not None:
                    hello["wake"] = self._network.wake_address
                _reply(peer, hello)
                self._pins.append(peer)
                return self._from_pins
            case {"client": "sensor", "id": str(id)}:
                return lambda peer, message: self._from_sensor(peer, id, message)
            case {"client": "sim"}:
                return self._from_sim
        raise Refused('the first line is {"client": "pins"}, "sensor" with its "id", or "sim"')

    def _from_pins(self, _peer: Peer, message: dict[str, Any]) -> None:
        """`{"lines": {"16": true}}`: the electrical levels of output lines; no answer."""
        lines = message.get("lines")
        if not isinstance(lines, dict) or not all(
            pin in _PINS and isinstance(high, bool) for pin, high in lines.items()
        ):
            raise Refused('{"lines": {"16": true or false}} with pins 0..27 expected')
        self._world.drive({_PINS[pin]: high for pin, high in lines.items()})

    def _from_sensor(self, peer: Peer, id: str, message: dict[str, Any]) -> None:
        """`{"ask": "pulses"}`: one measurement; answered with `{"pulses": [us, ..]}`."""
        if message.get("ask") != "pulses":
            raise Refused('{"ask": "pulses"} expected')
        _reply(peer, {"pulses": self._world.pulses(id)})

    def _from_sim(self, peer: Peer, message: dict[str, Any]) -> None:
        """`{"subject": .., "value": ..}`, `{"ask": "truth"}` or `{"ask": "log"}`."""
        match message:
            case {"ask": "truth"}:
                _reply(peer, {"truth": self._world.truth()})
            case {"ask": "log"}:
                _reply(peer, {"log": list(self._world.log)})
            case {"subject": str(subject), "value": str() | int() | float() as value}:
                synchronised = self._world.clock_synchronised
                self._world.sim(subject, str(value))
                self._tell_pins()
                if self._world.clock_synchronised is not synchronised:
                    for pins in self._pins:
                        _reply(pins, {"synchronised": self._world.clock_synchronised})
                self._network.follow()
                _reply(peer, {"done": True})
            case _:
                raise Refused('{"subject": .., "value": ..} or {"ask": "truth"|"log"} expected')


def _lock_beside(socket_path: Path) -> TextIO:
    """Take the lock that stands beside the socket: two worlds would share one room's wires."""
    socket_path.parent.mkdir(parents=True, exist_ok=True)
    lock = open(socket_path.with_suffix(".lock"), "w", encoding="ascii")  # noqa: SIM115
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise WorldTaken(f"a world already runs on {socket_path}") from error
    return lock


_PINS = {str(pin): pin for pin in range(28)}
_BOOL = {True: b"true", False: b"false"}


def _reply(peer: Peer, message: dict[str, Any]) -> None:
    peer.send(_encode(message) + b"\n")
