"""The alarm list: every alarm of the room, the commands on them, and what groups them.

First-out: within a group, the alarm that came first keeps a mark until the group is quiet.
Cause: an alarm that follows from one already standing is filed under it, so that one mains
failure is one incident. Floods and chatter are counted (facts 2.2).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from controller.core import alarms
from controller.core.alarms import QUIET, Alarm, AlarmSpec, Condition, Shelf
from controller.core.duration import Duration
from controller.core.event import Event
from controller.core.reason import Reason, unknown, why
from controller.core.request import Request
from controller.core.rules.base import NEVER_S

FLOOD_WINDOW_S = 600.0
FLOOD_STARTS = 10  # more new alarms than this within the window
FLOOD_ENDS = 5
CHATTER_WINDOW_S = 60.0
CHATTER = 3
_RECENT = 100

ACTIONS = frozenset(
    {"acknowledge", "silence", "reset", "shelve", "unshelve", "out-of-service", "in-service"}
)


class Permit(msgspec.Struct, frozen=True):
    """Out of service by a person, for a reason; `until_s` monotonic, None until called back."""

    reason: str
    by: str
    until_s: float | None = None


class AlarmList(msgspec.Struct, frozen=True):
    """What is remembered of all alarms; those that are not in `alarms` are quiet.

    `permits`: parts and alarms out of service. `recent`: the latest activations.
    """

    alarms: dict[str, Alarm] = {}
    permits: dict[str, Permit] = {}
    recent: tuple[tuple[float, str], ...] = ()
    flood: bool = False

    def of(self, id: str) -> Alarm:
        return self.alarms.get(id, QUIET)

    def is_out_of_service(self, spec: AlarmSpec) -> bool:
        return spec.subject in self.permits or spec.id in self.permits


def subject_of(request: Request) -> str:
    """Return what an out-of-service request is about: a part, a point or an alarm."""
    args = request.args
    return args.get("point") or args.get("alarm") or args.get("part") or args.get("id") or ""


def refuses(
    specs: Mapping[str, AlarmSpec], parts: frozenset[str], request: Request, was: AlarmList
) -> Reason | None:
    """Why a command on alarms cannot be carried out; None when it can, or is not one."""
    args = request.args
    id = args.get("alarm", "")
    match request.action:
        case "acknowledge" | "reset" if id != "all" and id not in specs:
            return unknown("alarm", id)
        case "reset" if id not in ("all", "fire.confirmed"):
            alarm = was.of(id)
            if alarm.active:
                return why("refused.still-active", alarm=id)
            if not alarm.latched:
                return why("refused.not-latched", alarm=id)
        case "shelve" | "unshelve" if id not in specs:
            return unknown("alarm", id)
        case "shelve" if not args.get("reason") or not args.get("for"):
            return why("refused.needs-reason")
        case "out-of-service" | "in-service":
            subject = subject_of(request)
            if subject not in parts and subject not in specs:
                return unknown("id", subject)
            if request.action == "out-of-service" and not args.get("reason"):
                return why("refused.needs-reason")
            if request.action == "in-service" and subject not in was.permits:
                return why("refused.already")
    return None


def step(
    specs: Mapping[str, AlarmSpec],
    was: AlarmList,
    conditions: Iterable[Condition],
    requests: Sequence[Request],
    now_s: float,
) -> tuple[AlarmList, list[str], list[Event], float]:
    """Return the list after this scan, the alarms that changed, events, and when to look again."""
    changed: dict[str, Alarm] = {}
    raised: list[str] = []
    for condition in conditions:
        spec = specs[condition.alarm]
        old = was.alarms.get(condition.alarm, QUIET)
        if old is QUIET and not condition.active:
            continue
        new = alarms.step(spec, old, condition, now_s)
        if new is not old:
            changed[spec.id] = new
            if new.active and not old.active:
                raised.append(spec.id)
    for id, alarm in was.alarms.items():
        # A shelf ends by itself, whatever its rule has to say.
        if alarm.shelf is not None and now_s >= alarm.shelf.until_s and id not in changed:
            changed[id] = alarms.shelve(alarm, None)
    permits, events = _permits(was.permits, requests, now_s)
    _mark(specs, was, changed, raised)
    recent, flood = _count(was, raised, now_s, events)
    for request in requests:
        if request.action in ACTIONS:
            _command(specs, was, changed, request, now_s)
    differing = [id for id, alarm in changed.items() if alarm != was.of(id)]
    for id in differing:
        old_state = was.of(id).state(was.is_out_of_service(specs[id]))
        events += _told(specs[id], was.of(id), changed[id], old_state, permits)
    if differing or permits is not was.permits or recent is not was.recent or flood != was.flood:
        kept = {**was.alarms, **changed}
        kept = {id: alarm for id, alarm in kept.items() if alarm != QUIET}
        new_list = AlarmList(kept, permits, recent, flood)
    else:
        new_list = was
    return new_list, differing, events, _wake_s(specs, new_list)


def _mark(
    specs: Mapping[str, AlarmSpec],
    was: AlarmList,
    changed: dict[str, Alarm],
    raised: list[str],
) -> None:
    """File the newly raised alarms under their causes and mark the first of each quiet group."""
    raised.sort(key=lambda id: changed[id].since_s)
    busy = {
        specs[id].group
        for id, alarm in was.alarms.items()
        if id in specs and alarm.stands and id not in raised
    }
    for id in raised:
        spec, alarm = specs[id], changed[id]
        cause = None
        for candidate in spec.caused_by:
            other = changed.get(candidate) or was.of(candidate)
            if other.stands and candidate != id:
                cause = other.cause or candidate
                break
        first = spec.group not in busy and cause is None
        busy.add(spec.group)
        changed[id] = msgspec.structs.replace(alarm, cause=cause, first_out=first)


def _count(
    was: AlarmList, raised: Sequence[str], now_s: float, events: list[Event]
) -> tuple[tuple[tuple[float, str], ...], bool]:
    if not raised and not was.flood:
        return was.recent, False
    recent = was.recent
    if raised:
        kept = recent[bisect_left(recent, (now_s - FLOOD_WINDOW_S,)) :]
        recent = tuple([*kept, *((now_s, id) for id in raised)][-_RECENT:])
        for id in raised:
            lately = recent[bisect_left(recent, (now_s - CHATTER_WINDOW_S,)) :]
            times = sum(other == id for _, other in lately)
            if times == CHATTER:
                events.append(Event("alarm", id, "alarm.chatter", data={"times": times}))
    # They are kept in the order of their times.
    count = len(recent) - bisect_left(recent, (now_s - FLOOD_WINDOW_S,))
    flood = count >= FLOOD_ENDS if was.flood else count > FLOOD_STARTS
    if flood != was.flood:
        cause = "alarm.flood" if flood else "alarm.flood-over"
        events.append(Event("alarm", "room", cause, data={"alarms": count}))
    return recent, flood


def _command(
    specs: Mapping[str, AlarmSpec],
    was: AlarmList,
    changed: dict[str, Alarm],
    request: Request,
    now_s: float,
) -> None:
    named = request.args.get("alarm", "all")
    if request.action == "reset" and named == "fire.confirmed":
        ids = [id for id, spec in specs.items() if spec.group == "fire"]
    elif request.action == "silence" or named == "all":
        ids = [*was.alarms, *(id for id in changed if id not in was.alarms)]
    else:
        ids = [named]
    for id in ids:
        if id not in specs:
            continue
        old = changed.get(id) or was.of(id)
        match request.action:
            case "acknowledge":
                new = alarms.acknowledge(old, request.actor)
            case "silence":
                new = alarms.silence(old)
            case "reset":
                new = alarms.reset(old, request.actor)
            case "shelve":
                until_s = now_s + Duration.parse(request.args["for"])
                shelf = Shelf(until_s, request.args["reason"], request.actor)
                new = alarms.shelve(old, shelf)
            case "unshelve":
                new = alarms.shelve(old, None)
            case _:
                continue
        if new is not old:
            changed[id] = new


def _permits(
    was: dict[str, Permit], requests: Sequence[Request], now_s: float
) -> tuple[dict[str, Permit], list[Event]]:
    events: list[Event] = []
    permits = was
    over = [
        id for id, permit in was.items() if permit.until_s is not None and now_s >= permit.until_s
    ]
    if over:
        permits = {id: permit for id, permit in was.items() if id not in over}
        events += [Event("alarm", id, "permit.expired") for id in over]
    for request in requests:
        subject = subject_of(request)
        if request.action == "out-of-service":
            length = request.args.get("for")
            until_s = None if length is None else now_s + Duration.parse(length)
            permit = Permit(request.args["reason"], request.actor, until_s)
            permits = {**permits, subject: permit}
            data = {"reason": permit.reason}
            events.append(Event("alarm", subject, "out-of-service", request.actor, data))
        elif request.action == "in-service":
            permits = {id: permit for id, permit in permits.items() if id != subject}
            events.append(Event("alarm", subject, "in-service", request.actor))
    return permits, events


def _told(
    spec: AlarmSpec,
    old: Alarm,
    new: Alarm,
    old_state: alarms.State,
    permits: Mapping[str, Permit],
) -> list[Event]:
    """A change of state is an event; a delay that begins to run is not."""
    new_state = new.state(spec.subject in permits or spec.id in permits)
    raised_anew = new.active and new.raised_s != old.raised_s
    if new_state is old_state and not raised_anew and new.silenced == old.silenced:
        return []
    data = {
        "state": new_state.value,
        "was": old_state.value,
        "priority": spec.priority.value,
        "values": new.values,
        "first_out": new.first_out,
        "silenced": new.silenced,
    }
    return [Event("alarm", spec.id, new.cause or "", new.by or "rule", data)]


def _wake_s(specs: Mapping[str, AlarmSpec], list_: AlarmList) -> float:
    wake_s = NEVER_S
    for id, alarm in list_.alarms.items():
        spec = specs.get(id)
        if spec is not None:
            wake_s = min(wake_s, alarms.wake_s(spec, alarm))
    for permit in list_.permits.values():
        if permit.until_s is not None:
            wake_s = min(wake_s, permit.until_s)
    return wake_s


def restored(was: AlarmList, now_s: float, shift_s: float | None) -> AlarmList:
    """Return the list after a restart; `shift_s` None on the same boot.

    On a new boot `shift_s` moves the old instants onto the new clock, counting as much of the
    time between as is known: shelving and permits never lengthen. Delays run anew.
    """
    if shift_s is None:
        return was
    kept: dict[str, Alarm] = {}
    for id, alarm in was.alarms.items():
        shelf = alarm.shelf
        if shelf is not None:
            until_s = shelf.until_s + shift_s
            shelf = msgspec.structs.replace(shelf, until_s=until_s) if until_s > now_s else None
        kept[id] = msgspec.structs.replace(
            alarm,
            pending_s=None,
            clearing_s=None,
            since_s=min(alarm.since_s + shift_s, now_s),
            raised_s=now_s,
            shelf=shelf,
        )
    permits = {
        id: permit
        if permit.until_s is None
        else msgspec.structs.replace(permit, until_s=permit.until_s + shift_s)
        for id, permit in was.permits.items()
    }
    return AlarmList(kept, permits)
