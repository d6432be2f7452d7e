"""How a room presents itself to its broker, and what `roomwarden check` says of that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.config.faults import ConfigFaults, Fault
from controller.config.read import read_room
from firmware.kinds import kinds
from tests.feed.room import ROOM, FeedRoom

PI_CONF = Path(__file__).parents[2] / "firmware/examples/mosquitto/pi.conf"


@pytest.mark.system
def test_two_rooms_whose_names_run_together_leave_each_other_at_the_broker(
    mosquitto, until, tmp_path
):
    mosquitto.start()
    rooms = []
    for ids in (("school-a", "lab"), ("school", "a-lab")):
        (tmp_path / ids[0]).mkdir()
        rooms.append(FeedRoom(tmp_path / ids[0], mosquitto.url, ids=ids).start())
        until(rooms[-1].is_settled)
    try:
        assert all(room.state()["condition"] == "up" for room in rooms)
        assert "already connected" not in mosquitto.log
    finally:
        for room in rooms:
            room.close()


def test_the_bridge_of_the_example_has_its_names_apart_too():
    names = re.findall("^remote_clientid (.*)$", PI_CONF.read_text(), re.MULTILINE)
    assert names == [f"lakeside-school_server-room_{way}" for way in ("present", "events")]


def test_a_password_of_nobody_is_a_fault(tmp_path: Path):
    file = tmp_path / "room.toml"
    feed = '[feed]\nurl = "mqtt://127.0.0.1"\npassword_file = "feed.secret"\n'
    file.write_text(ROOM + feed, encoding="utf-8")
    with pytest.raises(ConfigFaults) as raised:
        read_room(file, kinds())
    named = Fault("feed.username", "missing", "a name, as there is a password_file")
    assert raised.value.faults == (named,)

    file.write_text(f'{ROOM}{feed}username = "room"\n', encoding="utf-8")
    assert read_room(file, kinds()).feed is not None
