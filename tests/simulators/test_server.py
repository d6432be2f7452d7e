"""What clients say to the world's socket, well and badly."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.clock import Clock
from simulators import control
from simulators.pins import WorldPins
from simulators.plan import Plan
from simulators.server import MAX_CLIENTS, WorldServer, WorldTaken


class Client:
    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5.0)
        self.sock.connect(str(path))
        self.lines = self.sock.makefile("rb")

    def say(self, message: Any) -> None:
        raw = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
        self.sock.sendall(raw)

    def hear(self) -> Any:
        line = self.lines.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        self.lines.close()
        self.sock.close()


@pytest.fixture
def client(pins: WorldPins) -> Iterator[Client]:
    one = Client(pins._path)
    yield one
    one.close()


def test_a_pins_client_gets_all_levels_then_each_change(client: Client, pins: WorldPins) -> None:
    client.say({"client": "pins"})
    levels = {"17": True, "18": False, "22": False, "23": False, "24": True}
    assert client.hear() == {"pins": levels, "synchronised": True}
    control.sim(pins._path, "front-door", "open")
    assert client.hear() == {"pin": 22, "high": True}


def test_a_change_is_on_its_way_before_the_one_who_made_it_is_answered(
    client: Client, pins: WorldPins
) -> None:
    client.say({"client": "pins"})
    client.hear()
    control.sim(pins._path, "front-door", "open")
    client.sock.setblocking(False)
    assert b'"pin":22' in client.sock.recv(4096)


def test_a_sensor_gets_pulses_and_after_silence_none(client: Client, pins: WorldPins) -> None:
    client.say({"client": "sensor", "id": "rack-air"})
    client.say({"ask": "pulses"})
    assert len(client.hear()["pulses"]) == 81
    control.sim(pins._path, "rack-air", "silent")
    client.say({"ask": "pulses"})
    assert client.hear() == {"pulses": []}


def test_a_sensor_that_is_not_there_is_refused(client: Client) -> None:
    client.say({"client": "sensor", "id": "no-air"})
    client.say({"ask": "pulses"})
    assert client.hear() == {"error": "'no-air' is not a simulated sensor of this room"}


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\n", id="an empty line"),
        pytest.param(b"\xff\xfe\n", id="no text"),
        pytest.param(b"[]\n", id="no object"),
        pytest.param(b'{"client":"stranger"}\n', id="a stranger"),
        pytest.param(b'{"client":["pins"]}\n', id="a wrong type"),
        pytest.param(b'{"client":"sim"}\n{"subject":3,"value":"on"}\n', id="a wrong subject"),
        pytest.param(b'{"client":"sim"}\n{"subject":"mains","value":[]}\n', id="a wrong value"),
        pytest.param(b'{"client":"pins","client":"sim"}\n{"lines":{}}\n', id="another's line"),
    ],
)
def test_nonsense_is_answered_with_an_error_and_the_world_goes_on(
    client: Client, pins: WorldPins, raw: bytes
) -> None:
    client.say(raw)
    assert "error" in client.hear()
    assert control.truth(pins._path)["supply"]["mains"] is True


@pytest.mark.parametrize(
    "lines",
    [{"a": True}, {"-1": True}, {"16": 1}, {"\u0661": True}, {"9" * 5000: True}, []],
)
def test_impossible_lines_are_refused(client: Client, pins: WorldPins, lines: Any) -> None:
    client.say({"client": "pins"})
    client.hear()
    client.say({"lines": lines})
    assert "error" in client.hear()
    assert control.truth(pins._path)["lines"] == {}


def test_a_line_without_an_end_closes_its_connection(client: Client) -> None:
    try:
        client.say(b"x" * 70_000)
        assert client.hear() is None
    except (ConnectionResetError, BrokenPipeError):
        pass


def test_only_so_many_clients_are_taken(pins: WorldPins) -> None:
    clients = [Client(pins._path) for _ in range(MAX_CLIENTS - 1)]
    try:
        clients[-1].say({"client": "sim"})
        clients[-1].say({"ask": "truth"})
        assert "truth" in clients[-1].hear()
        late = Client(pins._path)
        assert late.hear() is None
        late.close()
    finally:
        for client in clients:
            client.close()


def test_the_whole_log_comes_through(client: Client, pins: WorldPins) -> None:
    client.say({"client": "pins"})
    client.hear()
    for n in range(10_050):
        client.say(b'{"lines":{"12":%s}}\n' % (b"false" if n % 2 else b"true"))
    deadline = time.monotonic() + 5.0
    while (log := control.wire_log(pins._path))[-1][1:] != (12, False) or len(log) < 10_000:
        assert time.monotonic() < deadline
    assert len(log) == 10_000
    assert log == sorted(log, key=lambda edge: edge[0])


def test_a_second_world_on_the_socket_is_refused(pins: WorldPins, room: Plan) -> None:
    with pytest.raises(WorldTaken, match="a world already runs on"):
        WorldServer(room, pins._path, Clock())
    assert control.truth(pins._path)["supply"]["mains"] is True


def test_a_socket_left_by_a_dead_world_is_replaced(
    start_world: Callable[..., Path], tmp_path: Path
) -> None:
    stale = tmp_path / "world.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(stale))
    assert control.truth(start_world())["supply"]["mains"] is True


def test_only_its_own_user_reaches_the_world(pins: WorldPins) -> None:
    assert pins._path.stat().st_mode & 0o777 == 0o600


def test_a_world_ends_alone_and_takes_its_socket_with_it(tmp_path: Path, room: Plan) -> None:
    path = tmp_path / "world.sock"
    server = WorldServer(room, path, Clock())
    began_s = time.monotonic()
    server.run(alone_s=0.1)
    assert time.monotonic() - began_s >= 0.1
    server.close()
    assert not path.exists()
    with pytest.raises(control.NoWorld, match="no simulated world answers on"):
        control.sim(path, "mains", "off")


def test_time_in_the_world_runs_at_the_rooms_pace(
    start_world: Callable[..., Path], eventually: Callable[..., None]
) -> None:
    path = start_world(pace=1000.0)
    pins = WorldPins(path)
    control.sim(path, "hall", "on")
    eventually(lambda: control.truth(path)["projectors"]["hall"]["power"] == "on")
    pins.close()
