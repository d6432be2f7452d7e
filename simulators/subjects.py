"""What `roomwarden sim` may say: the subjects of a world, and what each may be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators import contacts, host, probe, switchgear, upssubjects
from simulators.contacts import Contact
from simulators.plan import ProjectorPart
from simulators.probe import Probe
from simulators.subject import Refused as Refused
from simulators.subject import Subject

if TYPE_CHECKING:
    from simulators.world import World

PROJECTOR_FAULTS = ("silent", "drop", "garbage", "busy", "late")


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
        is_dht = sensor.kind in probe.DHTS
        subjects[id] = Subject(sensor.set_state, probe.VALUES if is_dht else probe.BUS_VALUES)
        for quantity in sensor.ranges:
            subjects[f"{id}.{quantity}"] = _measured(sensor, quantity)
    for part in world.plan.projectors:
        subjects[part.id] = _projector(world, part)
    for ups in world.plan.upses:
        subjects |= upssubjects.of_ups(world, ups)
    for id, server in world.power.hosts.items():
        subjects[id] = Subject(server.act, host.VALUES)
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
