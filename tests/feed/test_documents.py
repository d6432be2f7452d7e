"""The documents of the feed: complete, sound, and as the program is."""

from __future__ import annotations

import argparse
import copy
import io
import json
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from controller.feed.asyncapi import CHANNELS, ROOT, document
from controller.feed.broker import CONDITIONS, Condition
from controller.feed.examples import EXAMPLES
from controller.feed.messages import Command, encoded
from controller.feed.resend import MOST
from controller.feed.schema import MESSAGES, json_schema
from controller.journal.capture import verify_capture
from firmware.commands.asyncapi import DOCUMENTS, PAGE, documents, page, run
from tests.feed.validate import DOCUMENT, faults

TOPICS = {
    "birth": "birth",
    "point-state": "state/rack-air.temperature",
    "output-state": "state/siren",
    "alarm": "alarm/leak-1.leak",
    "event": "event",
    "command": "cmd/central",
    "reply": "reply/central",
}


WRITTEN = documents()


def decoded(name: str) -> Any:
    example = EXAMPLES[name]
    return json.loads(encoded(example)) if isinstance(example, msgspec.Struct) else example


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_a_committed_document_is_what_the_program_says(path):
    assert path.is_file(), "missing: roomwarden asyncapi --write"
    assert path.read_text(encoding="utf-8") == WRITTEN[path], "stale: roomwarden asyncapi --write"


def test_no_document_is_left_over_from_a_message_that_is_no_more():
    assert set(DOCUMENTS.iterdir()) == set(WRITTEN) - {PAGE}


def test_the_documents_are_found_in_the_installed_package():
    folder = resources.files("controller.feed") / "documents"
    assert json.loads((folder / "asyncapi.json").read_text(encoding="utf-8")) == DOCUMENT


@pytest.mark.parametrize("name", MESSAGES)
def test_every_schema_is_a_schema(name):
    schema = json_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:roomwarden:feed:1:{name}"


@pytest.mark.parametrize("name", TOPICS)
def test_the_example_of_a_message_is_one(name):
    assert faults(TOPICS[name], decoded(name)) == []


def test_the_documented_event_stands_the_check_of_a_capture():
    (example,) = DOCUMENT["components"]["messages"]["event"]["examples"]
    line = json.dumps(example["payload"]).encode() + b"\n"
    report = verify_capture(io.BytesIO(line))
    assert report.faults == ()
    assert (report.events, report.first, report.last) == (1, 1, 1)


def test_the_limits_of_resend_are_told():
    told = DOCUMENT["channels"]["command"]["description"]
    assert f"{MOST:,} at most" in told
    assert "one such range of a client at a time" in told


def test_the_example_of_a_command_is_read_as_one():
    assert msgspec.convert(EXAMPLES["command"], Command).action == "acknowledge"


WRONG = [
    pytest.param("availability", "gone", id="a-word-that-is-none-of-availability"),
    pytest.param("state/siren", {"commanded": "ON"}, id="an-output-in-capitals"),
    pytest.param("alarm/leak-1.leak", {"priority": "urgent"}, id="an-unknown-priority"),
    pytest.param("alarm/leak-1.leak", {"more": 1}, id="a-field-that-is-not-described"),
    pytest.param("state/rack-air.temperature", {"at": "2026-01-31 12:00:00"}, id="a-local-time"),
    pytest.param("state/rack-air.temperature", {"value": [23.4]}, id="a-list-as-a-value"),
    pytest.param("state/rack-air.temperature", {"seq": -1}, id="a-number-below-zero"),
    pytest.param("event", {"hash": "E0F4"}, id="a-hash-that-is-too-short"),
    pytest.param("event", {"prev": ""}, id="a-first-event-behind-nothing"),
    pytest.param("event", {"seq": 0}, id="an-event-before-the-first"),
    pytest.param("birth", {"v": 2}, id="another-version-of-the-contract"),
    pytest.param("reply/central", {"status": "maybe"}, id="an-unknown-end"),
    pytest.param("weather", {}, id="a-topic-that-is-not-described"),
]


@pytest.mark.parametrize(("topic", "change"), WRONG)
def test_a_wrong_message_does_not_validate(topic, change):
    names = {topic: name for name, topic in TOPICS.items()}
    sound = decoded(names[topic]) if topic in names else {}
    assert faults(topic, sound | change if isinstance(change, dict) else change)


def test_a_message_without_one_of_its_fields_does_not_validate():
    for name in ("birth", "point-state", "output-state", "alarm", "event", "reply"):
        for field in decoded(name):
            less = {key: value for key, value in decoded(name).items() if key != field}
            assert faults(TOPICS[name], less), f"{name} without {field}"


@pytest.mark.parametrize("name", TOPICS)
def test_every_field_of_a_message_is_explained_unless_its_name_says_all(name):
    obvious = {"id", "priority", "state", "active", "acknowledged", "unit", "status"}
    obvious |= {"points", "outputs", "alarms"}
    fields = json_schema(name)["properties"]
    dumb = {field for field, schema in fields.items() if "description" not in schema}
    assert dumb <= obvious


