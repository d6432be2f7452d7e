"""A recorded day drives the whole product: world, sensor, driver, scan, feed, journal, panel.

Each row of the recording is set in the simulated air; what comes out at every end must be that
row within what the sensor can say: its step of 0.1 and the world's one step of noise.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, Page

from controller.history import History, HistoryUnavailable
from tests.system.house import ROOT, House, wait

pytestmark = pytest.mark.system

DATA = Path(os.environ.get("ROOMWARDEN_DATA", ROOT.parent / "shared/data"))
RECORDING = DATA / "climate/office-2015.csv.gz"
FIRST = 2568
"""An hour in which both quantities moved: the morning of 4 February."""

ROWS = 60
PACE = 60
ROW_S = 60.0
"""Each row lasts one minute of the room's time, as it was recorded."""

RESOLUTION = 0.101
POINTS = {"temperature": "rack-air.temperature", "humidity": "rack-air.humidity"}
ROOT_TOPIC = "roomwarden/lakeside-school/server-room"


class Row(NamedTuple):
    temperature: float
    humidity: float


def recorded() -> list[Row]:
    """Read an hour of an office, a row a minute, in °C and % relative humidity."""
    with gzip.open(RECORDING, "rt", encoding="utf-8") as file:
        reader = csv.reader(file)
        head = next(reader)
        temperature, humidity = head.index("Temperature"), head.index("Humidity")
        shift = 1  # each row begins with its number, for which the head has no name
        return [
            Row(float(line[temperature + shift]), float(line[humidity + shift]))
            for line in islice(reader, FIRST, FIRST + ROWS)
        ]


class Subscriber:
    """The central system: keeps the last value of each state, and counts what came."""

    def __init__(self, port: int) -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self.availability = ""
        self.messages = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe(f"{ROOT_TOPIC}/#", 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        self.messages += 1
        topic = message.topic.removeprefix(f"{ROOT_TOPIC}/")
        if topic.startswith("state/"):
            self.values[topic.removeprefix("state/")] = json.loads(message.payload)
        elif topic == "availability":
            self.availability = message.payload.decode()

    def value(self, point: str) -> float | None:
        state = self.values.get(point, {})
        return state["value"] if state.get("quality") == "good" else None

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 800, "height": 480}, locale="en")
    yield context.new_page()
    context.close()


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no recordings: {DATA} is not there")
def test_each_minute_of_a_recorded_climate_is_on_mqtt_in_the_journal_and_on_the_panel(
    new_house: Callable[..., House], start_broker: Callable[[int], None], page: Page
) -> None:
    rows = recorded()
    assert len(rows) == ROWS
    for values in zip(*rows, strict=True):
        assert max(values) - min(values) > 10 * RESOLUTION, "a standing value would prove nothing"
    house = new_house({"[simulation]": f"[simulation]\npace = {PACE}"})
    start_broker(house.broker_port)
    subscriber = Subscriber(house.broker_port)
    try:
        house.start_controller()
        house.start("panel")
        wait(lambda: get(f"{house.url}/healthz"), what="a healthy panel")
        page.goto(house.url)
        page.wait_for_selector('[data-point="rack-air.temperature"]')
        wait(lambda: subscriber.availability == "online", what="the feed")
        history = History(house.store)
        for number, row in enumerate(rows):
            began_s = time.monotonic()
            for quantity, point in POINTS.items():
                house.sim(point, getattr(row, quantity))
            for end in (on_mqtt(subscriber), in_journal(history), at_the_panel(house)):
                check_row(end, number, row)
            check_screen(page, number, row)
            # The rest of the row's own minute.
            left_s = began_s + ROW_S / PACE - time.monotonic()
            threading.Event().wait(max(left_s, 0.0))
        history.close()
    finally:
        subscriber.close()
    assert subscriber.messages > ROWS


End = Callable[[str], float | None]


def check_row(end: End, number: int, row: Row) -> None:
    """Wait until one end shows both of a row's values."""
    for quantity, point in POINTS.items():
        expected = getattr(row, quantity)
        what = f"row {number}: {point} of {expected} by {end.__name__}"
        wait(partial(shows, end, point, expected), what=what)


def shows(end: End, point: str, expected: float) -> bool:
    value = end(point)
    return value is not None and abs(value - expected) <= RESOLUTION


def on_mqtt(subscriber: Subscriber) -> End:
    def mqtt_value(point: str) -> float | None:
        return subscriber.value(point)

    return mqtt_value


def in_journal(history: History) -> End:
    def journal_value(point: str) -> float | None:
        try:
            found = history.latest(point)
        except HistoryUnavailable:
            return None
        return float(found[1]) if found is not None and found[1] is not None else None

    return journal_value


def at_the_panel(house: House) -> End:
    def panel_value(point: str) -> float | None:
        points = json.loads(get(f"{house.url}/api/v1/state") or b"{}").get("points", [])
        found: dict[str, Any] = next((one for one in points if one["id"] == point), {})
        return found.get("value") if found.get("quality") == "good" else None

    return panel_value


def check_screen(page: Page, number: int, row: Row) -> None:
    """Wait until the screen shows both of a row's values."""
    for quantity, point in POINTS.items():
        expected = getattr(row, quantity)
        try:
            page.wait_for_function(
                """([point, expected, within]) => {
                    const block = document.querySelector(`[data-point="${point}"]`)
                    const shown = block && block.innerText.match(/-?\\d+\\.?\\d*/)
                    return shown && !block.querySelector("s")
                        && Math.abs(parseFloat(shown[0]) - expected) <= within
                }""",
                arg=[point, expected, RESOLUTION],
                timeout=5000,
            )
        except Exception as error:
            shown = page.locator(f'[data-point="{point}"]').inner_text()
            raise AssertionError(
                f"row {number}: {point} of {expected} on screen: {shown}"
            ) from error


def get(url: str) -> bytes:
    """Return a page's content; nothing where it is refused."""
    try:
        with urllib.request.urlopen(url, timeout=3.0) as answer:
            content: bytes = answer.read()
    except OSError:
        return b""
    return content
