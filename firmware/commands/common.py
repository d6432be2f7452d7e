"""What the commands share: reading the room file, and talking to the controller."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from controller.client import Door, DoorClosed, DoorRefused
from controller.config.faults import ConfigFaults
from controller.config.read import read_room
from controller.config.schema import RoomFile
from controller.rundir import run_dir
from firmware.kinds import kinds
from firmware.main import BAD_USAGE, REFUSED
from hardware.supply import check_supply
from hardware.wiring import check_wiring


def read(path: Path) -> RoomFile:
    """Read the room file with its wiring and its register maps. Raises: ConfigFaults."""
    return read_room(path.absolute(), kinds(), [check_wiring, check_supply])


def with_room(path: Path, work: Callable[[RoomFile], int]) -> int:
    """Do `work` with the room; print every fault of a faulty file, one a line."""
    try:
        file = read(path)
    except ConfigFaults as faults:
        print(faults, file=sys.stderr)
        return BAD_USAGE
    return work(file)


def with_door(path: Path, work: Callable[[Door], int]) -> int:
    """Do `work` with the running controller's door."""

    def ask(file: RoomFile) -> int:
        try:
            return work(Door(run_dir(file.resolve(file.store.path))))
        except DoorClosed as error:
            print(f"roomwarden: no controller guards this room: {error}", file=sys.stderr)
        except DoorRefused as error:
            print(f"roomwarden: {error}", file=sys.stderr)
        return REFUSED

    return with_room(path, ask)
