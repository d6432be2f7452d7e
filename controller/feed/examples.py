"""One message of each sort as the room would send it, for the documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from controller.core.event import Event
from controller.feed.messages import (
    VERSION,
    AlarmState,
    Birth,
    BirthAlarm,
    BirthOutput,
    BirthPoint,
    JournalEvent,
    OutputState,
    PointState,
    Reply,
    Why,
)
from controller.journal.chain import START, event_object, seal

_BOOT = "0b1f6a52-6a1c-4c8e-9a64-3f1f0c7f6f0e"
_AT = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
_STAMP = "2026-01-31T12:00:00.250Z"
_RAISED = Event(
    "alarm",
    "leak-1.leak",
    "leak",
    data={"active": True, "from": "normal", "state": "active-unacknowledged"},
)
_TEXT = "leak-1: water leak"
_WHY = Why("leak", {})

EXAMPLES: Mapping[str, msgspec.Struct | dict[str, object]] = {
    "birth": Birth(
        VERSION,
        _BOOT,
        "0.1.0",
        "rpi4",
        (BirthPoint("rack-air.temperature", "dht22", "climate", "°C", "rack inlet"),),
        (BirthOutput("siren", "siren", None, "corridor"),),
        (BirthAlarm("leak-1.leak", "high", _TEXT),),
    ),
    "point-state": PointState(23.4, "°C", "good", _STAMP, 41),
    "output-state": OutputState("on", None, 12, _TEXT, _WHY, _STAMP, 42),
    "alarm": AlarmState(
        "active-unacknowledged",
        "high",
        True,
        False,
        None,
        _STAMP,
        None,
        _TEXT,
        "",
        42,
    ),
    "event": JournalEvent(**event_object(seal(1, _BOOT, _AT.timestamp(), _RAISED, START.hash))),
    "command": {
        "id": "5a0c",
        "action": "acknowledge",
        "args": {"alarm": "leak-1.leak"},
        "issued": _STAMP,
        "expires": "2026-01-31T12:00:10.250Z",
        "user": "ops-7",
    },
    "reply": Reply("5a0c", "done", None, None),
}
