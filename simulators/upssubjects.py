"""What `roomwarden sim` may tell a UPS."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from controller.core.parts import UPS_VALUES
from simulators.faults import LINE_FAULTS
from simulators.powerplan import NutEnd, UpsPart
from simulators.subject import Refused, Subject
from simulators.ups import FAULTS, HELD, SUPPLY_VALUES, TESTS, SimulatedUps

if TYPE_CHECKING:
    from simulators.world import World

NUT_FAULTS = (*LINE_FAULTS, "stale")

_LIMITS = {value.point: (value.low, value.high) for value in UPS_VALUES.values()}


def of_ups(world: World, part: UpsPart) -> dict[str, Subject]:
    """Return the subjects of one UPS by name: itself, each of its meters, and its supply."""
    ups = world.power.upses[part.id]
    if part.end is None:
        faults: tuple[str, ...] = ("silent",)
    else:
        faults = (*(NUT_FAULTS if isinstance(part.end, NutEnd) else LINE_FAULTS), "frozen")
    words = (*faults, *TESTS, *FAULTS, "normal")
    subjects = {part.id: Subject(partial(_act, world, part, ups), words)}
    for quantity in HELD:
        hold = partial(_hold, ups, quantity)
        subjects[f"{part.id}.{quantity}"] = Subject(hold, ("normal",), _LIMITS[quantity])
    subjects[f"{part.id}.supply"] = Subject(partial(_force, ups), SUPPLY_VALUES)
    return subjects


def _act(world: World, part: UpsPart, ups: SimulatedUps, value: str) -> None:
    if part.end is None and value in ("silent", "normal"):
        # Nothing but its wires can be silent.
        for contact in world.contacts.values():
            if contact.part.of == part.id and contact.part.role.startswith("ups-"):
                contact.act(value, world.now_s)
    if value == "normal":
        world.ups_faults.pop(part.id, None)
        ups.mend()
    elif value in TESTS:
        if not ups.begin_test(value):
            raise Refused(f"{part.id}: no {value} while on {ups.supply}")
    elif value in FAULTS:
        ups.faults.add(value)
    elif value == "frozen":
        ups.meters.freeze()
    else:
        world.ups_faults[part.id] = value


def _hold(ups: SimulatedUps, quantity: str, value: str) -> None:
    if value == "normal":
        ups.held.pop(quantity, None)
    else:
        ups.held[quantity] = float(value)


def _force(ups: SimulatedUps, value: str) -> None:
    ups.forced = None if value == "normal" else value
