"""The room's power: what the UPSes say and what the mains contact says, judged together.

Keeps REG-06 and 08. The table stands in behaviour section 7. Each UPS is judged beside the
contact; the room is as badly off as its worst UPS. Silence is judged by the last trustworthy
word: a UPS that falls silent on line is lost, one that falls silent on battery is still on it.

Time on battery adds up until the mains has been stable: an outage in pieces is one outage.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.event import Event
from controller.core.reading import Quality, Reading
from controller.core.reason import Reason, why
from controller.core.request import Request
from controller.core.rules.base import NEVER_S, RuleBase, Seen, Step
from controller.core.rules.ups import DEAD_S, LOST_S, UpsRule, UpsState

TRANSFER_S = 5.0
"""So long after one of them has moved, the mains contact and a UPS may say different things: a UPS
transfers and is polled, a contact settles. After that they disagree."""


class Power(StrEnum):
    """How the room is fed, the worst first."""

    OUTAGE = "outage"
    ON_BATTERY = "on-battery"
    DISAGREEMENT = "disagreement"
    LOST = "lost"
    UNKNOWN = "unknown"
    MAINS = "mains"


_WORST = tuple(Power)


class PowerState(msgspec.Struct, frozen=True):
    """`counted_s` is the time on battery of the pieces that are over, `on_s` since when the
    present one counts. `mains_s`: since when the mains is known to be there. `dark_s`: since
    when the mains contact is absent. `silent_s`: the last word of the UPS that is lost for
    longest in this outage; `blind`: of one that is lost nobody knows what is left. `vouched`: a
    person says that the mains is there. `over_s`: when the last outage was over for good;
    `unknown_s`: since when nothing tells of a mains that was there; `charge_lost`: a UPS on
    battery has left off telling its charge."""

    state: Power = Power.UNKNOWN
    since_s: float = 0.0
    reason: Reason = why("power.unknown")
    counted_s: float = 0.0
    on_s: float | None = None
    mains_s: float | None = None
    dark_s: float | None = None
    present_s: float | None = None
    silent_s: float | None = None
    blind: bool = False
    low: bool = False
    runtime_s: float | None = None
    runtime_at_s: float = 0.0
    projected: bool = False
    charge: float | None = None
    vouched: bool = False
    over_s: float | None = None
    unknown_s: float | None = None
    charge_lost: bool = False

    def battery_s(self, now_s: float) -> float:
        """Return the time on battery since the mains was last stable."""
        return self.counted_s + (0.0 if self.on_s is None else now_s - self.on_s)

    def left_s(self, now_s: float) -> float | None:
        """Return the runtime left now, as far as it is known."""
        if self.runtime_s is None:
            return None
        drained_s = now_s - self.runtime_at_s if self.on_s is not None else 0.0
        return max(self.runtime_s - drained_s, 0.0)


class PowerRule(RuleBase):
    id = "power"
    State = PowerState

    def __init__(self, upses: Sequence[UpsRule], mains: Sequence[str], stable_s: float) -> None:
        self._upses = tuple(upses)
        self._mains = tuple(mains)
        self.stable_s = stable_s

    def alarms(self) -> Sequence[AlarmSpec]:
        causes = tuple(f"{id}.absent" for id in self._mains)
        return [
            AlarmSpec("power.disagreement", Priority.HIGH, on_delay_s=1.0, group="power",
                      caused_by=causes),
            AlarmSpec("power.outage", Priority.HIGH, on_delay_s=1.0, off_delay_s=1.0,
                      group="power", caused_by=causes),
        ]  # fmt: skip

    def handles(self) -> frozenset[str]:
        return frozenset({"confirm-mains"})

    def refuses(self, request: Request, was: PowerState, seen: Seen) -> Reason | None:
        if request.action == "confirm-mains" and was.state not in (Power.UNKNOWN, Power.LOST):
            return why("refused.mains-told", state=was.state.value)
        return None

    def moved(self, was: PowerState, shift_s: float) -> PowerState:
        """The outage went on while the board was off."""
        if was.on_s is None:
            return was
        return msgspec.structs.replace(was, on_s=was.on_s + shift_s)

    def restored(self, was: PowerState, now_s: float, same_boot: bool) -> PowerState:
        """An outage's time never shrinks; that the mains was stable must be seen again."""
        if same_boot:
            # While nobody listened the mains may have failed: it is stable from now on.
            return msgspec.structs.replace(was, mains_s=None, unknown_s=None)
        return PowerState(
            state=was.state,
            since_s=now_s,
            reason=was.reason,
            counted_s=max(was.battery_s(now_s), was.counted_s),
            on_s=None if was.on_s is None else now_s,
            low=was.low,
            runtime_s=was.runtime_s,
            runtime_at_s=now_s,
            projected=was.projected,
            charge=was.charge,
        )

    def step(self, was: PowerState, seen: Seen) -> Step:
        now_s = seen.now_s
        new = self._contact(was, seen)
        judged = [
            self._judge(new, rule, ups, word, now_s)
            for rule in self._heard(seen)
            if (word := (ups := _of(rule, seen)).supply) is not None
        ]
        # One that was never heard judges nothing.
        if not judged:
            judged = [self._without_ups(new)]
        state, reason = min(judged, key=lambda verdict: _WORST.index(verdict[0]))
        asked = any(request.action == "confirm-mains" for request in seen.requests)
        vouched = (asked or new.vouched) and state in (Power.UNKNOWN, Power.LOST)
        events: list[Event] = []
        if state is not new.state or reason.id != new.reason.id:
            data = {"was": new.state.value, "why": reason.id, **reason.values}
            events.append(Event("power", "room", f"power.{state}", data=data))
            since_s = now_s if state is not new.state else new.since_s
            new = msgspec.structs.replace(new, state=state, since_s=since_s, reason=reason)
        if vouched is not new.vouched:
            new = msgspec.structs.replace(new, vouched=vouched)
        new = self._clock(new, seen)
        new = self._left(new, seen)
        value = Reading(new.state.value, Quality.GOOD, new.since_s)
        disagrees = new.state is Power.DISAGREEMENT
        out = new.state is Power.OUTAGE
        return Step(
            new,
            conditions=[
                Condition("power.disagreement", disagrees),
                Condition("power.outage", out, {"since": new.reason.id}),
            ],
            events=events,
            points={"power.state": value},
            wake_s=self._wake_s(new, seen),
        )

    def _heard(self, seen: Seen) -> list[UpsRule]:
        """The UPSes that have a say: one that is out of service has none."""
        return [rule for rule in self._upses if rule.parts.id not in seen.out_of_service]

    def _contact(self, was: PowerState, seen: Seen) -> PowerState:
        readings = [seen[id] for id in self._mains]
        present = bool(readings) and all(reading.is_true for reading in readings)
        absent = any(reading.is_false for reading in readings)
        # One that falls silent in an outage has not seen the mains return.
        absent = absent or (was.dark_s is not None and not present)
        dark_s = (was.dark_s if was.dark_s is not None else seen.now_s) if absent else None
        present_s = None
        if present:
            present_s = was.present_s if was.present_s is not None else seen.now_s
        if (dark_s, present_s) == (was.dark_s, was.present_s):
            return was
        return msgspec.structs.replace(was, dark_s=dark_s, present_s=present_s)

    def _without_ups(self, was: PowerState) -> tuple[Power, Reason]:
        if was.dark_s is not None:
            return Power.OUTAGE, why("power.contact-absent")
        if was.present_s is not None:
            return Power.MAINS, why("power.mains")
        return Power.UNKNOWN, why("power.unknown")

    def _judge(
        self, was: PowerState, rule: UpsRule, ups: UpsState, word: str, now_s: float
    ) -> tuple[Power, Reason]:
        """One UPS beside the contact: behaviour section 7, and facts 4.7 without a contact."""
        id = rule.parts.id
        absent, present = was.dark_s is not None, was.present_s is not None
        if ups.lost:
            if present:
                return Power.LOST, why("power.lost-present", ups=id)
            if absent:
                return Power.OUTAGE, why("power.lost-absent", ups=id)
            if word == "battery":
                return Power.OUTAGE, why("power.lost-on-battery", ups=id)
            return Power.LOST, why("power.lost", ups=id)
        if word == "battery":
            if present:
                assert was.present_s is not None
                if was.state is Power.OUTAGE and now_s < was.present_s + TRANSFER_S:
                    return Power.OUTAGE, why("power.on-battery", ups=id)
                test = why("power.self-test", ups=id)
                return Power.ON_BATTERY, test if ups.testing else why("power.breaker", ups=id)
            if ups.testing and not absent:
                return Power.ON_BATTERY, why("power.self-test", ups=id)
            return Power.OUTAGE, why("power.on-battery", ups=id)
        if not absent:
            if word == "off":
                return Power.UNKNOWN, why("power.output-off", ups=id)
            return Power.MAINS, why("power.mains")
        assert was.dark_s is not None
        if word == "off" or now_s < max(was.dark_s, ups.word_s) + TRANSFER_S:
            return Power.OUTAGE, why("power.contact-absent")
        if ups.heard_s is not None and now_s > ups.heard_s + rule.parts.stale_s:
            # It has not been heard since the contact moved: that is no contradiction.
            return Power.OUTAGE, why("power.contact-absent")
        return Power.DISAGREEMENT, why("power.disagreement", ups=id)

    def _clock(self, was: PowerState, seen: Seen) -> PowerState:
        """Count the time on battery, and the time on the mains that ends it."""
        now_s = seen.now_s
        states = [_of(rule, seen) for rule in self._heard(seen)]
        testing = was.state is Power.ON_BATTERY and all(
            ups.is_short_test for ups in states if ups.on_battery
        )
        discharging = was.state is Power.OUTAGE or (was.state is Power.ON_BATTERY and not testing)
        counted_s, on_s = was.counted_s, was.on_s
        if discharging and on_s is None:
            on_s = now_s
        elif not discharging and on_s is not None:
            counted_s, on_s = counted_s + now_s - on_s, None
        on_mains = was.state is Power.MAINS or was.vouched
        mains_s = unknown_s = None
        # An old word of before a restart says nothing of the mains now.
        heard = was.present_s is not None or all(
            ups.heard_s >= (ups.began_s or 0.0) for ups in states if ups.heard_s is not None
        )
        if on_mains and (heard or was.vouched):
            mains_s = _since_s(was, now_s)
            if now_s >= mains_s + self.stable_s:
                if counted_s:
                    was = msgspec.structs.replace(was, over_s=now_s)
                counted_s = 0.0
        elif was.mains_s is not None and was.reason == why("power.unknown"):
            mains_s = was.mains_s
            unknown_s = was.unknown_s if was.unknown_s is not None else now_s
        # What a declared test drains is no outage.
        low = any(ups.low and ups.supply != "mains" for ups in states) and not testing
        # A low battery that falls silent has not recovered.
        low = low or (was.low and not on_mains)
        if (counted_s, on_s, mains_s, unknown_s, low) == (
            was.counted_s, was.on_s, was.mains_s, was.unknown_s, was.low,
        ):  # fmt: skip
            return was
        return msgspec.structs.replace(
            was, counted_s=counted_s, on_s=on_s, mains_s=mains_s, unknown_s=unknown_s, low=low
        )

    def _left(self, was: PowerState, seen: Seen) -> PowerState:
        """What is left: the least that any UPS estimates."""
        now_s = seen.now_s
        states = [_of(rule, seen) for rule in self._heard(seen)]
        # One whose output is off feeds nothing, however long its battery would last.
        left = [_estimate_s(was, ups, now_s) for ups in states if ups.supply != "off"]
        charge = [ups.charge for ups in states if ups.charge is not None]
        lost = [ups for ups in states if ups.lost]
        silent_s, blind = None, False
        if was.state is Power.OUTAGE and lost:
            silent_s = min(ups.heard_s or 0.0 for ups in lost)
            blind = any(_estimate_s(was, ups, now_s) is None for ups in lost)
        charge_lost = was.on_s is not None and any(
            ups.charge_s is not None and now_s > max(ups.charge_s, was.on_s) + DEAD_S
            for ups in states
            if not ups.lost
        )
        runtime_s = min((one for one in left if one is not None), default=None)
        found = (runtime_s, bool(lost), min(charge, default=None), silent_s, blind, charge_lost)
        if found == (
            was.runtime_s, was.projected, was.charge, was.silent_s, was.blind, was.charge_lost,
        ):  # fmt: skip
            return was
        return msgspec.structs.replace(
            was, runtime_s=runtime_s, runtime_at_s=now_s, projected=bool(lost), charge=found[2],
            silent_s=silent_s, blind=blind, charge_lost=charge_lost,
        )  # fmt: skip

    def _wake_s(self, state: PowerState, seen: Seen) -> float:
        now_s = seen.now_s
        instants = [
            None if state.dark_s is None else state.dark_s + TRANSFER_S,
            None if state.present_s is None else state.present_s + TRANSFER_S,
            *(_of(rule, seen).word_s + TRANSFER_S for rule in self._heard(seen)),
            None if state.mains_s is None else state.mains_s + self.stable_s,
        ]
        return min((at_s for at_s in instants if at_s is not None and at_s > now_s),
                   default=NEVER_S)  # fmt: skip


