"""What every rule is: limits, plus one step from what was to what is.

A rule returns its new state, its demands with their reasons, and alarm conditions. It does not
log, publish or switch. A rule that changes nothing returns the state object it was given: that
is how the scan knows what must be written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from controller.core.alarms import AlarmSpec, Condition
from controller.core.event import Event
from controller.core.priority import Demand, OutputState
from controller.core.reading import NEVER_READ, Now, Reading
from controller.core.reason import Reason
from controller.core.request import Answer, Request

NEVER_S = float("inf")


class Command(msgspec.Struct, frozen=True):
    """Something a part is to be told. The driver's thread carries out each serial once."""

    part: str
    serial: int
    action: str


class Step:
    """What a rule decided in one scan. `wake_s`: when time alone would change its mind.

    `points` are derived points that the rule keeps (`hall.cooling-left`). `settled`: the state
    stayed as it was; the scan says so.
    """

    __slots__ = (
        "answers", "commands", "conditions", "demands", "events", "points", "settled", "state",
        "wake_s",
    )  # fmt: skip

    def __init__(
        self,
        state: Any,
        *,
        demands: Sequence[Demand] = (),
        conditions: Sequence[Condition] = (),
        events: Sequence[Event] = (),
        commands: Sequence[Command] = (),
        answers: Sequence[Answer] = (),
        points: Mapping[str, Reading] | None = None,
        wake_s: float = NEVER_S,
    ) -> None:
        self.state = state
        self.demands = demands
        self.conditions = conditions
        self.events = events
        self.commands = commands
        self.answers = answers
        self.points = points
        self.wake_s = wake_s
        self.settled = False


class Seen:
    """What rules see in one scan: trusted readings, outputs as they stand, accepted requests.

    `states` holds the states of the rules that stepped earlier in this scan, so that a later
    rule can build on an earlier one's judgement (the cut on the fire).
    """

    __slots__ = ("now", "now_s", "out_of_service", "outputs", "points", "requests", "states")

    def __init__(
        self,
        points: Mapping[str, Reading],
        outputs: Mapping[str, OutputState],
        now: Now,
        out_of_service: frozenset[str] = frozenset(),
        requests: Sequence[Request] = (),
        states: dict[str, Any] | None = None,
    ) -> None:
        self.points = points
        self.outputs = outputs
        self.now = now
        self.now_s = now.mono_s
        self.out_of_service = out_of_service
        self.requests = requests
        self.states: dict[str, Any] = {} if states is None else states

    def __getitem__(self, point: str) -> Reading:
        return self.points.get(point, NEVER_READ)

    def is_on(self, output: str) -> bool:
        """Whether the output is commanded on."""
        state = self.outputs.get(output)
        return state is not None and state.on


class Rule(Protocol):
    """One safety rule. `State` is its msgspec struct, kept in the journal's memory."""

    @property
    def id(self) -> str: ...

    @property
    def State(self) -> type[msgspec.Struct]: ...

    @property
    def reads(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The points and the earlier rules that a step depends on, where that is all besides
        its own state and what `wake_s` says of time; None where it is not. While none of them
        changes, such a rule is not asked again."""
        ...

    def alarms(self) -> Sequence[AlarmSpec]:
        """All alarms that this rule's conditions may name."""
        ...

    def handles(self) -> frozenset[str]:
        """The actions it carries out."""
        ...

    def deferred(self) -> frozenset[str]:
        """Those of them that end later, by an answer of the rule's own."""
        ...

    def refuses(self, request: Request, was: Any, seen: Seen) -> Reason | None:
        """Why a request cannot be carried out now; None when it can, or is not this rule's."""
        ...

    def moved(self, was: Any, shift_s: float) -> Any:
        """The state of another boot with those of its instants moved by `shift_s` that mean
        something on this boot's clock; called before `restored`."""
        ...

    def restored(self, was: Any, now_s: float, same_boot: bool) -> Any:
        """The state after a restart. On a new boot, instants of the old one mean nothing:
        each timer takes its safe direction."""
        ...

    def step(self, was: Any, seen: Seen) -> Step: ...


class RuleBase:
    """The answers of a rule that carries out no requests and keeps its state as it was."""

    id: str
    State: type[msgspec.Struct]
    reads: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    def alarms(self) -> Sequence[AlarmSpec]:
        return ()

    def handles(self) -> frozenset[str]:
        return frozenset()

    def deferred(self) -> frozenset[str]:
        return frozenset()

    def refuses(self, request: Request, was: Any, seen: Seen) -> Reason | None:
        return None

    def moved(self, was: Any, shift_s: float) -> Any:
        return was

    def restored(self, was: Any, now_s: float, same_boot: bool) -> Any:
        return was if same_boot else self.State()
