"""A real panel under waitress on a free port, before a fake door."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from controller.client import Door
from tests.web import scenes
from tests.web.fakedoor import DONE, FakeDoor
from web.app import create_app
from web.people import People
from web.server import PanelServer
from web.settings import Settings

if TYPE_CHECKING:  # the quick tests need no browser
    from playwright.sync_api import Browser

    from tests.web.screens import Screen

KEY = "k" * 32


class Shelf:
    """A history without a journal: a daily wave with a gap in it."""

    def series(
        self, point: str, from_ms: int, to_ms: int, width: int
    ) -> list[tuple[int, float | None, float | None, float | None, str]]:
        level = {"temperature": 23.0, "humidity": 46.0, "dew-point": 11.0}
        base = level.get(point.rpartition(".")[2])
        if base is None:
            return []
        step = (to_ms - from_ms) / width
        rows: list[tuple[int, float | None, float | None, float | None, str]] = []
        for at in range(width):
            at_ms = int(from_ms + at * step)
            if width * 0.55 < at < width * 0.62:
                rows.append((at_ms, None, None, None, "stale"))
                continue
            mean = base + 1.5 * math.sin(at_ms / 86_400_000 * 12) + 0.2 * math.sin(at)
            rows.append((at_ms, mean - 0.2, mean, mean + 0.2, "good"))
        return rows

    def events(self, since: int | str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        first = since if isinstance(since, int) else 0
        kinds = [
            ("alarm", "rack-air.temperature-high", "", {"state": "active-unacknowledged"}),
            ("output", "siren", "fire.prealarm", {"to": "on", "detectors": ["smoke-1"]}),
            ("request", "silence", "", {"status": "done"}),
        ]
        return [
            {
                "seq": seq,
                "boot": "b",
                "at": "2026-03-02T04:05:06.789Z",
                "kind": kinds[seq % 3][0],
                "subject": kinds[seq % 3][1],
                "cause": kinds[seq % 3][2],
                "actor": "rule" if seq % 3 < 2 else "chen",
                "data": kinds[seq % 3][3],
            }
            for seq in range(first + 1, min(first + limit, 123) + 1)
        ]


class Panel:
    """What a test holds: the door behind, the people, and the address in front."""

    def __init__(self, folder: Path, viewers: int = 20, remote_operate: bool = False) -> None:
        self.door = FakeDoor(folder / "door.sock", scenes.normal())
        self.people = People(folder / "people.json")
        self.settings = Settings(
            KEY, locale="zh-CN", viewers=viewers, remote_operate=remote_operate
        )
        self.app = create_app(Door(self.door.path), Shelf(), self.people, self.settings)
        self.hub = self.app.extensions["hub"]
        self.server = PanelServer(self.app, "127.0.0.1", 0, viewers)
        self.server.start()
        self.port = self.server.port
        self.url = f"http://127.0.0.1:{self.port}"
        wait(lambda: self.hub.is_fresh)

    def show(self, scene: dict[str, Any]) -> None:
        """Show a scene and wait until the panel has it."""
        self.door.show(scene)

        def has_it() -> bool:
            state = self.hub.view().state or {}
            return all(state.get(name) == scene[name] for name in ("alarms", "plan"))

        wait(has_it)

    def reset(self) -> None:
        self.door.requests.clear()
        self.door.reply = dict(DONE)
        self.show(scenes.normal())
        for person in self.people.everybody():
            self.people.remove(person.id)

    def close(self) -> None:
        self.server.stop()
        with suppress(OSError):
            self.door.close()


def wait(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait for a condition; a test fails where it never comes."""
    end_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_s, "it never came about"
        time.sleep(0.01)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A short path: a Unix socket's may not be longer than 108 bytes."""
    path = Path(tempfile.mkdtemp(prefix="rw-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def shared_panel() -> Iterator[Panel]:
    with short_folder() as path:
        panel = Panel(path)
        yield panel
        panel.close()


@pytest.fixture
def panel(shared_panel: Panel) -> Panel:
    """A panel on a normal day, with nobody known to it."""
    shared_panel.reset()
    return shared_panel


@pytest.fixture
def own_panel(folder: Path) -> Iterator[Panel]:
    """A panel for a test that breaks it or its door."""
    panel = Panel(folder)
    yield panel
    panel.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    from tests.web.screens import FLAGS

    expect.set_options(timeout=30_000)  # a busy machine may stand still for seconds
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=["zh-CN", "en"])
def locale(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["800x480", "720x1280"])
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    width, height = map(int, request.param.split("x"))
    return {"width": width, "height": height}


@pytest.fixture
def wall(browser: Browser, panel: Panel) -> Iterator[Screen]:
    """The kiosk on the wall, in English."""
    from tests.web.screens import WALL, opened

    screen = opened(browser, panel, viewport=WALL, locale="en")
    screen.page.wait_for_selector(".block")
    yield screen
    screen.context.close()