def _since_s(was: PowerState, now_s: float) -> float:
    """Since when a mains that is there now has been so. A gap in which a contact could not be
    read, as short as one that does not make a UPS lost, is not counted and begins nothing anew."""
    if was.mains_s is None:
        return now_s
    gap_s = 0.0 if was.unknown_s is None else now_s - was.unknown_s
    return now_s if gap_s > LOST_S else was.mains_s + gap_s


def _estimate_s(power: PowerState, ups: UpsState, now_s: float) -> float | None:
    """What is left of one UPS; of one that was lost while the mains contact is absent, or while it
    was not on battery, half of what it said, less the time since then or since the outage."""
    estimate_s = ups.runtime.left_s(power.on_s is not None, now_s)
    if estimate_s is None or not ups.lost or (ups.on_battery and power.dark_s is None):
        return estimate_s
    whole_s = ups.runtime.left_s(False, now_s) or 0.0
    spent_s = min(now_s - (ups.heard_s or 0.0), power.battery_s(now_s))
    return max(whole_s / 2 - spent_s, 0.0)


def _of(rule: UpsRule, seen: Seen) -> UpsState:
    state = seen.states[rule.id]
    assert isinstance(state, UpsState)
    return state


def power_state(states: dict[str, object]) -> PowerState | None:
    """Return the room's power as this scan judges it; None in a room where nothing tells."""
    state = states.get("power")
    return state if isinstance(state, PowerState) else None
