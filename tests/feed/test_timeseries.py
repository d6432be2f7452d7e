"""The shipped Telegraf configuration, held against messages of a real room."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.feed.room import ROOT

FIRMWARE = Path(__file__).parents[2] / "firmware"
CONFIG = tomllib.loads((FIRMWARE / "examples/telegraf/telegraf.conf").read_text(encoding="utf-8"))
PAGE = (FIRMWARE / "docs/timeseries.md").read_text(encoding="utf-8")
INPUTS = CONFIG["inputs"]["mqtt_consumer"]


@pytest.fixture(scope="module")
def split() -> Callable[..., dict[str, Any]]:
    """The processor's `apply`. Starlark is a subset of Python, except that `type` gives a text."""
    (processor,) = CONFIG["processors"]["starlark"]
    names = {bool: "bool", float: "float", int: "int", str: "string", type(None): "NoneType"}
    scope: dict[str, Any] = {"type": lambda value: names[type(value)]}
    exec(processor["source"], scope)

    def split(**fields: Any) -> dict[str, Any]:
        metric = SimpleNamespace(fields=dict(fields))
        return scope["apply"](metric).fields

    return split


def matches(pattern: str, topic: str) -> bool:
    return re.fullmatch(pattern.replace("+", "[^/]+"), topic) is not None


@pytest.mark.system
def test_every_path_of_the_configuration_is_in_the_messages_of_a_room(
    mosquitto, open_room, consume, until, split
):
    mosquitto.start()
    consumer = consume()
    room = open_room(mosquitto.url)
    room.temperature(23.4)
    room.leak(is_there=True)
    until(lambda: (consumer.last("alarm/leak-1.leak") or {}).get("active"))
    until(lambda: room.is_settled() and consumer.seqs()[-1:] == [room.journal.acked_seq])

    came = [(f"{ROOT}/{topic}", payload) for topic, payload, _ in consumer.came]
    for source in INPUTS:
        (pattern,) = source["topics"]
        (parsing,), (parser,) = source["topic_parsing"], source["json_v2"]
        (chosen,) = parser["object"]
        told = [(topic, payload) for topic, payload in came if matches(pattern, topic)]
        assert told, pattern
        keys = {key for _, payload in told for key in payload}
        assert set(chosen["included_keys"]) <= keys
        assert set(chosen.get("tags", ())) <= set(chosen["included_keys"])
        for topic, payload in told:
            named = tags_of(parsing, topic)
            assert (named["site"], named["room"]) == ("school", "room-1")
            assert named["measurement"] == topic.split("/")[3]
            at = payload.get(chosen.get("timestamp_key"))
            assert at is None or datetime.fromisoformat(at).utcoffset() is not None
    points = {t.rsplit("/", 1)[1]: split(**p) for t, p in came if "/state/" in t}
    assert points["rack-air.temperature"]["number"] == 23.4
    assert points["leak-1"]["flag"] is True
    assert not {"number", "flag", "word"} & points["rack-air.humidity"].keys()
    assert points["siren"]["commanded"] == "off"


def tags_of(parsing: dict[str, str], topic: str) -> dict[str, str]:
    """What Telegraf takes from a topic, level by level; `_` is left out."""
    levels = topic.split("/")
    assert matches(parsing["topic"], topic)
    found = {}
    for names in (parsing["tags"], parsing["measurement"]):
        assert len(names.split("/")) == len(levels)
        found |= {n: level for n, level in zip(names.split("/"), levels, strict=True) if n != "_"}
    return found


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        pytest.param(23.4, {"number": 23.4}, id="a-number"),
        pytest.param(24, {"number": 24.0}, id="a-number-without-a-fraction"),
        pytest.param(0.0, {"number": 0.0}, id="zero"),
        pytest.param(False, {"flag": False}, id="a-flag-that-is-off"),
        pytest.param("mains", {"word": "mains"}, id="a-word"),
        pytest.param(None, {}, id="not-known"),
    ],
)
def test_a_value_goes_into_the_field_of_its_type(split, value, fields):
    got = split(value=value, quality="good")
    assert got == {**fields, "quality": "good"}
    assert {type(one) for one in got.values()} == {str, *map(type, fields.values())}


def test_the_page_names_the_tags_and_fields_that_are_written():
    for source in INPUTS:
        (chosen,) = source["json_v2"][0]["object"]
        for key in {*chosen["included_keys"]} - {"value"}:
            assert f"`{key}`" in PAGE
