"""Projector: lamp on, lamp off, and its outlet kept supplied until the lamp has cooled.

Keeps REG-05. A lamp is hot until it has certainly cooled: from the last moment it was, or may
have been, on, for its full time, with power on the outlet, and until the projector says standby
where it says anything. Only life safety (slots 1 and 2) cuts a hot lamp.

A projector that is found in standby after a start is cooled for its full time before its outlet
may go, but may be lit at once when asked: its own electronics refuse to strike a hot lamp, and
what this rule guards is the fan's power.
"""

from __future__ import annotations

from collections.abc import Sequence

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.duration import Duration
from controller.core.event import Event
from controller.core.priority import Demand, OutputSpec, Slot
from controller.core.reason import Reason, why
from controller.core.request import Answer, Request, Status
from controller.core.rules.base import NEVER_S, Command, RuleBase, Seen, Step
from controller.core.rules.lamp import Lamp, Phase, ProjectorState, replace
from controller.core.rules.permissive import blocked

POWER_UP_S = 2.0
"""From the outlet's power to the first command (behaviour section 4)."""

LISTEN_S = 20.0
"""After a start, what the projector says is waited for before it is told anything."""

TRY_SPACING_S = 10.0
OFF_TRIES = 3
ON_TRIES = 6
"""A projector's network may need most of a minute after power (guess)."""

WAIT_S = 900.0
"""How long beyond the cooling a request may wait for what it needs: a lesson begins without it."""


