"""What the plan is told: by which UPS, and what nobody can tell.

A UPS that is asked by a register map tells what the map has; one of dry contacts, no number at
all; what one behind NUT tells is only known once it is heard (`None` here).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from controller.config.faults import MISSING, Fault, entry, show
from controller.config.power import OutageStage
from controller.config.schema import RoomFile
from controller.core.partconfig import UpsConfig, role_of

Told = Mapping[str, frozenset[str] | None]
"""By a UPS's id, what it tells of the normal form (`controller.core.parts.UPS_VALUES`)."""

CONTACTS_KIND = "dry-contacts"
CONTACTS = frozenset({"supply", "battery_low", "faults"})
_WORDS = {"charge_pct": "charge", "runtime_s": "runtime"}
_LIMITS = {
    "charge_above": "charge_pct",
    "voltage": "input_voltage_v",
    "frequency": "input_frequency_hz",
}


def check_told(room: RoomFile) -> list[Fault]:
    """What can be said without any register map. Meets faulty rooms too."""
    told = by_contacts(room)
    return [
        *_contacts(room),
        *_stages(room),
        *after_needed(room, told),
        *limits_told(room, told),
        *_temperature(room),
        *_off(room),
        *_policies(room),
    ]


def by_contacts(room: RoomFile) -> dict[str, frozenset[str] | None]:
    """What the UPSes tell as far as the room file alone says."""
    return {ups.id: CONTACTS if ups.kind == CONTACTS_KIND else None for ups in room.upses}


def after_needed(room: RoomFile, told: Told) -> Iterator[Fault]:
    """A stage that waits for what a UPS cannot tell must have its `after`."""
    for number, stage in enumerate(room.outage.stages if room.outage is not None else (), 1):
        if stage.after is not None or not _conditions(stage):
            continue
        for id, keys in told.items():
            silent = None if keys is None else _silent(stage, keys)
            if silent is not None:
                yield Fault(
                    f"outage.stage[{number}].after",
                    MISSING,
                    f"a duration, as UPS {show(id)} tells no {silent}",
                )
                break


def limits_told(room: RoomFile, told: Told) -> Iterator[Fault]:
    """A limit of `[return]` that no UPS can tell would be waited for for ever."""
    if room.return_ is None:
        return
    for name, key in _LIMITS.items():
        limit = getattr(room.return_, name)
        if limit is not None and not any(keys is None or key in keys for keys in told.values()):
            yield Fault(f"return.{name}", show(limit), "only with a UPS that tells it")


def _silent(stage: OutageStage, keys: frozenset[str]) -> str | None:
    """What `stage` needs of a UPS that tells `keys` and does not get, in words."""
    asked = {
        "charge_pct": stage.charge_below is not None,
        "runtime_s": stage.runtime_below is not None,
    }
    if not any(asked.values()):  # only by temperature: the outage itself is to begin it, too
        return None if keys & asked.keys() else "charge and no runtime"
    missing = [_WORDS[key] for key, is_asked in asked.items() if is_asked and key not in keys]
    return " and no ".join(missing) or None


def _contacts(room: RoomFile) -> Iterator[Fault]:
    """A UPS of dry contacts has one, at least, that says that it is on battery."""
    only = room.upses[0].id if len(room.upses) == 1 else None
    heard = {
        getattr(part, "of", None) or only
        for part in room.inputs
        if role_of(part) == "ups-on-battery"
    }
    for number, ups in enumerate(room.upses, 1):
        if ups.kind == CONTACTS_KIND and ups.id is not None and ups.id not in heard:
            yield Fault(
                entry("ups", number, ups.id),
                "",
                'needs an input with role "ups-on-battery" that is its own',
            )


def _conditions(stage: OutageStage) -> bool:
    conditions = (stage.after, stage.charge_below, stage.runtime_below, stage.temperature_above)
    return any(condition is not None for condition in conditions)


def _stages(room: RoomFile) -> Iterator[Fault]:
    for number, stage in enumerate(room.outage.stages if room.outage is not None else (), 1):
        key = f"outage.stage[{number}].after"
        if not _conditions(stage):
            allowed = "after, charge_below, runtime_below or temperature_above, one at least"
            yield Fault(key, MISSING, allowed)
        elif stage.after is None and not room.upses:
            yield Fault(key, MISSING, "a duration, as no UPS tells charge or runtime")


def _temperature(room: RoomFile) -> Iterator[Fault]:
    """A temperature that nobody measures begins nothing, and would be waited for for ever."""
    roles = [role_of(part) for part in room.inputs]
    if "climate" in roles or None in roles:
        return
    allowed = "only with a climate sensor in the room"
    for number, stage in enumerate(room.outage.stages if room.outage is not None else (), 1):
        if stage.temperature_above is not None:
            key = f"outage.stage[{number}].temperature_above"
            yield Fault(key, show(stage.temperature_above), allowed)
    if room.return_ is not None and room.return_.temperature_below is not None:
        yield Fault("return.temperature_below", show(room.return_.temperature_below), allowed)


def _off(room: RoomFile) -> Iterator[Fault]:
    asked = room.outage is not None and room.outage.ups_off
    if asked and not any(takes_commands(ups) for ups in room.upses):
        allowed = (
            "only with a UPS that takes commands; one behind NUT needs user and password_file"
        )
        yield Fault("outage.ups_off", "true", allowed)


def takes_commands(ups: UpsConfig) -> bool:
    """Whether the room file says all that is needed to command it; a register map may lack it."""
    if ups.kind == "nut":
        return (
            "@" in getattr(ups, "address", "") and getattr(ups, "password_file", None) is not None
        )
    return ups.kind != CONTACTS_KIND


def _policies(room: RoomFile) -> Iterator[Fault]:
    """A policy for what nobody would notice is a mistake."""
    outage, return_ = room.outage, room.return_
    if outage is None:
        return
    has_band = return_ is not None and (return_.voltage or return_.frequency) is not None
    if outage.unstable_sheds and not has_band:
        allowed = "only with [return] voltage or frequency, which say what is stable"
        yield Fault("outage.unstable_sheds", "true", allowed)
    limit = None if return_ is None else return_.temperature_below
    if limit is not None and limit >= outage.temperature_shutdown:
        allowed = f"below outage.temperature_shutdown, {show(outage.temperature_shutdown)}"
        yield Fault("return.temperature_below", show(limit), allowed)
    if outage.lost_sheds and all(ups.kind == CONTACTS_KIND for ups in room.upses):
        yield Fault("outage.lost_sheds", "true", "only with a UPS that can fall silent")
