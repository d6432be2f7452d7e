"""Rooms, a broker and a browser for tests over whole processes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from simulators import control
from tests.system.house import LAKESIDE, PATIENCE_S, House, wait


@contextmanager
def _base() -> Iterator[Path]:
    """A short path: a Unix socket's may not be longer than 108 bytes."""
    path = Path(tempfile.mkdtemp(prefix="rw-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def new_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., House]]:
    """Make a room in the test's folder, or another; everything of it is ended."""
    made: list[House] = []
    monkeypatch.setattr(control, "_TIMEOUT_S", PATIENCE_S)
    with _base() as base:

        def make(
            edits: Mapping[str, str] | None = None,
            folder: Path = tmp_path,
            example: Path = LAKESIDE,
        ) -> House:
            made.append(House(folder, base, edits or {}, example))
            return made[-1]

        yield make
        for house in made:
            house.close()


@pytest.fixture
def house(new_house: Callable[..., House]) -> House:
    """The example room, nothing running yet."""
    return new_house()


@pytest.fixture
def guarded(house: House) -> House:
    """The example room, guarded by a controller of its own."""
    house.start_controller()
    return house


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One guarded room for all tests of a file that leave it as it was."""
    with _base() as base:
        house = House(tmp_path_factory.mktemp("room"), base, {})
        house.start_controller()
        yield house
        house.close()


@pytest.fixture
def start_broker(tmp_path: Path) -> Iterator[Callable[[int], None]]:
    """Start mosquitto on a loopback port."""
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int) -> None:
        found = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert found is not None, "mosquitto is needed"
        config = tmp_path / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "set_tcp_nodelay true\nlog_type error\nlog_type subscribe\n",
            encoding="ascii",
        )
        with (tmp_path / "mosquitto.log").open("wb") as log:
            started.append(subprocess.Popen([found, "-c", str(config)], stderr=log))

        def answers() -> bool:
            with socket.create_connection(("127.0.0.1", port), 1.0):
                return True

        wait(answers, what="a broker")

    yield start
    for process in started:
        process.terminate()
        process.wait(10.0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield browser
        browser.close()
