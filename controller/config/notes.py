"""What is no fault in a room file, and yet worth a second look before the mains fails."""

from __future__ import annotations

from collections.abc import Iterator

from controller.config.faults import entry, show
from controller.config.order import evidence_kinds
from controller.config.power import HostConfig
from controller.config.schema import RoomFile
from controller.core.partconfig import role_of


def notes(room: RoomFile) -> list[str]:
    """Return the notes on a room without faults, each a sentence."""
    told = [*_power(room), *_stages(room)]
    for number, host in enumerate(room.hosts, 1):
        key = entry("host", number, host.id)
        told += [f"{key}: {note}" for note in (*_evidence(host), *_unused(host))]
    return told


def _power(room: RoomFile) -> Iterator[str]:
    mains = any(role_of(part) == "mains" for part in room.inputs)
    on_battery = any(role_of(part) == "ups-on-battery" for part in room.inputs)
    if room.upses and not mains:
        yield 'no input with role "mains": when the UPS falls silent, nothing tells of the mains'
    if room.hosts and not (room.upses or mains or on_battery):
        yield 'hosts, but no [[ups]] and no input with role "mains": nothing tells of an outage'


def _stages(room: RoomFile) -> Iterator[str]:
    stages = room.outage.stages if room.outage is not None else ()
    if room.hosts and not stages:
        yield "hosts, but no [[outage.stage]]: only a low battery stops them"
    manned = {host.stage for host in room.hosts}
    by_nut = [show(ups.id) for ups in room.upses if ups.kind == "nut"]
    for number, stage in enumerate(stages, 1):
        key = f"outage.stage[{number}]"
        if stage.stage not in manned:
            yield f"{key}: no host is of stage {stage.stage}"
        if stage.after is None and by_nut:
            yield (
                f"{key}: has no after; as long as UPS {', '.join(by_nut)} tells neither charge "
                "nor runtime, only a low battery begins it"
            )


def _evidence(host: HostConfig) -> Iterator[str]:
    kinds = evidence_kinds(host)
    if host.path is None and kinds & {"network", "client", "management"}:
        yield "has no path: where the way to it is dead, its silence counts as a host that is down"
    if kinds and kinds <= {"network", "client"}:
        yield (
            "all its evidence goes over one network: a dead switch leaves nothing that tells "
            "whether it is down; redfish:// or the feedback of its outlet would"
        )
    if host.needs > len(kinds - {"outlet"}):
        yield (
            "cannot be confirmed down while its outlet has power: of its kinds of evidence only "
            f"{len(kinds) - 1} can say so before"
        )
    if host.start is None:
        yield "has no start: after an outage it is started by hand"


def _unused(host: HostConfig) -> Iterator[str]:
    """Files that nothing reads: what they were meant for is not set."""
    addresses = (host.stop, host.start or "", *host.evidence, *(host.ready or ()))
    schemes = {address.partition(":")[0] for address in addresses}
    by_ssh = host.stop.startswith("ssh:")
    for name, used in {
        "key_file": by_ssh,
        "host_key": by_ssh,
        "password_file": "redfish" in schemes,
        "ca": bool(schemes & {"redfish", "https"}),
    }.items():
        if getattr(host, name) is not None and not used:
            yield f"{name} is not used by any of its addresses"
