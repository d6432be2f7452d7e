"""The wiring check: what must not be wired, however well the room file reads.

A coil is released when the board is off, while it boots, when its controller has died and
its kernel gives lines back, and when a wire breaks. Where releasing does harm that nobody can
wait for, the wiring is refused; where it only differs from what `lost` says, the wiring sheet
tells. Decided so:

* A relay that would be energised while the board boots (by the pin's pull) is refused where
  the energised state does something: cuts, supplies, unlocks, cools or un-cools. A siren, a
  beacon, a light or a detectors' reset may twitch.
* An outlet that a projector or a host hangs on must be supplied by the released coil (NC
  contact): a restart would otherwise take the fan off a hot lamp, or drop a server. Whoever
  wants a host's outlet otherwise says so by its `lost`.
* A cut-off held in by an energised coil (`energised = "off"`, a contactor) is allowed: a dead
  controller then cuts, as on the emergency-off circuits that it is taken from. The sheet says
  so, and says that no lamp's cooling is waited for.
"""

from __future__ import annotations

from collections.abc import Iterator

from controller.config.faults import MISSING, Fault, entries, show
from controller.config.references import UPS_CONTACTS
from controller.config.schema import RoomFile
from controller.core.partconfig import OnOff, OutputConfig, pins_of, role_of
from controller.core.roles import OUTPUT_ROLES, Feeds, OutputRole, output_role
from hardware.boards import BoardTable, board_table

MAY_TWITCH = ("siren", "beacon", "light", "detector-reset")


def check_wiring(room: RoomFile) -> list[Fault]:
    """Return every fault of the wiring. Meets rooms with faults of their own (None) as well."""
    faults = [*_pins_used_twice(room), *_smoke_loops(room), *_outlets(room), *_cuts(room)]
    if room.board.kind is not None:
        faults += _board(room, board_table(room.board.kind))
    return faults


def released(output: OutputConfig) -> OnOff:
    """What the output is while its coil is released."""
    return "off" if output.energised == "on" else "on"


def meaning(room: RoomFile, output: OutputConfig) -> OutputRole:
    """What the output's role means in this room. Raises: KeyError for an unknown role."""
    standing = bool(room.hosts or room.upses)
    return output_role(output.role, feeds(room, output), standing)


def feeds(room: RoomFile, output: OutputConfig) -> Feeds | None:
    """What hangs on the output, as far as the room file says."""
    if any(projector.outlet == output.id for projector in room.projectors):
        return "projector"
    if any(host.outlet == output.id for host in room.hosts):
        return "host"
    return None


def _pins_used_twice(room: RoomFile) -> Iterator[Fault]:
    taken: dict[int, str] = {}
    for key, part in (*entries("input", room.inputs), *entries("output", room.outputs)):
        pins = pins_of(part)
        name = "pin" if len(pins) == 1 else "pins"
        # The same pin twice in one part is for the part's own driver to refuse.
        for pin in dict.fromkeys(pins):
            if pin in taken:
                yield Fault(f"{key}.{name}", show(pin), f"a free pin; {taken[pin]} has this one")
            taken.setdefault(pin, key)


def _board(room: RoomFile, board: BoardTable) -> Iterator[Fault]:
    for table, parts in (("input", room.inputs), ("output", room.outputs)):
        for key, part in entries(table, parts):
            pins = pins_of(part)
            for pin in pins:
                why = board.why_reserved(table, pin)
                if why is not None:
                    name = "pin" if len(pins) == 1 else "pins"
                    yield Fault(f"{key}.{name}", show(pin), f"another pin: {why}")
                elif isinstance(part, OutputConfig):
                    yield from _boot(key, part, pin, board)


def _boot(key: str, output: OutputConfig, pin: int, board: BoardTable) -> Iterator[Fault]:
    """A relay must not be energised by the pin's pull before the controller has it."""
    if output.role in MAY_TWITCH or output.role not in OUTPUT_ROLES:
        return
    active = getattr(output, "active", "high")
    if active == "high" and pin in board.pulled_up:
        low = ", ".join(map(str, sorted(board.pulled_down - {14, 15})))
        yield Fault(
            f"{key}.pin", show(pin), f"{low}: this one is pulled up at power-on and energises"
        )
    elif active == "low" and pin in board.pulled_down:
        high = ", ".join(map(str, sorted(board.pulled_up - {0, 1, 2, 3})))
        yield Fault(
            f"{key}.active",
            show(active),
            f'"high", or a pin of {high}: pin {pin} is pulled down at power-on and energises',
        )


def _smoke_loops(room: RoomFile) -> Iterator[Fault]:
    for key, part in entries("input", room.inputs):
        if role_of(part) == "smoke" and getattr(part, "contact", None) == "no":
            yield Fault(
                f"{key}.contact",
                show("no"),
                '"nc", or kind = "contact-pair": a broken wire of a normally-open smoke loop '
                "is never noticed",
            )


def _outlets(room: RoomFile) -> Iterator[Fault]:
    for key, output in entries("output", room.outputs):
        load = feeds(room, output)
        if output.role != "outlet" or load is None:
            continue
        lost = output.lost or meaning(room, output).lost
        if load == "projector" and lost != "on":
            yield Fault(f"{key}.lost", show(lost), '"on": a hot lamp\'s fan needs its power')
        elif lost == "on" and released(output) == "off":
            harm = "take the fan from a hot lamp" if load == "projector" else "drop the host"
            yield Fault(
                f"{key}.energised",
                show(output.energised),
                f'"off" (the NC contact): a restart would {harm}',
            )


def _cuts(room: RoomFile) -> Iterator[Fault]:
    cuts = [output for output in room.outputs if output.role == "cut-off"]
    if not cuts:
        return
    if room.fire.fed != "outside":
        yield Fault(
            "fire.fed",
            show(room.fire.fed) if room.fire.fed else MISSING,
            '"outside": the controller, its network path and the door release are fed from '
            "outside the cut",
        )
    scopes = {output.scope for output in cuts}
    roles = [role_of(part) for part in room.inputs]
    has_ups = bool(room.upses) or any(role in UPS_CONTACTS for role in roles)
    if has_ups and scopes == {"room"} and room.fire.accept_risk is None:
        yield Fault(
            "fire.accept_risk",
            MISSING,
            'who, when, why; or a cut-off with scope = "ups": without one the UPS keeps the room '
            "live after the cut",
        )
