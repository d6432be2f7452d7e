"""One UPS: its normal form judged, and what is wrong with it as alarms. Keeps REG-06, 08 and 21.

It says what the UPS itself is worth; what the room makes of it, with the mains contact beside
it, is the power rule's. A UPS is *lost* once it was heard and has given no trustworthy word on
its supply for a while; what stands still for minutes is as good as silent.

A UPS may also be two or three dry contacts; contacts of a UPS that talks speak for it while it
is silent.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.event import Event
from controller.core.reading import NEVER_READ, Quality, Reading
from controller.core.rules.base import NEVER_S, Command, RuleBase, Seen, Step
from controller.core.rules.excursions import Band, Excursions, unstable
from controller.core.rules.runtime import Runtime

LOST_S = 10.0
"""How long a UPS that was heard may say nothing of its supply before it counts as lost: some
polls, and within the 15 s that upsmon allows (facts 4.6)."""

DEAD_S = 15.0
"""A UPS whose battery is in doubt, and that is silent for so long, is a critical matter (upsmon's
DEADTIME: facts 4.6 and 4.7)."""

BELIEVED = 2
"""A UPS that was lost is believed again after so many good replies (facts 4.7)."""

FIRST_WORD_S = 18.0
"""A UPS never heard since the start is alarmed after this (contract: within 20 s)."""

LOW_S = 3.0
"""How long battery-low must stand before it counts: a single bit in a single reply does not."""

TEST_S = 300.0
"""A declared self-test or calibration may run on battery so long (behaviour section 7)."""

DRIVER_STALE_S = 60.0
RESTART_AGAIN_S = 300.0
"""A driver stuck stale is restarted after a minute, where the site allows (nut issues 2742,
2925), and not more often than each five."""

_FAULTS = {"overload": "overload", "replace-battery": "replace-battery"}
_STUCK = ("stale", "disconnected")


class UpsParts(msgspec.Struct, frozen=True):
    """What a UPS is made of. `talks`: it is asked over a wire; `stale_s` then is how old its
    word may be. The contacts are inputs of its roles. `restarts`: its driver may be restarted."""

    id: str
    talks: bool = True
    stale_s: float = 3.0
    on_battery: tuple[str, ...] = ()
    battery_low: tuple[str, ...] = ()
    fault: tuple[str, ...] = ()
    restarts: bool = False
    voltage: Band | None = None
    frequency: Band | None = None


class UpsState(msgspec.Struct, frozen=True):
    """`supply`: its last trustworthy word, `heard_s` of when, `word_s` since when it is the same;
    `again`: good replies since it was lost; `battery_s`: since when it is on battery by that word,
    `low_s` since when its battery is low; `charge_s`: of when its charge is; `exposed`: by its
    last words its battery may not hold what it feeds (bypass, a fault, a test). `in_band_s`: since
    when which of voltage and frequency is in band, moved on by the time in which it was not known;
    `unknown_s`: since when it is not. `began_s`: since when this controller listens."""

    began_s: float | None = None
    supply: str | None = None
    heard_s: float | None = None
    lost: bool = False
    word_s: float = 0.0
    again: int = 0
    battery_s: float | None = None
    testing: bool = False
    low_s: float | None = None
    low: bool = False
    exposed: bool = False
    runtime: Runtime = Runtime()
    charge: float | None = None
    charge_s: float | None = None
    in_band_s: dict[str, float] = {}
    unknown_s: dict[str, float] = {}
    out_s: float | None = None
    excursions: Excursions = Excursions()
    unstable: bool = False
    stuck_s: float | None = None
    restarted_s: float | None = None
    serial: int = 0

    @property
    def is_read(self) -> bool:
        """Whether what it says is of after the start, or it is known to say nothing."""
        if self.heard_s is None or self.lost:
            return True
        return self.began_s is not None and self.heard_s >= self.began_s

    @property
    def on_battery(self) -> bool:
        return self.supply == "battery"

    @property
    def is_short_test(self) -> bool:
        """On battery because it said that it tests itself, and not for too long."""
        return self.on_battery and self.testing

    def is_lost_exposed(self, now_s: float) -> bool:
        """Silent for so long since it said that its battery may not hold (facts 4.7)."""
        heard_s = max(self.heard_s or 0.0, self.began_s or 0.0)
        return self.lost and self.exposed and now_s >= heard_s + DEAD_S


class UpsRule(RuleBase):
    State = UpsState

    def __init__(self, parts: UpsParts, mains: Sequence[str] = ()) -> None:
        self.id = f"ups.{parts.id}"
        self.parts = parts
        self._causes = tuple(f"{id}.absent" for id in mains)

    def alarms(self) -> Sequence[AlarmSpec]:
        ups = self.parts.id
        return [
            AlarmSpec(f"{ups}.on-battery", Priority.HIGH, on_delay_s=1.0, off_delay_s=3.0,
                      group="power", caused_by=self._causes),
            AlarmSpec(f"{ups}.battery-low", Priority.CRITICAL, group="power",
                      caused_by=(*self._causes, f"{ups}.on-battery")),
            AlarmSpec(f"{ups}.on-bypass", Priority.HIGH, on_delay_s=3.0, group="power"),
            AlarmSpec(f"{ups}.output-off", Priority.HIGH, on_delay_s=3.0, group="power"),
            AlarmSpec(f"{ups}.lost", Priority.HIGH, off_delay_s=2.0, group="power",
                      caused_by=self._causes),
            AlarmSpec(f"{ups}.lost-exposed", Priority.CRITICAL, off_delay_s=2.0, group="power",
                      caused_by=self._causes),
            AlarmSpec(f"{ups}.frozen", Priority.HIGH, group="power"),
            AlarmSpec(f"{ups}.fault", Priority.HIGH, on_delay_s=2.0, group="power"),
            AlarmSpec(f"{ups}.overload", Priority.HIGH, on_delay_s=2.0, group="power"),
            AlarmSpec(f"{ups}.replace-battery", Priority.LOW, on_delay_s=10.0, group="power"),
            AlarmSpec(f"{ups}.self-test-failed", Priority.LOW, on_delay_s=10.0, group="power"),
            AlarmSpec(f"{ups}.voltage-unstable", Priority.HIGH, group="power"),
            AlarmSpec(f"{ups}.driver-stale", Priority.LOW, group="power"),
        ]  # fmt: skip

    def moved(self, was: UpsState, shift_s: float) -> UpsState:
        """The battery went on draining while the board was off."""
        return msgspec.structs.replace(
            was,
            heard_s=None if was.heard_s is None else was.heard_s + shift_s,
            battery_s=None if was.battery_s is None else was.battery_s + shift_s,
            runtime=was.runtime.moved(shift_s),
        )

    def restored(self, was: UpsState, now_s: float, same_boot: bool) -> UpsState:
        """What it said last is kept, for silence now is judged by it; on a new boot no instant
        is after now, so that nothing that ran becomes shorter."""
        if same_boot:
            return msgspec.structs.replace(was, began_s=None, in_band_s={}, unknown_s={})
        return UpsState(
            supply=was.supply,
            heard_s=None if was.heard_s is None else min(was.heard_s, now_s),
            word_s=now_s,
            battery_s=None if was.battery_s is None else min(was.battery_s, now_s),
            low_s=None if was.low_s is None else now_s,
            low=was.low,
            exposed=was.exposed,
            runtime=was.runtime.until(now_s),
            charge=was.charge,
            out_s=None if was.out_s is None else now_s,
            serial=was.serial,
        )

    def step(self, was: UpsState, seen: Seen) -> Step:
        events: list[Event] = []
        commands: list[Command] = []
        points = self._from_contacts(seen)
        began_s = seen.now_s if was.began_s is None else was.began_s
        new = was if was.began_s is not None else msgspec.structs.replace(was, began_s=began_s)
        new = self._listen(new, seen, points)
        new = self._band(new, seen)
        new = self._driver(new, seen, events, commands)
        return Step(
            new,
            conditions=self._conditions(new, seen, points),
            events=events,
            commands=commands,
            points=points,
            wake_s=self._wake_s(new, seen.now_s),
        )

    def _from_contacts(self, seen: Seen) -> dict[str, Reading] | None:
        """A UPS that only has contacts says by them what it can."""
        if self.parts.talks:
            return None
        ups = self.parts.id
        points = {f"{ups}.supply": self._contact_supply(seen)}
        if self.parts.battery_low:
            points[f"{ups}.battery-low"] = _any(self.parts.battery_low, seen)
        return points

    def _contact_supply(self, seen: Seen) -> Reading:
        contact = _any(self.parts.on_battery, seen)
        if not contact.is_good:
            return contact
        return Reading("battery" if contact.value else "mains", Quality.GOOD, contact.at_s)

    def _listen(self, was: UpsState, seen: Seen, points: dict[str, Reading] | None) -> UpsState:
        ups, now_s = self.parts.id, seen.now_s
        supply = self._supply(seen, points)
        if not supply.is_good or not isinstance(supply.value, str):
            lost = was.lost or (was.heard_s is not None and now_s >= self._lost_at_s(was))
            return was if lost is was.lost else msgspec.structs.replace(was, lost=lost)
        word = supply.value
        lost, again = was.lost, was.again
        if lost and (not self.parts.talks or supply.at_s > (was.heard_s or 0.0)):
            again += 1
            lost = self.parts.talks and again < BELIEVED
        if lost and not (points or seen.points).get(f"{ups}.supply", NEVER_READ).is_good:
            lost = False  # its contact says so, which is no reply that may be a stray one
        battery_s = None
        if word == "battery":
            battery_s = was.battery_s if was.battery_s is not None else supply.at_s
        test = seen[f"{ups}.self-test"].value in ("running", "calibrating")
        testing = test and battery_s is not None and now_s < battery_s + TEST_S
        is_low = self._is_low(seen, points)
        low_s = None if not is_low else was.low_s if was.low_s is not None else now_s
        charge = seen[f"{ups}.charge"]
        return msgspec.structs.replace(
            was,
            supply=word,
            heard_s=supply.at_s if self.parts.talks else now_s,
            word_s=was.word_s if word == was.supply and not was.lost else supply.at_s,
            lost=lost,
            again=again if lost else 0,
            battery_s=battery_s,
            testing=testing,
            low_s=low_s,
            low=low_s is not None and now_s >= low_s + LOW_S,
            exposed=word == "bypass" or test or self._is_faulty(seen),
            runtime=was.runtime.taken(seen[f"{ups}.runtime"]),
            charge=was.charge if charge.number is None else charge.number,
            charge_s=was.charge_s if charge.number is None else charge.at_s,
        )

    def _lost_at_s(self, state: UpsState) -> float:
        """When silence counts as lost; time in which nobody listened is no silence."""
        return max(state.heard_s or 0.0, state.began_s or 0.0) + self._patience_s

    @property
    def _patience_s(self) -> float:
        return max(LOST_S, self.parts.stale_s)

    def _supply(self, seen: Seen, points: dict[str, Reading] | None) -> Reading:
        own = (points or seen.points).get(f"{self.parts.id}.supply", NEVER_READ)
        if own.is_good or not self.parts.on_battery:
            return own
        return self._contact_supply(seen)

    def _is_low(self, seen: Seen, points: dict[str, Reading] | None) -> bool:
        own = (points or seen.points).get(f"{self.parts.id}.battery-low", NEVER_READ)
        return own.is_true or _any(self.parts.battery_low, seen).is_true

    def _is_faulty(self, seen: Seen) -> bool:
        """Whether something is wrong with it now; a battery that is old holds for a while."""
        told = set(_faults(seen, self.parts.id) or ())
        return bool(told - {"replace-battery"}) or _any(self.parts.fault, seen).is_true

    def _band(self, was: UpsState, seen: Seen) -> UpsState:
        """Follow voltage and frequency against their bands, as far as they are known."""
        told = {
            name: (band, seen[f"{self.parts.id}.{name}"].number)
            for band, name in (
                (self.parts.voltage, "input-voltage"),
                (self.parts.frequency, "input-frequency"),
            )
            if band is not None and tells(self.parts.id, was, name, seen)
        }
        in_band = {
            name: None if value is None else band.holds(value)
            for name, (band, value) in told.items()
        }
        out = False in in_band.values()
        excursions = was.excursions.step(out, None not in in_band.values(), seen.now_s)
        in_band_s, unknown_s = dict[str, float](), dict[str, float]()
        for name, is_in in in_band.items():
            if is_in:
                in_band_s[name] = self._since_s(was, name, seen.now_s)
            elif is_in is None and name in was.in_band_s:
                in_band_s[name] = was.in_band_s[name]
                unknown_s[name] = was.unknown_s.get(name, seen.now_s)
        is_unstable = unstable(excursions, seen.now_s)
        out_s = seen.now_s if out else was.out_s
        if (excursions, in_band_s, unknown_s, is_unstable, out_s) == (
            was.excursions, was.in_band_s, was.unknown_s, was.unstable, was.out_s,
        ):  # fmt: skip
            return was
        return msgspec.structs.replace(
            was, excursions=excursions, in_band_s=in_band_s, unknown_s=unknown_s,
            unstable=is_unstable, out_s=out_s,
        )  # fmt: skip

    def _since_s(self, was: UpsState, name: str, now_s: float) -> float:
        """Since when what is in band now has been so. A gap as short as one that does not make
        the UPS lost is not counted and begins nothing anew: a line that misses a poll every
        minute would otherwise hold a return for ever."""
        since_s = was.in_band_s.get(name, now_s)
        gap_s = now_s - was.unknown_s.get(name, now_s)
        return now_s if gap_s > self._patience_s else since_s + gap_s

    def _driver(
        self, was: UpsState, seen: Seen, events: list[Event], commands: list[Command]
    ) -> UpsState:
        """Restart a driver that is stuck stale: NUT would leave it so for ever."""
        link = seen[f"{self.parts.id}.link"].value
        stuck = isinstance(link, str) and link.partition(":")[0] in _STUCK
        if not stuck:
            if was.stuck_s is None:
                return was
            return msgspec.structs.replace(was, stuck_s=None)
        stuck_s = seen.now_s if was.stuck_s is None else was.stuck_s
        new = was if stuck_s == was.stuck_s else msgspec.structs.replace(was, stuck_s=stuck_s)
        due_s = stuck_s + DRIVER_STALE_S
        if was.restarted_s is not None:
            due_s = max(due_s, was.restarted_s + RESTART_AGAIN_S)
        if not self.parts.restarts or seen.now_s < due_s:
            return new
        serial = new.serial + 1
        commands.append(Command(self.parts.id, serial, "restart-driver"))
        events.append(Event("ups", self.parts.id, "ups.driver-restarted"))
        return msgspec.structs.replace(new, serial=serial, restarted_s=seen.now_s)

    def _conditions(
        self, state: UpsState, seen: Seen, points: dict[str, Reading] | None
    ) -> list[Condition]:
        ups = self.parts.id
        supply = self._supply(seen, points)
        good = supply.is_good
        word = supply.value if good else None
        faults = _faults(seen, ups)
        grave = None if faults is None else [f for f in faults if f not in _FAULTS]
        contact = _any(self.parts.fault, seen) if self.parts.fault else NEVER_READ
        has_fault: bool | None = bool(grave) if grave is not None else None
        if contact.is_good and not has_fault:
            has_fault = bool(contact.value)
        test = seen[f"{ups}.self-test"]
        stuck = state.stuck_s is not None and seen.now_s >= state.stuck_s + DRIVER_STALE_S
        told = {"fault": _link(seen, ups)}
        silent = state.lost or self._never_heard(state, seen)
        frozen = supply.quality is Quality.FROZEN

        def so(name: str, active: bool | None) -> Condition:
            return Condition(f"{ups}.{name}", active)

        return [
            # A declared test is no news; a UPS that falls silent on battery has not left it.
            so("on-battery", word == "battery" and not state.is_short_test if good else None),
            so("battery-low", state.low),
            so("on-bypass", word == "bypass" if good else None),
            so("output-off", word == "off" if good else None),
            Condition(f"{ups}.lost", silent and not frozen, told),
            so("lost-exposed", state.is_lost_exposed(seen.now_s)),
            so("frozen", frozen),
            Condition(f"{ups}.fault", has_fault, {"faults": tuple(grave or ())}),
            so("overload", None if faults is None else "overload" in faults),
            so("replace-battery", None if faults is None else "replace-battery" in faults),
            so("self-test-failed", test.value == "failed" if test.is_good else None),
            so("voltage-unstable", state.unstable),
            Condition(f"{ups}.driver-stale", stuck, told),
        ]

    def _never_heard(self, state: UpsState, seen: Seen) -> bool:
        if state.heard_s is not None or state.began_s is None:
            return False
        return seen.now_s >= state.began_s + FIRST_WORD_S

    def _wake_s(self, state: UpsState, now_s: float) -> float:
        instants = [
            None if state.heard_s is None else self._lost_at_s(state),
            None if state.began_s is None else state.began_s + FIRST_WORD_S,
            None if state.heard_s is None else state.heard_s + DEAD_S,
            None if state.low_s is None else state.low_s + LOW_S,
            None if state.battery_s is None or not state.testing else state.battery_s + TEST_S,
            state.excursions.settles_s if state.unstable else None,
        ]
        return min((at_s for at_s in instants if at_s is not None and at_s > now_s),
                   default=NEVER_S)  # fmt: skip


def with_a_say(upses: Sequence[str], seen: Seen) -> dict[str, UpsState]:
    """Return the state of each of these UPSes; one that is out of service has no say."""
    states = {id: seen.states.get(f"ups.{id}") for id in upses if id not in seen.out_of_service}
    return {id: state for id, state in states.items() if isinstance(state, UpsState)}


def tells(ups: str, state: UpsState, quantity: str, seen: Seen) -> bool:
    """Whether this UPS tells this at all, as far as can be known so soon after the start."""
    is_early = state.began_s is None or seen.now_s < state.began_s + FIRST_WORD_S
    return is_early or seen[f"{ups}.{quantity}"].quality is not Quality.MISSING


def _any(contacts: Sequence[str], seen: Seen) -> Reading:
    """True when any contact is known to be, false when all are known not to be."""
    readings = [seen[id] for id in contacts]
    found = next((r for r in readings if r.is_true), None)
    if found is not None:
        return found
    return next((r for r in readings if not r.is_good), readings[0] if readings else NEVER_READ)


def _faults(seen: Seen, ups: str) -> list[str] | None:
    """What the UPS says is wrong with it; None while it says nothing."""
    words = seen[f"{ups}.faults"]
    return words.value.split() if words.is_good and isinstance(words.value, str) else None


def _link(seen: Seen, ups: str) -> str:
    link = seen[f"{ups}.link"].value
    return link if isinstance(link, str) and link != "ok" else ""
