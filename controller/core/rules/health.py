"""Health: every input's silence, freeze and implausibility is an alarm. Keeps REG-20.

A rule that needs a reading which is not good says nothing; this one says that it is blind.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.reading import Quality
from controller.core.rules.base import NEVER_S, RuleBase, Seen, Step

FIRST_READING_S = 18.0
"""A part that has given nothing so long after the start is silent (contract: within 20 s)."""

SILENT_DELAY_S = 2.0
"""A reading that came back at once was late, not lost."""

_CONDITIONS = {
    Quality.STALE: "silent",
    Quality.MISSING: "silent",
    Quality.BAD: "implausible",
    Quality.FROZEN: "frozen",
    Quality.DISAGREEING: "disagreeing",
}


class Watched(msgspec.Struct, frozen=True):
    """One part and its points. `contact`: a bad contact is a wiring or detector fault.
    `powered_by`: the output without which it cannot answer."""

    part: str
    points: tuple[str, ...]
    contact: bool = False
    vital: bool = False
    powered_by: str | None = None


class HealthState(msgspec.Struct, frozen=True):
    """Since when each part that has given nothing yet is waited for."""

    waiting_s: dict[str, float] = {}


class Health(RuleBase):
    id = "health"
    State = HealthState

    def __init__(self, parts: Sequence[Watched], mains: Sequence[str] = ()) -> None:
        self._parts = tuple(parts)
        self._causes = tuple(f"{id}.absent" for id in mains)
        self._conditions_of = {p.part: self._names(p) for p in parts}

    @staticmethod
    def _names(part: Watched) -> tuple[str, ...]:
        return ("fault",) if part.contact else ("silent", "implausible", "frozen", "disagreeing")

    def alarms(self) -> Sequence[AlarmSpec]:
        return [
            AlarmSpec(
                f"{part.part}.{name}",
                Priority.HIGH if part.vital or name == "silent" else Priority.LOW,
                on_delay_s=SILENT_DELAY_S if name in ("silent", "implausible") else 0.0,
                off_delay_s=SILENT_DELAY_S if name in ("silent", "implausible") else 0.0,
                group="health",
                caused_by=tuple(c for c in self._causes if c != f"{part.part}.absent"),
            )
            for part in self._parts
            for name in self._conditions_of[part.part]
        ]

    def restored(self, was: HealthState, now_s: float, same_boot: bool) -> HealthState:
        """Nothing was read while we were away: every part is waited for anew."""
        return HealthState()

    def step(self, was: HealthState, seen: Seen) -> Step:
        waiting_s = was.waiting_s
        conditions: list[Condition] = []
        wake_s = NEVER_S
        for part in self._parts:
            unpowered = part.powered_by is not None and not seen.is_on(part.powered_by)
            if unpowered or part.part in seen.out_of_service:
                conditions += [
                    Condition(f"{part.part}.{name}", False)
                    for name in self._conditions_of[part.part]
                ]
                continue
            if part.contact:
                reading = seen[part.points[0]]
                conditions.append(Condition(f"{part.part}.fault", not reading.is_good))
                continue
            worst = _worst(part, seen)
            if worst is Quality.MISSING:
                since_s = waiting_s.get(part.part)
                if since_s is None:
                    since_s = seen.now_s
                    waiting_s = {**waiting_s, part.part: since_s}
                if seen.now_s < since_s + FIRST_READING_S - SILENT_DELAY_S:
                    wake_s = min(wake_s, since_s + FIRST_READING_S - SILENT_DELAY_S)
                    conditions += [
                        Condition(f"{part.part}.{name}", None)
                        for name in self._conditions_of[part.part]
                    ]
                    continue
            found = _CONDITIONS.get(worst)
            conditions += [
                Condition(f"{part.part}.{name}", name == found)
                for name in self._conditions_of[part.part]
            ]
        state = was if waiting_s is was.waiting_s else HealthState(waiting_s)
        return Step(state, conditions=conditions, wake_s=wake_s)


_ORDER = (
    Quality.MISSING,
    Quality.STALE,
    Quality.BAD,
    Quality.FROZEN,
    Quality.DISAGREEING,
    Quality.GOOD,
)


def _worst(part: Watched, seen: Seen) -> Quality:
    """Return the worst quality of the part's points. Frozen counts only when all of them are:
    one quantity may well stand still for hours."""
    qualities = [seen[point].quality for point in part.points]
    if Quality.FROZEN in qualities and any(q is not Quality.FROZEN for q in qualities):
        qualities = [Quality.GOOD if q is Quality.FROZEN else q for q in qualities]
    return min(qualities, key=_ORDER.index)
