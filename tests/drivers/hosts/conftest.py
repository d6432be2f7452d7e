from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from controller.core.partconfig import HostAccess
from drivers.hosts import open_host
from drivers.hosts.host import ServerHost

Script = Callable[[socket.socket], None]


class Certificate(NamedTuple):
    file: str
    key: str


class Far:
    """The far side on loopback: one script for each connection, in turn, the last for ever."""

    def __init__(self, scripts: tuple[Script, ...], certificate: Certificate | None) -> None:
        self.connections = 0
        self._scripts = scripts
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._closed:
            with contextlib.suppress(OSError):
                line, _ = self._listener.accept()
                line.settimeout(5.0)
                with line:
                    self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        if self._tls is None:
            script(line)
        else:
            with self._tls.wrap_socket(line, server_side=True) as secured:
                script(secured)

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(6.0)
        self._listener.close()
        assert not self._thread.is_alive()


@pytest.fixture
def far() -> Iterator[Callable[..., Far]]:
    made: list[Far] = []

    def make(*scripts: Script, certificate: Certificate | None = None) -> Far:
        made.append(Far(scripts, certificate))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that nobody listens on, and nobody else can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="session")
def certify(tmp_path_factory) -> Callable[..., Certificate]:
    """Make a certificate for a name such as "IP:127.0.0.1", signed by itself or an authority."""

    def make(name: str, authority: Certificate | None = None) -> Certificate:
        folder = tmp_path_factory.mktemp("certificate")
        made = Certificate(str(folder / "certificate.pem"), str(folder / "key.pem"))
        command = [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *f"-nodes -days 2 -subj /CN={name[-7:]} -addext subjectAltName={name}".split(),
            *("-out", made.file, "-keyout", made.key),
        ]
        if authority is not None:
            command += ["-CA", authority.file, "-CAkey", authority.key]
        subprocess.run(command, check=True, capture_output=True)
        return made

    return make


@pytest.fixture(scope="session")
def certificate(certify) -> Certificate:
    """As a management controller's: its name is not the address that it is reached by."""
    return certify("DNS:bmc.example")


@pytest.fixture
def host() -> Iterator[Callable[..., ServerHost]]:
    """Open a host by the keys of its table; it is closed when the test ends."""
    opened: list[ServerHost] = []

    def make(**keys: object) -> ServerHost:
        made = open_host(HostAccess(**{"id": "standby-1", "stop": "command:/bin/true", **keys}))
        assert isinstance(made, ServerHost)
        opened.append(made)
        return made

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """Write a shell program and return its path."""

    def write(text: str, name: str = "program") -> str:
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return str(file)

    return write


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait until something is so."""

    def wait(holds: Callable[[], bool], limit_s: float = 15.0) -> None:
        until_s = time.monotonic() + limit_s
        while not holds():
            assert time.monotonic() < until_s, "it never came to be so"
            time.sleep(0.02)

    return wait
