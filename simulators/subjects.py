"""What `roomwarden sim` may say: the subjects of a world, and what each may be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from simulators import contacts, probe, switchgear
from simulators.contacts import Contact
from simulators.plan import ProjectorPart
from simulators.probe import Probe

if TYPE_CHECKING:
    from simulators.world import World

PROJECTOR_FAULTS = ("silent", "drop", "garbage", "busy", "late")


class Refused(ValueError):
    """The world has no such subject, or the subject cannot be so."""


class Subject(msgspec.Struct, frozen=True):
    """Something that `roomwarden sim` can move: words, or a number from low to high."""

    act: Callable[[str], None]
    words: tuple[str, ...]
    numbers: tuple[float, float] | None = None

    def check(self, name: str, value: str) -> None:
        """Raises: Refused, saying what is allowed."""
        if value in self.words:
            return
        allowed = ", ".join(self.words)
        if self.numbers is not None:
            low, high = self.numbers
            try:
                if low <= float(value) <= high:
                    return
            except ValueError:
                pass
            allowed = f"{low:g}..{high:g}, {allowed}"
        raise Refused(f"{name}: {value!r} is not one of {allowed}")


def subjects_of(world: World) -> dict[str, Subject]:
    """Return the subjects of `world` by name."""
    subjects = {"clock": _clock(world)}
    for contact in [world.mains, *world.contacts.values()]:
        subjects[contact.part.id] = _contact(world, contact)
    for id, gear in world.switchgear.items():
        is_cut_off = gear.part.role == "cut-off"
        subjects[id] = Subject(
            gear.act, switchgear.CUT_OFF_VALUES if is_cut_off else switchgear.VALUES
        )
    for id, sensor in world.probes.items():
        subjects[id] = Subject(sensor.set_state, probe.VALUES)
        for quantity in probe.QUANTITIES:
            subjects[f"{id}.{quantity}"] = _measured(sensor, quantity)
    for part in world.plan.projectors:
        subjects[part.id] = _projector(world, part)
    return subjects


def _clock(world: World) -> Subject:
    def act(value: str) -> None:
        world.clock_synchronised = value != "unsynchronised"

    return Subject(act, ("unsynchronised", "synchronised", "normal"))


def _contact(world: World, contact: Contact) -> Subject:
    def act(value: str) -> None:
        contact.act(value, world.now_s)

    is_door = contact.part.role in ("door", "window")
    return Subject(act, contacts.DOOR_VALUES if is_door else contacts.VALUES)


def _measured(sensor: Probe, quantity: str) -> Subject:
    def act(value: str) -> None:
        if value == "normal":
            sensor.held.pop(quantity, None)
        else:
            sensor.held[quantity] = float(value)

    return Subject(act, ("normal",), sensor.limits(quantity))


def _projector(world: World, part: ProjectorPart) -> Subject:
    """Switching is somebody with the remote; a fault is one of the network's side."""
    projector = world.projectors[part.id]

    def act(value: str) -> None:
        if value in PROJECTOR_FAULTS:
            world.projector_faults[part.id] = value
        elif value == "normal":
            world.projector_faults.pop(part.id, None)
        elif not projector.switch(value == "on"):
            raise Refused(f"{part.id}: does not take {value!r} while {projector.power}")

    faults = PROJECTOR_FAULTS if part.address is not None else ()
    return Subject(act, ("on", "off", *faults, "normal"))
