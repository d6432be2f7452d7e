"""What one key says about another: names that must be there, and things that need each other.

Every check meets rooms with faults too (None where a key could not be read) and says
nothing about what is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from controller.config.climate import Climate
from controller.config.faults import MISSING, Fault, entries, entry, show
from controller.config.feed import REMOTE_ACTIONS, Feed
from controller.config.power import HostConfig
from controller.config.schema import RoomFile
from controller.core.partconfig import OutputConfig, PartConfig, pins_of, role_of
from controller.core.request import Role
from controller.core.roles import INPUT_ROLES, OUTPUT_ROLES

# The first words of alarms and points that are no part's: fire.confirmed, power.state.
OWN_SUBJECTS = (
    "fire", "feed", "journal", "power", "plan", "room", "controller", "system",
    # A UPS that only contacts tell of, in a room without a [[ups]].
    "ups",
)  # fmt: skip
UPS_CONTACTS = ("ups-on-battery", "ups-battery-low", "ups-fault")


def check_references(room: RoomFile) -> list[Fault]:
    """Return every fault between the keys of `room`."""
    return [
        *_ids(room),
        *_inputs(room),
        *_outputs(room),
        *_projectors(room),
        *_climate(room.climate),
        *_fire(room),
        *_feed(room.feed),
        *_simulation(room),
    ]


def _ids(room: RoomFile) -> Iterator[Fault]:
    taken: dict[str, str] = {}
    tables: Mapping[str, tuple[PartConfig | HostConfig, ...]] = {
        "input": room.inputs,
        "output": room.outputs,
        "projector": room.projectors,
        "ups": room.upses,
        "host": room.hosts,
    }
    for table, parts in tables.items():
        for number, part in enumerate(parts, 1):
            if part.id is None:
                continue
            here = f"{table}[{number}]"
            if part.id in taken:
                allowed = f"an id of its own; {taken[part.id]} has this one"
                yield Fault(f"{here}.id", show(part.id), allowed)
            elif part.id in OWN_SUBJECTS and (table, part.id) != ("ups", "ups"):
                yield Fault(f"{here}.id", show(part.id), "an id that names no alarm of the room's")
            taken.setdefault(part.id, here)


def _inputs(room: RoomFile) -> Iterator[Fault]:
    for key, part in entries("input", room.inputs):
        role = role_of(part)
        if role is not None and role not in INPUT_ROLES and hasattr(part, "role"):
            yield Fault(f"{key}.role", show(role), ", ".join(INPUT_ROLES))
    yield from _of(room)


def _of(room: RoomFile) -> Iterator[Fault]:
    """What an input is of: an output that it proves, a detector, a UPS."""
    outputs = {output.id for output in room.outputs}
    detectors = {part.id for part in room.inputs if role_of(part) == "smoke"}
    upses = {ups.id for ups in room.upses}
    proven: dict[str, str] = {}
    for key, part in entries("input", room.inputs):
        role = role_of(part)
        of = getattr(part, "of", None)
        if role == "feedback":
            if of is None:
                yield Fault(f"{key}.of", MISSING, "the id of the output that it proves")
            elif of not in outputs:
                yield Fault(f"{key}.of", show(of), _one_of("output", outputs))
            elif of in proven:
                yield Fault(f"{key}.of", show(of), f"one feedback an output; {proven[of]} is it")
            else:
                proven[of] = key
        elif role == "detector-fault":
            if of is not None and of not in detectors:
                yield Fault(f"{key}.of", show(of), _one_of("smoke detector", detectors))
        elif role in UPS_CONTACTS:
            if of is None and len(upses) > 1:
                yield Fault(f"{key}.of", MISSING, _one_of("UPS", upses))
            elif of is not None and of not in upses:
                yield Fault(f"{key}.of", show(of), _one_of("UPS", upses))
        elif role is not None and of is not None:
            allowed = 'only with role = "feedback" or "detector-fault", or of a UPS\'s contact'
            yield Fault(f"{key}.of", show(of), allowed)


def _outputs(room: RoomFile) -> Iterator[Fault]:
    for key, output in entries("output", room.outputs):
        if output.role is None:
            continue
        if output.role not in OUTPUT_ROLES:
            yield Fault(f"{key}.role", show(output.role), ", ".join(OUTPUT_ROLES))
        elif output.role == "cut-off" and output.scope is None:
            yield Fault(f"{key}.scope", MISSING, '"room" or "ups": what it cuts')
        elif output.role != "cut-off" and output.scope is not None:
            yield Fault(f"{key}.scope", show(output.scope), 'only with role = "cut-off"')
        if output.pulse is not None and output.energised == "off":
            # A pulse moves a coil that acts when energised; one that holds would fall at its end.
            yield Fault(f"{key}.pulse", show(str(output.pulse)), 'only with energised = "on"')


def _projectors(room: RoomFile) -> Iterator[Fault]:
    outlets = {output.id: output for output in room.outputs}
    used: dict[str, str] = {}
    wants = [
        *((key, part.outlet) for key, part in entries("projector", room.projectors)),
        *(
            (entry("host", number, host.id), host.outlet)
            for number, host in enumerate(room.hosts, 1)
        ),
    ]
    for key, outlet in wants:
        if outlet is None:
            continue
        if not _is_outlet(outlets.get(outlet)):
            known = {id for id, output in outlets.items() if _is_outlet(output)}
            yield Fault(f"{key}.outlet", show(outlet), _one_of('output with role "outlet"', known))
        elif outlet in used:
            yield Fault(
                f"{key}.outlet", show(outlet), f"an outlet of its own; {used[outlet]} has it"
            )
        used.setdefault(outlet, key)


def _is_outlet(output: OutputConfig | None) -> bool:
    return output is not None and output.role in ("outlet", None)


def _climate(climate: Climate) -> Iterator[Fault]:
    if climate.profile == "custom" and climate.temperature_high is None:
        yield Fault("climate.temperature_high", MISSING, "a limit, as the profile is custom")
    for names in (
        (
            "temperature_critical_low",
            "temperature_low",
            "temperature_high",
            "temperature_critical",
        ),
        ("humidity_low", "humidity_high"),
        ("dew_point_low", "dew_point_high"),
    ):
        limits = [(n, getattr(climate, n)) for n in names if getattr(climate, n) is not None]
        for (lower, low), (upper, high) in pairwise(limits):
            if low >= high:
                yield Fault(f"climate.{upper}", show(high), f"above {lower}, which is {low:g}")


def _fire(room: RoomFile) -> Iterator[Fault]:
    policy = room.fire.confirm
    roles = [role_of(part) for part in room.inputs]
    detectors = roles.count("smoke")
    if policy is None or policy == "alarm-only" or None in roles:
        return
    needed = 2 if policy == "two-detectors" else 1
    if detectors < needed:
        count = "two inputs" if needed == 2 else "an input"
        yield Fault(
            "fire.confirm", show(policy), f'with {count} of role "smoke"; there are {detectors}'
        )
    if policy == "detector-and-heat" and "climate" not in roles:
        yield Fault("fire.confirm", show(policy), "with a climate sensor in the room")


def _feed(feed: Feed | None) -> Iterator[Fault]:
    if feed is None:
        return
    if feed.url is not None and not feed.url.startswith("mqtts:"):
        for name in ("ca", "certificate", "key"):
            if getattr(feed, name) is not None:
                yield Fault(f"feed.{name}", show(getattr(feed, name)), "only with an mqtts:// url")
    for name, other in (("certificate", "key"), ("key", "certificate")):
        if getattr(feed, name) is not None and getattr(feed, other) is None:
            yield Fault(f"feed.{other}", MISSING, f"a file, as there is a {name}")
    if feed.password_file is not None and feed.username is None:
        yield Fault("feed.username", MISSING, "a name, as there is a password_file")
    ranks = list(Role)
    seen: set[str] = set()
    for number, client in enumerate(feed.clients, 1):
        key = entry("feed.client", number, client.id)
        if client.id is not None and client.id in seen:
            yield Fault(f"feed.client[{number}].id", show(client.id), "an id of its own")
        seen.add(client.id)
        for action in client.actions:
            least = REMOTE_ACTIONS.get(action)
            if least is None:
                yield Fault(f"{key}.actions", show(action), ", ".join(REMOTE_ACTIONS))
            elif client.role is not None and ranks.index(Role(client.role)) < ranks.index(least):
                yield Fault(f"{key}.actions", show(action), f'only with role = "{least}"')


def _simulation(room: RoomFile) -> Iterator[Fault]:
    simulation = room.simulation
    if room.board.kind not in ("simulated", None):
        if simulation.real:
            yield Fault("simulation.real", show(simulation.real), "only on a simulated board")
        if simulation.pace != 1:
            yield Fault("simulation.pace", show(simulation.pace), "only on a simulated board")
    pinned = {part.id for part in (*room.inputs, *room.outputs) if pins_of(part)}
    parts = (*room.inputs, *room.outputs, *room.projectors, *room.upses)
    known = {part.id for part in parts} | {host.id for host in room.hosts}
    for id in simulation.real:
        if id not in known:
            yield Fault("simulation.real", show(id), _one_of("part", known - pinned))
        elif id in pinned:
            yield Fault(
                "simulation.real", show(id), "a part with an address; this one is on a pin"
            )


def _one_of(what: str, ids: set[str]) -> str:
    listed = ", ".join(sorted(f'"{id}"' for id in ids if id is not None))
    article = "an" if what[0] in "aeiou" else "a"
    return f"{article} {what}: {listed}" if listed else f"{article} {what}; there is none"
