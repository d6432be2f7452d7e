"""Browser pages before the panel, in Debian's Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Request

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
    """One browser page before the panel; keeps what went wrong in it and what it asked for."""

    def __init__(self, browser: Browser, panel: Panel, **context: Any) -> None:
        self.context = browser.new_context(has_touch=True, **context)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self.asked: list[dict[str, Any]] = []
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
        self.page.on("request", self._keep)

    def _keep(self, request: Request) -> None:
        if request.url.endswith("/api/v1/requests"):
            self.asked.append(request.post_data_json)

    def asked_up_to(self, selector: str) -> list[dict[str, Any]]:
        """Tap what makes a request and return that with all that the page asked for before.

        So a test need not wait for something that must not come: the browser tells of requests
        in the order in which the page made them.
        """
        with self.page.expect_response("**/api/v1/requests"):
            self.page.tap(selector)
        return self.asked


def opened(browser: Browser, panel: Panel, path: str = "", **context: Any) -> Screen:
    screen = Screen(browser, panel, **context)
    screen.page.goto(f"{panel.url}{path or f'/kiosk?key={KEY}'}")
    # The room's name or an alarm: what is tapped before the first state may still move.
    screen.page.wait_for_selector("#band .headline b")
    return screen


@contextmanager
def finger_on(page: Page, selector: str) -> Iterator[None]:
    """Keep a finger on it for as long as the block takes, which waits for what comes of it."""
    page.hover(selector)
    page.mouse.down()
    yield
    page.mouse.up()


def brush(page: Page, selector: str, seconds: float) -> None:
    """Press and click what needs holding for less than its time, and return after that time.

    All within the page, whose timers fire in the order in which they are due: a page that stands
    still meanwhile neither makes a hold of it nor returns before a hold would have acted.
    """
    page.locator(selector).evaluate(
        """(button, ms) => new Promise((over) => {
          const box = button.getBoundingClientRect();
          const finger = {
            bubbles: true, cancelable: true, detail: 1, isPrimary: true, pointerType: "touch",
            clientX: box.x + box.width / 2, clientY: box.y + box.height / 2,
          };
          button.dispatchEvent(new PointerEvent("pointerdown", finger));
          setTimeout(() => {
            button.dispatchEvent(new PointerEvent("pointerup", finger));
            button.dispatchEvent(new PointerEvent("click", finger));
          }, ms);
          setTimeout(over, Number(button.dataset.hold) + ms);
        })""",
        seconds * 1000,
    )
