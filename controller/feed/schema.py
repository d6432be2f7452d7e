"""JSON Schemas of the messages, made of the structs that encode them and of their docstrings.

A consumer must take fields that it does not know: the contract may add some. So the schemas of
what the room sends allow them; a command with an unknown field is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.docstrings import meanings_of
from controller.feed import messages
from controller.feed.messages import (
    OFFLINE,
    ONLINE,
    VERSION,
    AlarmState,
    Birth,
    Command,
    JournalEvent,
    OutputState,
    PointState,
    Reply,
)

MESSAGES: Mapping[str, type[msgspec.Struct] | None] = {
    "availability": None,
    "birth": Birth,
    "point-state": PointState,
    "output-state": OutputState,
    "alarm": AlarmState,
    "event": JournalEvent,
    "command": Command,
    "reply": Reply,
}
"""Every message by its name. None: it is plain text, not JSON."""

AVAILABILITY = {
    "title": "Availability",
    "description": "Whether the room is connected: plain text, no JSON.",
    "type": "string",
    "enum": [ONLINE.decode(), OFFLINE.decode()],
}

Schema = dict[str, Any]


def json_schema(name: str) -> Schema:
    """Return the JSON Schema (2020-12) of one message, complete in itself."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:roomwarden:feed:{VERSION}:{name}",
    }
    form = MESSAGES[name]
    if form is None:
        return head | AVAILABILITY
    defs = components([form], "#/$defs/{name}")
    own = defs.pop(form.__name__)
    return head | own | ({"$defs": defs} if defs else {})


def components(forms: list[type[msgspec.Struct]], ref_template: str) -> dict[str, Schema]:
    """Return the schemas of `forms` and of every struct in them, by the structs' names."""
    _, found = msgspec.json.schema_components(forms, ref_template=ref_template)
    for name, schema in found.items():
        _describe(schema, getattr(messages, name))
    return found


def _describe(schema: Schema, form: type[msgspec.Struct]) -> None:
    """Put the docstring's words where they belong."""
    prose, meanings = meanings_of(form)
    schema["description"] = "\n\n".join(prose)
    for name, meaning in meanings.items():
        schema["properties"][name]["description"] = meaning
