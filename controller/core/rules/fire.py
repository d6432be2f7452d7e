"""Fire: pre-alarm, confirmation, countdown, latch, reset. Keeps REG-03.

Alarm states play no part here: acknowledging, shelving or silencing an alarm changes nothing
that this rule demands, but for the sound, which `silence` stops until something new happens.
The cut itself is the next rule's (`cut`); this one says when it is due.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec
from controller.core.countdown import Countdown
from controller.core.event import Event
from controller.core.reason import Reason, why
from controller.core.request import Answer, Request, Status
from controller.core.rules.base import NEVER_S, RuleBase, Seen, Step
from controller.core.rules.detectors import Policy, Verdict, heard, is_hot, judge
from controller.core.rules.fireoutcome import alarms, conditions, demands
from controller.core.rules.firestate import (
    HOLD_STUCK_S,
    PANEL_HOLD_S,
    RESET_PULSE_S,
    RESET_SETTLE_S,
    FireLimits,
    FireParts,
    FireState,
)


class Fire(RuleBase):
    id = "fire"
    State = FireState

    def __init__(self, limits: FireLimits, parts: FireParts) -> None:
        self.limits = limits
        self.parts = parts

    def alarms(self) -> Sequence[AlarmSpec]:
        return alarms(self.parts)

    def handles(self) -> frozenset[str]:
        return frozenset({"hold", "silence", "reset", "switch"})

    def deferred(self) -> frozenset[str]:
        return frozenset({"reset"}) if self.parts.resets else frozenset()

    def refuses(self, request: Request, was: FireState, seen: Seen) -> Reason | None:
        match request.action:
            case "hold":
                if was.countdown is None:
                    return why("refused.nothing-to-hold")
                if was.countdown.spent_s(seen.now_s) >= was.countdown.allowance_s:
                    return why("refused.hold-spent")
            case "reset" if is_fire_reset(request):
                if not was.latched and request.args.get("alarm") == "all":
                    return None
                if not was.latched:
                    return why("refused.not-latched", alarm=request.args.get("alarm", ""))
                if was.reset_s is not None:
                    return why("refused.already")
                pressed = self._pressed(seen)
                not_clear = () if self.parts.resets else self._not_clear(seen)
                if pressed or not_clear:
                    return why("refused.detector-active", detectors=(*pressed, *not_clear))
            case "switch":
                wants = request.args.get("to") == "on"
                output = request.args.get("output")
                if wants and was.latched and output in self.parts.coolings:
                    return why("refused.latched")
        return None

    def restored(self, was: FireState, now_s: float, same_boot: bool) -> FireState:
        """On a new boot a confirmed fire's countdown has no time left: nobody can say how long
        it was dark. What the detectors say is heard anew; the latch stands."""
        if same_boot:
            return was
        return FireState(
            latched=was.latched,
            latched_s=now_s,
            by=was.by,
            cut=was.latched and (was.cut or was.countdown is not None),
            cooling_off=was.cooling_off,
            silenced=was.silenced,
        )

    def found(self, was: FireState, now_s: float) -> FireState:
        """A cut is found that the journal has not got: nobody knows that it was no fire, so it
        is latched as one, until somebody in the room resets it."""
        if was.latched:
            return was
        return msgspec.structs.replace(
            was, latched=True, latched_s=now_s, cut=True, cooling_off=True, countdown=None
        )

    def step(self, was: FireState, seen: Seen) -> Step:
        now_s = seen.now_s
        muted = was.reset_s is not None
        votes = heard(self.parts.detectors, was.votes, seen, not was.looked, muted)
        new = was
        if votes is not was.votes or not was.looked:
            new = msgspec.structs.replace(new, votes=votes, looked=True)
        pressed = self._pressed(seen)
        if pressed != new.pressed:
            new = msgspec.structs.replace(new, pressed=pressed)
        new, events, answers = self._reset(new, seen)
        events += self._vote_events(was, new)
        new = self._confirm(new, seen, events)
        new = self._count_down(new, seen, events)
        new = self._silence(new, seen)
        new = self._cooling(new, seen)
        return Step(
            new,
            demands=demands(self.limits, self.parts, new, now_s),
            conditions=conditions(self.parts, new, seen),
            events=events,
            answers=answers,
            wake_s=self._wake_s(new, now_s),
        )

    def _pressed(self, seen: Seen) -> tuple[str, ...]:
        return tuple(
            id for id in (*self.parts.call_points, *self.parts.emergencies) if seen[id].is_true
        )

    def _not_clear(self, seen: Seen) -> tuple[str, ...]:
        return tuple(
            d.id
            for d in self.parts.detectors
            if d.id not in seen.out_of_service and not seen[d.id].is_false
        )

    def _vote_events(self, was: FireState, new: FireState) -> list[Event]:
        if was.votes is new.votes:
            return []
        before, after = set(was.active()), set(new.active())
        return [
            *(Event("fire", id, "fire.prealarm") for id in sorted(after - before)),
            *(Event("fire", id, "fire.cleared") for id in sorted(before - after)),
        ]

    def _confirm(self, was: FireState, seen: Seen, events: list[Event]) -> FireState:
        """Judge the votes; a fire once confirmed stays so until it is reset."""
        at = self.limits
        heat = None
        if at.policy is Policy.DETECTOR_AND_HEAT:
            heat = is_hot(self.parts.temperatures, seen, at.heat_above_c, at.heat_rise_k)
        verdict, by = judge(
            at.policy, self.parts.detectors, was.votes, seen, at.window_s, at.verify_s, heat
        )
        if was.pressed:
            verdict, by = Verdict.CONFIRMED, (*by, *was.pressed)
        if was.latched:
            return was
        if verdict is Verdict.CONFIRMED:
            return self._confirmed(was, by, seen, events)
        if verdict in (Verdict.LAST_VOTER, Verdict.SUPPLY_FAULT) and was.countdown is None:
            events.append(Event("fire", "fire", f"fire.{verdict}", data={"detectors": list(by)}))
            countdown = Countdown(seen.now_s + at.countdown_s, at.hold_total_s)
            return msgspec.structs.replace(
                was, countdown=countdown, countdown_why=f"fire.{verdict}", by=by
            )
        # Nobody sees smoke any more, or there is a second detector again that does not.
        alone = was.countdown_why == f"fire.{Verdict.LAST_VOTER}" and verdict is Verdict.ONE
        clear = all(seen[id].is_false for id in was.by)
        if was.countdown is not None and (clear or alone):
            events.append(Event("fire", "fire", "fire.called-off"))
            return msgspec.structs.replace(was, countdown=None, countdown_why="", by=())
        return was

    def _confirmed(
        self, was: FireState, by: tuple[str, ...], seen: Seen, events: list[Event]
    ) -> FireState:
        budget_s = self.limits.budget_s
        events.append(Event("fire", "fire", "fire.confirmed", data={"detectors": list(by)}))
        countdown = None
        if budget_s > 0:
            # What was spent of the hold stays spent: there is one allowance for one fire.
            spent_s = was.countdown.spent_s(seen.now_s) if was.countdown is not None else 0.0
            countdown = Countdown(seen.now_s + budget_s, self.limits.hold_total_s, spent_s)
        return msgspec.structs.replace(
            was,
            latched=True,
            latched_s=seen.now_s,
            by=by,
            cut=budget_s <= 0,
            countdown=countdown,
            countdown_why="fire.budget" if countdown is not None else "",
            cooling_off=True,
            reset_s=None,
            reset_id="",
        )

    def _count_down(self, was: FireState, seen: Seen, events: list[Event]) -> FireState:
        new = self._hold_buttons(was, seen)
        countdown = new.countdown
        if countdown is None:
            return new
        for request in seen.requests:
            if request.action == "hold":
                countdown = countdown.held_for(PANEL_HOLD_S, seen.now_s)
        pressed = any(seen.now_s - since_s < HOLD_STUCK_S for since_s in new.held_by.values())
        countdown = countdown.step(pressed, seen.now_s)
        if new.countdown is not None and countdown.is_held() is not new.countdown.is_held():
            cause = "fire.held" if countdown.is_held() else "fire.hold-over"
            left_s = round(countdown.left_s(seen.now_s), 1)
            events.append(Event("fire", "fire", cause, data={"left_s": left_s}))
        if countdown.is_over(seen.now_s):
            if not new.latched:
                events.append(
                    Event("fire", "fire", "fire.confirmed", data={"detectors": list(new.by)})
                )
            return msgspec.structs.replace(
                new,
                latched=True,
                latched_s=new.latched_s if new.latched else seen.now_s,
                cut=True,
                countdown=None,
                countdown_why="",
                cooling_off=True,
            )
        if countdown == new.countdown:
            return new
        return msgspec.structs.replace(new, countdown=countdown)

    def _hold_buttons(self, was: FireState, seen: Seen) -> FireState:
        held_by = {
            id: was.held_by.get(id, seen.now_s) for id in self.parts.holds if seen[id].is_true
        }
        if held_by == was.held_by:
            return was
        return msgspec.structs.replace(was, held_by=held_by)

    def _reset(self, was: FireState, seen: Seen) -> tuple[FireState, list[Event], list[Answer]]:
        """Carry out a reset: at once, or after the detectors' supply was interrupted."""
        asked = next((r for r in seen.requests if is_fire_reset(r)), None)
        if asked is not None and was.latched and was.reset_s is None:
            if not self.parts.resets:
                return self._ended(was), [_reset_event(asked.actor)], []
            return (
                msgspec.structs.replace(was, reset_s=seen.now_s, reset_id=asked.id),
                [Event("fire", "fire", "fire.detectors-reset", asked.actor)],
                [],
            )
        over_s = RESET_PULSE_S + RESET_SETTLE_S
        if was.reset_s is None or seen.now_s < was.reset_s + over_s:
            return was, [], []
        left = (*self._pressed(seen), *self._not_clear(seen))
        if left:
            reason = why("refused.detector-active", detectors=left)
            answer = Answer(was.reset_id, Status.FAILED, reason)
            return msgspec.structs.replace(was, reset_s=None, reset_id=""), [], [answer]
        answer = Answer(was.reset_id, Status.DONE)
        return self._ended(was), [_reset_event("")], [answer]

    def _ended(self, was: FireState) -> FireState:
        """The latch ends; nothing is un-cut, and cooling stays off until it is switched on."""
        return FireState(
            looked=True, votes=was.votes, cooling_off=was.cooling_off, held_by=was.held_by
        )

    def _silence(self, was: FireState, seen: Seen) -> FireState:
        causes = was.causes()
        if any(r.action == "silence" for r in seen.requests):
            silenced = causes
        else:
            silenced = tuple(cause for cause in was.silenced if cause in causes)
        if silenced == was.silenced:
            return was
        return msgspec.structs.replace(was, silenced=silenced)

    def _cooling(self, was: FireState, seen: Seen) -> FireState:
        if not was.cooling_off or was.latched:
            return was
        switched_on = any(
            r.action == "switch"
            and r.args.get("to") == "on"
            and r.args.get("output") in self.parts.coolings
            for r in seen.requests
        )
        return msgspec.structs.replace(was, cooling_off=False) if switched_on else was

    def _wake_s(self, state: FireState, now_s: float) -> float:
        wake_s = NEVER_S
        if state.countdown is not None:
            wake_s = state.countdown.wake_s(now_s)
        if state.reset_s is not None:
            pulse_end_s = state.reset_s + RESET_PULSE_S
            end_s = pulse_end_s if now_s < pulse_end_s else pulse_end_s + RESET_SETTLE_S
            wake_s = min(wake_s, end_s)
        if self.limits.policy is Policy.VERIFIED_SINGLE and not state.latched:
            for vote in state.votes.values():
                if vote.active:
                    wake_s = min(wake_s, vote.since_s + self.limits.verify_s)
        for since_s in state.held_by.values():
            if since_s + HOLD_STUCK_S > now_s:
                wake_s = min(wake_s, since_s + HOLD_STUCK_S)
        return wake_s


def is_fire_reset(request: Request) -> bool:
    """Whether a reset is meant for the fire latch; a reset of everything is."""
    return request.action == "reset" and request.args.get("alarm", "fire.confirmed") in (
        "fire.confirmed",
        "all",
    )


def _reset_event(by: str) -> Event:
    return Event("fire", "fire", "fire.reset", by or "rule")
