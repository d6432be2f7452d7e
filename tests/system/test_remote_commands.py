"""The whole program, asked by MQTT to switch what is switched."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest

from tests.feed.central import Central, command
from tests.system.house import House, wait

pytestmark = pytest.mark.system

CENTRAL = {
    'role = "acknowledge"': 'role = "operate"',
    'actions = ["acknowledge", "silence"]': 'actions = ["projector-on", "silence"]',
    'cooling = "5min"': 'cooling = "2s"',
    "\n[simulation]": "\n[simulation]\npace = 6",
}
ROOT = "roomwarden/lakeside-school/server-room"


def settled(house: House) -> bool:
    """Whether the broker has the present, and so the room hears its clients."""
    feed = house.state()["feed"]
    return bool(feed["connected"] and feed["backlog"] == 0)


def test_a_projector_is_switched_on_from_afar_in_two_steps_and_its_end_is_told(
    new_house: Callable[..., House], start_broker: Callable[[int], None]
) -> None:
    house = new_house(CENTRAL)
    start_broker(house.broker_port)
    central = Central(house.broker_port, root=ROOT)
    controller = house.start_controller()
    try:
        wait(lambda: settled(house), what="the feed")
        wait(lambda: not house.is_on("hall-outlet"), 60.0, "a cooled projector")
        unprepared = central.ask("projector-on", {"id": "hall"})
        wait(lambda: central.replies(unprepared))
        assert central.reply(unprepared)["why"]["id"] == "refused.not-prepared"
        prepared = central.ask("prepare", {"action": "projector-on", "id": "hall"})
        wait(lambda: central.replies(prepared))
        assert not house.is_on("hall-outlet")

        said = command("projector-on", {"id": "hall"}, nonce=central.reply(prepared)["nonce"])
        central.send(said)

        wait(lambda: len(central.replies(said["id"])) == 2, 60.0, "its end")
        assert [r["status"] for r in central.replies(said["id"])] == ["accepted", "done"]
        assert house.is_on("hall-outlet")
        prepared = central.ask("prepare", {"action": "projector-on", "id": "hall"})
        wait(lambda: central.replies(prepared))

        controller.send_signal(signal.SIGKILL)
        controller.wait(10.0)
        house.start_controller()
        wait(lambda: settled(house), what="the feed")

        central.send(said)
        late = central.ask("projector-on", {"id": "hall"}, nonce=central.reply(prepared)["nonce"])
        wait(lambda: len(central.replies(said["id"])) == 3 and central.replies(late))
        again = central.replies(said["id"])[-1]
        assert again["why"]["id"] == "refused.repeated"
        assert central.reply(late)["why"]["id"] == "refused.not-prepared"
        recorded = [e["data"] for e in house.events() if e["actor"] == "central"]
        reasons = [d.get("reason") for d in recorded if d["id"] == said["id"]]
        assert reasons == [None, "refused.repeated"]
    finally:
        central.close()


def test_the_feed_says_by_name_why_it_is_not_up(
    new_house: Callable[..., House], start_broker: Callable[[int], None]
) -> None:
    house = new_house(CENTRAL)
    house.start_controller()
    wait(lambda: house.state()["feed"]["condition"] == "down")
    assert "feed: down" in house.command("status", "CONFIG").stdout
    start_broker(house.broker_port)
    wait(lambda: house.state()["feed"]["condition"] == "up", what="the returned broker")
    told = json.loads(house.command("status", "CONFIG", "--json").stdout)["feed"]
    assert (told["connected"], told["condition"]) == (True, "up")
