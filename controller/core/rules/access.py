"""Access: doors and windows open, held open, opened while armed. Keeps REG-04."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.event import Event
from controller.core.reason import Reason, why
from controller.core.request import Request
from controller.core.rules.base import NEVER_S, RuleBase, Seen, Step


class AccessLimits(msgspec.Struct, frozen=True):
    """Seconds. `entry_delay_s`: from an opening while armed to the intrusion; `exit_delay_s`:
    from arming until openings count."""

    held_open_s: float = 120.0
    entry_delay_s: float = 30.0
    exit_delay_s: float = 30.0


class AccessState(msgspec.Struct, frozen=True):
    """`open_s`: since when each opening stands open. `entered`: which openings were used while
    armed, and when; `intruded`: those whose delay ran out before anybody disarmed."""

    armed: bool = False
    armed_s: float = 0.0
    open_s: dict[str, float] = {}
    entered_s: dict[str, float] = {}
    intruded: tuple[str, ...] = ()


class Access(RuleBase):
    """A door that cannot be read is neither open nor shut: that is health's alarm."""

    id = "access"
    State = AccessState

    def __init__(self, limits: AccessLimits, doors: Sequence[str], windows: Sequence[str]) -> None:
        self.limits = limits
        self._doors = tuple(doors)
        self._openings = (*doors, *windows)

    def alarms(self) -> Sequence[AlarmSpec]:
        return [
            *(AlarmSpec(f"{id}.held-open", Priority.LOW, group="access") for id in self._openings),
            *(
                AlarmSpec(f"{id}.intrusion", Priority.CRITICAL, latched=True, group="access")
                for id in self._openings
            ),
        ]

    def handles(self) -> frozenset[str]:
        return frozenset({"arm", "disarm"})

    def refuses(self, request: Request, was: AccessState, seen: Seen) -> Reason | None:
        match request.action:
            case "arm" if was.armed:
                return why("refused.already")
            case "arm":
                unsafe = tuple(
                    id
                    for id in self._openings
                    if id not in self._doors
                    and not seen[id].is_false
                    and id not in seen.out_of_service
                )
                if unsafe:
                    return why("refused.open", openings=unsafe)
            case "disarm" if not was.armed and not was.intruded:
                return why("refused.already")
        return None

    def restored(self, was: AccessState, now_s: float, same_boot: bool) -> AccessState:
        """Armed stays armed. An entry under way gets no new delay: it is an intrusion."""
        if same_boot:
            return was
        intruded = tuple(sorted({*was.intruded, *was.entered_s}))
        return AccessState(was.armed, now_s - self.limits.exit_delay_s, {}, {}, intruded)

    def step(self, was: AccessState, seen: Seen) -> Step:
        if not self._openings and not seen.requests:
            return Step(was)
        events: list[Event] = []
        new = self._arm(was, seen, events)
        new = self._openings_now(new, seen, events)
        return Step(
            new,
            conditions=self._conditions(new, seen),
            events=events,
            wake_s=self._wake_s(new, seen.now_s),
        )

    def _arm(self, was: AccessState, seen: Seen, events: list[Event]) -> AccessState:
        new = was
        for request in seen.requests:
            if request.action == "arm" and not new.armed:
                events.append(Event("access", "room", "access.armed", request.actor))
                new = AccessState(True, seen.now_s, new.open_s)
            elif request.action == "disarm":
                events.append(Event("access", "room", "access.disarmed", request.actor))
                new = AccessState(False, seen.now_s, new.open_s)
        return new

    def _openings_now(self, was: AccessState, seen: Seen, events: list[Event]) -> AccessState:
        now_s, at = seen.now_s, self.limits
        open_s, entered_s = dict(was.open_s), dict(was.entered_s)
        counts = was.armed and now_s >= was.armed_s + at.exit_delay_s
        for id in self._openings:
            reading = seen[id]
            if id in seen.out_of_service or reading.is_false:
                if open_s.pop(id, None) is not None:
                    events.append(Event("access", id, "access.shut"))
                continue
            if not reading.is_true:
                continue
            if id not in open_s:
                open_s[id] = reading.at_s
                events.append(Event("access", id, "access.opened", data={"armed": was.armed}))
            if counts:
                entered_s.setdefault(id, now_s)
        late = {id for id, since_s in entered_s.items() if now_s >= since_s + at.entry_delay_s}
        intruded = tuple(sorted({*was.intruded, *late}))
        same = (open_s, entered_s, intruded) == (was.open_s, was.entered_s, was.intruded)
        if same:
            return was
        return AccessState(was.armed, was.armed_s, open_s, entered_s, intruded)

    def _conditions(self, state: AccessState, seen: Seen) -> list[Condition]:
        held = {
            id
            for id, since_s in state.open_s.items()
            if seen.now_s >= since_s + self.limits.held_open_s
        }
        return [
            *(
                Condition(f"{id}.held-open", id in held if seen[id].is_good else None)
                for id in self._openings
            ),
            *(Condition(f"{id}.intrusion", id in state.intruded) for id in self._openings),
        ]

    def _wake_s(self, state: AccessState, now_s: float) -> float:
        at = self.limits
        instants = [since_s + at.held_open_s for since_s in state.open_s.values()]
        instants += [since_s + at.entry_delay_s for since_s in state.entered_s.values()]
        if state.armed:
            instants.append(state.armed_s + at.exit_delay_s)
        return min((at_s for at_s in instants if at_s > now_s), default=NEVER_S)


def entry_left_s(limits: AccessLimits, state: AccessState, now_s: float) -> float | None:
    """Return how long whoever came in still has to disarm; None when nobody is awaited."""
    waiting = [
        since_s + limits.entry_delay_s - now_s
        for id, since_s in state.entered_s.items()
        if id not in state.intruded
    ]
    return max(min(waiting), 0.0) if waiting else None
