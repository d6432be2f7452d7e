"""The screen on the wall beside the real controller."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.house import PATIENCE_S, House, wait

pytestmark = pytest.mark.system
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture
def wall(new_house: Callable[..., House], browser: Browser) -> Iterator[tuple[House, Page]]:
    """A room whose fire leaves its hosts more time than any machine needs here, and its kiosk."""
    house = new_house({'budget = "0s"': 'budget = "10min"'})
    house.start_controller()
    house.start("panel")
    wait(lambda: status(f"{house.url}/healthz") == 200, what="a healthy panel")
    key = (house.run / "kiosk.key").read_text(encoding="ascii").strip()
    context = browser.new_context(
        viewport={"width": 800, "height": 480}, locale="en", has_touch=True
    )
    page = context.new_page()
    page.goto(f"{house.url}/kiosk?key={key}")
    page.wait_for_selector("#band .word")
    yield house, page
    context.close()


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextmanager
def finger_on(page: Page, selector: str) -> Iterator[None]:
    """Keep a finger on it for as long as the block takes, which waits for what comes of it."""
    page.locator(selector).tap(trial=True)  # it can be touched where it stands
    box = page.locator(selector).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    touch.send(
        "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
    )
    yield
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_fires_countdown_takes_the_screen_and_a_finger_holds_it(
    wall: tuple[House, Page],
) -> None:
    house, page = wall
    expect(page.locator("#band .word span")).to_have_text("Normal")
    house.sim("smoke-1", "on")
    expect(page.locator("#band .word span")).to_have_text("Alarm")
    house.sim("smoke-2", "on")
    digits = page.locator(".countdown .digits")
    expect(digits).to_be_visible()
    box = page.locator(".countdown").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (800, 480)
    assert not house.is_on("power-cut")

    with finger_on(page, ".holdbutton"):
        wait(lambda: house.state()["fire"]["held"], what="a held countdown")
    expect(page.locator(".countdown")).to_contain_text("Held")
    left_s = house.state()["fire"]["seconds_left"]
    page.wait_for_timeout(1200)
    assert house.state()["fire"]["seconds_left"] == pytest.approx(left_s, abs=0.1)
    assert not house.is_on("power-cut")
    held = [event for event in house.events() if event["cause"] == "fire.held"]
    assert len(held) == 1
    asked = [
        event for event in house.events()
        if event["kind"] == "request" and event["subject"] == "hold"
    ]  # fmt: skip
    assert [event["data"].get("origin") for event in asked] == ["local-screen"]


def test_an_alarm_is_acknowledged_by_tap_and_the_siren_silenced(wall: tuple[House, Page]) -> None:
    house, page = wall
    expect(page.locator("#band .word span")).to_have_text("Normal")
    house.sim("smoke-1", "on")
    wait(lambda: house.is_on("siren"), what="the siren")
    page.tap("#bar [data-do=silence]")
    wait(lambda: not house.is_on("siren"), what="a silent siren")
    page.tap("#rail [data-arg=alarms]")
    page.tap('#page [data-arg="smoke-1.prealarm"]')
    wait(
        lambda: house.alarms()["smoke-1.prealarm"] == "active-acknowledged",
        what="the acknowledged alarm",
    )
    expect(page.locator("#answer")).to_have_text("Done")


def test_the_panel_is_unhealthy_as_soon_as_the_scan_stops_and_healthy_again(
    new_house: Callable[..., House],
) -> None:
    house = new_house()
    controller = house.start_controller()
    house.start("panel")
    url = f"{house.url}/healthz"
    wait(lambda: status(url) == 200, what="a healthy panel")
    with urllib.request.urlopen(f"{house.url}/api/v1/state", timeout=PATIENCE_S) as answer:
        state = json.loads(answer.read())
    assert {"room", "scan", "points", "outputs", "alarms", "feed", "plan"} <= state.keys()
    controller.send_signal(signal.SIGSTOP)
    # That each is within three seconds is proven by the clock in tests/web/test_hub.py.
    try:
        wait(lambda: status(url) == 503, what="an unhealthy panel")
        assert status(f"{house.url}/") == 200  # the page itself says that nothing is live
    finally:
        controller.send_signal(signal.SIGCONT)
    wait(lambda: status(url) == 200, what="a healthy panel again")
    controller.kill()
    controller.wait(PATIENCE_S)
    wait(lambda: status(url) == 503, what="an unhealthy panel")
    house.start_controller()
    wait(lambda: status(url) == 200, what="a healthy panel before the next controller")
