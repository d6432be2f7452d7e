"""From the room file to the room as the core knows it. The one place that reads both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from controller import buildpower
from controller.config.climate import Climate as ClimateConfig
from controller.config.power import Return
from controller.config.schema import RoomFile
from controller.core import gate
from controller.core.contacts import ContactSpec
from controller.core.partconfig import InputConfig, role_of
from controller.core.parts import Quantity
from controller.core.priority import OutputSpec
from controller.core.roles import INPUT_ROLES, Feeds, output_role
from controller.core.room import Room
from controller.core.rules.access import Access, AccessLimits
from controller.core.rules.base import Rule
from controller.core.rules.climate import Climate, ClimateLimits
from controller.core.rules.cooling import CoolingFailure
from controller.core.rules.cut import Cut
from controller.core.rules.detectors import Detector, Policy
from controller.core.rules.fire import Fire
from controller.core.rules.firestate import FireLimits, FireParts
from controller.core.rules.health import Health, Watched
from controller.core.rules.permissive import Permissive
from controller.core.rules.plain import Plain
from controller.core.rules.projector import Projector
from controller.core.rules.proof import Proof
from controller.core.rules.rest import Rest
from controller.core.rules.system import System, system_alarms
from controller.core.rules.trend import Trend
from controller.core.trust import PointSpec, Twins
from controller.secretfiles import secret_files

UNITS = {"c": "°C", "pct": "%", "s": "s", "v": "V", "hz": "Hz", "w": "W", "d": "d"}

STALE_PERIODS = 3
STALEST_S = 15.0
"""A value is stale after three periods, at most after this long (contract section 5)."""

# Steps between two readings that air does not make (facts 1.6); only confirmed ones count.
JUMPS = {"temperature": 5.0, "humidity": 20.0}

PROJECTOR_PERIOD_S = 2.0


class Measures(msgspec.Struct, frozen=True):
    """What a sensor's driver says of itself. `contact`: it is asked for one fact, whose point has
    the part's own id."""

    quantities: Sequence[Quantity]
    period_s: float
    contact: bool = False


def build(file: RoomFile, sensors: Mapping[str, Measures]) -> Room:
    """Return the room; `sensors`: what each measuring input gives."""
    contacts = contact_specs(file)
    points = list(_points(file, sensors))
    outputs = tuple(_outputs(file))
    return Room(
        points,
        outputs,
        list(_rules(file, outputs, sensors, set(contacts))),
        twins=list(_twins(file, sensors)),
        policy=gate.Policy(
            simulated=file.simulated,
            remote_operate=file.panel.remote_operate,
            clients={client.id: frozenset(client.actions) for client in file.feed.clients}
            if file.feed is not None
            else {},
        ),
        volatile=frozenset(
            {
                "trend",
                "health",
                "power",
                *(f"climate.{id}" for id in sensors),
                *(f"ups.{ups.id}" for ups in buildpower.ups_parts(file, Return())),
            }
        ),
        silences=_with_role(file, "silence"),
    )


def contact_specs(file: RoomFile) -> dict[str, ContactSpec]:
    """Return how each contact's loops are read."""
    specs = {}
    for part in file.inputs:
        if not hasattr(part, "debounce"):
            continue
        role = INPUT_ROLES[role_of(part)]
        debounce = getattr(part, "debounce", None)
        specs[part.id] = ContactSpec(
            part.id,
            float(debounce) if debounce is not None else role.debounce_s,
            normally_closed=getattr(part, "contact", "nc") == "nc",
            pair=hasattr(part, "pins"),
        )
    return specs


def quantity_of(key: str) -> tuple[str, str | None]:
    """Return the quantity's name and unit from a driver's key: "dew_point_c" is dew-point, °C."""
    name, _, unit = key.rpartition("_")
    return name.replace("_", "-"), UNITS.get(unit)


def _points(file: RoomFile, sensors: Mapping[str, Measures]) -> Iterable[PointSpec]:
    for part in file.inputs:
        measures = sensors.get(part.id)
        if measures is None:
            yield PointSpec(part.id, part.id, part.kind, role_of(part), place=part.place)
        else:
            yield from _measured(file, part, measures)
    for projector in file.projectors:
        power = f"{projector.id}.power"
        stale_s = PROJECTOR_PERIOD_S * STALE_PERIODS
        talks = projector.kind != "relay-only"
        yield PointSpec(
            power, projector.id, projector.kind, "projector", place=projector.place,
            stale_s=stale_s if talks else None,
        )  # fmt: skip
        left = f"{projector.id}.cooling-left"
        # A countdown is worth no row a second in the journal: every ten will do.
        yield PointSpec(
            left, projector.id, projector.kind, "projector", "s", projector.place, step=10.0
        )
    yield from buildpower.points(file)


