"""What Home Assistant finds of a room."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Template

from controller.build import Measures, build
from controller.config.read import read_room
from controller.feed.discovery import Entity, discovery
from controller.snapshot import About
from drivers.dht22 import Dht22
from firmware.kinds import kinds
from tests.feed.central import retained
from tests.feed.room import ROOM, ROOT

LAKESIDE = Path(__file__).parents[1] / "rooms/lakeside.toml"
ABOUT = About("school", "room-1", "Room 1", "en", "Europe/Paris", True, "1.2.3", "boot", "")
ALWAYS = {
    "unique_id",
    "name",
    "state_topic",
    "value_template",
    "availability_topic",
    "device",
}
TOPIC = re.compile(r"homeassistant/(binary_)?sensor/school-room-1/[a-z0-9_-]+/config")
SOMETIMES = {"device_class", "unit_of_measurement", "payload_on", "payload_off"}
DEVICE = {"identifiers", "name", "manufacturer", "sw_version"}


@pytest.fixture(scope="module")
def lakeside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Entity]]:
    """A whole room, with a projector and a UPS: component and entity by name."""
    config = tmp_path_factory.mktemp("lakeside") / "room.toml"
    text = re.sub(r"\$[a-z]+", "4352", LAKESIDE.read_text(encoding="utf-8"))
    config.write_text(text, encoding="utf-8")
    file = read_room(config, kinds())
    measures = Measures(Dht22.quantities, Dht22.period_s)
    sensors = {part.id: measures for part in file.inputs if part.kind == "dht22"}
    room = build(file, sensors)
    found = discovery(room, ABOUT, ROOT)
    assert len(found) == len(room.points) + len(room.outputs)
    return {topic.split("/")[3]: (topic.split("/")[1], each) for topic, each in found.items()}


@pytest.fixture
def room(tmp_path):
    config = tmp_path / "room.toml"
    config.write_text(ROOM, encoding="utf-8")
    return build(read_room(config, kinds()), {"rack-air": Measures(Dht22.quantities, 2.5)})


@pytest.mark.parametrize(
    ("name", "device_class", "unit"),
    [
        ("rack-air_temperature", "temperature", "°C"),
        ("rack-air_dew-point", "temperature", "°C"),
        ("rack-air_humidity", "humidity", "%"),
        ("main-ups_charge", "battery", "%"),
        ("main-ups_load", None, "%"),
        ("main-ups_runtime", "duration", "s"),
        ("main-ups_input-voltage", "voltage", "V"),
        ("main-ups_input-frequency", "frequency", "Hz"),
        ("main-ups_supply", None, None),
        ("hall_power", None, None),
    ],
)
def test_numbers_and_words_are_sensors(lakeside, name, device_class, unit):
    component, entity = lakeside[name]
    assert component == "sensor"
    assert (entity.device_class, entity.unit_of_measurement) == (device_class, unit)
    assert entity.payload_on is None


@pytest.mark.parametrize(
    ("name", "device_class"),
    [
        ("smoke-1", "smoke"),
        ("front-door", "door"),
        ("mains", "power"),
        ("hold-button", None),
        ("main-ups_battery-low", "battery"),
    ],
)
def test_contacts_are_binary_sensors_by_their_role(lakeside, name, device_class):
    component, entity = lakeside[name]
    assert (component, entity.device_class) == ("binary_sensor", device_class)
    assert (entity.payload_on, entity.payload_off) == ("True", "False")


@pytest.mark.parametrize("name", ["siren", "power-cut", "aircon", "hall-outlet"])
def test_outputs_are_binary_sensors_of_what_is_commanded(lakeside, name):
    component, entity = lakeside[name]
    assert (component, entity.payload_on, entity.payload_off) == ("binary_sensor", "on", "off")
    assert "commanded" in entity.value_template


def test_what_home_assistant_shows_of_a_point_that_is_not_good_is_not_known(lakeside):
    template = Template(lakeside["front-door"][1].value_template)
    shown = [
        template.render(value_json={"value": value, "quality": quality})
        for value, quality in ((True, "good"), (False, "good"), (True, "stale"), (None, "missing"))
    ]
    assert shown == ["True", "False", "None", "None"]


def test_two_rooms_whose_names_run_together_share_no_id(room):
    one, other = (
        discovery(room, About(site, id, "", "en", "UTC", True, "1", "b", ""), ROOT)
        for site, id in (("a-b", "c"), ("a", "b-c"))
    )
    assert not {each.unique_id for each in one.values()} & {
        each.unique_id for each in other.values()
    }


@pytest.mark.system
@pytest.mark.parametrize("older", [False, True], ids=["5", "3.1.1"])
def test_every_point_and_output_is_found_retained(mosquitto, open_room, until, older):
    mosquitto.start()
    room = open_room(mosquitto.url, "discovery = true", older=older)
    until(room.is_settled)

    found = announced(mosquitto.port)

    names = {id.replace(".", "_") for id in (*room.guard.room.points, *room.guard.room.outputs)}
    assert {topic.split("/")[3] for topic in found} == names
    for topic, payload in found.items():
        assert TOPIC.fullmatch(topic)
        assert set(payload) >= ALWAYS
        assert set(payload) <= ALWAYS | SOMETIMES
        assert set(payload["device"]) == DEVICE
    assert len({json.dumps(payload["device"]) for payload in found.values()}) == 1
    assert len({payload["unique_id"] for payload in found.values()}) == len(found)
    assert found["homeassistant/sensor/school-room-1/rack-air_temperature/config"] == {
        "unique_id": "roomwarden_school_room-1_rack-air_temperature",
        "name": "rack inlet (rack-air.temperature)",
        "state_topic": f"{ROOT}/state/rack-air.temperature",
        "value_template": "{{ value_json.value if value_json.quality == 'good' else none }}",
        "availability_topic": f"{ROOT}/availability",
        "device": {
            "identifiers": ["roomwarden_school_room-1"],
            "name": "Room 1",
            "manufacturer": "Roomwarden",
            "sw_version": "1.2.3",
        },
        "device_class": "temperature",
        "unit_of_measurement": "°C",
    }
    states = retained(mosquitto.port, f"{ROOT}/#")
    for payload in found.values():
        assert payload["state_topic"] in states
        assert states[payload["availability_topic"]] == "online"


@pytest.mark.system
def test_after_the_broker_has_forgotten_all_the_room_is_found_again(mosquitto, open_room, until):
    mosquitto.start()
    room = open_room(mosquitto.url, "discovery = true")
    until(room.is_settled)
    mosquitto.end()
    until(lambda: not room.state()["connected"])

    mosquitto.start()
    until(lambda: retained(mosquitto.port, f"{ROOT}/availability"))

    assert len(announced(mosquitto.port)) == len(room.guard.room.points) + 1


@pytest.mark.system
def test_nothing_is_announced_where_nobody_asked_for_it(mosquitto, open_room, until):
    mosquitto.start()
    room = open_room(mosquitto.url)
    until(room.is_settled)

    assert announced(mosquitto.port) == {}


@pytest.mark.system
def test_a_broker_that_allows_no_announcements_gets_all_else(mosquitto, open_room, until):
    rules = mosquitto.folder / "rules.acl"
    rules.write_text("topic readwrite roomwarden/#\ntopic read $SYS/#\n", encoding="utf-8")
    rules.chmod(0o600)
    # With no bound, mosquitto 2.0.11 hangs up on who publishes what is not allowed.
    mosquitto.lines += [f"acl_file {rules}", "max_queued_messages 1000"]
    mosquitto.start()
    room = open_room(mosquitto.url, "discovery = true")
    until(room.is_settled)

    assert room.state()["condition"] == "up"
    assert retained(mosquitto.port, f"{ROOT}/availability") == {f"{ROOT}/availability": "online"}
    assert "Denied PUBLISH" in mosquitto.log


def announced(port: int) -> dict[str, Any]:
    found = retained(port, "homeassistant/#")
    return {topic: json.loads(payload) for topic, payload in found.items()}