# The structure of an AsyncAPI 3 document: what each object must have, what else it may have, and
# where its references lead. Source: AsyncAPI 3.0.0, "Schema", and MQTT bindings 0.2.0.
FIXED = {
    "root": (
        {"asyncapi", "info"},
        {"id", "servers", "defaultContentType", "channels", "operations", "components"},
    ),
    "info": ({"title", "version"}, {"description", "license", "contact", "tags"}),
    "server": (
        {"host", "protocol"},
        {"protocolVersion", "description", "variables", "security", "bindings"},
    ),
    "channel": (set(), {"address", "messages", "title", "description", "parameters", "servers"}),
    "operation": (
        {"action", "channel"},
        {"title", "description", "messages", "reply", "bindings"},
    ),
    "message": ({"payload"}, {"name", "title", "contentType", "correlationId", "examples"}),
    "parameter": (set(), {"enum", "default", "description", "examples", "location"}),
}


def structural_faults(whole: dict[str, Any]) -> Iterator[str]:
    objects = [("root", "root", whole), ("info", "info", whole["info"])]
    for kind, found in (
        ("server", whole["servers"]),
        ("channel", whole["channels"]),
        ("operation", whole["operations"]),
        ("message", whole["components"]["messages"]),
        ("parameter", whole["components"]["parameters"]),
    ):
        objects += [(kind, f"{kind} {name}", inner) for name, inner in found.items()]
    for kind, name, inner in objects:
        needed, allowed = FIXED[kind]
        yield from (f"{name}: no {key}" for key in needed - inner.keys())
        unknown = inner.keys() - needed - allowed
        yield from (f"{name}: unknown {key}" for key in unknown)
    if not re.fullmatch(r"3\.0\.\d+", whole["asyncapi"]):
        yield "asyncapi: not 3.0"
    for name, channel in whole["channels"].items():
        named = set(re.findall(r"\{(\w+)\}", channel["address"]))
        if named != set(channel["parameters"]):
            yield f"channel {name}: its parameters are not those of its address"
    for name, operation in whole["operations"].items():
        if operation.get("action") not in ("send", "receive"):
            yield f"operation {name}: action"
        for one in (operation, operation.get("reply", operation)):
            inside = one["channel"]["$ref"] + "/messages/"
            if not all(ref["$ref"].startswith(inside) for ref in one["messages"]):
                yield f"operation {name}: a message that is not of its channel"
        mqtt = operation["bindings"]["mqtt"]
        if mqtt["qos"] not in (0, 1, 2) or not isinstance(mqtt["retain"], bool):
            yield f"operation {name}: bindings"
    for ref in references(whole):
        if not resolves(whole, ref):
            yield f"{ref}: leads nowhere"


def references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(ref)}:
            yield ref
        case dict():
            for inner in value.values():
                yield from references(inner)
        case list():
            for inner in value:
                yield from references(inner)


def resolves(whole: Any, ref: str) -> bool:
    for step in ref.removeprefix("#/").split("/"):
        while isinstance(whole, dict) and "$ref" in whole:
            return False  # a reference through a reference is none
        if not ref.startswith("#/") or step not in whole:
            return False
        whole = whole[step]
    return True


def test_the_asyncapi_document_is_sound():
    assert list(structural_faults(document())) == []


BREAKS = {
    "server plain: no host": lambda d: d["servers"]["plain"].pop("host"),
    "channel event: unknown adress": lambda d: d["channels"]["event"].update(adress="x"),
    "operation event: no action": lambda d: d["operations"]["event"].pop("action"),
    "#/components/schemas/Birth: leads nowhere": lambda d: d["components"]["schemas"].pop("Birth"),
    "channel alarm: its parameters": lambda d: d["channels"]["alarm"]["parameters"].clear(),
    "operation reply: a message": lambda d: d["operations"]["reply"].update(
        messages=[{"$ref": "#/channels/event/messages/event"}]
    ),
}


@pytest.mark.parametrize("told", BREAKS)
def test_a_broken_asyncapi_document_is_found_out(told):
    whole = copy.deepcopy(document())
    BREAKS[told](whole)
    found = list(structural_faults(whole))
    assert any(fault.startswith(told) for fault in found), found


def test_every_topic_of_the_contract_is_described_with_its_qos_and_whether_it_is_retained():
    """Contract 3, row by row."""
    told = {channel.topic: (channel.qos, channel.retained) for channel in CHANNELS}
    assert told == {
        "availability": (1, True),
        "birth": (1, True),
        "state/{point}": (0, True),
        "alarm/{alarm}": (1, True),
        "event": (1, False),
        "cmd/{client}": (1, False),
        "reply/{client}": (1, False),
    }
    assert ROOT == "roomwarden/{site}/{room}"
    received = [channel.name for channel in CHANNELS if channel.received]
    assert received == ["command"]


def test_the_page_names_every_topic_every_field_and_every_action():
    text = page(document())
    for channel in DOCUMENT["channels"].values():
        assert f"| `{channel['address']}` |" in text
    for name in TOPICS:
        for field in json_schema(name)["properties"]:
            assert f"| `{field}` |" in text
    assert "| `projector-on` | operate | yes |" in text


def test_the_page_tells_what_each_condition_of_the_feed_means():
    text = page(document())
    assert list(CONDITIONS) == list(get_args(Condition))
    for condition, meaning in CONDITIONS.items():
        assert f"| `{condition}` | {meaning} |" in text


@pytest.mark.parametrize(("is_page", "path"), [(False, DOCUMENTS / "asyncapi.json"), (True, PAGE)])
def test_the_command_prints_what_is_kept(capsys, is_page, path):
    assert run(argparse.Namespace(write=False, page=is_page)) == 0
    assert capsys.readouterr().out == path.read_text(encoding="utf-8")
