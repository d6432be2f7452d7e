"""Browser pages before the panel, in Debian's Chromium."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page

from tests.web.conftest import KEY, Panel

WALL = {"width": 800, "height": 480}
TALL = {"width": 720, "height": 1280}
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-features=Translate",
    "--disable-background-networking",
]


class Screen:
    """One browser page before the panel; keeps what went wrong in it."""

    def __init__(self, browser: Browser, panel: Panel, **context: Any) -> None:
        self.context = browser.new_context(has_touch=True, **context)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.faults.append(said.text) if said.type == "error" else None,
        )
        self.page.on(
            "request",
            lambda asked: (
                self.foreign.append(asked.url) if not asked.url.startswith(panel.url) else None
            ),
        )


def opened(browser: Browser, panel: Panel, path: str = "", **context: Any) -> Screen:
    screen = Screen(browser, panel, **context)
    screen.page.goto(f"{panel.url}{path or f'/kiosk?key={KEY}'}")
    screen.page.wait_for_selector("#band .word")
    return screen


def press(page: Page, selector: str, seconds: float) -> None:
    box = page.locator(selector).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(seconds * 1000)
    page.mouse.up()
