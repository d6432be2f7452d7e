"""What a consumer learns of the room as it stands."""

from __future__ import annotations

import itertools
import json
import re

import msgspec
import pytest

from tests.feed.central import retained
from tests.feed.room import QUICK, ROOT

pytestmark = pytest.mark.system

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ALARM_FIELDS = [
    "state",
    "priority",
    "active",
    "acknowledged",
    "shelved_until",
    "since",
    "cause",
    "text",
    "by",
    "seq",
]


def test_a_late_consumer_finds_the_whole_room_retained(mosquitto, open_room, until):
    mosquitto.start()
    room = open_room(mosquitto.url)
    room.temperature(23.4)
    until(room.is_settled)
    air_topic = f"{ROOT}/state/rack-air.temperature"
    until(lambda: json.loads(retained(mosquitto.port, air_topic)[air_topic])["value"] == 23.4)

    came = retained(mosquitto.port, f"{ROOT}/#")
    found = {topic.removeprefix(f"{ROOT}/"): payload for topic, payload in came.items()}

    points = set(room.guard.room.points) | {"siren"}
    expected = {"availability", "birth"} | {f"state/{id}" for id in points}
    assert set(found) == expected | {f"alarm/{id}" for id in room.guard.room.alarms}
    assert found["availability"] == "online"
    birth = json.loads(found["birth"])
    assert list(birth) == ["v", "boot", "software", "board", "points", "outputs", "alarms"]
    assert (birth["v"], birth["boot"], birth["board"]) == (1, "boot-of-the-test", "simulated")
    assert birth["points"][0] == {
        "id": "rack-air.temperature",
        "kind": "dht22",
        "role": "climate",
        "unit": "°C",
        "place": "rack inlet",
    }
    assert {alarm["id"] for alarm in birth["alarms"]} == set(room.guard.room.alarms)
    air = json.loads(found["state/rack-air.temperature"])
    assert STAMP.fullmatch(air["at"])
    assert list(air) == ["value", "unit", "quality", "at", "seq"]
    assert (air["value"], air["unit"], air["quality"]) == (23.4, "°C", "good")
    siren = json.loads(found["state/siren"])
    assert list(siren) == ["commanded", "actual", "slot", "reason", "why", "at", "seq"]
    assert (siren["commanded"], siren["actual"], siren["slot"]) == ("off", None, 16)
    assert json.loads(found["state/rack-air.humidity"])["value"] is None
    quiet = json.loads(found["alarm/leak-1.leak"])
    assert list(quiet) == ALARM_FIELDS
    assert (quiet["state"], quiet["active"], quiet["since"]) == ("normal", False, None)


def test_a_leak_is_told_as_state_alarm_and_event(mosquitto, open_room, consume, until):
    mosquitto.start()
    consumer = consume()
    room = open_room(mosquitto.url)
    until(lambda: consumer.last("availability") == "online")

    room.leak(is_there=True)

    until(lambda: (consumer.last("alarm/leak-1.leak") or {}).get("active"))
    alarm = consumer.last("alarm/leak-1.leak")
    assert alarm["state"] == "active-unacknowledged"
    assert STAMP.fullmatch(alarm["since"])
    until(lambda: alarm["seq"] in consumer.seqs())
    assert consumer.last("state/leak-1")["value"] is True
    raised = [event for event in consumer.of("event") if event["subject"] == "leak-1.leak"]
    assert [event["data"]["state"] for event in raised] == ["active-unacknowledged"]
    assert consumer.of("state/front-door") == [consumer.last("state/front-door")]


def test_after_a_reconnect_come_birth_then_the_present_then_events_by_number(
    mosquitto, cable, open_room, consume, until
):
    mosquitto.start()
    # A window that the alarms do not fit into at once.
    room = open_room(cable.url, limits=msgspec.structs.replace(QUICK, window=4))
    until(room.is_settled)
    cable.cut()
    until(lambda: not room.state()["connected"])
    room.guard.tell("feed.events-lost", "a trial")
    room.door(is_open=True)
    until(lambda: room.alarm("feed.events-lost") and room.state()["backlog"])
    consumer = consume()
    until(lambda: consumer.last("availability") == "offline")
    came_before = len(consumer.came)
    cable.mend()
    until(lambda: consumer.seqs())
    until(lambda: consumer.seqs()[-1] == room.journal.recorded_seq)

    topics = [topic for topic, _, _ in consumer.came[came_before:]]
    first_event = topics.index("event")
    kinds = [kind for kind, _ in itertools.groupby(t.split("/")[0] for t in topics[:first_event])]
    assert kinds == ["birth", "state", "alarm", "availability"]
    assert {t for t in topics[:first_event] if t.startswith("alarm/")} == {
        f"alarm/{id}" for id in room.guard.room.alarms
    }
    assert topics.index("alarm/feed.events-lost") < topics.index("alarm/leak-1.leak")
    assert consumer.last("alarm/feed.events-lost")["active"] is True
    assert consumer.last("state/front-door")["value"] is True
    assert consumer.seqs() == sorted(consumer.seqs())


def test_a_clean_end_says_offline(mosquitto, open_room, consume, until):
    mosquitto.start()
    consumer = consume()
    room = open_room(mosquitto.url)
    until(lambda: consumer.last("availability") == "online")

    assert room.feed is not None
    room.feed.close()

    until(lambda: consumer.last("availability") == "offline")


def test_what_moves_while_the_broker_is_away_is_one_message_when_it_is_back(
    mosquitto, open_room, consume, until
):
    room = open_room(mosquitto.url)
    for tenth in range(100):
        room.temperature(20.0 + tenth / 100)
    room.temperature(21.1)
    mosquitto.start()
    consumer = consume()
    until(lambda: consumer.last("availability") == "online")

    assert [state["value"] for state in consumer.of("state/rack-air.temperature")] == [21.1]
