"""The screen on the wall beside the real controller."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.house import House, wait

pytestmark = pytest.mark.system


@pytest.fixture
def wall(new_house: Callable[..., House], browser: Browser) -> Iterator[tuple[House, Page]]:
    """A room whose fire leaves its hosts 30 s, and its kiosk."""
    house = new_house({'budget = "0s"': 'budget = "30s"'})
    house.start_controller()
    house.start("panel")
    wait(lambda: status(f"{house.url}/healthz") == 200, 20.0, "a healthy panel")
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
        with urllib.request.urlopen(url, timeout=3.0) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def press(page: Page, selector: str, seconds: float) -> None:
    """Hold a finger on it."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    touch.send(
        "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
    )
    page.wait_for_timeout(seconds * 1000)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_fires_countdown_takes_the_screen_and_a_finger_holds_it(
    wall: tuple[House, Page],
) -> None:
    house, page = wall
    expect(page.locator("#band .word span")).to_have_text("Normal", timeout=15_000)
    house.sim("smoke-1", "on")
    expect(page.locator("#band .word span")).to_have_text("Alarm")
    house.sim("smoke-2", "on")
    digits = page.locator(".countdown .digits")
    expect(digits).to_be_visible(timeout=2_000)
    box = page.locator(".countdown").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (800, 480)
    assert not house.is_on("power-cut")

    press(page, ".holdbutton", 1.9)
    wait(lambda: house.state()["fire"]["held"], 3.0, "a held countdown")
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
    expect(page.locator("#band .word span")).to_have_text("Normal", timeout=15_000)
    house.sim("smoke-1", "on")
    wait(lambda: house.is_on("siren"), 2.0, "the siren")
    page.tap("#bar [data-do=silence]")
    wait(lambda: not house.is_on("siren"), 3.0, "a silent siren")
    page.tap("#rail [data-arg=alarms]")
    page.tap('#page [data-arg="smoke-1.prealarm"]')
    wait(
        lambda: house.alarms()["smoke-1.prealarm"] == "active-acknowledged",
        3.0,
        "the acknowledged alarm",
    )
    expect(page.locator("#answer")).to_have_text("Done")


def test_the_panel_is_unhealthy_as_soon_as_the_scan_stops_and_healthy_again(
    new_house: Callable[..., House],
) -> None:
    house = new_house()
    controller = house.start_controller()
    house.start("panel")
    url = f"{house.url}/healthz"
    wait(lambda: status(url) == 200, 20.0, "a healthy panel")
    with urllib.request.urlopen(f"{house.url}/api/v1/state", timeout=3.0) as answer:
        state = json.loads(answer.read())
    assert {"room", "scan", "points", "outputs", "alarms", "feed", "plan"} <= state.keys()
    controller.send_signal(signal.SIGSTOP)
    try:
        wait(lambda: status(url) == 503, 3.0, "an unhealthy panel")
        assert status(f"{house.url}/") == 200  # the page itself says that nothing is live
    finally:
        controller.send_signal(signal.SIGCONT)
    wait(lambda: status(url) == 200, 5.0, "a healthy panel again")
    controller.kill()
    controller.wait(10.0)
    wait(lambda: status(url) == 503, 3.0, "an unhealthy panel")
    house.start_controller()
    wait(lambda: status(url) == 200, 8.0, "a healthy panel before the next controller")
