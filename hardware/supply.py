"""The register maps of the room's UPSes: are they whole, and do they tell what the plan needs?"""

from __future__ import annotations

from collections.abc import Iterator

from controller.config.faults import Fault, entries, show
from controller.config.schema import RoomFile
from controller.config.told import after_needed, by_contacts, limits_told, takes_commands
from controller.core.registers import RegisterMap, tells
from hardware.upsmap import find_map, read_map


def check_supply(room: RoomFile) -> list[Fault]:
    """Return every fault of the register maps, and of what waits for a value they have not.
    Meets faulty rooms (None) as well."""
    faults: list[Fault] = []
    maps: dict[str, RegisterMap] = {}
    for key, ups in entries("ups", room.upses):
        name = getattr(ups, "map", None)
        if ups.kind != "modbus" or not isinstance(name, str):
            continue
        try:
            maps[ups.id] = read_map(find_map(name, room.folder))
        except (OSError, ValueError) as error:
            # A map of the site's own may have many faults; each is a line.
            lines = str(error).splitlines() or [type(error).__name__]
            faults += [Fault(f"{key}.map", show(name), line) for line in lines]
    told = {id: tells(map) for id, map in maps.items()}
    if not told:
        return faults
    known = {**by_contacts(room), **told}
    # What the reader of the room file has said already, of dry contacts, is not said again.
    said = {fault.key for fault in after_needed(room, by_contacts(room))}
    faults += [fault for fault in after_needed(room, known) if fault.key not in said]
    faults += limits_told(room, known)
    return faults + list(_off(room, maps))


def _off(room: RoomFile, maps: dict[str, RegisterMap]) -> Iterator[Fault]:
    if room.outage is None or not room.outage.ups_off:
        return
    by_nut = any(ups.kind == "nut" and takes_commands(ups) for ups in room.upses)
    if not by_nut and not any("off" in map.commands for map in maps.values()):
        yield Fault("outage.ups_off", "true", "only with a UPS that can be switched off")
