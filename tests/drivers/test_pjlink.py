"""Conversations with a projector over a loopback socket; each test writes the other side."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from controller.core.parts import BadReply, DeviceError, DeviceTimeout, DeviceUnreachable
from drivers import pjlink
from drivers.pjlink import PjLink, host_and_port


class Far:
    """The far side: a script for each connection, in turn; `heard` is what came, line by line."""

    def __init__(self, *scripts: Script) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, args=(scripts,), daemon=True)
        self._thread.start()

    def _serve(self, scripts: tuple[Script, ...]) -> None:
        for script in scripts:
            with contextlib.suppress(OSError):
                line, _ = self._listener.accept()
                with line:
                    script(self, line)

    def close(self) -> None:
        """Wait for the scripts to end; none is waiting for a connection any longer."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(2.0)
        self._listener.close()
        assert not self._thread.is_alive()

    def line(self, connection: socket.socket) -> bytes:
        received = b""
        while not received.endswith(b"\r"):
            byte = connection.recv(1)
            if not byte:
                break
            received += byte
        self.heard.append(received)
        return received


Script = Callable[[Far, socket.socket], None]


@pytest.fixture
def far() -> Iterator[Callable[..., Far]]:
    made: list[Far] = []

    def make(*scripts: Script) -> Far:
        made.append(Far(*scripts))
        return made[-1]

    yield make
    for server in made:
        server.close()


def answers(reply: bytes, greeting: bytes = b"PJLINK 0\r") -> Script:
    def script(far: Far, line: socket.socket) -> None:
        line.sendall(greeting)
        far.line(line)
        line.sendall(reply)

    return script


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(pjlink, "_REPLY_S", 0.15)
    monkeypatch.setattr(pjlink, "_CONNECT_S", 0.15)


def test_the_times_allowed_are_those_of_the_specification():
    assert (pjlink._CONNECT_S, pjlink._REPLY_S) == (2.0, 5.0)


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (b"%1POWR=0\r", "standby"),
        (b"%1POWR=1\r", "on"),
        (b"%1POWR=2\r", "cooling"),
        (b"%1POWR=3\r", "warm-up"),
        (b"%1powr=3\r", "warm-up"),
    ],
)
def test_the_lamps_state_is_told(far, reply, state):
    projector = far(answers(reply))
    assert PjLink(projector.address).read() == state
    assert projector.heard == [b"%1POWR ?\r"]


@pytest.mark.parametrize(("command", "line"), [("on", b"%1POWR 1\r"), ("off", b"%1POWR 0\r")])
def test_a_command_returns_once_it_is_acknowledged(far, command, line):
    projector = far(answers(b"%1POWR=OK\r"))
    PjLink(projector.address).send(command)
    assert projector.heard == [line]


def test_each_exchange_has_its_own_connection(far):
    projector = far(answers(b"%1POWR=OK\r"), answers(b"%1POWR=3\r"), answers(b"%1POWR=1\r"))
    client = PjLink(projector.address)
    client.send("on")
    assert [client.read(), client.read()] == ["warm-up", "on"]


def test_the_password_leads_the_command_as_the_specification_shows(far, tmp_path):
    secret = tmp_path / "hall.secret"
    secret.write_text("JBMIAProjectorLink\n")
    projector = far(answers(b"%1POWR=1\r", b"PJLINK 1 498e4a67\r"))
    assert PjLink(projector.address, str(secret)).read() == "on"
    assert projector.heard == [b"5d8409bc1c3fa39749434aa3a5c38682%1POWR ?\r"]


def test_a_projector_that_wants_no_password_gets_none(far, tmp_path):
    secret = tmp_path / "hall.secret"
    secret.write_text("JBMIAProjectorLink\n")
    projector = far(answers(b"%1POWR=1\r"))
    assert PjLink(projector.address, str(secret)).read() == "on"
    assert projector.heard == [b"%1POWR ?\r"]


def test_a_wrong_password_is_told_without_showing_it(far, tmp_path):
    secret = tmp_path / "hall.secret"
    secret.write_text("opensesame")
    projector = far(answers(b"PJLINK ERRA\r", b"PJLINK 1 498e4a67\r"))
    with pytest.raises(DeviceError, match="refuses the password") as told:
        PjLink(projector.address, str(secret)).read()
    assert "opensesame" not in str(told.value)


def test_a_missing_password_is_told(far):
    projector = far(answers(b"", b"PJLINK 1 498e4a67\r"))
    with pytest.raises(DeviceError, match="asks for a password: set password_file"):
        PjLink(projector.address).read()
    projector.close()
    assert projector.heard == [b""]  # nothing was sent


def test_a_missing_password_file_is_named_until_it_is_there(far, tmp_path):
    secret = tmp_path / "hall.secret"
    projector = far(answers(b"%1POWR=1\r", b"PJLINK 1 498e4a67\r"))
    client = PjLink(projector.address, str(secret))
    with pytest.raises(DeviceError, match=r"password_file: .*hall\.secret"):
        client.read()
    secret.write_bytes(b"\xff\xfe")
    with pytest.raises(DeviceError, match="password_file"):
        client.read()
    secret.write_text("JBMIAProjectorLink")
    assert client.read() == "on"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (b"%1POWR=ERR1\r", "does not know the command"),
        (b"%1POWR=ERR2\r", "does not allow"),
        (b"%1POWR=ERR3\r", "unavailable now"),
        (b"%1POWR=ERR4\r", "failure of its own"),
    ],
)
def test_what_the_projector_refuses_is_told_in_words(far, reply, told):
    projector = far(answers(reply), answers(reply))
    client = PjLink(projector.address)
    with pytest.raises(DeviceError, match=told):
        client.read()
    with pytest.raises(DeviceError, match=told):
        client.send("on")


