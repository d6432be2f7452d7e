"""Whether a message is what the committed documents say of its topic."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema

from tests.feed.room import ROOT

FOLDER = Path(__file__).parents[2] / "controller/feed/documents"
DOCUMENT = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))


def all_valid(came: Iterable[tuple[str, Any]]) -> None:
    """Every message that a consumer got; but commands, of which tests send bad ones too."""
    found = (
        fault
        for topic, payload in came
        if not topic.startswith("cmd/")
        for fault in faults(topic, payload)
    )
    first = list(islice(found, 5))
    assert not first, first


def faults(topic: str, payload: Any) -> list[str]:
    """Return what is wrong with a message on `topic` (below the room's root), decoded.

    Stricter than the schemas: a field that they do not name is a fault, for the room is not to
    send what is not described.
    """
    names = _messages_of(topic)
    if not names:
        return [f"{topic}: no channel of the AsyncAPI document"]
    told = [list(_validator(name).iter_errors(payload)) for name in names]
    if any(not errors for errors in told):
        return []
    least = min(told, key=len)
    return [f"{topic}: {error.json_path}: {error.message}" for error in least]


@cache
def _messages_of(topic: str) -> tuple[str, ...]:
    for channel in DOCUMENT["channels"].values():
        shape = re.sub(r"\{\w+\}", "[^/]+", channel["address"])
        if re.fullmatch(shape, f"{ROOT}/{topic}"):
            return tuple(channel["messages"])
    return ()


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for form in (schema, *schema.get("$defs", {}).values()):
        if "properties" in form:
            form["additionalProperties"] = False
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
