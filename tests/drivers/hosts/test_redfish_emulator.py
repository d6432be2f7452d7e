"""Redfish against the emulator of OpenStack's sushy-tools, over TLS with a password."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bcrypt
import pytest

from controller.core.parts import DeviceError
from drivers.hosts import redfish
from drivers.hosts.host import ServerHost

pytestmark = pytest.mark.system

SYSTEMS = ("27946b59-9e44-4fa7-8e91-f3527a1ef094", "d4f2d2a4-7a8d-4b1c-9c61-3b8f8b5a9f11")

# As its own entry point; only its random delay of 1 to 11 s is made the least of these.
PROGRAM = """
import random, sys
random.randint = lambda low, high: low
from sushy_tools.emulator.main import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory, certificate) -> Iterator[Callable[..., str]]:
    """Start the emulator with one system, or two, and return its address; one of each runs."""
    running: dict[int, tuple[int, subprocess.Popen[bytes]]] = {}

    def start(systems: int = 1) -> str:
        if systems not in running:
            running[systems] = launch(tmp_path_factory.mktemp("emulator"), systems)
        return f"127.0.0.1:{running[systems][0]}"

    def launch(folder: Path, systems: int) -> tuple[int, subprocess.Popen[bytes]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        secret = bcrypt.hashpw(b"opensesame", bcrypt.gensalt(4)).decode()
        (folder / "htpasswd").write_text(f"room:{secret}\n")
        fakes = [
            {"uuid": uuid, "name": f"standby-{n}", "power_state": "On", "nics": []}
            for n, uuid in enumerate(SYSTEMS[:systems], 1)
        ]
        settings = {
            "LISTEN_IP": "127.0.0.1",
            "LISTEN_PORT": port,
            "STATE_DIR": str(folder),
            "AUTH_FILE": str(folder / "htpasswd"),
            "SSL_CERT": certificate.file,
            "SSL_KEY": certificate.key,
            "FAKE_SYSTEMS": fakes,
        }
        config = folder / "emulator.conf"
        config.write_text("".join(f"SUSHY_EMULATOR_{k} = {v!r}\n" for k, v in settings.items()))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "--config", str(config), "--fake"],
                stdout=log,
                stderr=log,
            )
        until_s = time.monotonic() + 20.0
        while b"Running on" not in (folder / "log").read_bytes():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until_s
            time.sleep(0.05)
        return port, process

    yield start
    for _, process in running.values():
        process.terminate()
        process.wait(5.0)


@pytest.fixture
def standby(emulator, host, certificate, tmp_path, monkeypatch) -> Callable[..., ServerHost]:
    monkeypatch.setattr(redfish, "_LOOK_S", 20.0)  # Flask on a busy machine

    def make(
        systems: int = 1, path: str = f"/{SYSTEMS[0]}", user: str = "room", **keys: object
    ) -> ServerHost:
        secret = tmp_path / "bmc.secret"
        secret.write_text("opensesame\n")
        url = f"redfish://{user}@{emulator(systems)}{path}"
        files = {"password_file": str(secret), "ca": certificate.file}
        return host(**{"stop": url, "start": url, **files, **keys})

    return make


@pytest.mark.parametrize("path", [f"/{SYSTEMS[0]}", ""], ids=["named", "the only one"])
def test_a_host_is_shut_down_and_switched_on_again(standby, path, eventually):
    server = standby(path=path)
    assert server.look() == {"management": True}
    server.test()
    server.test_start()
    server.stop()
    eventually(lambda: server.look() == {"management": False}, 15.0)
    server.stop()  # which changes nothing
    server.start()
    eventually(lambda: server.look() == {"management": True}, 15.0)


def test_of_two_systems_the_named_one_is_meant(standby, eventually):
    with pytest.raises(DeviceError, match="has 2 systems: name one"):
        standby(2, path="").test()
    first, second = standby(2), standby(2, path=f"/{SYSTEMS[1]}")
    second.stop()
    eventually(lambda: second.look() == {"management": False}, 15.0)
    assert first.look() == {"management": True}


def test_a_wrong_password_is_refused(standby, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("sesame")
    server = standby(password_file=str(wrong))
    for call in (server.stop, server.start, server.test, server.test_start):
        with pytest.raises(DeviceError, match=r"user or password refused \(401\)"):
            call()
    assert server.look() == {"management": None}


def test_a_system_that_is_not_there_is_told(standby):
    with pytest.raises(DeviceError, match="HTTP 404"):
        standby(path="/no-such-system").test()
