"""Read a room file: all of its faults at once, or a room."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from controller.config.buses import check_buses
from controller.config.climate import with_profile
from controller.config.faults import ConfigFaults, Fault
from controller.config.order import check_order
from controller.config.references import check_references
from controller.config.schema import RoomFile
from controller.config.told import check_told
from controller.config.walk import Kinds, Walk

# The largest room that we can think of takes some 50 kB.
LARGEST_BYTES = 1_000_000

Check = Callable[[RoomFile], list[Fault]]


def read_room(path: Path, kinds: Kinds, checks: Sequence[Check] = ()) -> RoomFile:
    """Read the room file at `path`. `kinds` are the drivers' Config structs, by table and kind.

    `checks` are made beside our own (the wiring check), so that their faults are told in the
    same run; they may meet None where a key is faulty. Raises: ConfigFaults.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigFaults(path, [Fault("", "", f"cannot be read: {reason}")]) from error
    if len(content) > LARGEST_BYTES:
        raise ConfigFaults(path, [Fault("", "", f"is larger than {LARGEST_BYTES} bytes")])
    tree = _parse(path, content)
    digest = hashlib.sha256(content).hexdigest()
    return read_tree(tree, path, kinds, checks, digest)


def read_tree(
    tree: Mapping[str, Any],
    path: Path,
    kinds: Kinds,
    checks: Sequence[Check] = (),
    digest: str = "",
) -> RoomFile:
    """Read a room from a parsed file that stood at `path`. Raises: ConfigFaults."""
    climate = tree.get("climate", {})
    if isinstance(climate, dict):
        tree = {**tree, "climate": with_profile(climate)}
    walk = Walk(kinds)
    room: RoomFile = walk.table(RoomFile, tree, "", folder=path.parent, digest=digest)
    faults = walk.faults
    told = {fault.key for fault in faults}
    for check in (check_references, check_buses, check_order, check_told, *checks):
        faults += [fault for fault in check(room) if fault.key not in told]
    if faults:
        raise ConfigFaults(path, faults)
    return room


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigFaults(path, [Fault(f"line {line}", "", "is not UTF-8")]) from error
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigFaults(path, [Fault("", "", "is nested too deeply")]) from error
    except ValueError as error:  # TOMLDecodeError, and integers too long for Python
        found = re.search(r" \(at line ([0-9]+), column [0-9]+\)$", str(error))
        last = text.count("\n") + 1
        line_key = f"line {found[1] if found else last}"
        reason = str(error).split(" (at ")[0].replace("\n", " ")
        raise ConfigFaults(path, [Fault(line_key, "", f"is not TOML: {reason}")]) from error