@pytest.mark.parametrize(
    ("greeting", "reply"),
    [
        (b"PJLINK 0\r", b"%1POWR=7\r"),
        (b"PJLINK 0\r", b"%1POWR=\r"),
        (b"PJLINK 0\r", b"%1LAMP=1\r"),
        (b"PJLINK 0\r", b"\r"),
        (b"PJLINK 0\r", b"\xff\x00\xfe\r"),
        (b"PJLINK 0\r", b"%1POWR=OK\r"),
        (b"PJLINK 2 498e4a67\r", b""),
        (b"PJLINK 1 \r", b""),
        (b"PJLINK\r", b""),
        (b"SSH-2.0-OpenSSH_9.2\r\n", b""),
        (b"\x80\x81\r", b""),
    ],
)
def test_garbage_is_a_bad_reply(far, greeting, reply):
    projector = far(answers(reply, greeting))
    with pytest.raises(BadReply):
        PjLink(projector.address).read()


def test_an_answer_that_is_no_acknowledgement_is_a_bad_reply(far):
    projector = far(answers(b"%1POWR=1\r"))
    with pytest.raises(BadReply, match="in place of an acknowledgement"):
        PjLink(projector.address).send("on")


def test_a_reply_that_comes_byte_by_byte_is_put_together(far):
    def drip(server: Far, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"PJLINK 0\r":
            line.sendall(bytes([byte]))
            time.sleep(0.001)
        server.line(line)
        for byte in b"%1POWR=2\r":
            line.sendall(bytes([byte]))
            time.sleep(0.001)

    assert PjLink(far(drip).address).read() == "cooling"


def test_a_reply_that_drips_for_ever_is_given_up_in_time(far, impatient):
    def drip(server: Far, line: socket.socket) -> None:
        line.sendall(b"PJLINK 0\r")
        server.line(line)
        while True:
            line.sendall(b"%")
            time.sleep(0.02)

    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout, match="no answer"):
        PjLink(far(drip).address).read()
    assert time.monotonic() - began_s < 4.0


def test_a_reply_without_an_end_is_refused_before_it_fills_the_memory(far):
    def flood(server: Far, line: socket.socket) -> None:
        line.sendall(b"PJLINK 0\r")
        server.line(line)
        while True:
            line.sendall(b"x" * 4096)

    with pytest.raises(BadReply, match="without an end"):
        PjLink(far(flood).address).read()


@pytest.mark.parametrize("greeting", [b"", b"PJLINK 0\r"], ids=["at once", "after its greeting"])
def test_a_silent_projector_is_a_timeout(far, impatient, greeting):
    def silent(server: Far, line: socket.socket) -> None:
        line.sendall(greeting)
        while server.line(line):
            pass

    with pytest.raises(DeviceTimeout, match="no answer"):
        PjLink(far(silent).address).read()


@pytest.mark.parametrize("greeting", [b"", b"PJLI", b"PJLINK 0\r"])
def test_a_dropped_connection_is_unreachable(far, greeting):
    def drop(server: Far, line: socket.socket) -> None:
        line.sendall(greeting)
        if greeting.endswith(b"\r"):
            server.line(line)

    with pytest.raises(DeviceUnreachable) as told:
        PjLink(far(drop).address).read()
    assert str(told.value).count("projector") == 1


def test_a_refused_connection_and_an_unknown_host_are_unreachable(far):
    projector = far()
    projector.close()
    with pytest.raises(DeviceUnreachable, match="refused"):
        PjLink(projector.address).read()
    with pytest.raises(DeviceUnreachable):
        PjLink("a..b").read()


def test_after_any_failure_the_next_exchange_is_as_the_first(far, impatient, monkeypatch):
    def silent(server: Far, line: socket.socket) -> None:
        while server.line(line):
            pass

    client = PjLink(far(silent, answers(b"?\r"), answers(b"%1POWR=1\r")).address)
    with pytest.raises(DeviceTimeout):
        client.read()
    monkeypatch.setattr(pjlink, "_REPLY_S", 30.0)
    monkeypatch.setattr(pjlink, "_CONNECT_S", 30.0)
    with pytest.raises(BadReply):
        client.read()
    assert client.read() == "on"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:4352", ("127.0.0.1", 4352)),
        ("127.0.0.1", ("127.0.0.1", 4352)),
        ("hall.example:1", ("hall.example", 1)),
        ("[::1]:99", ("::1", 99)),
        ("[::1]", ("::1", 4352)),
    ],
)
def test_the_port_may_be_left_out(address, expected):
    assert host_and_port(address) == expected


@pytest.mark.parametrize("address", ["", ":1", "a:", "a:0", "a:65536", "a:-1", "a:1:2", "a:²"])
def test_an_address_that_is_none_is_named(address):
    with pytest.raises(ValueError, match=r'"host:port"'):
        host_and_port(address)
