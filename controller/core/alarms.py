"""Alarms after ISA-18.2 / IEC 62682: one alarm's states, and what moves it between them.

Alarms annunciate; they never act. No command here, shelving included, changes a protective
action: rules read points, not alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from controller.core.reason import ReasonValue


class Priority(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    LOW = "low"
    JOURNAL = "journal"


class State(StrEnum):
    NORMAL = "normal"
    ACTIVE_UNACKNOWLEDGED = "active-unacknowledged"
    ACTIVE_ACKNOWLEDGED = "active-acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned-unacknowledged"
    LATCHED_UNACKNOWLEDGED = "latched-unacknowledged"
    LATCHED_ACKNOWLEDGED = "latched-acknowledged"
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out-of-service"


class AlarmSpec(msgspec.Struct, frozen=True):
    """One alarm. `id` is `<subject>.<condition>`.

    `on_delay_s` and `off_delay_s`: how long the condition must hold, and be gone. `latched`: it
    stays until a person resets it. `group` bounds the first-out mark. `caused_by`: alarms of
    which this one is a consequence when they came first. `again_s`: annunciated anew while it
    stays active that long.
    """

    id: str
    priority: Priority
    latched: bool = False
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    group: str = "room"
    caused_by: tuple[str, ...] = ()
    again_s: float | None = None

    @property
    def subject(self) -> str:
        return self.id.rpartition(".")[0]

    @property
    def condition(self) -> str:
        return self.id.rpartition(".")[2]


class Condition(msgspec.Struct, frozen=True):
    """What a rule says of an alarm's condition now. `active` None: it cannot tell.

    `at_s` is when it came about by its cause's own time, to tell the first-out of one scan.
    `latch`: whether the rule's own latch stands, where the rule and not the alarm keeps it.
    """

    alarm: str
    active: bool | None
    values: Mapping[str, ReasonValue] = {}
    at_s: float | None = None
    latch: bool | None = None


class Shelf(msgspec.Struct, frozen=True):
    """Shelved by a person, for a reason, and not for ever. `until_s` is monotonic."""

    until_s: float
    reason: str
    by: str


class Alarm(msgspec.Struct, frozen=True):
    """What is remembered of one alarm. Instants are monotonic; None where not under way."""

    active: bool = False
    acknowledged: bool = True
    latched: bool = False
    pending_s: float | None = None
    clearing_s: float | None = None
    since_s: float = 0.0
    raised_s: float = 0.0
    values: Mapping[str, ReasonValue] = {}
    first_out: bool = False
    cause: str | None = None
    silenced: bool = False
    shelf: Shelf | None = None
    by: str = ""

    @property
    def stands(self) -> bool:
        """Active, or latched until a reset."""
        return self.active or self.latched

    def state(self, out_of_service: bool) -> State:
        if out_of_service:
            return State.OUT_OF_SERVICE
        if self.shelf is not None:
            return State.SHELVED
        if self.active:
            return State.ACTIVE_ACKNOWLEDGED if self.acknowledged else State.ACTIVE_UNACKNOWLEDGED
        if self.latched:
            return (
                State.LATCHED_ACKNOWLEDGED if self.acknowledged else State.LATCHED_UNACKNOWLEDGED
            )
        return State.NORMAL if self.acknowledged else State.RETURNED_UNACKNOWLEDGED


QUIET = Alarm()


def step(spec: AlarmSpec, was: Alarm, condition: Condition, now_s: float) -> Alarm:
    """Return the alarm after this condition; the same object when nothing changed.

    A condition that cannot be told (`active` None) drops what was pending, for only a condition
    that is known to hold may count its delay, and clears nothing.
    """
    shelf = was.shelf if was.shelf is not None and now_s < was.shelf.until_s else None
    if shelf is not was.shelf:
        was = msgspec.structs.replace(was, shelf=shelf)
    if condition.active is None:
        if was.pending_s is None and was.clearing_s is None:
            return was
        return msgspec.structs.replace(was, pending_s=None, clearing_s=None)
    if condition.active:
        return _holds(spec, was, condition, now_s)
    if condition.latch is False and was.latched and not was.active:
        return reset(was, was.by)
    return _gone(spec, was, now_s)


def _holds(spec: AlarmSpec, was: Alarm, condition: Condition, now_s: float) -> Alarm:
    if was.active:
        if spec.again_s is not None and was.acknowledged and now_s >= was.raised_s + spec.again_s:
            return msgspec.structs.replace(
                was, acknowledged=False, silenced=False, raised_s=now_s, clearing_s=None
            )
        if was.clearing_s is not None:
            return msgspec.structs.replace(was, clearing_s=None)
        return was
    pending_s = now_s if was.pending_s is None else was.pending_s
    if now_s < pending_s + spec.on_delay_s:
        if was.pending_s is not None:
            return was
        return msgspec.structs.replace(was, pending_s=pending_s)
    since_s = pending_s if condition.at_s is None else min(condition.at_s, pending_s)
    return Alarm(
        active=True,
        acknowledged=False,
        since_s=min(since_s, now_s),
        raised_s=now_s,
        values=condition.values,
        shelf=was.shelf,
    )


def _gone(spec: AlarmSpec, was: Alarm, now_s: float) -> Alarm:
    if not was.active:
        if was.pending_s is None:
            return was
        return msgspec.structs.replace(was, pending_s=None)
    clearing_s = now_s if was.clearing_s is None else was.clearing_s
    if now_s < clearing_s + spec.off_delay_s:
        if was.clearing_s is not None:
            return was
        return msgspec.structs.replace(was, clearing_s=clearing_s)
    if spec.latched:
        return msgspec.structs.replace(was, active=False, latched=True, clearing_s=None)
    return settled(msgspec.structs.replace(was, active=False, clearing_s=None))


def settled(alarm: Alarm) -> Alarm:
    """Forget what no longer matters once an alarm neither stands nor waits for a person."""
    if alarm.stands or not alarm.acknowledged or alarm.pending_s is not None:
        return alarm
    return Alarm(shelf=alarm.shelf) if alarm.shelf is not None else QUIET


def acknowledge(was: Alarm, by: str) -> Alarm:
    if was.acknowledged:
        return was
    return settled(msgspec.structs.replace(was, acknowledged=True, by=by))


def silence(was: Alarm) -> Alarm:
    if was.silenced or not was.stands:
        return was
    return msgspec.structs.replace(was, silenced=True)


def reset(was: Alarm, by: str) -> Alarm:
    """End the latch of an alarm whose condition is gone; who resets has seen it."""
    if not was.latched or was.active:
        return was
    return settled(msgspec.structs.replace(was, latched=False, acknowledged=True, by=by))


def shelve(was: Alarm, shelf: Shelf | None) -> Alarm:
    return settled(msgspec.structs.replace(was, shelf=shelf))


def wake_s(spec: AlarmSpec, alarm: Alarm) -> float:
    """Return when time alone will move this alarm; infinity where it will not."""
    soonest = float("inf")
    if alarm.pending_s is not None:
        soonest = alarm.pending_s + spec.on_delay_s
    if alarm.clearing_s is not None:
        soonest = min(soonest, alarm.clearing_s + spec.off_delay_s)
    if alarm.shelf is not None:
        soonest = min(soonest, alarm.shelf.until_s)
    if spec.again_s is not None and alarm.active and alarm.acknowledged:
        soonest = min(soonest, alarm.raised_s + spec.again_s)
    return soonest
