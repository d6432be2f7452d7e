"""What is sent on each topic, contract version 1; the order of fields is the contract's."""

from __future__ import annotations

from typing import Any

import msgspec

from controller.canonical import plain

VERSION = 1
ONLINE = b"online"
OFFLINE = b"offline"


class BirthPoint(msgspec.Struct, frozen=True):
    id: str
    kind: str
    role: str
    unit: str | None
    place: str


class BirthOutput(msgspec.Struct, frozen=True):
    """`scope` is a cut-off's: `room` or `ups`."""

    id: str
    role: str
    scope: str | None
    place: str


class BirthAlarm(msgspec.Struct, frozen=True):
    id: str
    priority: str
    text: str


class Birth(msgspec.Struct, frozen=True):
    """`birth`: everything that the room has. `boot` changes with every run of the program."""

    v: int
    boot: str
    software: str
    board: str
    points: tuple[BirthPoint, ...]
    outputs: tuple[BirthOutput, ...]
    alarms: tuple[BirthAlarm, ...]


class PointState(msgspec.Struct, frozen=True):
    """`state/<point>`. A value that is not known is null. `at`: when the reading was taken."""

    value: bool | float | str | None
    unit: str | None
    quality: str
    at: str | None
    seq: int


class Why(msgspec.Struct, frozen=True):
    """A reason as its message id with its values, for programs."""

    id: str
    values: dict[str, Any]


class OutputState(msgspec.Struct, frozen=True):
    """`state/<output>`. `at`: since when it is commanded so; `reason` in the room's language."""

    commanded: str
    actual: str | None
    slot: int
    reason: str
    why: Why
    at: str | None
    seq: int


class AlarmState(msgspec.Struct, frozen=True):
    """`alarm/<id>`. `cause`: the alarm that this one follows from; `by`: who dealt with it."""

    state: str
    priority: str
    active: bool
    acknowledged: bool
    shelved_until: str | None
    since: str | None
    cause: str | None
    text: str
    by: str
    seq: int


class JournalEvent(msgspec.Struct, frozen=True):
    """`event`: one event of the journal; `hash` is over all the rest in canonical JSON."""

    seq: int
    boot: str
    at: str
    kind: str
    subject: str
    cause: str
    actor: str
    data: dict[str, Any]
    prev: str
    hash: str


_encoder = msgspec.json.Encoder()


def encoded(message: msgspec.Struct) -> bytes:
    """Return the payload; a text that is no UTF-8 is mended rather than holding up the rest."""
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        return _encoder.encode(plain(message))
