"""What `[[host]]`, `[outage]` and `[return]` say about one another."""

from __future__ import annotations

from collections.abc import Iterator

from controller.config.faults import MISSING, Fault, entry, show
from controller.config.power import HostConfig, OutageStage
from controller.config.schema import RoomFile

# What a probe tells of a host; two probes of one kind fail together.
_KINDS = {
    "ping": "network",
    "tcp": "network",
    "nut": "client",
    "ssh": "client",
    "redfish": "management controller",
    "outlet": "outlet power",
}


def check_order(room: RoomFile) -> list[Fault]:
    """Return every fault in the order of stopping and starting. Meets faulty rooms too."""
    return [*_hosts(room), *_circles(room.hosts), *_outage(room), *_return(room)]


def evidence_kinds(host: HostConfig) -> set[str]:
    """The kinds of evidence that tell whether `host` is up; its way of stopping is one, too."""
    probes = {probe.partition(":")[0] for probe in (*host.evidence, host.stop or "")}
    return {_KINDS[probe] for probe in probes if probe in _KINDS}


def _hosts(room: RoomFile) -> Iterator[Fault]:
    ids = {host.id for host in room.hosts}
    stages = {stage.stage for stage in room.outage.stages} if room.outage is not None else set()
    for number, host in enumerate(room.hosts, 1):
        key = entry("host", number, host.id)
        kinds = evidence_kinds(host)
        if host.stop is not None and host.needs > len(kinds):
            told = ", ".join(sorted(kinds)) or "none"
            yield Fault(
                f"{key}.needs", show(host.needs), f"{len(kinds)}, as its kinds of evidence: {told}"
            )
        for other in host.after:
            if other not in ids or other == host.id:
                yield Fault(f"{key}.after", show(other), "the id of another host")
        if stages and host.stage is not None and host.stage not in stages:
            yield Fault(f"{key}.stage", show(host.stage), "a stage of [[outage.stage]]")
        if host.outlet is None:
            if host.unconfirmed == "cut":
                yield Fault(f"{key}.outlet", MISSING, 'an output, as unconfirmed = "cut"')
            elif host.start == "outlet":
                yield Fault(f"{key}.outlet", MISSING, 'an output, as start = "outlet"')


def _circles(hosts: tuple[HostConfig, ...]) -> Iterator[Fault]:
    """Hosts that wait for each other would never start."""
    waits = {host.id: set(host.after) - {host.id} for host in hosts}
    ready: set[str] = set()
    while True:
        free = {id for id, after in waits.items() if not (after & waits.keys()) - ready} - ready
        if not free:
            break
        ready |= free
    for number, host in enumerate(hosts, 1):
        if host.id not in ready:
            key = entry("host", number, host.id)
            yield Fault(
                f"{key}.after",
                show(host.after),
                "hosts that can be ready before it; these wait in a circle",
            )


def _outage(room: RoomFile) -> Iterator[Fault]:
    if room.outage is None:
        return
    seen: set[int] = set()
    for number, stage in enumerate(room.outage.stages, 1):
        key = f"outage.stage[{number}]"
        if stage.stage is not None and stage.stage in seen:
            yield Fault(f"{key}.stage", show(stage.stage), "a number of its own")
        seen.add(stage.stage)
        if not _conditions(stage):
            yield Fault(
                f"{key}.after",
                MISSING,
                "after, charge_below, runtime_below or temperature_above, one at least",
            )
        elif not room.upses and stage.after is None:
            yield Fault(f"{key}.after", MISSING, "a duration, as no UPS tells charge or runtime")


def _conditions(stage: OutageStage) -> bool:
    conditions = (stage.after, stage.charge_below, stage.runtime_below, stage.temperature_above)
    return any(condition is not None for condition in conditions)


def _return(room: RoomFile) -> Iterator[Fault]:
    if room.return_ is None:
        return
    for name in ("voltage", "frequency"):
        band = getattr(room.return_, name)
        if band is not None and band[0] >= band[1]:
            yield Fault(f"return.{name}", show(band), "the lower bound before the upper")
