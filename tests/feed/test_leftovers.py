"""What the broker still holds of a part that was taken out of the room file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

from controller.feed.leftovers import Leftovers
from controller.feed.link import Link
from tests.feed.central import retained
from tests.feed.room import ROOT

LIGHT = '[[output]]\nid = "light"\nkind = "relay"\nrole = "light"\npin = 16\n'
CONFIG = "homeassistant/binary_sensor/school-room-1/light/config"


@pytest.mark.system
@pytest.mark.parametrize("older", [False, True], ids=["5", "3.1.1"])
def test_a_part_that_was_taken_out_is_taken_from_the_broker_too(
    mosquitto, open_room, until, older
):
    mosquitto.start()
    room = open_room(mosquitto.url, "discovery = true", parts=LIGHT, older=older)
    until(room.is_settled)
    before = retained(mosquitto.port, "#")
    room.close()

    room = open_room(mosquitto.url, "discovery = true", older=older)
    until(room.is_settled)

    after = retained(mosquitto.port, "#")
    gone = before.keys() - after.keys()
    assert f"{ROOT}/state/light" in gone
    assert all("light" in topic for topic in gone)
    assert CONFIG in after, "it may be another room's"
    listed = json.loads((mosquitto.folder / "room.db.retained").read_bytes())
    ours = {topic for topic in after if topic.startswith(ROOT)}
    assert set(listed["topics"]) == ours - {f"{ROOT}/availability", f"{ROOT}/birth"}


class Wire:
    """A connection with room for `most` messages."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.cleared: list[str] = []

    def room_for(self, *, qos: int) -> bool:
        return len(self.cleared) < self.most

    def publish(self, topic: str, payload: bytes, **_: object) -> int:
        assert payload == b""
        self.cleared.append(topic)
        return len(self.cleared)


def clear(file: Path, topics: set[str], most: int = 9, root: str = "r") -> list[str]:
    """Clear by one connection; the broker answers all that was sent."""
    wire = Wire(most)
    leftovers = Leftovers(file, root, topics)
    leftovers.clear(cast(Link, wire))
    leftovers.arrived(range(1, len(wire.cleared) + 1))
    return sorted(wire.cleared)


def test_what_one_connection_could_not_clear_is_left_to_the_next(tmp_path: Path):
    file = tmp_path / "kept"
    assert clear(file, {"r/state/a", "r/state/b", "r/state/c"}) == []
    Leftovers(file, "r", {"r/state/c"})
    assert len(clear(file, {"r/state/c"}, most=1)) == 1
    assert clear(file, {"r/state/c"}) == ["r/state/a", "r/state/b"]
    assert clear(file, {"r/state/c"}) == []


@pytest.mark.parametrize(
    "topic",
    ["r/state/#", "r/state/+", "r/state/a\0", "r/state/", "r/birth", "r/availability", "s/state/a",
     "r/cmd/a", "r/state/a/b", "homeassistant/sensor/r/a/config", "r/alarm/" + 300 * "a"],
)  # fmt: skip
def test_a_damaged_file_clears_nothing_that_is_not_ours(tmp_path: Path, topic):
    file = tmp_path / "kept"
    file.write_bytes(json.dumps({"topics": [topic, "r/state/b"]}).encode())
    assert clear(file, {"r/state/a"}) == ["r/state/b"]
    assert topic not in json.loads(file.read_bytes())["topics"]


def test_another_room_s_file_clears_nothing(tmp_path: Path):
    file = tmp_path / "kept"
    clear(file, {"r/state/a", "r/state/b"})
    assert clear(file, {"s/a"}, root="s") == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no json",
        b"[" * 500_000,
        b'{"topics": [], "x": ' + b"[" * 500_000,
        b"\0" * 2_000_000,
        b'{"x": "r"}',
        b'{"topics": [1]}',
        b'{"topics": ["\xff"]}',
    ],
)
def test_a_file_that_cannot_be_read_clears_nothing_and_is_written_anew(tmp_path: Path, data):
    file = tmp_path / "kept"
    file.write_bytes(data)
    assert clear(file, {"r/state/a", "r/state/b"}) == []
    assert clear(file, {"r/state/a"}) == ["r/state/b"]


def test_where_nothing_can_be_written_the_feed_goes_on(tmp_path: Path):
    assert clear(tmp_path / "nowhere" / "kept", {"r/state/a"}) == []