class Projector(RuleBase):
    """`talks`: it speaks PJLink; one that does not is believed when a person confirms.

    `mains`: the mains contacts of the wall its outlet hangs on; none where the UPS feeds it.
    """

    State = ProjectorState

    def __init__(
        self,
        part: str,
        outlet: OutputSpec,
        cooling_s: float,
        talks: bool,
        mains: Sequence[str] = (),
        cuts: Sequence[str] = (),
    ) -> None:
        self.id = f"projector.{part}"
        self.lamp = Lamp(part, outlet, cooling_s, talks, mains, cuts)
        self.part = part
        self.outlet = outlet
        self.cooling_s = cooling_s
        self.talks = talks
        self._mains = tuple(mains)

    def alarms(self) -> Sequence[AlarmSpec]:
        return [
            AlarmSpec(
                f"{self.part}.hot-cut",
                Priority.HIGH,
                latched=True,
                group="projector",
                caused_by=("fire.confirmed", "room.cut", *(f"{id}.absent" for id in self._mains)),
            ),
            AlarmSpec(f"{self.part}.off-failed", Priority.HIGH, group="projector"),
        ]

    def handles(self) -> frozenset[str]:
        return frozenset({"projector-on", "projector-off", "release-lamp", "confirm-off"})

    def deferred(self) -> frozenset[str]:
        return frozenset({"projector-on", "projector-off"})

    def refuses(self, request: Request, was: ProjectorState, seen: Seen) -> Reason | None:
        if request.args.get("id") != self.part or request.action not in self.handles():
            return None
        word = self.lamp.word(seen)
        match request.action:
            case "projector-on":
                return blocked(seen.states)
            case "release-lamp":
                if word in ("on", "warm-up"):
                    return why("refused.lamp-lit")
                if not was.hot:
                    return why("refused.already")
            case "confirm-off":
                if self.talks:
                    return why("refused.projector-tells")
                if not was.hot:
                    return why("refused.already")
        return None

    def restored(self, was: ProjectorState, now_s: float, same_boot: bool) -> ProjectorState:
        """On a new boot nobody knows how long the lamp was without its fan: it is hot, and what
        it says first decides. Cooling never shortens."""
        if same_boot:
            return replace(was, began_s=None)
        return ProjectorState(serial=was.serial, hot_cuts=was.hot_cuts)

    def step(self, was: ProjectorState, seen: Seen) -> Step:
        events: list[Event] = []
        answers: list[Answer] = []
        new = was if was.began_s is not None else replace(was, began_s=seen.now_s)
        new = self._requests(new, seen, answers)
        new = self.lamp.listen(new, seen, events)
        new = self.lamp.supply(new, seen, events)
        new = self.lamp.cooled(new, seen, events)
        new = self._command(new, seen, events, answers)
        new = self._finish(new, seen, answers)
        is_cut = new.hot and not new.found and self.lamp.powered(seen) is False
        commands = []
        if new.told and self.talks:
            commands.append(Command(self.part, new.serial, new.told))
        return Step(
            new,
            demands=self._demands(new, seen),
            conditions=[
                Condition(f"{self.part}.hot-cut", is_cut, {"count": float(new.hot_cuts)}),
                Condition(f"{self.part}.off-failed", new.failed),
            ],
            events=events,
            commands=commands,
            answers=answers,
            points={f"{self.part}.cooling-left": self.lamp.left(new, seen.now_s)},
            wake_s=self._wake_s(new, seen),
        )

    def _requests(self, was: ProjectorState, seen: Seen, answers: list[Answer]) -> ProjectorState:
        new = was
        for request in seen.requests:
            if request.args.get("id") != self.part:
                continue
            match request.action:
                case "projector-on":
                    if new.on_id and new.on_id != request.id:
                        answers.append(Answer(new.on_id, Status.DONE))
                    tries = new.tries if new.wanted else 0
                    until_s = end_of(request, seen.now_s)
                    new = replace(
                        new, wanted=True, until_s=until_s, on_id=request.id, on_s=seen.now_s,
                        by=request.actor,
                        stopping=False, failed=False, tries=tries,
                    )  # fmt: skip
                case "projector-off":
                    if new.off_id and new.off_id != request.id:
                        answers.append(Answer(new.off_id, Status.DONE))
                    asked = replace(new, off_id=request.id, off_s=seen.now_s, by=request.actor)
                    new = self._stop(asked, seen)
                case "release-lamp":
                    new = replace(new, hot=False, found=False, stopping=False, failed=False)
                case "confirm-off":
                    new = replace(new, dark_s=seen.now_s, found=False, stopping=False)
        if new.wanted and new.until_s is not None and seen.now_s >= new.until_s:
            new = self._stop(new, seen)
        return new

    def _stop(self, was: ProjectorState, seen: Seen) -> ProjectorState:
        """Off was asked: nothing changes when it already is on its way."""
        if was.stopping and not was.failed:
            return replace(was, wanted=False, until_s=None)
        if self.talks and not was.hot and seen.is_on(self.outlet.id):
            # Cool by its last word; its next one decides, for somebody may have lit it since.
            dark_s = seen.now_s - self.cooling_s
            was = replace(was, hot=True, found=True, doubted=True, dark_s=dark_s)
        may_be_lit = was.hot and was.dark_s is None
        return replace(
            was, wanted=False, until_s=None, stopping=may_be_lit, failed=False,
            tries=0, told="" if may_be_lit else was.told,
        )  # fmt: skip

    def _command(
        self, was: ProjectorState, seen: Seen, events: list[Event], answers: list[Answer]
    ) -> ProjectorState:
        """Send on or off, a bounded number of times, ten seconds apart."""
        word = self.lamp.word(seen)
        if not self.talks:
            return self._believe(was, seen)
        if was.stopping and not was.failed:
            if was.unpowered_s is not None:
                return was
            return self._tell(was, "off", OFF_TRIES, seen, events, answers)
        if was.wanted and word not in ("on", "warm-up") and self._may_light(was, seen):
            return self._tell(was, "on", ON_TRIES, seen, events, answers)
        if was.told and word in ("on", "warm-up") and was.told == "on":
            return replace(was, told="", tries=0)
        if was.told == "off" and not was.stopping:
            return replace(was, told="", tries=0)
        return was

    def _believe(self, was: ProjectorState, seen: Seen) -> ProjectorState:
        """A projector that tells nothing may be lit whenever its outlet is on by demand."""
        if was.wanted and seen.is_on(self.outlet.id) and (was.dark_s is not None or not was.hot):
            return replace(was, hot=True, dark_s=None, found=False)
        return was

    def _may_light(self, state: ProjectorState, seen: Seen) -> bool:
        if self._waits(state, seen) or state.unpowered_s is not None:
            return False
        if self.lamp.word(seen) is None and seen.now_s < (state.began_s or 0.0) + LISTEN_S:
            return False
        outlet = seen.outputs[self.outlet.id]
        return outlet.on and seen.now_s >= outlet.since_s + POWER_UP_S

    def _waits(self, state: ProjectorState, seen: Seen) -> bool:
        """Whether an on that is wanted waits for cooling, or for what forbids a start."""
        if blocked(seen.states) is not None:
            return True
        if not state.hot or state.told == "on":
            return False
        if state.found:
            return state.heard and self.lamp.word(seen) == "cooling"
        return state.dark_s is not None

    def _tell(
        self,
        was: ProjectorState,
        action: str,
        tries: int,
        seen: Seen,
        events: list[Event],
        answers: list[Answer],
    ) -> ProjectorState:
        if was.told == action and seen.now_s < was.told_s + TRY_SPACING_S:
            return was
        done = was.tries if was.told == action else 0
        if done >= tries:
            events.append(Event("projector", self.part, f"projector.{action}-failed"))
            waiting = was.on_id if action == "on" else was.off_id
            if waiting:
                answers.append(Answer(waiting, Status.FAILED, why(f"projector.{action}-failed")))
            if action == "on":
                return replace(
                    was, wanted=False, until_s=None, on_id="", told="", tries=0, failed=False
                )
            return replace(was, failed=True, off_id="", told="", tries=0)
        new = replace(was, told=action, told_s=seen.now_s, tries=done + 1, serial=was.serial + 1)
        if action == "on":
            new = replace(new, hot=True, dark_s=None, found=False, doubted=False)
        events.append(
            Event("projector", self.part, f"projector.told-{action}", data={"try": done + 1})
        )
        return new

    def _given_up(self, was: ProjectorState, seen: Seen, answers: list[Answer]) -> ProjectorState:
        """End a request that has waited for too long; what is safe for the lamp goes on."""
        new = was
        limit_s = self.cooling_s + WAIT_S
        if new.on_id and seen.now_s >= new.on_s + limit_s:
            answers.append(Answer(new.on_id, Status.EXPIRED, why("projector.on-failed")))
            new = replace(new, on_id="", wanted=False, until_s=None)
        if new.off_id and seen.now_s >= new.off_s + limit_s:
            answers.append(Answer(new.off_id, Status.EXPIRED, why("projector.off-failed")))
            new = replace(new, off_id="")
        return new

    def _finish(self, was: ProjectorState, seen: Seen, answers: list[Answer]) -> ProjectorState:
        new = self._given_up(was, seen, answers)
        lit = self.lamp.word(seen) == "on" if self.talks else seen.is_on(self.outlet.id)
        if new.on_id and new.wanted and lit and (new.hot and new.dark_s is None):
            answers.append(Answer(new.on_id, Status.DONE))
            new = replace(new, on_id="")
        elif new.on_id and not new.wanted:
            answers.append(Answer(new.on_id, Status.FAILED, why("projector.called-off")))
            new = replace(new, on_id="")
        if new.off_id and new.wanted:
            answers.append(Answer(new.off_id, Status.FAILED, why("projector.called-off")))
            new = replace(new, off_id="")
        elif new.off_id and not new.hot and not seen.is_on(self.outlet.id):
            answers.append(Answer(new.off_id, Status.DONE))
            new = replace(new, off_id="")
        return new

    def _demands(self, state: ProjectorState, seen: Seen) -> list[Demand]:
        demands = []
        outlet = self.outlet.id
        if state.wanted and not (self._waits(state, seen) and not seen.is_on(outlet)):
            reason = why("projector.demanded", by=state.by)
            demands.append(Demand(outlet, Slot.OPERATOR, True, reason, state.until_s))
        if state.hot and seen.is_on(outlet):
            # Its end is part of the reason only where it is known.
            end_s = self.lamp.end_s(state)
            if end_s is not None and end_s <= seen.now_s:
                end_s = None  # its time is over: it waits for the projector's word
            demands.append(Demand(outlet, Slot.INTERLOCK, True, self.lamp.reason(state), end_s))
        return demands

    def _wake_s(self, state: ProjectorState, seen: Seen) -> float:
        instants = [state.until_s, self.lamp.end_s(state) if state.hot else None]
        if state.on_id:
            instants.append(state.on_s + self.cooling_s + WAIT_S)
        if state.off_id:
            instants.append(state.off_s + self.cooling_s + WAIT_S)
        if state.told:
            instants.append(state.told_s + TRY_SPACING_S)
        if state.wanted and seen.is_on(self.outlet.id):
            instants.append(seen.outputs[self.outlet.id].since_s + POWER_UP_S)
        return min((at_s for at_s in instants if at_s and at_s > seen.now_s), default=NEVER_S)

    def phase(self, state: ProjectorState, seen: Seen) -> Phase:
        """Return what the panel shows."""
        if state.stopping or (state.failed and state.hot):
            return Phase.STOPPING
        if state.wanted:
            if state.hot and state.dark_s is None and not state.found:
                lit = self.lamp.word(seen) == "on" if self.talks else True
                return Phase.ON if lit else Phase.STARTING
            return Phase.COOLING if self._waits(state, seen) and state.hot else Phase.POWERING
        if not state.hot:
            return Phase.OFF
        return Phase.COOLING if state.dark_s is not None else Phase.UNKNOWN

    def is_waiting(self, state: ProjectorState, seen: Seen) -> bool:
        """Whether an on waits for the lamp to cool."""
        return state.wanted and self._waits(state, seen)


def end_of(request: Request, now_s: float) -> float | None:
    """Return when a request's `for` ends; None without one. The gate has checked its form."""
    text = request.args.get("for")
    return None if text is None else now_s + Duration.parse(text)
