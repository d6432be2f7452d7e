"""From the room file's `[[ups]]`, `[[host]]`, `[outage]` and `[return]` to rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from controller.config.order import evidence_kinds
from controller.config.power import HostConfig, Outage, OutageStage, Return
from controller.config.schema import RoomFile
from controller.config.told import CONTACTS_KIND
from controller.core.partconfig import UpsConfig, role_of
from controller.core.parts import UPS_VALUES
from controller.core.rules.base import Rule
from controller.core.rules.drill import Drill
from controller.core.rules.excursions import Band
from controller.core.rules.plan import Plan
from controller.core.rules.planstate import HostSpec, Limits, Parts, Stage
from controller.core.rules.power import PowerRule
from controller.core.rules.ups import UpsParts, UpsRule
from controller.core.trust import PointSpec

IMPLIED = "ups"
"""The id of a UPS that only has contacts and no table of its own."""

_UPS_ROLES = ("ups-on-battery", "ups-battery-low", "ups-fault")
_STALE_PERIODS = 3
_STALEST_S = 15.0


def ups_parts(file: RoomFile, return_: Return) -> list[UpsParts]:
    """Return every UPS of the room, those that only have contacts too."""
    upses = list(file.upses)
    if not upses and any(role_of(part) in _UPS_ROLES for part in file.inputs):
        upses = [UpsConfig(id=IMPLIED, kind=CONTACTS_KIND)]
    voltage = None if return_.voltage is None else Band(*return_.voltage)
    frequency = None if return_.frequency is None else Band(*return_.frequency)
    return [
        UpsParts(
            ups.id,
            ups.kind != CONTACTS_KIND,
            stale_s(ups),
            on_battery=_contacts(file, ups.id, "ups-on-battery", len(upses) == 1),
            battery_low=_contacts(file, ups.id, "ups-battery-low", len(upses) == 1),
            fault=_contacts(file, ups.id, "ups-fault", len(upses) == 1),
            restarts=getattr(ups, "restart", None) is not None,
            voltage=voltage,
            frequency=frequency,
        )
        for ups in upses
    ]


def stale_s(ups: UpsConfig) -> float:
    """How old a UPS's word may be: three periods within bounds, and always more than one."""
    period_s = float(ups.period)
    return max(min(_STALE_PERIODS * period_s, _STALEST_S), 1.5 * period_s)


def _contacts(file: RoomFile, ups: str, role: str, only: bool) -> tuple[str, ...]:
    return tuple(
        part.id
        for part in file.inputs
        if role_of(part) == role
        and (getattr(part, "of", None) == ups or (getattr(part, "of", None) is None and only))
    )


def points(file: RoomFile) -> Iterable[PointSpec]:
    """The points of UPSes, of hosts, and of the room's power."""
    configs = {ups.id: ups for ups in file.upses}
    parts = ups_parts(file, file.return_ or Return())
    for ups in parts:
        config = configs.get(ups.id)
        kind = CONTACTS_KIND if config is None else config.kind
        place = "" if config is None else config.place
        for key, value in UPS_VALUES.items():
            if not ups.talks and key not in ("supply", "battery_low"):
                continue
            yield PointSpec(
                f"{ups.id}.{value.point}", ups.id, kind, "ups", value.unit, place,
                value.low, value.high, step=_STEPS.get(key, 0.0),
                stale_s=ups.stale_s if ups.talks else None,
            )  # fmt: skip
    for host in file.hosts:
        yield PointSpec(f"{host.id}.state", host.id, "host", "host")
    if parts or file.hosts:
        yield PointSpec("power.state", "power", "power", "power")


# What of a change is worth a row in the journal: below it a UPS's values are noise (guess).
_STEPS = {
    "charge_pct": 1.0,
    "runtime_s": 30.0,
    "load_pct": 2.0,
    "input_voltage_v": 2.0,
    "input_frequency_hz": 0.1,
    "battery_age_d": 1.0,
}


class PowerRules:
    """The rules about power: those that others build on, and the plan, which builds on others."""

    def __init__(
        self, file: RoomFile, mains: tuple[str, ...], temperatures: Sequence[str]
    ) -> None:
        return_ = file.return_ or Return()
        parts = ups_parts(file, return_)
        self.upses = tuple(part.id for part in parts)
        self.stable_s = 0.0 if file.return_ is None else float(return_.stable)
        talks = [UpsRule(part, mains) for part in parts]
        self.judges: list[Rule] = [*talks]
        self.plans: list[Rule] = []
        if not (parts or file.hosts):
            return
        self.judges.append(PowerRule(talks, mains, float(return_.stable)))
        limits = _limits(file, file.outage or Outage(), return_)
        hosts = tuple(_host(file, host) for host in file.hosts)
        scope = "ups" if parts else "room"
        cut_feeds = any(output.scope == scope for output in file.outputs)
        room = Parts(hosts, self.upses, tuple(temperatures), mains, cut_feeds)
        if file.hosts:
            self.plans = [Plan(limits, room), Drill(limits, room)]


def _limits(file: RoomFile, outage: Outage, return_: Return) -> Limits:
    return Limits(
        ride_through_s=float(outage.ride_through),
        reserve_s=float(outage.reserve),
        stages=tuple(_stage(stage) for stage in sorted(outage.stages, key=lambda s: s.stage)),
        shutdown_c=outage.temperature_shutdown,
        shutdown_for_s=float(outage.temperature_shutdown_for),
        unstable_sheds=outage.unstable_sheds,
        lost_sheds=outage.lost_sheds,
        ups_off=outage.ups_off,
        # Without [return] a start needs only that no known fact forbids it.
        asks_mains=file.return_ is not None,
        stable_s=0.0 if file.return_ is None else float(return_.stable),
        charge_above=return_.charge_above,
        voltage=None if return_.voltage is None else Band(*return_.voltage),
        frequency=None if return_.frequency is None else Band(*return_.frequency),
        temperature_below=return_.temperature_below,
        spacing_s=float(return_.spacing),
        fire_budget_s=float(file.fire.budget),
    )


def _stage(stage: OutageStage) -> Stage:
    below = stage.runtime_below
    return Stage(
        stage.stage,
        None if stage.after is None else float(stage.after),
        stage.charge_below,
        None if below is None or below == "need" else float(below),
        below == "need",
        stage.temperature_above,
    )


def _host(file: RoomFile, host: HostConfig) -> HostSpec:
    proofs = [
        part.id
        for part in file.inputs
        if role_of(part) == "feedback" and getattr(part, "of", None) == host.outlet
    ]
    starts = None
    if host.start is not None:
        starts = "outlet" if host.start == "outlet" else "command"
    return HostSpec(
        id=host.id,
        stage=host.stage,
        name=host.name or host.id,
        kinds=tuple(sorted(evidence_kinds(host))),
        needs=host.needs,
        stop_timeout_s=float(host.stop_timeout),
        start_timeout_s=float(host.start_timeout),
        cut_unconfirmed=host.unconfirmed == "cut",
        outlet=host.outlet,
        starts=starts,
        start_is_heard=host.start is None or not host.start.startswith("wol:"),
        initialises=bool(host.initialise),
        after=host.after,
        proof=proofs[0] if proofs and host.outlet is not None else None,
        signals=host.stop == "nut",
    )
