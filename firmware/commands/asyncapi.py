"""`roomwarden asyncapi`: the feed's contract: an AsyncAPI 3 document, JSON Schemas, a page.

`--write` puts all of them where they are kept: the documents in `controller/feed/documents`, the
page, which is made of the AsyncAPI document alone, in `firmware/docs/feed.md`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controller.feed.asyncapi import document
from controller.feed.schema import MESSAGES, json_schema
from firmware.main import DONE

_TREE = Path(__file__).parents[2]
DOCUMENTS = _TREE / "controller/feed/documents"
PAGE = _TREE / "firmware/docs/feed.md"

_MADE = """\
Made by `roomwarden asyncapi` from the program itself; do not edit. The AsyncAPI document and the
JSON Schemas stand in [controller/feed/documents](../../controller/feed/documents), a broker's
configuration in [firmware/examples/mosquitto](../examples/mosquitto/README.md), and what to store
in [timeseries.md](timeseries.md)."""


def run(options: argparse.Namespace) -> int:
    written = documents()
    if options.write:
        for path, text in written.items():
            path.write_text(text, encoding="utf-8")
    else:
        print(written[PAGE if options.page else DOCUMENTS / "asyncapi.json"], end="")
    return DONE


def documents() -> dict[Path, str]:
    """Return every file that is kept, with what should stand in it."""
    whole = document()
    schemas = {DOCUMENTS / f"{name}.json": _as_json(json_schema(name)) for name in MESSAGES}
    return {DOCUMENTS / "asyncapi.json": _as_json(whole), **schemas, PAGE: page(whole)}


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def page(whole: dict[str, Any]) -> str:
    """Return an AsyncAPI document as Markdown."""
    info = whole["info"]
    lines = [f"# {info['title']}, version {info['version']}", "", _MADE, "", info["description"]]
    lines += ["## Topics", "", "| topic | who sends | QoS | retained | message |"]
    lines.append("|---|---|---|---|---|")
    for operation in whole["operations"].values():
        lines.append(_row(whole, operation))
    lines.append("")
    for operation in whole["operations"].values():
        lines += _section(whole, operation)
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(whole: dict[str, Any], operation: dict[str, Any]) -> str:
    channel = _at(whole, operation["channel"])
    sender = "the client" if operation["action"] == "receive" else "the room"
    mqtt = operation["bindings"]["mqtt"]
    retained = "yes" if mqtt["retain"] else "no" if sender == "the room" else "never"
    names = ", ".join(f"`{name}`" for name in channel["messages"])
    return f"| `{channel['address']}` | {sender} | {mqtt['qos']} | {retained} | {names} |"


def _section(whole: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    channel = _at(whole, operation["channel"])
    yield from (f"## `{channel['address'].split('/', 3)[3]}`: {_small(channel['title'])}", "")
    yield from (channel["description"], "")
    for message in (_at(whole, found) for found in channel["messages"].values()):
        schema = _at(whole, message["payload"])
        if len(channel["messages"]) > 1:
            yield from (f"### `{message['name']}`", "")
        yield from (schema["description"], "")
        if "properties" in schema:
            yield from _fields(whole, schema)
        else:
            yield from (_type(whole, schema), "")
        for example in message.get("examples", ()):
            payload = json.dumps(example["payload"], indent=2, ensure_ascii=False)
            yield from ("```json", payload, "```", "")


def _fields(whole: dict[str, Any], schema: dict[str, Any], parent: str = "") -> Iterator[str]:
    if not parent:
        yield from ("| field | what may stand there | meaning |", "|---|---|---|")
    for name, inner in schema["properties"].items():
        told = _type(whole, inner)
        if name not in schema["required"]:
            told += "; may be left out"
        yield f"| `{parent}{name}` | {told} | {inner.get('description', '')} |"
        item = inner.get("items", inner)
        if "$ref" in item:
            below = f"{parent}{name}[]." if "items" in inner else f"{parent}{name}."
            yield from _fields(whole, _at(whole, item), below)
    if not parent:
        yield ""


_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "object": "an object",
    "array": "a list",
}


def _type(whole: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a schema lets through, in words."""
    if "$ref" in schema:
        return _type(whole, _at(whole, schema))
    if "anyOf" in schema:
        told = dict.fromkeys(_type(whole, one) for one in schema["anyOf"])
        return " or ".join(told)
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(word)}`" for word in schema["enum"])
    if schema.get("format") == "date-time":
        return "a time"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        return f"`{low}`" if low == high else f"a whole number from {low}"
    if "maxLength" in schema:
        return f"a text of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return _WORDS[schema["type"]]


def _at(whole: dict[str, Any], reference: dict[str, str]) -> dict[str, Any]:
    """What a reference of the document points to, through any other."""
    found: Any = whole
    for step in reference["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return _at(whole, found) if "$ref" in found else found


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]
