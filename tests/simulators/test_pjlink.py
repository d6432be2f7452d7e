from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from drivers.pjlink import PjLink
from simulators import control
from simulators.pins import WorldPins
from simulators.pjlink import Conversation
from simulators.plan import Plan
from simulators.port import MAX_PEERS
from simulators.projector import Projector

Eventually = Callable[..., None]


@pytest.fixture
def projector() -> Projector:
    one = Projector(300.0)
    one.supply(True)
    return one


def talk(projector: Projector, **how: object) -> Conversation:
    return Conversation(projector, "hall", projector.switch, **how)  # type: ignore[arg-type]


def test_a_projector_tells_each_of_its_states(projector: Projector) -> None:
    say = talk(projector)
    answers = [say.greeting, say.answer(b"%1POWR ?"), say.answer(b"%1POWR 1")]
    answers.append(say.answer(b"%1POWR ?"))
    projector.advance(30.0)
    answers += [say.answer(b"%1POWR ?"), say.answer(b"%1POWR 0"), say.answer(b"%1POWR ?")]
    assert answers == [
        b"PJLINK 0\r",
        b"%1POWR=0\r",
        b"%1POWR=OK\r",
        b"%1POWR=3\r",
        b"%1POWR=1\r",
        b"%1POWR=OK\r",
        b"%1POWR=2\r",
    ]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"%1CLSS ?", b"%1CLSS=1\r"),
        (b"%1NAME ?", b"%1NAME=hall\r"),
        (b"%1INF1 ?", b"%1INF1=Roomwarden\r"),
        (b"%1LAMP ?", b"%1LAMP=1200 0\r"),
        (b"%1ERST ?", b"%1ERST=000000\r"),
        (b"%1INPT ?", b"%1INPT=ERR3\r"),
        (b"%1AVMT ?", b"%1AVMT=ERR3\r"),
        (b"%1ZOOM ?", b"%1ZOOM=ERR1\r"),
        (b"%1POWR 7", b"%1POWR=ERR2\r"),
        (b"%1LAMP 1", b"%1LAMP=ERR2\r"),
        (b"%1powr ?", b"%1POWR=0\r"),
        (b"%2POWR ?", b""),
        (b"", b""),
        (b"\xff" * 40, b""),
        (b"%1\xff\xff\xff\xff ?", "%1\ufffd\ufffd\ufffd\ufffd=ERR1\r".encode()),
    ],
)
def test_a_projector_in_standby_answers_as_class_1_asks(
    projector: Projector, command: bytes, answer: bytes
) -> None:
    assert talk(projector).answer(command) == answer


def test_a_cooling_lamp_refuses_to_be_lit(projector: Projector) -> None:
    say = talk(projector)
    say.answer(b"%1POWR 1")
    say.answer(b"%1POWR 0")
    assert say.answer(b"%1POWR 1") == b"%1POWR=ERR3\r"


def test_the_password_is_asked_for_once_in_a_connection(projector: Projector) -> None:
    # The digest of the PJLink specification's own example.
    say = talk(projector, password="JBMIAProjectorLink", salt="498e4a67")
    assert say.greeting == b"PJLINK 1 498e4a67\r"
    assert say.answer(b"5d8409bc1c3fa39749434aa3a5c38682%1POWR ?") == b"%1POWR=0\r"
    assert say.answer(b"%1POWR ?") == b"%1POWR=0\r"


def test_a_wrong_password_ends_the_conversation(projector: Projector) -> None:
    say = talk(projector, password="JBMIAProjectorLink", salt="498e4a67")
    assert say.answer(b"0" * 32 + b"%1POWR 1") == b"PJLINK ERRA\r"
    assert say.is_over
    assert projector.power == "standby"


@pytest.fixture
def hall(
    start_world: Callable[..., Path], networked_room: Plan
) -> Iterator[tuple[Path, tuple[str, int]]]:
    path = start_world(networked_room)
    pins = WorldPins(path)
    address = networked_room.projectors[0].address
    assert address is not None
    yield path, address
    pins.close()


def exchange(address: tuple[str, int], command: bytes = b"%1POWR ?\r") -> bytes:
    """Greet, say one command, and return all that came until the other side was done."""
    with socket.create_connection(address, 2.0) as sock:
        received = b""
        while not received.endswith(b"\r"):
            received += sock.recv(256) or b"<closed>\r"
        if received != b"PJLINK 0\r":
            return received
        sock.sendall(command)
        return sock.recv(256) or b"<closed>"