def _measured(file: RoomFile, part: InputConfig, measures: Measures) -> Iterable[PointSpec]:
    stale_s = min(measures.period_s * STALE_PERIODS, STALEST_S)
    if measures.contact:
        yield PointSpec(
            part.id, part.id, part.kind, role_of(part), place=part.place, stale_s=stale_s
        )
    names = []
    for quantity in measures.quantities:
        name, unit = quantity_of(quantity.key)
        names.append(name)
        yield PointSpec(
            f"{part.id}.{name}",
            part.id,
            part.kind,
            role_of(part),
            unit,
            part.place,
            quantity.low,
            quantity.high,
            quantity.step,
            stale_s,
            JUMPS.get(name),
            float(file.climate.frozen_after),
        )
    if {"temperature", "humidity"} <= set(names):
        yield PointSpec(
            f"{part.id}.dew-point", part.id, part.kind, role_of(part), "°C", part.place,
            step=0.1, dew_of=(f"{part.id}.temperature", f"{part.id}.humidity"),
        )  # fmt: skip


def _outputs(file: RoomFile) -> Iterable[OutputSpec]:
    feeds: dict[str, Feeds] = {projector.outlet: "projector" for projector in file.projectors}
    feeds |= {host.outlet: "host" for host in file.hosts if host.outlet is not None}
    standing = bool(file.hosts or file.upses)
    for part in file.outputs:
        role = output_role(part.role, feeds.get(part.id), standing)
        feedback = tuple(
            other.id for other in file.inputs if getattr(other, "of", None) == part.id
            and role_of(other) == "feedback"
        )  # fmt: skip
        yield OutputSpec(
            part.id,
            part.role,
            part.scope,
            default=(part.default or role.default) == "on",
            on_wins=role.on_wins,
            energised_on=part.energised == "on",
            minimum_off_s=float(part.minimum_off or 0.0),
            pulse_s=None if part.pulse is None else float(part.pulse),
            prove_s=float(part.prove),
            feedback=feedback,
            switchable=role.switch in ("free", "host-down"),
            host=next((host.id for host in file.hosts if host.outlet == part.id), None),
            place=part.place,
        )


def _twins(file: RoomFile, sensors: Mapping[str, Measures]) -> Iterable[Twins]:
    """Pair the sensors that stand in one place, each with the next."""
    limits = {
        "temperature": file.climate.disagree_temperature,
        "humidity": file.climate.disagree_humidity,
    }
    last: dict[tuple[str, str], str] = {}
    for part in file.inputs:
        measures = sensors.get(part.id)
        if measures is None or not part.place:
            continue
        for quantity in measures.quantities:
            name, _ = quantity_of(quantity.key)
            before = last.get((part.place, name))
            if before is not None and name in limits:
                yield Twins(f"{before}.{name}", f"{part.id}.{name}", limits[name])
            last[part.place, name] = part.id


def _with_role(file: RoomFile, *roles: str) -> tuple[str, ...]:
    return tuple(part.id for part in file.inputs if role_of(part) in roles)


def _outputs_with(outputs: Iterable[OutputSpec], *roles: str) -> tuple[str, ...]:
    return tuple(spec.id for spec in outputs if spec.role in roles)


def _rules(
    file: RoomFile,
    outputs: tuple[OutputSpec, ...],
    sensors: Mapping[str, Measures],
    contacts: set[str],
) -> Iterable[Rule]:
    """The rules in the order they are stepped: what others build on comes first."""
    mains = _with_role(file, "mains")
    emergencies = _with_role(file, "emergency")
    temperatures = [
        f"{id}.temperature"
        for id, measures in sensors.items()
        if any(quantity_of(q.key)[0] == "temperature" for q in measures.quantities)
    ]
    cuts = _outputs_with(outputs, "cut-off")
    starts = _outputs_with(outputs, "outlet", "light")
    if temperatures:
        yield Trend(temperatures)
    yield Fire(_fire_limits(file), _fire_parts(file, outputs, temperatures, emergencies))
    spacing_s = 10.0 if file.return_ is None else float(file.return_.spacing)
    outlets = _outputs_with(outputs, "outlet")
    yield Cut(cuts, outlets, emergencies, mains, spacing_s)
    power = buildpower.PowerRules(file, mains, temperatures)
    yield from power.judges
    yield Permissive(mains, starts, power.upses, power.stable_s)
    yield from power.plans
    limits = _climate_limits(file.climate)
    for id, measures in sensors.items():
        names = {quantity_of(q.key)[0] for q in measures.quantities}
        if "temperature" in names:
            yield Climate(id, limits, "humidity" in names, mains)
    for spec in outputs:
        if spec.role == "cooling":
            yield CoolingFailure(spec.id, temperatures, mains)
        if spec.minimum_off_s > 0:
            yield Rest(spec)
    at = file.access
    access = AccessLimits(float(at.held_open), float(at.entry_delay), float(at.exit_delay))
    yield Access(access, _with_role(file, "door"), _with_role(file, "window"))
    yield Plain({part.id: role_of(part) for part in file.inputs})
    by_id = {spec.id: spec for spec in outputs}
    for projector in file.projectors:
        on_mains = projector.supply == "mains"
        yield Projector(
            projector.id,
            by_id[projector.outlet],
            float(projector.cooling),
            projector.kind != "relay-only",
            mains if on_mains else (),
            tuple(
                spec.id
                for spec in outputs
                if spec.role == "cut-off" and spec.scope == ("room" if on_mains else "ups")
            ),
        )
    yield Proof(outputs)
    yield Health(list(_watched(file, sensors, contacts)), mains)
    yield System(system_alarms(file.feed is not None, list(secret_files(file))))


