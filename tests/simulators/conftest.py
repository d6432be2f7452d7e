"""A small room, and a world of it behind a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from controller.clock import Clock
from simulators.pins import WorldPins
from simulators.plan import (
    ClimatePart,
    CoilPart,
    ContactPart,
    Loop,
    Plan,
    ProjectorPart,
)
from simulators.server import WorldServer

ROOM = Plan(
    contacts=(
        ContactPart("smoke-1", "smoke", (Loop(17, True), Loop(18, False))),
        ContactPart("front-door", "door", (Loop(22, False),)),
        ContactPart("mains", "mains", (Loop(23, True),)),
        ContactPart("cut-proof", "feedback", (Loop(24, True),), of="power-cut"),
    ),
    climates=(ClimatePart("rack-air", "dht22"),),
    coils=(
        CoilPart("power-cut", "cut-off", 16, scope="room"),
        CoilPart("ups-cut", "cut-off", 13, scope="ups"),
        CoilPart("aircon", "cooling", 20, on_when_energised=False),
        CoilPart("hall-outlet", "outlet", 21, on_when_energised=False),
    ),
    projectors=(ProjectorPart("hall", "hall-outlet", cooling_s=300.0),),
)


@pytest.fixture(scope="session")
def room() -> Plan:
    return ROOM


@pytest.fixture(name="free_address")
def _free_address() -> Callable[[], tuple[str, int]]:
    return free_address


_given: set[int] = set()


def free_address() -> tuple[str, int]:
    """A free port is offered again as soon as it is closed: not twice to our tests."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return "127.0.0.1", port


@pytest.fixture
def networked_room() -> Plan:
    """The room, its projector listening on a free port."""
    hall = msgspec.structs.replace(ROOM.projectors[0], address=free_address())
    return msgspec.structs.replace(ROOM, projectors=(hall,))


@pytest.fixture
def start_world(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Run worlds on threads until the test is over."""
    running: list[tuple[WorldServer, threading.Thread]] = []

    def start(plan: Plan = ROOM, name: str = "world.sock", pace: float = 1.0) -> Path:
        server = WorldServer(plan, tmp_path / name, Clock(pace))
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        return tmp_path / name

    yield start
    for server, thread in running:
        server.stop()
        thread.join(5.0)
        assert not thread.is_alive()
        server.close()


@pytest.fixture
def pins(start_world: Callable[..., Path]) -> Iterator[WorldPins]:
    factory = WorldPins(start_world())
    yield factory
    factory.close()


def eventually(holds: Callable[[], bool], within_s: float = 5.0) -> None:
    until_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until_s, "it never came to hold"
        time.sleep(0.002)


@pytest.fixture(name="eventually")
def _eventually() -> Callable[..., None]:
    return eventually
