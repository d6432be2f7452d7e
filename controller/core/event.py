"""Events: what the journal keeps for ever and the feed delivers in order."""

from __future__ import annotations

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True):
    """Something that happened.

    `kind` is one of: output, alarm, request, fire, access, projector, power, ups, plan, quality,
    system.
    `subject` is the id of the point, output, alarm or part. `cause` says what brought it
    about (a reason's or a rule's id), `actor` who (`rule`, or a person or client), and `data`
    holds the rest. The journal adds seq, boot, at, prev and hash.
    """

    kind: str
    subject: str
    cause: str = ""
    actor: str = "rule"
    data: dict[str, Any] = {}


class Recorded(msgspec.Struct, frozen=True):
    """An event with its place in the record. `at_s` is wall time, UTC epoch seconds."""

    seq: int
    boot: str
    at_s: float
    event: Event
