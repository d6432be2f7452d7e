"""What `[[host]]`, `[outage]` and `[return]` say about one another."""

from __future__ import annotations

from collections.abc import Iterator

from controller.config.faults import MISSING, Fault, entry, show
from controller.config.power import HostConfig
from controller.config.schema import RoomFile
from controller.core.partconfig import EVIDENCE_KINDS, role_of


def check_order(room: RoomFile) -> list[Fault]:
    """Return every fault in the order of stopping and starting. Meets faulty rooms too."""
    return [
        *_hosts(room),
        *_outlets(room),
        *_access(room),
        *_after(room),
        *_circles(room.hosts),
        *_outage(room),
        *_return(room),
    ]


def probe_kind(probe: str) -> str | None:
    """The kind of evidence that a probe, or a way of stopping, gives; None: none."""
    # An outlet is not asked: its feedback is an input of the room.
    return "outlet" if probe == "outlet" else EVIDENCE_KINDS.get(probe.partition(":")[0])


def evidence_kinds(host: HostConfig) -> set[str]:
    """The kinds of evidence that tell whether `host` is up: "network", "client", "management",
    "outlet"; its way of stopping is one, too."""
    kinds = (probe_kind(probe) for probe in (*host.evidence, host.stop or ""))
    return {kind for kind in kinds if kind is not None}


def _named(room: RoomFile) -> Iterator[tuple[str, HostConfig]]:
    for number, host in enumerate(room.hosts, 1):
        yield entry("host", number, host.id), host


def _hosts(room: RoomFile) -> Iterator[Fault]:
    stages = {stage.stage for stage in room.outage.stages} if room.outage is not None else set()
    for key, host in _named(room):
        kinds = evidence_kinds(host)
        if host.stop is not None and host.needs > len(kinds):
            told = ", ".join(sorted(kinds)) or "none"
            yield Fault(
                f"{key}.needs", show(host.needs), f"{len(kinds)}, as its kinds of evidence: {told}"
            )
        if stages and host.stage is not None and host.stage not in stages:
            yield Fault(f"{key}.stage", show(host.stage), "a stage of [[outage.stage]]")


def _outlets(room: RoomFile) -> Iterator[Fault]:
    proven = {getattr(part, "of", None) for part in room.inputs if role_of(part) == "feedback"}
    for key, host in _named(room):
        whys = {
            'unconfirmed = "cut"': host.unconfirmed == "cut",
            'start = "outlet"': host.start == "outlet",
            'evidence = ["outlet"]': "outlet" in host.evidence,
        }
        for why, asked in whys.items():
            if asked and host.outlet is None:
                yield Fault(f"{key}.outlet", MISSING, f"an output, as {why}")
                break
        if "outlet" in host.evidence and host.outlet is not None and host.outlet not in proven:
            # What was commanded is no evidence of what is.
            yield Fault(
                f"{key}.evidence",
                show("outlet"),
                f'with an input of role "feedback" of "{host.outlet}"',
            )


def _access(room: RoomFile) -> Iterator[Fault]:
    """What a way of reaching a host cannot do without."""
    for key, host in _named(room):
        if (host.stop or "").startswith("ssh:") and host.key_file is None:
            yield Fault(
                f"{key}.key_file", MISSING, "a file with a private key, as it stops by ssh"
            )
        addresses = (host.stop or "", host.start or "", *host.evidence)
        if host.password_file is None and any(
            address.startswith("redfish:") and "@" in address for address in addresses
        ):
            yield Fault(f"{key}.password_file", MISSING, "a file, as redfish:// names a user")


def _after(room: RoomFile) -> Iterator[Fault]:
    stages = {host.id: host.stage for host in room.hosts}
    for key, host in _named(room):
        for other in host.after:
            if other not in stages or other == host.id:
                yield Fault(f"{key}.after", show(other), "the id of another host")
                continue
            stage = stages[other]
            if None not in (stage, host.stage) and stage < host.stage:
                # What stops first starts last: the two would wait for each other.
                yield Fault(
                    f"{key}.after",
                    show(other),
                    f"a host of stage {host.stage} or above; stage {stage} starts after them",
                )


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
        if stage.stage is not None and stage.stage in seen:
            yield Fault(f"outage.stage[{number}].stage", show(stage.stage), "a number of its own")
        seen.add(stage.stage)


def _return(room: RoomFile) -> Iterator[Fault]:
    if room.return_ is None:
        return
    for name in ("voltage", "frequency"):
        band = getattr(room.return_, name)
        if band is not None and band[0] >= band[1]:
            yield Fault(f"return.{name}", show(band), "the lower bound before the upper")
