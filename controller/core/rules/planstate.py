"""What the outage and return plan remembers, and what it is made of. Behaviour section 7."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from controller.core.reason import Reason
from controller.core.rules.excursions import Band


class Phase(StrEnum):
    """Where one host stands.

    `queued`: its stage has begun and it waits for those that must go first; `unconfirmed`: its
    time is over and nothing proves that it is down; `waiting`: to be started; `held`: what it
    needs has failed.
    """

    RUNNING = "running"
    QUEUED = "queued"
    STOPPING = "stopping"
    DOWN = "down"
    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    STARTING = "starting"
    INITIALISING = "initialising"
    FAILED = "failed"
    HELD = "held"


GOING = frozenset({Phase.QUEUED, Phase.STOPPING})
COMING = frozenset({Phase.WAITING, Phase.STARTING, Phase.INITIALISING})
OUT = frozenset({Phase.DOWN, Phase.UNCONFIRMED, Phase.FAILED, Phase.HELD})

MEASURED = 3
"""How many of a host's last stops are remembered and count; the longest of them does."""


class Stage(msgspec.Struct, frozen=True):
    """When one stage begins: by whichever comes first of time on battery, charge (%), runtime
    (`need`: the time that what is left needs), and the room's temperature (°C)."""

    number: int
    after_s: float | None = None
    charge_below: float | None = None
    runtime_below_s: float | None = None
    need: bool = False
    temperature_above: float | None = None


class HostSpec(msgspec.Struct, frozen=True):
    """One host of the plan.

    `kinds`: what tells whether it is up, of which `needs` must say that it is down. `starts`:
    how it is started: "command", "outlet", or None (by hand); `start_is_heard`: whether something
    answers its start, as nothing does a magic packet. `proof`: the point that tells whether its
    outlet has power.
    """

    id: str
    stage: int
    name: str = ""
    kinds: tuple[str, ...] = ()
    needs: int = 2
    stop_timeout_s: float = 180.0
    start_timeout_s: float = 300.0
    cut_unconfirmed: bool = False
    outlet: str | None = None
    starts: str | None = None
    start_is_heard: bool = True
    initialises: bool = False
    after: tuple[str, ...] = ()
    proof: str | None = None
    signals: bool = False


class Limits(msgspec.Struct, frozen=True):
    """What `[outage]` and `[return]` say. `temperature_below` (°C) holds every start;
    `asks_mains`: so does a mains of which nobody knows."""

    ride_through_s: float = 10.0
    reserve_s: float = 120.0
    stages: tuple[Stage, ...] = ()
    shutdown_c: float = 40.0
    shutdown_for_s: float = 300.0
    unstable_sheds: bool = False
    lost_sheds: bool = False
    ups_off: bool = False
    asks_mains: bool = True
    stable_s: float = 180.0
    charge_above: float | None = None
    voltage: Band | None = None
    frequency: Band | None = None
    temperature_below: float | None = None
    spacing_s: float = 10.0
    fire_budget_s: float = 0.0


class Parts(msgspec.Struct, frozen=True):
    """The room as the plan sees it: hosts, UPSes, temperatures, what feeds it. `cut_feeds`: a cut
    takes the supply of the hosts, too."""

    hosts: tuple[HostSpec, ...] = ()
    upses: tuple[str, ...] = ()
    temperatures: tuple[str, ...] = ()
    mains: tuple[str, ...] = ()
    cut_feeds: bool = True


