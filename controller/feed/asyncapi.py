"""The feed as an AsyncAPI 3 document, as the room sees it: it sends, and receives commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from controller.config.feed import REMOTE_ACTIONS
from controller.core.gate import RIGHTS
from controller.feed.broker import CONDITIONS
from controller.feed.examples import EXAMPLES
from controller.feed.messages import OFFLINE, VERSION
from controller.feed.resend import MOST
from controller.feed.schema import AVAILABILITY, MESSAGES, components

ROOT = "roomwarden/{site}/{room}"
_MQTT = {"bindingVersion": "0.2.0"}

_ABOUT = """\
What a room tells a central system, and what it can be asked, over MQTT.

All payloads but `availability` are JSON in UTF-8; times are RFC 3339 in UTC with milliseconds. The
room speaks MQTT 5 where the broker does, else 3.1.1. Take fields that you do not know: more may be
added.

After each connection come `birth`, then every `state` and `alarm` as it is now, then `online` on
`availability`, then the events that the broker does not have yet, strictly by `seq`. So nobody
waits for a backlog to learn of a fire.

* **A room that is gone**: `availability` is `offline`; the broker says so by the room's will.
* **A room that was restarted**: `boot` is another one.
* **A part that was taken out of the room**: its `state` and `alarm` come once more, empty, as MQTT
  takes back what is retained; `birth` does not list it any more.
* **A gap**: an event's `seq` is not the last one's plus one. Ask for what is missing by `resend`.
* **Duplicates**: an event whose `seq` was there already, with the same `hash`; drop it.
* **A forged or altered history**: an event's `hash` is not that of its content, or its `prev` is
  not the `hash` of the event before.

In the room, `status`, the panel and the metric `roomwarden_feed_condition` name how the feed is:

| condition | |
|---|---|
"""

_ACTIONS = """\
Each client that the room file names (`[[feed.client]]`) has a topic of its own, and may ask what
is listed there. A command is refused, and recorded, when it is retained, expired, issued in the
future, a repeat of an id, malformed, over 16 KiB, over the client's rate (30 in 10 s), or not
allowed; of one over 1 MiB the room hears nothing, for a broker of MQTT 5 is asked to keep it back.
An id serves once in a room, whoever sends it: make it a UUID.

The answer comes on `reply/<client>`, with the correlation data of an MQTT 5 command. Its response
topic is taken where it is below `reply/<client>/` of this room, or outside `roomwarden/`,
`homeassistant/` and `$`; else the answer comes on `reply/<client>` all the same.

| action | least role | two steps |
|---|---|---|
"""

_AFTER_ACTIONS = f"""
Arguments are those of `roomwarden request`. `resend` takes `from` and `to`, numbers of events,
which then come again on `event`: {MOST:,} at most, and one such range of a client at a time; ask
for the next one after the reply with the end of the last.