def test_the_real_driver_switches_the_simulated_projector(
    hall: tuple[Path, tuple[str, int]],
) -> None:
    path, (host, port) = hall
    driver = PjLink(f"{host}:{port}")
    assert driver.read() == "standby"
    driver.send("on")
    assert driver.read() == "warm-up"
    assert control.truth(path)["projectors"]["hall"]["lit"] is True
    driver.send("off")
    assert driver.read() == "cooling"


def test_the_remote_shows_on_the_network(hall: tuple[Path, tuple[str, int]]) -> None:
    path, address = hall
    control.sim(path, "hall", "on")
    assert exchange(address) == b"%1POWR=3\r"


@pytest.mark.parametrize(
    ("fault", "answer"),
    [("busy", b"%1POWR=ERR3\r"), ("garbage", b"\xff\x00%1?\r0=RWOP1%\r")],
)
def test_a_faulty_projector_answers_badly_until_normal(
    hall: tuple[Path, tuple[str, int]], fault: str, answer: bytes
) -> None:
    path, address = hall
    control.sim(path, "hall", fault)
    assert exchange(address) == answer
    control.sim(path, "hall", "normal")
    assert exchange(address) == b"%1POWR=0\r"


def test_a_late_answer_comes_in_the_end(
    hall: tuple[Path, tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.port.LATE_S", 0.05)
    path, address = hall
    control.sim(path, "hall", "late")
    assert exchange(address) == b"%1POWR=0\r"


def test_a_projector_that_drops_closes_at_once(hall: tuple[Path, tuple[str, int]]) -> None:
    path, address = hall
    control.sim(path, "hall", "drop")
    assert exchange(address) == b"<closed>\r"


@pytest.mark.parametrize("fault", ["silent", "late"])
def test_a_silent_or_late_projector_takes_the_connection_and_lets_one_wait(
    hall: tuple[Path, tuple[str, int]], fault: str
) -> None:
    path, address = hall
    control.sim(path, "hall", fault)
    with socket.create_connection(address, 2.0) as sock:
        sock.sendall(b"%1POWR ?\r")
        control.truth(path)  # the world has looked at it by now
        sock.settimeout(0.1)
        if fault == "late":
            assert sock.recv(256) == b"PJLINK 0\r"
        with pytest.raises(TimeoutError):
            sock.recv(256)


def test_nothing_listens_while_the_outlet_has_no_power(
    hall: tuple[Path, tuple[str, int]], eventually: Eventually
) -> None:
    path, address = hall
    with socket.create_connection(address, 2.0) as held:
        held.recv(256)
        control.sim(path, "mains", "off")
        assert held.recv(256) == b""
    with pytest.raises(ConnectionRefusedError):
        exchange(address)
    control.sim(path, "mains", "on")
    assert exchange(address) == b"%1POWR=0\r"


def test_only_so_many_connections_are_held(
    hall: tuple[Path, tuple[str, int]], eventually: Eventually
) -> None:
    _, address = hall
    held = [socket.create_connection(address, 2.0) for _ in range(MAX_PEERS)]
    for sock in held:
        sock.recv(256)
    assert exchange(address) == b"<closed>\r"
    for sock in held:
        sock.close()
    eventually(lambda: exchange(address) == b"%1POWR=0\r")


def test_an_idle_connection_is_dropped(
    hall: tuple[Path, tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.port.IDLE_S", 0.05)
    _, address = hall
    with socket.create_connection(address, 2.0) as sock:
        sock.recv(256)
        assert sock.recv(256) == b""


def test_a_taken_address_leaves_the_rest_of_the_world_running(
    start_world: Callable[..., Path], networked_room: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    address = networked_room.projectors[0].address
    assert address is not None
    with socket.create_server(address):
        path = start_world(networked_room)
        assert control.truth(path)["projectors"]["hall"]["power"] == "standby"
    assert "hall: cannot listen on" in caplog.text


def test_a_projector_with_a_password_lets_the_driver_in_that_knows_it(
    start_world: Callable[..., Path], networked_room: Plan, tmp_path: Path
) -> None:
    secret = msgspec.structs.replace(networked_room.projectors[0], password="secret-1")
    pins = WorldPins(start_world(msgspec.structs.replace(networked_room, projectors=(secret,))))
    (tmp_path / "hall.secret").write_text("secret-1\n")
    assert secret.address is not None
    host, port = secret.address
    assert PjLink(f"{host}:{port}", str(tmp_path / "hall.secret")).read() == "standby"
    pins.close()