class HostState(msgspec.Struct, frozen=True):
    """One host.

    `step` is the record that must be kept before the next thing is done, `asked_s` when that was
    decided and `told_s` when it was done (None: not yet); `first_s`: since when it is being
    stopped, its turn to start has come, or its start was taken; `serial` numbers the commands.
    `silent_s`: since when each kind of evidence is silent, moved on by the time in which it could
    not tell; `unknown_s`: since when it cannot. `tries`: how often it was told. `cutting`: its
    outlet is to go, as nothing confirmed it in time; `held_off`: it is off, and stays so until
    its turn. `proved`: it was confirmed down and has not been started since. `by_hand`: a person
    says that it is down. `rose`: how often it came up again after it was down; `was_up`: it
    answered when it was told to stop, so that the stop can be measured; `fell`: all of it was
    silent since. `cycle_s`: until when its outlet stays off before it starts by it. `left`: it
    was down before the outage, and has not answered since. `signal`: the signal that stops it may
    still stand, and `clear_s` is when it was last taken back.
    """

    phase: Phase = Phase.RUNNING
    since_s: float = 0.0
    reason: Reason | None = None
    step: int = 0
    asked_s: float | None = None
    told_s: float | None = None
    first_s: float | None = None
    serial: int = 0
    tries: int = 0
    silent_s: dict[str, float] = {}
    unknown_s: dict[str, float] = {}
    cutting: bool = False
    held_off: bool = False
    proved: bool = False
    by_hand: bool = False
    rose: int = 0
    was_up: bool = False
    fell: bool = False
    cycle_s: float | None = None
    left: bool = False
    signal: bool = False
    clear_s: float | None = None


class Begun(msgspec.Struct, frozen=True):
    """A stage that has begun, when and why."""

    at_s: float
    reason: Reason


class LastRun(msgspec.Struct, frozen=True):
    """When the plan was last run for real or as a drill, and whether all of it went well."""

    kind: str
    at_wall_s: float
    ok: bool


class PlanState(msgspec.Struct, frozen=True):
    """`step` numbers the records that are waited for. `begun`: stages by their number as text.
    `returning_s`: since when hosts are being started; `over_s`: since when all that had begun is
    finished; `started_s`: the last start. `durations`: how long each host's last stops took.
    `hot_s`: since when the room is too hot, `hot`: for too long. `urgent`: everything stops at
    once. `overrides`: permissives that a person waived for this return; `braved`: one answers for
    the voltage as long as it is unstable. `ups_step`: the record that waits before the UPS is
    told to switch off; `ups_told_s`: when it last was told, `ups_tries` how often. `asked_id`:
    the request that is answered when the return ends. `ok`: this run has gone well so far."""

    step: int = 0
    begun: dict[str, Begun] = {}
    returning_s: float | None = None
    over_s: float | None = None
    started_s: float | None = None
    hosts: dict[str, HostState] = {}
    durations: dict[str, tuple[float, ...]] = {}
    hot_s: float | None = None
    hot: bool = False
    braved: bool = False
    overrides: tuple[str, ...] = ()
    urgent: bool = False
    ups_step: int = 0
    ups_asked_s: float | None = None
    ups_told_s: float | None = None
    ups_tries: int = 0
    asked_id: str = ""
    last_run: LastRun | None = None
    ok: bool = True

    def host(self, id: str) -> HostState:
        return self.hosts.get(id, HostState())


replace = msgspec.structs.replace


def is_left_alone(host: HostState) -> bool:
    """Down, and neither the plan nor a cut has made it so: it is a person's to start."""
    ids = ("plan.declared-down", "plan.fell-silent")
    return host.phase is Phase.DOWN and host.reason is not None and host.reason.id in ids


def fell_silent(host: HostState) -> bool:
    """Down by itself or by somebody's hand, and nobody has said so."""
    ids = ("plan.fell-silent", "plan.fell-in-outage")
    return host.phase is Phase.DOWN and host.reason is not None and host.reason.id in ids


def with_host(state: PlanState, id: str, host: HostState) -> PlanState:
    """Return the plan with this host's state."""
    if state.hosts.get(id) is host:
        return state
    return replace(state, hosts={**state.hosts, id: host})


def hosts_in(parts: Parts, state: PlanState, phases: frozenset[Phase]) -> list[HostSpec]:
    return [spec for spec in parts.hosts if state.host(spec.id).phase in phases]


def begun(state: PlanState, stage: int) -> Begun | None:
    return state.begun.get(str(stage))


def by_stage(parts: Parts) -> Mapping[int, list[HostSpec]]:
    """The hosts of each stage, the lowest first."""
    stages: dict[int, list[HostSpec]] = {}
    for spec in sorted(parts.hosts, key=lambda spec: spec.stage):
        stages.setdefault(spec.stage, []).append(spec)
    return stages
