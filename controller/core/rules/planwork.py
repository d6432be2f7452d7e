"""One scan's work on the plan: what it decides, records and commands. Behaviour section 7.

What cannot be taken back (a stop, a start, an outlet's cut) is first decided and recorded, and
done only by a scan that sees the record kept: a crash in between finds it written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from controller.core.event import Event
from controller.core.reason import Reason
from controller.core.request import Answer
from controller.core.rules import evidence
from controller.core.rules.base import NEVER_S, Command, Seen
from controller.core.rules.planstate import (
    HostSpec,
    HostState,
    Phase,
    PlanState,
    replace,
    with_host,
)
from controller.core.rules.system import PREFIX

TRY_SPACING_S = 10.0
QUICK_TRIES = 6
SLOW_SPACING_S = 60.0
"""A stop or start that could not be given is given again until its time is over, after a minute
of tries once a minute: a management controller takes a minute or two to boot (guess)."""

UNRECORDED_S = 2.0
"""A failing journal is waited for so long (behaviour section 7)."""

RECORDED = f"{PREFIX}plan-recorded"
_JOURNAL = f"{PREFIX}journal.failing"

_ALIVE = frozenset(
    {Phase.RUNNING, Phase.QUEUED, Phase.STARTING, Phase.INITIALISING, Phase.UNCONFIRMED}
)
"""Phases in which nothing proves that a host is down."""


class Work:
    """One scan's work on the plan: the state as it grows, and what is to be told.

    `is_read`: each UPS has spoken since the start, or is known to be silent; what it said before
    stops nobody. `asks_all`: fire, heat, a low battery or an unstable mains asks for stops.
    `asks`: they are still asked for, by these or by the time on battery.
    """

    def __init__(self, state: PlanState, seen: Seen) -> None:
        self.state = state
        self.seen = seen
        self.events: list[Event] = []
        self.commands: list[Command] = []
        self.answers: list[Answer] = []
        self.is_read = True
        self.asks_all = False
        self.asks = False
        self.wake_s = NEVER_S

    def wake(self, at_s: float) -> None:
        if at_s > self.seen.now_s:
            self.wake_s = min(self.wake_s, at_s)

    def tell(
        self,
        subject: str,
        cause: str,
        data: Mapping[str, object] | None = None,
        actor: str = "rule",
    ) -> int:
        """Record a step of the plan; return its number."""
        step = self.state.step + 1
        self.state = replace(self.state, step=step)
        told = {"step": step, **(data or {})}
        self.events.append(Event("plan", subject, cause, actor, told))
        return step

    def is_recorded(self, step: int, asked_s: float) -> bool:
        """Whether a step's record is kept, or cannot be and was waited for."""
        kept = self.seen[RECORDED].number
        if kept is not None and kept >= step:
            return True
        failing = self.seen[_JOURNAL].value not in (False, None)
        self.wake(asked_s + UNRECORDED_S)
        return failing and self.seen.now_s >= asked_s + UNRECORDED_S

    def put(self, spec: HostSpec, host: HostState) -> None:
        self.state = with_host(self.state, spec.id, host)

    def move(
        self,
        spec: HostSpec,
        host: HostState,
        phase: Phase,
        reason: Reason | None,
        data: Mapping[str, object] | None = None,
    ) -> HostState:
        """Put the host into another phase, with its event."""
        values = {} if reason is None else reason.values
        cause = f"plan.{phase}" if reason is None else reason.id
        told = {"phase": phase.value, **values, **(data or {})}
        step = self.tell(spec.id, cause, told)
        new = replace(
            host, phase=phase, since_s=self.seen.now_s, reason=reason, step=step,
            asked_s=None, told_s=None, tries=0, cycle_s=None,
            proved=phase is Phase.DOWN or (host.proved and phase not in _ALIVE),
            held_off=host.held_off and phase not in _ALIVE,
        )  # fmt: skip
        self.put(spec, new)
        return new

    def once_recorded(
        self,
        spec: HostSpec,
        host: HostState,
        cause: str,
        act: Callable[[HostState], HostState],
        data: Mapping[str, object] | None = None,
    ) -> None:
        """Record a step first; do it, by `act`, in a scan that sees it recorded."""
        if host.asked_s is None:
            step = self.tell(spec.id, cause, data)
            self.put(spec, replace(host, step=step, asked_s=self.seen.now_s))
        elif self.is_recorded(host.step, host.asked_s):
            self.put(spec, act(host))

    def command(self, spec: HostSpec, host: HostState, action: str) -> HostState:
        serial = host.serial + 1
        self.commands.append(Command(spec.id, serial, action))
        return replace(
            host, serial=serial, told_s=self.seen.now_s, asked_s=None, tries=host.tries + 1,
            clear_s=None,
        )  # fmt: skip

    def reply(self, spec: HostSpec, host: HostState) -> str | None:
        """What became of the last command: "ok", a fault, or None while it is under way."""
        return evidence.reply(spec.id, host.serial, self.seen)


def next_try_s(host: HostState) -> float:
    """When a command that could not be given is given again."""
    assert host.told_s is not None
    return host.told_s + (TRY_SPACING_S if host.tries <= QUICK_TRIES else SLOW_SPACING_S)
