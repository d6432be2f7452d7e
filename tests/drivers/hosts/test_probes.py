"""Probes against what is really there, silent, refusing or odd."""

from __future__ import annotations

import re
import socket
import threading
import time

import pytest

from controller.core.parts import DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.hosts import line, probes
from drivers.hosts.probes import Answer, probe

pytestmark = pytest.mark.slow

NEVER = threading.Event()


@pytest.fixture
def impatient(monkeypatch):
    for name in ("_TCP_S", "_HTTP_S"):
        monkeypatch.setattr(probes, name, 0.3)


@pytest.fixture
def full():
    """A listener whose queue is full: what connects to it hears nothing at all."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = []
        for _ in range(3):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            waiting.append(client)
        yield address[1]
        for client in waiting:
            client.close()


def says(text: bytes):
    def script(connection: socket.socket) -> None:
        connection.sendall(text)

    return script


def replies(text: bytes):
    def script(connection: socket.socket) -> None:
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += connection.recv(4096)
        connection.sendall(text)

    return script


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def drip(connection: socket.socket) -> None:
    connection.recv(4096)
    while True:
        connection.sendall(b"S")
        time.sleep(0.02)


def ask(url: str, ca: str | None = None) -> Answer:
    return probe(url, NEVER, ca)()


def test_the_times_that_a_look_may_take():
    assert (probes._TCP_S, probes._PING_S, probes._HTTP_S, probes._COMMAND_S) == (2, 1, 5, 5)


def test_a_ping_of_ourselves_says_nothing_of_a_host():
    assert ask("ping://127.0.0.1") is Answer.OURSELVES
    assert ask("ping://localhost") is Answer.OURSELVES


def test_a_host_that_answers_a_ping_is_there(monkeypatch):
    # The one address of this machine that is certainly there is made to pass for another's.
    monkeypatch.setattr("drivers.hosts.address.Address.is_loopback", False)
    assert ask("ping://127.0.0.1") is Answer.ANSWERS


@pytest.mark.system
def test_a_ping_that_nobody_answers_is_silence():
    assert ask("ping://224.0.0.99") is Answer.SILENT  # a group of multicast without members


def test_a_ping_of_a_name_that_does_not_resolve_cannot_be_sent():
    with pytest.raises(DeviceUnreachable, match="not known"):
        ask("ping://no-such-host.invalid")


def test_a_ping_without_its_program_is_told(monkeypatch):
    monkeypatch.setattr(probes, "PLAIN", {"PATH": "/nowhere"})
    with pytest.raises(DeviceUnreachable, match="ping: No such file"):
        ask("ping://127.0.0.1")


def test_a_port_that_is_open_answers(far):
    assert ask(f"tcp://127.0.0.1:{far(silent).port}") is Answer.ANSWERS
    assert ask(f"tcp://localhost:{far(silent).port}") is Answer.ANSWERS


def test_a_port_of_ours_that_is_shut_is_silence_and_anothers_refusal_a_sign_of_life(
    dead_port, monkeypatch
):
    assert ask(f"tcp://127.0.0.1:{dead_port}") is Answer.SILENT
    monkeypatch.setattr("drivers.hosts.address.Address.is_loopback", False)
    assert ask(f"tcp://127.0.0.1:{dead_port}") is Answer.REFUSES


def test_a_port_that_does_not_even_refuse_is_silence(full, impatient):
    began_s = time.monotonic()
    assert ask(f"tcp://127.0.0.1:{full}") is Answer.SILENT
    assert time.monotonic() - began_s < 5.0


def test_a_name_that_does_not_resolve_is_no_silence():
    with pytest.raises(DeviceUnreachable, match=r"no-such-host\.invalid: no such host name"):
        ask("tcp://no-such-host.invalid:22")


def test_a_name_server_that_does_not_answer_is_given_up_in_time(program, impatient, monkeypatch):
    folder = program("exec sleep 60", "getent").rpartition("/")[0]
    monkeypatch.setattr(line, "PLAIN", {"PATH": f"{folder}:/usr/bin:/bin"})
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout, match="getent"):
        ask("tcp://server.example:22")
    assert time.monotonic() - began_s < 5.0


@pytest.mark.parametrize(
    ("greeting", "answer"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", Answer.ANSWERS),
        (b"220 mail\r\n", Answer.REFUSES),
        (b"SS", Answer.REFUSES),
        (b"", Answer.REFUSES),
        (b"\xff\x00" * 5000, Answer.REFUSES),
    ],
)
def test_an_ssh_server_is_known_by_its_greeting(far, greeting, answer):
    assert ask(f"ssh://room@127.0.0.1:{far(says(greeting)).port}") is answer


def test_an_ssh_server_that_does_not_greet_is_silence(far, impatient):
    assert ask(f"ssh://127.0.0.1:{far(silent).port}") is Answer.SILENT


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (b"200 OK", Answer.ANSWERS),
        (b"302 Found\r\nLocation: /login", Answer.ANSWERS),
        (b"399 Odd", Answer.ANSWERS),
        (b"401 Unauthorized", Answer.SILENT),
        (b"503 Service Unavailable", Answer.SILENT),
    ],
)
def test_a_page_answers_by_its_status(far, status, answer):
    page = far(replies(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nhello"))
    assert ask(f"http://127.0.0.1:{page.port}/health?deep=1") is answer


def test_a_page_is_asked_for_as_it_is_written(far):
    heard = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")

    port = far(listen).port
    assert ask(f"http://127.0.0.1:{port}") is Answer.ANSWERS
    assert ask(f"http://127.0.0.1:{port}/网?a=%20b") is Answer.ANSWERS
    assert heard[0].startswith(b"GET / HTTP/1.1\r\n")
    assert heard[1].startswith(b"GET /%E7%BD%91?a=%20b HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n".encode() in heard[0]


@pytest.mark.parametrize("script", [silent, drip, says(b""), says(b"\x80" * 70000)])
def test_a_page_that_never_comes_is_silence_in_time(far, impatient, script):
    began_s = time.monotonic()
    assert ask(f"http://127.0.0.1:{far(script).port}/") is Answer.SILENT
    assert time.monotonic() - began_s < 5.0


def test_a_page_over_tls_answers_who_proves_itself_only(far, certificate):
    page = far(replies(b"HTTP/1.1 204 No Content\r\n\r\n"), certificate=certificate)
    url = f"https://127.0.0.1:{page.port}/"
    assert ask(url, certificate.file) is Answer.ANSWERS
    assert ask(url) is Answer.SILENT


def test_a_missing_certificate_is_named(far, certificate, tmp_path):
    page = far(silent, certificate=certificate)
    with pytest.raises(DeviceError, match=r"ca: .*/bmc\.pem: No such file"):
        ask(f"https://127.0.0.1:{page.port}/", str(tmp_path / "bmc.pem"))


def test_a_command_answers_by_its_end(program, monkeypatch):
    assert ask(f"command:{program('exit 0')}") is Answer.ANSWERS
    assert ask(f"command:{program('exit 1')}") is Answer.SILENT
    monkeypatch.setattr(probes, "_COMMAND_S", 0.2)
    assert ask(f"command:{program('exec sleep 60')}") is Answer.SILENT
    with pytest.raises(DeviceUnreachable):
        ask("command:/no/such/program")


@pytest.mark.parametrize(
    "url",
    [
        *("tcp://", "tcp://a", "tcp://:22", "tcp://a:0x", "tcp://a:65536", "ping://", "ping://-f"),
        *("ssh://", "ssh://-oProxy@a", "http:///x", "ftp://a", "outlet", "command:relative"),
    ],
)
def test_an_address_that_cannot_be_probed_is_named(url):
    with pytest.raises(ValueError, match=re.escape(url)):
        probe(url, NEVER)


def test_a_password_in_an_address_is_refused_without_showing_it():
    with pytest.raises(ValueError, match="belongs in a password_file") as told:
        probe("ssh://room:opensesame@server", NEVER)
    assert "opensesame" not in str(told.value)
