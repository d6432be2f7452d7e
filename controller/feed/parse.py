"""From the bytes of a command to what it says; whatever they are, in bounded time."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from controller.core.reason import Reason, why
from controller.feed.messages import Command, Flat

MOST_BYTES = 16_384
_MOST_CHARACTERS = 4096
_MOST_EXPECTED = 100
_LONGEST_FAULT = 200
_WHOLE = 2**53

_command = msgspec.json.Decoder(Command)


class _Named(msgspec.Struct):
    id: str | None = None


_named = msgspec.json.Decoder(_Named)


class Malformed(msgspec.Struct, frozen=True):
    """What is no command. `id`: what it calls itself, where that could be read."""

    id: str | None
    fault: Reason


def parse(payload: bytes, beside: int = 0) -> Command | Malformed:
    """Return what `payload` says. `beside`: the size of what came along with it, in bytes."""
    if len(payload) + beside > MOST_BYTES:
        fault = why("refused.too-big", size=len(payload) + beside, most=MOST_BYTES)
        return Malformed(None, fault)
    try:
        command = _command.decode(payload)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        return Malformed(_id_of(payload), _unreadable(str(error)))
    if not is_id(command.id):
        return Malformed(None, _unreadable("the id is not printable"))
    if not (command.action + (command.user or "")).isprintable():
        return Malformed(command.id, _unreadable("action and user are not printable"))
    if sum(len(name) + len(str(value)) for name, value in command.args.items()) > _MOST_CHARACTERS:
        return Malformed(command.id, _unreadable(f"args: {_MOST_CHARACTERS} characters at most"))
    if len(command.expect or {}) > _MOST_EXPECTED:
        return Malformed(command.id, _unreadable(f"expect: {_MOST_EXPECTED} names at most"))
    return command


def texts(args: Mapping[str, Flat]) -> dict[str, str]:
    """Return arguments as requests take them: a flag as `on` or `off`, 2.0 as `2`."""
    return {name: _text(value) for name, value in args.items()}


def is_id(id: str) -> bool:
    return 0 < len(id) <= 64 and id.isprintable()


def _text(value: Flat) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case float() if value.is_integer() and abs(value) < _WHOLE:
            return str(int(value))
        case _:
            return str(value)


def _id_of(payload: bytes) -> str | None:
    try:
        id = _named.decode(payload).id
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    return id if id is not None and is_id(id) else None


def _unreadable(fault: str) -> Reason:
    return why("refused.malformed", fault=fault[:_LONGEST_FAULT])