def _fire_limits(file: RoomFile) -> FireLimits:
    at = file.fire
    detectors = _with_role(file, "smoke")
    default = Policy.TWO_DETECTORS if len(detectors) >= 2 else Policy.ALARM_ONLY
    return FireLimits(
        Policy(at.confirm) if at.confirm is not None else default,
        float(at.window),
        float(at.verify),
        at.heat_above,
        at.heat_rise,
        float(at.budget),
        float(at.countdown),
        float(at.hold_total),
        at.prealarm_stops_cooling,
    )


def _fire_parts(
    file: RoomFile,
    outputs: tuple[OutputSpec, ...],
    temperatures: Sequence[str],
    emergencies: tuple[str, ...],
) -> FireParts:
    faults: dict[str, list[str]] = {}
    common: list[str] = []
    for part in file.inputs:
        if role_of(part) == "detector-fault":
            of = getattr(part, "of", None)
            (common if of is None else faults.setdefault(of, [])).append(part.id)
    detectors = tuple(
        Detector(
            part.id,
            pair=hasattr(part, "pins"),
            faults=(*faults.get(part.id, ()), *common),
        )
        for part in file.inputs
        if role_of(part) == "smoke"
    )
    return FireParts(
        detectors,
        _with_role(file, "call-point"),
        emergencies,
        _with_role(file, "hold"),
        tuple(temperatures),
        _outputs_with(outputs, "siren"),
        _outputs_with(outputs, "beacon"),
        _outputs_with(outputs, "cooling"),
        _outputs_with(outputs, "door-release"),
        _outputs_with(outputs, "detector-reset"),
    )


def _climate_limits(at: ClimateConfig) -> ClimateLimits:
    return ClimateLimits(
        temperature_low=at.temperature_low,
        temperature_high=at.temperature_high,
        temperature_critical=at.temperature_critical,
        temperature_critical_low=at.temperature_critical_low,
        humidity_low=at.humidity_low,
        humidity_high=at.humidity_high,
        dew_point_low=at.dew_point_low,
        dew_point_high=at.dew_point_high,
        rise=at.rise,
        rise_window_s=float(at.rise_window),
        temperature_deadband=at.temperature_deadband,
        humidity_deadband=at.humidity_deadband,
        dew_point_deadband=at.dew_point_deadband,
        on_delay_s=float(at.on_delay),
        critical_on_delay_s=float(at.critical_on_delay),
        humidity_on_delay_s=float(at.humidity_on_delay),
        humidity_off_delay_s=float(at.humidity_off_delay),
        off_delay_s=float(at.off_delay),
    )


def _watched(
    file: RoomFile, sensors: Mapping[str, Measures], contacts: set[str]
) -> Iterable[Watched]:
    vital = {"smoke", "mains", "feedback", "call-point", "emergency", "detector-fault"}
    for part in file.inputs:
        measures = sensors.get(part.id)
        if measures is not None:
            names = [quantity_of(q.key)[0] for q in measures.quantities]
            ids = [f"{part.id}.{name}" for name in names] or [part.id]
            yield Watched(part.id, tuple(ids), vital=role_of(part) in vital)
        elif part.id in contacts:
            yield Watched(part.id, (part.id,), contact=True, vital=role_of(part) in vital)
    for projector in file.projectors:
        if projector.kind != "relay-only":
            # Without power on its outlet a projector has no network to answer on.
            yield Watched(projector.id, (f"{projector.id}.power",), powered_by=projector.outlet)
