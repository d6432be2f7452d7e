"""Conversations with upsd over a loopback socket; each test writes the other side."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from controller.core.parts import BadReply, DeviceError, DeviceTimeout, DeviceUnreachable
from drivers import nutclient
from drivers.nutclient import AccessDenied, DataStale, DriverNotConnected, NutClient, UnknownUps
from drivers.nutwords import quoted, read_password, split

Script = Callable[["Far", socket.socket], None]


class Far:
    """The far side: a script for each connection, in turn; `heard` is what came, line by line."""

    def __init__(self, *scripts: Script) -> None:
        self.heard: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(scripts,), daemon=True)
        self._thread.start()

    def _serve(self, scripts: tuple[Script, ...]) -> None:
        for script in scripts:
            with contextlib.suppress(OSError):
                line, _ = self._listener.accept()
                with line:
                    script(self, line)

    def line(self, connection: socket.socket) -> None:
        received = b""
        while not received.endswith(b"\n"):
            byte = connection.recv(1)
            if not byte:
                break
            received += byte
        self.heard.append(received.decode())

    def close(self) -> None:
        """Wait for the scripts to end; none is waiting for a connection any longer."""
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(2.0)
        self._listener.close()
        assert not self._thread.is_alive()


@pytest.fixture
def far() -> Iterator[Callable[..., Far]]:
    made: list[Far] = []

    def make(*scripts: Script) -> Far:
        made.append(Far(*scripts))
        return made[-1]

    yield make
    for server in made:
        server.close()


def answers(*replies: bytes) -> Script:
    """Answer each line that comes with the next reply."""

    def script(far: Far, line: socket.socket) -> None:
        for reply in replies:
            far.line(line)
            line.sendall(reply)

    return script


def hangs(far: Far, line: socket.socket) -> None:
    far.over.wait(5.0)


def endless(text: bytes, start: bytes = b"") -> Script:
    def script(far: Far, line: socket.socket) -> None:
        line.sendall(start)
        while not far.over.is_set():
            line.sendall(text)

    return script


def drips(far: Far, line: socket.socket) -> None:
    """A byte now and then, so that no single wait is long."""
    while not far.over.wait(0.02):
        line.sendall(b"V")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(nutclient, "_CONNECT_S", 0.2)
    monkeypatch.setattr(nutclient, "_EXCHANGE_S", 0.2)


LIST = b'BEGIN LIST VAR ups\nVAR ups ups.status "OL"\nVAR ups ups.load "12"\nEND LIST VAR ups\n'


def test_the_times_allowed_stay_within_a_few_polls():
    assert (nutclient._CONNECT_S, nutclient._EXCHANGE_S) == (2.0, 3.0)


def test_all_variables_are_listed(far):
    upsd = far(answers(LIST))
    client = NutClient("127.0.0.1", upsd.port)
    assert client.variables("ups") == {"ups.status": "OL", "ups.load": "12"}
    assert upsd.heard == ['LIST VAR "ups"\n']


def test_a_list_that_comes_in_pieces_is_put_together(far):
    def script(far: Far, line: socket.socket) -> None:
        far.line(line)
        for byte in LIST:
            line.sendall(bytes([byte]))

    assert NutClient("127.0.0.1", far(script).port).variables("ups")["ups.load"] == "12"


def test_a_ups_may_say_its_name_in_any_encoding(far):
    upsd = far(answers(LIST.replace(b'"12"', b'"\xff\xfe 12"')))
    assert NutClient("127.0.0.1", upsd.port).variables("ups")["ups.load"] == "\ufffd\ufffd 12"


def test_sessions_are_counted_and_their_addresses_listed(far):
    upsd = far(
        answers(b"NUMLOGINS ups 2\n"),
        answers(b"BEGIN LIST CLIENT ups\nCLIENT ups 10.0.0.7\nEND LIST CLIENT ups\n"),
    )
    client = NutClient("127.0.0.1", upsd.port)
    assert client.sessions("ups") == 2
    assert client.clients("ups") == ["10.0.0.7"]


def test_a_command_is_given_by_the_user_with_the_password(far, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text('a "b\\#c\n')
    upsd = far(answers(b"OK\n", b"OK\n", b"OK TRACKING 1bd31808-cb49-4aec-9d75-d056e6f018d2\n"))
    NutClient("127.0.0.1", upsd.port, "admin", str(secret)).command("ups", "shutdown.return")
    assert upsd.heard == [
        'USERNAME "admin"\n',
        'PASSWORD "a \\"b\\\\\\#c"\n',
        'INSTCMD "ups" "shutdown.return"\n',
    ]


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (b"ERR DATA-STALE\n", DataStale, "stale: "),
        (b"ERR DRIVER-NOT-CONNECTED\n", DriverNotConnected, "disconnected: "),
        (b"ERR UNKNOWN-UPS\n", UnknownUps, "upsd "),
        (b"ERR ACCESS-DENIED\n", AccessDenied, "upsd "),
        (b"ERR SOMETHING-NEW and more\n", DeviceError, "upsd "),
        (b"ERR\n", BadReply, "upsd "),
    ],
)
def test_what_upsd_refuses_is_told_apart(far, reply, error, text):
    client = NutClient("127.0.0.1", far(answers(reply), answers(reply)).port)
    with pytest.raises(error) as caught:
        client.variables("ups")
    assert str(caught.value).startswith(text)
    with pytest.raises(error):
        client.sessions("ups")


def test_the_faults_of_upsd_are_silence_and_loss_of_the_way_to_who_asks():
    assert issubclass(DataStale, DeviceTimeout)
    assert issubclass(DriverNotConnected, DeviceUnreachable)
    assert issubclass(UnknownUps, DeviceUnreachable)
    assert issubclass(AccessDenied, PermissionError)


@pytest.mark.parametrize(
    "reply",
    [
        b"\n",
        b"plugh\n",
        b"\x00\xff\xfe\n",
        b"HTTP/1.1 400 Bad Request\n",
        b"OK\n",
        b"BEGIN LIST VAR other\n",
        b"BEGIN LIST VAR ups more\n",
        LIST.replace(b"VAR ups ups.load", b"VAR other ups.load"),
        LIST.replace(b'"12"', b'"12'),
        LIST.replace(b'"12"', b'"12" 13'),
        LIST.replace(b'"12"', b'"12"13'),
        LIST.replace(b'"12"', b""),
        LIST.replace(b"END LIST VAR ups", b"END LIST CLIENT ups"),
    ],
)
def test_garbage_is_a_bad_reply(far, reply):
    with pytest.raises(BadReply):
        NutClient("127.0.0.1", far(answers(reply)).port).variables("ups")


@pytest.mark.parametrize("count", [b"", b"-1", b"1.5", b"many", b"99999999999999", b"1 2"])
def test_a_count_of_sessions_that_is_none_is_a_bad_reply(far, count):
    upsd = far(answers(b"NUMLOGINS ups " + count + b"\n"))
    with pytest.raises(BadReply):
        NutClient("127.0.0.1", upsd.port).sessions("ups")


@pytest.mark.parametrize(
    "script",
    [
        endless(b"V" * 1000),
        endless(b'VAR ups a "b"\n', b"BEGIN LIST VAR ups\n"),
        endless(b"\n"),
    ],
    ids=["a line without an end", "a list without an end", "empty lines without an end"],
)
def test_what_has_no_end_is_a_bad_reply(far, script):
    with pytest.raises(BadReply):
        NutClient("127.0.0.1", far(script).port).variables("ups")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (answers(b""), DeviceUnreachable),
        (answers(b"BEGIN LIST"), DeviceUnreachable),
        (answers(LIST[:-20]), DeviceUnreachable),
        (hangs, DeviceTimeout),
        (drips, DeviceTimeout),
    ],
    ids=["closed at once", "half a line", "half a list", "silence", "a byte now and then"],
)
def test_half_an_answer_is_none(far, impatient, script, error):
    began_s = time.monotonic()
    with pytest.raises(error):
        NutClient("127.0.0.1", far(script).port).variables("ups")
    assert time.monotonic() - began_s < 4.0


def test_nobody_there_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DeviceUnreachable):
        NutClient("127.0.0.1", port).variables("ups")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".invalid", "a..b"])
def test_a_host_name_that_is_none_is_unreachable(host):
    with pytest.raises(DeviceUnreachable):
        NutClient(host).variables("ups")


def test_without_a_user_nothing_is_sent():
    with pytest.raises(AccessDenied, match="no user"):
        NutClient("127.0.0.1", 1).command("ups", "shutdown.return")


@pytest.mark.parametrize(
    "content", [None, b"", b" \n", b"two\nlines\n", b"\xff", "密".encode(), b"x" * 201]
)
def test_a_password_file_that_holds_no_password_is_named(tmp_path, content):
    secret = tmp_path / "nut.secret"
    if content is not None:
        secret.write_bytes(content)
    with pytest.raises(ValueError, match=r"^password_file: "):
        read_password(secret)
    with pytest.raises(DeviceError, match="password_file"):
        NutClient("127.0.0.1", 1, "admin", str(secret)).command("ups", "x")


def test_the_user_may_set_when_only_the_variable_is_missing(far):
    upsd = far(answers(b"OK\n", b"ERR VAR-NOT-SUPPORTED\n"), answers(b"OK\n", b"ERR READONLY\n"))
    client = NutClient("127.0.0.1", upsd.port, "admin")
    client.may_set("ups")
    with pytest.raises(DeviceError, match="READONLY"):
        client.may_set("ups")


def test_a_command_that_is_denied_is_told_as_that(far):
    upsd = far(answers(b"OK\n", b"ERR ACCESS-DENIED\n"), answers(b"ERR INVALID-USERNAME\n"))
    for _ in range(2):
        with pytest.raises(AccessDenied, match="admin"):
            NutClient("127.0.0.1", upsd.port, "admin").command("ups", "shutdown.return")


@pytest.mark.parametrize(
    "word", ["ups", "", "a b", 'a"b', "a\\b", "#a", "a=b", "'", "密 码", "\\"]
)
def test_a_word_survives_its_quotation(word):
    assert split(f"VAR {quoted(word)} end") == ["VAR", word, "end"]
