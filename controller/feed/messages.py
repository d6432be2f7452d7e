"""What is sent on each topic, contract version 1; the order of fields is the contract's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from controller.canonical import plain
from controller.feed.forms import (
    AlarmStateWord,
    DottedName,
    Hash,
    LastSeq,
    Name,
    OnOff,
    PriorityWord,
    QualityWord,
    Seq,
    SlotNumber,
    Stamp,
    StatusWord,
    Word,
)

VERSION = 1
ONLINE = b"online"
OFFLINE = b"offline"


class BirthPoint(msgspec.Struct, frozen=True):
    """A point that the room has.

    * `kind`: the part's, as in the room file.
    * `role`: what the part is there for.
    * `unit`: null where the value is no quantity.
    * `place`: where the part is, in the room's words.
    """

    id: DottedName
    kind: str
    role: str
    unit: str | None
    place: str


class BirthOutput(msgspec.Struct, frozen=True):
    """An output that the room has.

    * `role`: what it switches.
    * `scope`: which supply a cut-off cuts, `room` or `ups`; null for all others.
    * `place`: where it is, in the room's words.
    """

    id: Name
    role: str
    scope: str | None
    place: str


class BirthAlarm(msgspec.Struct, frozen=True):
    """An alarm that the room can raise.

    * `text`: what it is called, in the room's language.
    """

    id: DottedName
    priority: PriorityWord
    text: str


class Birth(msgspec.Struct, frozen=True):
    """Everything that the room has, said once after each connection.

    * `v`: the version of this contract.
    * `boot`: which run of the program this is; another one after each restart.
    * `software`: the program's version.
    * `board`: the board's kind; `simulated`: nothing here is real.
    """

    v: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    boot: Word
    software: str
    board: Word
    points: tuple[BirthPoint, ...]
    outputs: tuple[BirthOutput, ...]
    alarms: tuple[BirthAlarm, ...]


class PointState(msgspec.Struct, frozen=True):
    """A point as it is now.

    * `value`: null where it is not known: no zero and no last value stands in for it.
    * `quality`: how far the value may be trusted; only `good` counts as knowledge.
    * `at`: when the reading was taken; null before the first.
    * `seq`: the number of the last event before this message.
    """

    value: bool | float | str | None
    unit: str | None
    quality: QualityWord
    at: Stamp | None
    seq: LastSeq


class Why(msgspec.Struct, frozen=True):
    """A reason for programs.

    * `id`: the reason's name, the same in every language.
    * `values`: what its sentence is filled with.
    """

    id: str
    values: dict[str, Any]


class OutputState(msgspec.Struct, frozen=True):
    """An output as it is now. `on` is the role exerted: the room is cut, cooling runs.

    * `commanded`: what the controller wants.
    * `actual`: what feedback proves; null where nothing tells.
    * `slot`: who holds it, by the priority array: 1 and 2 life safety .. 16 the default.
    * `reason`: why, in the room's language.
    * `why`: the same for programs.
    * `at`: since when it is commanded so.
    * `seq`: the number of the last event before this message.
    """

    commanded: OnOff
    actual: OnOff | None
    slot: SlotNumber
    reason: str
    why: Why
    at: Stamp | None
    seq: LastSeq


class AlarmState(msgspec.Struct, frozen=True):
    """An alarm as it is now, quiet ones too.

    * `active`: whether the condition is there now.
    * `shelved_until`: null when it is not shelved.
    * `since`: when it was raised; null while there is nothing to see to.
    * `cause`: the alarm that this one follows from.
    * `text`: what is wrong, in the room's language.
    * `by`: who dealt with it last.
    * `seq`: the number of the last event before this message.
    """

    state: AlarmStateWord
    priority: PriorityWord
    active: bool
    acknowledged: bool
    shelved_until: Stamp | None
    since: Stamp | None
    cause: DottedName | None
    text: str
    by: str
    seq: LastSeq


class JournalEvent(msgspec.Struct, frozen=True):
    """One event of the journal. Each comes at least once; first deliveries come in order.

    * `seq`: 1, 2, 3 .. over the room's life. A gap is an event that has not come: `resend`.
    * `boot`: the run of the program in which it happened.
    * `at`: when it happened.
    * `kind`: what sort of event it is, such as `alarm`, `output` or `request`.
    * `subject`: the point, output, alarm or part that it is about.
    * `cause`: what brought it about.
    * `actor`: who did: `rule`, or a person or client.
    * `data`: the rest, by kind.
    * `prev`: the hash of the event before; 64 zeros for the first.
    * `hash`: SHA-256 of `prev` followed by this event in canonical JSON (RFC 8785) without `hash`.
    """

    seq: Seq
    boot: str
    at: Stamp
    kind: Word
    subject: str
    cause: str
    actor: str
    data: dict[str, Any]
    prev: Hash
    hash: Hash


CommandId = Annotated[str, Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]

Flat = str | bool | int | float
"""An argument. It is turned into the text that requests take; a flag into `on` or `off`."""


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client asks. A field that is not listed here makes it refused.

    * `id`: new with each command, printable; one that the room has seen before is refused.
    * `action`: what is asked.
    * `issued`: when it was asked; refused when it lies in the room's future.
    * `expires`: until when it is meant, a day after `issued` at most; refused when it has passed.
    * `args`: the action's arguments; a flag stands for `on` or `off`.
    * `nonce`: what `prepare` gave, for actions that take two steps.
    * `expect`: values by point, or `on` or `off` by output, that must be so now.
    * `user`: the person for whom the client speaks; it is recorded and gives no right.
    """

    id: CommandId
    action: Word
    issued: Moment
    expires: Moment
    args: dict[str, Flat] = {}
    nonce: Word | None = None
    expect: dict[str, Flat | None] | None = None
    user: Annotated[str, Meta(max_length=128)] | None = None


class Reply(msgspec.Struct, frozen=True):
    """What became of a command. `accepted` is followed by `done`, `failed` or `expired`.

    * `id`: the command's; null where it could not be read.
    * `reason`: why it was refused or failed, in the room's language.
    * `why`: the same for programs.
    * `nonce`: only in the answer to `prepare`; repeat it in the action within 15 s.
    """

    id: str | None
    status: StatusWord
    reason: str | None
    why: Why | None
    nonce: str | UnsetType = UNSET


_encoder = msgspec.json.Encoder()


def encoded(message: msgspec.Struct) -> bytes:
    """Return the payload; a text that is no UTF-8 is mended rather than holding up the rest."""
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        return _encoder.encode(plain(message))
