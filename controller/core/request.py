"""Requests: what a person, a client or a button asks; and the gate's answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from controller.core.reason import Reason


class Origin(StrEnum):
    BUTTON = "button"
    LOCAL_SCREEN = "local-screen"
    NETWORK_PANEL = "network-panel"
    DOOR = "door"
    MQTT = "mqtt"
    RULE = "rule"


class Role(StrEnum):
    """What a person may do, each role including the ones before it."""

    NOBODY = "nobody"
    VIEW = "view"
    ACKNOWLEDGE = "acknowledge"
    OPERATE = "operate"
    CONFIGURE = "configure"


class Status(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


class Request(msgspec.Struct, frozen=True):
    """One request. Wall times are UTC epoch seconds; None where the way it came keeps no time.

    `privileged` is meant for the door: the caller belongs to the root group. `repeated`: this id
    was seen before. `prepared`: it is the second of the two steps that a remote switch takes.
    `user`: for whom the actor says it speaks; recorded, and no more. `flaw`: what was wrong with
    it before it came here, so that it is refused and recorded like any other.
    """

    id: str
    action: str
    args: dict[str, str] = {}
    actor: str = ""
    role: Role = Role.NOBODY
    origin: Origin = Origin.DOOR
    privileged: bool = False
    issued_s: float | None = None
    expires_s: float | None = None
    expect: dict[str, Any] | None = None
    repeated: bool = False
    prepared: bool = False
    user: str = ""
    flaw: Reason | None = None


class Answer(msgspec.Struct, frozen=True):
    """What became of a request. ACCEPTED is followed by DONE, FAILED or EXPIRED."""

    id: str
    status: Status
    reason: Reason | None = None
