"""The cut: the room's supply and the UPS output, cut by fire or by hand, restored by hand.

Keeps REG-03. Slots 1 and 2 are only ever exerted or relinquished. The latch here is the cut's
own: the end of a fire un-cuts nothing. A restore first sets every outlet off, then releases the
cut, then lets the outlets go one by one, so that nothing comes back in one rush.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.event import Event
from controller.core.priority import Demand, Slot
from controller.core.reason import Reason, why
from controller.core.request import Answer, Request, Status
from controller.core.rules.base import NEVER_S, RuleBase, Seen, Step
from controller.core.rules.firestate import fire_state


class CutState(msgspec.Struct, frozen=True):
    """`by_hand` and `by_fire`: the cut is exerted in slot 1, in slot 2. `restoring`: the
    outlets are being set off first. `held`: outlets still to be let go, and `next_s` when."""

    by_hand: bool = False
    by_fire: bool = False
    cause: str = ""
    since_s: float = 0.0
    by: tuple[str, ...] = ()
    restoring: str | None = None
    held: tuple[str, ...] = ()
    next_s: float = 0.0

    @property
    def is_exerted(self) -> bool:
        return self.by_hand or self.by_fire


class Cut(RuleBase):
    """`cuts` are the cut-off outputs, room and UPS; `outlets` what is set off before a restore.

    A new trip while a restore is under way is exerted at once.
    """

    id = "cut"
    State = CutState

    def __init__(
        self,
        cuts: Sequence[str],
        outlets: Sequence[str],
        emergencies: Sequence[str],
        mains: Sequence[str] = (),
        spacing_s: float = 10.0,
    ) -> None:
        self.cuts = tuple(cuts)
        self._outlets = tuple(outlets)
        self._emergencies = tuple(emergencies)
        self._mains = tuple(mains)
        self._spacing_s = spacing_s

    def alarms(self) -> Sequence[AlarmSpec]:
        cause = ("fire.confirmed", *(f"{id}.pressed" for id in self._emergencies))
        return [AlarmSpec("room.cut", Priority.CRITICAL, group="fire", caused_by=cause)]

    def handles(self) -> frozenset[str]:
        return frozenset({"cut", "restore"})

    def deferred(self) -> frozenset[str]:
        return frozenset({"restore"})

    def refuses(self, request: Request, was: CutState, seen: Seen) -> Reason | None:
        match request.action:
            case "cut":
                if not self.cuts:
                    return why("refused.unknown-subject", subject="cut-off")
            case "restore":
                if not was.is_exerted:
                    return why("refused.not-cut")
                fire = fire_state(seen.states)
                if fire.latched:
                    return why("refused.latched")
                if fire.active():
                    return why("refused.detector-active", detectors=fire.active())
                if self._emergency(seen):
                    return why("refused.emergency-active")
                if was.restoring is not None:
                    return why("refused.already")
        return None

    def restored(self, was: CutState, now_s: float, same_boot: bool) -> CutState:
        """A cut stands over any restart; a restore half done on another boot is begun anew."""
        if same_boot:
            return was
        return msgspec.structs.replace(was, since_s=now_s, restoring=None, next_s=now_s)

    def exerted(self, was: CutState, now_s: float) -> CutState:
        """The lines say the cut is exerted and the journal has not got it: it is latched."""
        if was.is_exerted:
            return was
        return CutState(by_fire=True, cause="cut.found", since_s=now_s)

    def step(self, was: CutState, seen: Seen) -> Step:
        events: list[Event] = []
        answers: list[Answer] = []
        new = self._trip(was, seen, events)
        new = self._restore(new, seen, events, answers)
        new = self._let_go(new, seen)
        return Step(
            new,
            demands=self._demands(new),
            conditions=[Condition("room.cut", new.is_exerted, {"cause": new.cause})],
            events=events,
            answers=answers,
            wake_s=new.next_s if new.held and new.next_s > seen.now_s else NEVER_S,
        )

    def _emergency(self, seen: Seen) -> str | None:
        return next((id for id in self._emergencies if seen[id].is_true), None)

    def _trip(self, was: CutState, seen: Seen, events: list[Event]) -> CutState:
        if not self.cuts:
            return was
        asked = next((r for r in seen.requests if r.action == "cut"), None)
        emergency = self._emergency(seen)
        fire = fire_state(seen.states)
        by_hand = was.by_hand or asked is not None or emergency is not None
        by_fire = was.by_fire or fire.cut
        if (by_hand, by_fire) == (was.by_hand, was.by_fire):
            return was
        if emergency is not None:
            cause, actor = "cut.emergency", emergency
        elif asked is not None:
            cause, actor = "cut.manual", asked.actor
        else:
            cause, actor = "cut.fire", "rule"
        if was.is_exerted:
            return msgspec.structs.replace(was, by_hand=by_hand, by_fire=by_fire, restoring=None)
        by = fire.by if cause == "cut.fire" else (actor,)
        events.append(Event("fire", "room", cause, actor, {"by": list(by)}))
        return CutState(by_hand, by_fire, cause, seen.now_s, by)

    def _restore(
        self, was: CutState, seen: Seen, events: list[Event], answers: list[Answer]
    ) -> CutState:
        asked = next((r for r in seen.requests if r.action == "restore"), None)
        new = was
        if asked is not None and new.is_exerted:
            new = msgspec.structs.replace(new, restoring=asked.id, held=self._outlets)
            events.append(Event("fire", "room", "restore.begun", asked.actor))
        if new.restoring is None:
            return new
        if asked is None and all(self._is_off(id, seen) for id in self._outlets):
            answers.append(Answer(new.restoring, Status.DONE))
            events.append(Event("fire", "room", "restore.released"))
            return CutState(held=new.held, next_s=seen.now_s + self._spacing_s)
        return new

    def _is_off(self, outlet: str, seen: Seen) -> bool:
        """Off, or held by an interlock that outranks us (a hot lamp's fan keeps its outlet)."""
        state = seen.outputs[outlet]
        return not state.on or state.slot <= Slot.INTERLOCK

    def _let_go(self, was: CutState, seen: Seen) -> CutState:
        """Let the next outlet go once its time has come and nothing forbids a start."""
        if not was.held or was.is_exerted or seen.now_s < was.next_s:
            return was
        if fire_state(seen.states).active() or not self._may_start(seen):
            return was
        return msgspec.structs.replace(was, held=was.held[1:], next_s=seen.now_s + self._spacing_s)

    def _may_start(self, seen: Seen) -> bool:
        return all(seen[id].is_true for id in self._mains)

    def _demands(self, state: CutState) -> list[Demand]:
        demands: list[Demand] = []
        if state.cause in ("cut.fire", ""):
            reason = why("cut.fire", detectors=state.by)
        else:
            reason = why(state.cause, actor=", ".join(state.by))
        for id in self.cuts:
            if state.by_hand:
                demands.append(Demand(id, Slot.MANUAL_LIFE_SAFETY, True, reason))
            if state.by_fire:
                demands.append(Demand(id, Slot.LIFE_SAFETY, True, reason))
        if state.restoring is not None or not state.is_exerted:
            off = why("restore.outlets-off" if state.restoring else "restore.spacing")
            demands += [Demand(id, Slot.PLAN, False, off) for id in state.held]
        return demands


def cut_state(states: dict[str, Any]) -> CutState:
    """Return the cut rule's state of this scan, for the rules that come after it."""
    state = states.get("cut")
    return state if isinstance(state, CutState) else CutState()