What takes two steps is first asked by `prepare`, with the `action` and its arguments as `args`;
the reply has a `nonce`, good once within 15 s, which the action itself repeats."""


class Channel(msgspec.Struct, frozen=True):
    """One topic below the root. `qos` is that of what the room sends, or subscribes with."""

    name: str
    topic: str
    messages: tuple[str, ...]
    title: str
    description: str
    qos: int
    retained: bool
    received: bool = False


def _about() -> str:
    rows = (f"| `{condition}` | {meaning} |\n" for condition, meaning in CONDITIONS.items())
    return _ABOUT + "".join(rows)


def _actions() -> str:
    rows = (
        f"| `{action}` | {role.value} | {'yes' if _is_two_step(action) else ''} |\n"
        for action, role in REMOTE_ACTIONS.items()
    )
    return _ACTIONS + "".join(rows) + _AFTER_ACTIONS


def _is_two_step(action: str) -> bool:
    return action in RIGHTS and RIGHTS[action].two_step


CHANNELS = (
    Channel(
        "availability",
        "availability",
        ("availability",),
        "Whether the room is there",
        "`online` once the present has been sent; `offline` at a clean end, and as the will.",
        1,
        True,
    ),
    Channel(
        "birth",
        "birth",
        ("birth",),
        "What the room has",
        "Points, outputs and alarms, with what does not change of them while the program runs.",
        1,
        True,
    ),
    Channel(
        "state",
        "state/{point}",
        ("point-state", "output-state"),
        "A point or an output as it is now",
        "Sent when it changes. An output's message has `commanded`, a point's has `value`.",
        0,
        True,
    ),
    Channel(
        "alarm",
        "alarm/{alarm}",
        ("alarm",),
        "An alarm as it is now",
        "Sent when it changes; never held up by a backlog of events.",
        1,
        True,
    ),
    Channel(
        "event",
        "event",
        ("event",),
        "What happened",
        "Every event of the journal, in order, at least once, however long the broker was away.",
        1,
        False,
    ),
    Channel("command", "cmd/{client}", ("command",), "A command", _actions(), 1, False, True),
    Channel(
        "reply",
        "reply/{client}",
        ("reply",),
        "The answer to a command",
        "One at once, and a second one with the end of what was accepted; each at least once, for"
        " one that was under way when a connection ended is sent again.",
        1,
        False,
    ),
)

_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "site": {"description": "The site's id.", "examples": ["lakeside-school"]},
    "room": {"description": "The room's id.", "examples": ["server-room"]},
    "point": {
        "description": "A point or an output, as `birth` lists them.",
        "examples": ["rack-air.temperature", "siren"],
    },
    "alarm": {"description": "An alarm, as `birth` lists them.", "examples": ["smoke-1.prealarm"]},
    "client": {"description": "The id of a `[[feed.client]]`.", "examples": ["central"]},
}


def document() -> dict[str, Any]:
    """Return the whole document."""
    forms = [form for form in MESSAGES.values() if form is not None]
    schemas = components(forms, "#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Roomwarden feed",
            "version": str(VERSION),
            "description": _about(),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"plain": _server("mqtt"), "tls": _server("mqtts")},
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {channel.name: _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {name: _message(name) for name in MESSAGES},
            "parameters": dict(_PARAMETERS),
            "schemas": {"Availability": AVAILABILITY, **schemas},
            "securitySchemes": {
                "password": {
                    "type": "userPassword",
                    "description": "`username` and `password_file` of the room file.",
                },
                "certificate": {
                    "type": "X509",
                    "description": "`certificate` and `key` of the room file.",
                },
            },
        },
    }


def _server(protocol: str) -> dict[str, Any]:
    secure = protocol == "mqtts"
    schemes = ("password", "certificate") if secure else ("password",)
    return {
        "host": "{broker}",
        "protocol": protocol,
        "protocolVersion": "5",
        "description": "The broker of the room file's `[feed] url`"
        + (", by TLS." if secure else "."),
        "variables": {
            "broker": {
                "description": "Its address and port.",
                "default": "127.0.0.1:8883" if secure else "127.0.0.1:1883",
            }
        },
        "security": [_ref("components/securitySchemes", scheme) for scheme in schemes],
        "bindings": {
            "mqtt": {
                "clientId": "roomwarden-{site}_{room}",
                "cleanSession": True,
                "lastWill": {
                    "topic": f"{ROOT}/availability",
                    "qos": 1,
                    "message": OFFLINE.decode(),
                    "retain": True,
                },
                **_MQTT,
            }
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    address = f"{ROOT}/{channel.topic}"
    named = [name for name in _PARAMETERS if f"{{{name}}}" in address]
    return {
        "address": address,
        "title": channel.title,
        "description": channel.description,
        "messages": _refs("components/messages", channel.messages),
        "parameters": _refs("components/parameters", named),
    }


def _operation(channel: Channel) -> dict[str, Any]:
    here = f"channels/{channel.name}"
    operation: dict[str, Any] = {
        "action": "receive" if channel.received else "send",
        "title": channel.title,
        "channel": _ref("channels", channel.name),
        "messages": [_ref(f"{here}/messages", name) for name in channel.messages],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retained, **_MQTT}},
    }
    if channel.received:
        operation["reply"] = {
            "channel": _ref("channels", "reply"),
            "messages": [_ref("channels/reply/messages", "reply")],
        }
    return operation


def _message(name: str) -> dict[str, Any]:
    form = MESSAGES[name]
    if form is None:
        return {
            "name": name,
            "title": AVAILABILITY["title"],
            "contentType": "text/plain",
            "payload": _ref("components/schemas", "Availability"),
        }
    message: dict[str, Any] = {
        "name": name,
        "title": form.__name__,
        "contentType": "application/json",
        "payload": _ref("components/schemas", form.__name__),
        "examples": [{"payload": msgspec.to_builtins(EXAMPLES[name])}],
    }
    if name in ("command", "reply"):
        message["correlationId"] = {"location": "$message.payload#/id"}
    return message


def _ref(folder: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/{folder}/{name}"}


def _refs(folder: str, names: Iterable[str]) -> dict[str, dict[str, str]]:
    return {name: _ref(folder, name) for name in names}
