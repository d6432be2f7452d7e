"""Every row of the contract's table of topics, seen by mosquitto_sub, in both versions of MQTT."""

from __future__ import annotations

import json

import pytest

from controller.feed.broker import Received
from controller.feed.replies import address
from tests.feed.central import Listener
from tests.feed.room import ROOT

pytestmark = pytest.mark.system

CLIENT = '[[feed.client]]\nid = "central"\nrole = "acknowledge"\nactions = ["silence"]'

# Topic, retained, quality of service, the payload's keys (None: no JSON).
ROWS = [
    ("availability", True, 1, None),
    ("birth", True, 1, "v boot software board points outputs alarms"),
    ("state/rack-air.temperature", True, 0, "value unit quality at seq"),
    ("state/front-door", True, 0, "value unit quality at seq"),
    ("state/siren", True, 0, "commanded actual slot reason why at seq"),
    (
        "alarm/feed.events-lost",
        True,
        1,
        "state priority active acknowledged shelved_until since cause text by seq",
    ),
    ("event", False, 1, "seq boot at kind subject cause actor data prev hash"),
    ("cmd/central", False, 1, "id action args issued expires"),
    ("reply/central", False, 1, "id status reason why"),
]


@pytest.mark.parametrize("version", ["5", "311"])
def test_each_topic_is_as_the_contract_says(mosquitto, open_room, central, until, version):
    mosquitto.start()
    live = Listener(mosquitto.port, f"{ROOT}/#", "%t|%q|%p", version)
    until(lambda: f"{live.name} 1 {ROOT}/#" in mosquitto.log)
    room = open_room(mosquitto.url, CLIENT, older=version == "311")
    room.temperature(23.4)
    room.guard.tell("feed.events-lost", "a trial")
    until(room.is_settled)
    client = central("central", version)
    id = client.ask("silence")
    until(lambda: client.replies(id))
    until(room.is_settled)
    late = Listener(mosquitto.port, f"{ROOT}/#", "%t|%r|%p", version)
    kept = {topic for topic, is_retained, _, _ in ROWS if is_retained}

    def retained() -> set[str]:
        """What goes on in the room comes too, unretained."""
        return {topic for topic, flag, _ in map(row, list(late.lines)) if flag == "1"}

    try:
        until(lambda: kept <= retained())
        until(lambda: any(line.startswith(f"{ROOT}/reply/central|") for line in live.lines))
    finally:
        live.close()
        late.close()

    for topic, is_retained, qos, keys in ROWS:
        assert (topic in retained()) is is_retained, topic
        came = [row(line) for line in live.lines if row(line)[0] == topic]
        assert {quality for _, quality, _ in came} == {str(qos)}, topic
        payloads = [payload for _, _, payload in came]
        if keys is None:
            assert payloads == ["online"]
            continue
        for payload in payloads:
            assert list(json.loads(payload)) == keys.split(), topic
    spoken = "p5" if version == "5" else "p2"
    assert f"as roomwarden-school_room-1 ({spoken}," in mosquitto.log


@pytest.mark.parametrize("version", ["5", "311"])
def test_a_room_that_dies_is_told_by_its_will(mosquitto, cable, open_room, until, version):
    mosquitto.start()
    room = open_room(cable.url, CLIENT, older=version == "311")
    until(room.is_settled)
    seen = Listener(mosquitto.port, f"{ROOT}/availability", "%q|%p", version)
    try:
        until(lambda: seen.lines == ["1|online"])
        cable.cut()
        until(lambda: seen.lines[1:] == ["1|offline"])
    finally:
        seen.close()


@pytest.mark.parametrize(
    ("wanted", "is_taken"),
    [
        (f"{ROOT}/reply/central", True),
        (f"{ROOT}/reply/central/call/7", True),
        ("central/inbox", True),
        (f"{ROOT}/reply/central-2", False),
        (f"{ROOT}/reply/desk", False),
        (f"{ROOT}/reply/desk/call", False),
        (f"{ROOT}/reply/central/#", False),
        (f"{ROOT}/reply/central/{'x' * 1024}", False),
        (f"{ROOT}/cmd/central", False),
        ("roomwarden/school/room-2/reply/central/call", False),
        ("homeassistant/switch/x/config", False),
        ("$SYS/broker", False),
        ("central/+", False),
        ("", False),
        (None, False),
    ],
)
def test_a_reply_goes_below_its_askers_own_topic_or_outside_what_is_the_rooms(wanted, is_taken):
    own = f"{ROOT}/reply/central"
    came = Received(f"{ROOT}/cmd/central", b"{}", False, wanted, b"7")
    assert address(came, own) == (wanted if is_taken else own, b"7")


def row(line: str) -> tuple[str, str, str]:
    topic, flag, payload = line.split("|", 2)
    return topic.removeprefix(f"{ROOT}/"), flag, payload
