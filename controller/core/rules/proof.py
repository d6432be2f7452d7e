"""Proof of action: what was commanded is compared with what feedback says. Keeps REG-03, REG-20.

"Cut commanded, room still live" is the alarm this file exists for.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.priority import OutputSpec
from controller.core.rules.base import NEVER_S, RuleBase, Seen, Step

AGAIN_S = 30.0
"""A missing proof is told again, and a pulsed coil pulsed again, this often until it is there."""


class ProofState(msgspec.Struct, frozen=True):
    """Per output: since when the feedback contradicts the command; and the cut-offs of which a
    cut seen now has an explanation (it was commanded, and feedback has not cleared since)."""

    differs_s: dict[str, float] = {}
    explained: tuple[str, ...] = ()


def actual(spec: OutputSpec, seen: Seen) -> bool | None:
    """Return what feedback says the output is; None without feedback that can be trusted."""
    told = [seen[id] for id in spec.feedback]
    if not told or not all(reading.is_good for reading in told):
        return None
    return any(reading.is_true for reading in told)


class Proof(RuleBase):
    id = "proof"
    State = ProofState

    def __init__(self, outputs: Sequence[OutputSpec]) -> None:
        self._outputs = tuple(spec for spec in outputs if spec.feedback)

    def alarms(self) -> Sequence[AlarmSpec]:
        specs = []
        for output in self._outputs:
            cuts = output.role == "cut-off"
            priority = Priority.CRITICAL if cuts else Priority.HIGH
            specs.append(
                AlarmSpec(f"{output.id}.not-proven", priority, group="fire", again_s=AGAIN_S)
            )
            if cuts:
                specs.append(AlarmSpec(f"{output.id}.unexpected", priority, group="fire"))
                specs.append(AlarmSpec(f"{output.id}.still-cut", Priority.LOW, group="fire"))
        return specs

    def step(self, was: ProofState, seen: Seen) -> Step:
        differs_s = dict(was.differs_s)
        explained = set(was.explained)
        conditions: list[Condition] = []
        wake_s = NEVER_S
        for spec in self._outputs:
            state = seen.outputs[spec.id]
            is_on = actual(spec, seen)
            if state.on:
                explained.add(spec.id)
            elif is_on is False:
                explained.discard(spec.id)
            if is_on is None:
                # Without feedback nothing is proven: a cut that was commanded stays unproven.
                differs = state.on if spec.role == "cut-off" else None
            else:
                differs = is_on is not state.on
            if not differs:
                differs_s.pop(spec.id, None)
                late = None if differs is None else False
            else:
                since_s = max(differs_s.setdefault(spec.id, seen.now_s), state.since_s)
                late = seen.now_s >= since_s + spec.prove_s
                if not late:
                    wake_s = min(wake_s, since_s + spec.prove_s)
            conditions += self._conditions(spec, state.on, late, spec.id in explained)
        kept = tuple(sorted(explained))
        same = differs_s == was.differs_s and kept == was.explained
        return Step(
            was if same else ProofState(differs_s, kept), conditions=conditions, wake_s=wake_s
        )

    def _conditions(
        self, spec: OutputSpec, on: bool, late: bool | None, explained: bool
    ) -> list[Condition]:
        if spec.role != "cut-off":
            return [Condition(f"{spec.id}.not-proven", late)]
        if late is None:
            told: tuple[bool | None, bool | None, bool | None] = (None, None, None)
        else:
            told = (late and on, late and not on and not explained, late and not on and explained)
        names = ("not-proven", "unexpected", "still-cut")
        return [
            Condition(f"{spec.id}.{name}", is_so) for name, is_so in zip(names, told, strict=True)
        ]
