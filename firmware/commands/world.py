"""`roomwarden world CONFIG`: the simulated world of a room, started by `run`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys

from controller.clock import Clock
from controller.config.schema import RoomFile
from controller.core.registers import RegisterMap
from controller.rundir import run_dir
from firmware.commands.common import with_room
from firmware.main import DONE, REFUSED
from hardware.upsmap import find_map, read_map
from simulators.server import serve


def run(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # Ctrl-C at the terminal of `run` is for the controller; the world ends when it is alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def world(file: RoomFile) -> int:
        socket_path = run_dir(file.resolve(file.store.path)) / "world.sock"
        try:
            serve(file, socket_path, Clock(file.simulation.pace), register_maps(file))
        except (OSError, ValueError) as error:
            print(f"roomwarden: {error}", file=sys.stderr)
            return REFUSED
        return DONE

    return with_room(options.config, world)


def register_maps(file: RoomFile) -> dict[str, RegisterMap]:
    """Return the register map of each simulated Modbus UPS by its id. Raises: MapFaults."""
    return {
        ups.id: read_map(find_map(name, file.folder))
        for ups in file.upses
        if ups.id not in file.simulation.real and (name := getattr(ups, "map", None)) is not None
    }
