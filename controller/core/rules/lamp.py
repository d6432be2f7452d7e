"""The lamp: whether it is lit, since when it is dark, and whether it has certainly cooled.

Keeps REG-05. It is hot until its full time has passed since the last moment it was, or may have
been, lit, with power on the outlet, and until the projector says standby where it says anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from controller.core.event import Event
from controller.core.priority import OutputSpec
from controller.core.reading import NEVER_READ, Quality, Reading
from controller.core.reason import Reason, why
from controller.core.rules.base import Seen
from controller.core.rules.cut import cut_state
from controller.core.rules.proof import actual


class Phase(StrEnum):
    UNKNOWN = "unknown"
    OFF = "off"
    POWERING = "powering"
    STARTING = "starting"
    ON = "on"
    STOPPING = "stopping"
    COOLING = "cooling"


class ProjectorState(msgspec.Struct, frozen=True):
    """`began_s`: since when this controller listens. `wanted`: a person, or the lamp found lit,
    asks for on, until `until_s`.

    `hot`: the lamp is lit or not certainly cool; `dark_s`: since when it is certainly not lit
    (None: it may be lit); `found`: hot only because nobody knows what was before the start;
    `doubted`: dark by its last word alone, so that silence from here on proves nothing.
    `unpowered_s`: since when the outlet has no power, which stops the cooling's clock.
    `stopping`: an off was asked and is not confirmed. `serial`, `told`, `told_s`, `tries`: the
    last command, when it was given, and how often.
    """

    began_s: float | None = None
    heard: bool = False
    wanted: bool = False
    until_s: float | None = None
    hot: bool = True
    dark_s: float | None = None
    found: bool = True
    doubted: bool = False
    unpowered_s: float | None = None
    stopping: bool = False
    failed: bool = False
    serial: int = 0
    told: str = ""
    told_s: float = 0.0
    tries: int = 0
    hot_cuts: int = 0
    on_id: str = ""
    on_s: float = 0.0
    off_id: str = ""
    off_s: float = 0.0
    by: str = ""


replace = msgspec.structs.replace


class Lamp:
    """One projector's lamp on its outlet.

    `talks`: it speaks PJLink; one that does not is believed when a person confirms. `mains`: the
    mains contacts of the wall its outlet hangs on, none where the UPS feeds it; `cuts`: the
    cut-offs that take its supply.
    """

    def __init__(
        self,
        part: str,
        outlet: OutputSpec,
        cooling_s: float,
        talks: bool,
        mains: Sequence[str] = (),
        cuts: Sequence[str] = (),
    ) -> None:
        self.part = part
        self.outlet = outlet
        self.cooling_s = cooling_s
        self.talks = talks
        self._mains = tuple(mains)
        self._cuts = tuple(cuts)

    def word(self, seen: Seen) -> str | None:
        reading = seen[f"{self.part}.power"]
        return reading.value if reading.is_good and isinstance(reading.value, str) else None

    def listen(self, was: ProjectorState, seen: Seen, events: list[Event]) -> ProjectorState:
        """Take the projector's own word, and its acknowledgement of an off-command."""
        new = was
        word = self.word(seen)
        if word in ("on", "warm-up"):
            if not new.heard and not new.wanted:
                new = replace(new, wanted=True, by="found-on")
            if not new.hot or new.dark_s is not None or new.found:
                new = replace(new, hot=True, dark_s=None, found=False, doubted=False)
        elif word in ("standby", "cooling") and new.hot and new.dark_s is None:
            new = self._dark(new, seen, events)
        elif self._may_be_lit_unheard(word, new, seen):
            new = replace(new, hot=True, dark_s=None, found=True, doubted=False)
        if word is not None and not new.heard:
            new = replace(new, heard=True)
        acknowledged = seen[f"{self.part}.reply"].value == f"{new.serial} ok"
        told_off = new.stopping and new.told == "off" and new.dark_s is None
        if told_off and acknowledged and word not in ("on", "warm-up"):
            new = replace(new, dark_s=seen.now_s, stopping=False, failed=False, found=False)
        return new

    def _may_be_lit_unheard(self, word: str | None, state: ProjectorState, seen: Seen) -> bool:
        """Its outlet has power and nobody hears it: somebody may light it by hand."""
        unheard = word is None and self.talks and seen.is_on(self.outlet.id)
        return unheard and (state.doubted or (state.wanted and not state.hot))

    @staticmethod
    def _is_lighting(state: ProjectorState) -> bool:
        """An on-command is under way: a word of standby means only that it has not got to it."""
        return state.told == "on" and state.wanted

    def _dark(self, was: ProjectorState, seen: Seen, events: list[Event]) -> ProjectorState:
        if self._is_lighting(was):
            return was
        if was.found:
            return replace(was, dark_s=seen.now_s, stopping=False, failed=False)
        events.append(Event("projector", self.part, "projector.dark"))
        return replace(
            was, dark_s=seen.now_s, stopping=False, failed=False, wanted=False, until_s=None
        )

    def powered(self, seen: Seen) -> bool | None:
        """Whether the outlet has power; None when nobody can tell."""
        if not seen.is_on(self.outlet.id) or actual(self.outlet, seen) is False:
            return False
        if cut_state(seen.states).is_exerted and any(seen.is_on(id) for id in self._cuts):
            return False
        readings = [seen[id] for id in self._mains]
        if any(reading.is_false for reading in readings):
            return False
        return True if all(reading.is_true for reading in readings) else None

    def supply(self, was: ProjectorState, seen: Seen, events: list[Event]) -> ProjectorState:
        """Count a hot cut; stop the cooling's clock while there is no power."""
        powered = self.powered(seen)
        if powered is True:
            if was.unpowered_s is None:
                return was
            gap_s = seen.now_s - was.unpowered_s
            dark_s = None if was.dark_s is None else was.dark_s + gap_s
            return replace(was, unpowered_s=None, dark_s=dark_s)
        if was.unpowered_s is not None:
            return was
        new = replace(was, unpowered_s=seen.now_s)
        if powered is False and was.hot and not was.found:
            # Without power the lamp is dark, but nothing cools it: its whole time is still due.
            lit = was.dark_s is None
            new = replace(
                new, hot_cuts=was.hot_cuts + 1, dark_s=seen.now_s if lit else was.dark_s,
                wanted=False, until_s=None, stopping=False, told="",
            )  # fmt: skip
            events.append(Event("projector", self.part, "projector.hot-cut", data={"lit": lit}))
        elif powered is False and was.wanted and not self._starting(was, seen):
            new = replace(new, wanted=False, until_s=None)
        return new

    def _starting(self, state: ProjectorState, seen: Seen) -> bool:
        return state.wanted and not seen.is_on(self.outlet.id)

    def end_s(self, state: ProjectorState) -> float | None:
        """Return when the cooling's time is over; None while its clock stands."""
        if state.dark_s is None or state.unpowered_s is not None:
            return None
        return state.dark_s + self.cooling_s

    def cooled(self, was: ProjectorState, seen: Seen, events: list[Event]) -> ProjectorState:
        end_s = self.end_s(was)
        if not was.hot or end_s is None or seen.now_s < end_s:
            return was
        word = self.word(seen)
        if word not in (None, "standby"):
            return was
        # What it says must be of after the time: since its last word somebody may have lit it.
        if word is not None and seen[f"{self.part}.power"].at_s < end_s:
            return was
        events.append(Event("projector", self.part, "projector.cooled"))
        return replace(was, hot=False, found=False, doubted=False)

    def reason(self, state: ProjectorState) -> Reason:
        """Why the outlet stays on: the lamp is lit, or cooling, or nobody knows."""
        if state.dark_s is not None:
            return why("interlock.cooling", projector=self.part)
        id = "interlock.lamp-unknown" if state.found else "interlock.lamp-lit"
        return why(id, projector=self.part)

    def left(self, state: ProjectorState, now_s: float) -> Reading:
        if not state.hot:
            return Reading(0.0, Quality.GOOD, now_s)
        if state.dark_s is None:
            return NEVER_READ
        until_s = state.unpowered_s if state.unpowered_s is not None else now_s
        left_s = max(state.dark_s + self.cooling_s - until_s, 0.0)
        return Reading(float(round(left_s)), Quality.GOOD, now_s)
