"""`roomwarden sim CONFIG SUBJECT VALUE`: in a simulated room, what the world does."""

from __future__ import annotations

import argparse
import json
import sys

from controller.config.schema import RoomFile
from controller.rundir import run_dir
from firmware.commands.common import with_room
from firmware.main import BAD_USAGE, DONE, REFUSED
from simulators.control import NoWorld, sim
from simulators.subjects import Refused


def run(options: argparse.Namespace) -> int:
    def move(file: RoomFile) -> int:
        if not file.simulated:
            print("roomwarden: this room is not simulated", file=sys.stderr)
            return REFUSED
        run = run_dir(file.resolve(file.store.path))
        try:
            sim(run / "world.sock", options.subject, options.value)
        except Refused as error:
            print(f"roomwarden: {error}", file=sys.stderr)
            return BAD_USAGE
        except NoWorld as error:
            print(f"roomwarden: {error}", file=sys.stderr)
            return REFUSED
        if options.json:
            print(json.dumps({"done": True}))
        return DONE

    return with_room(options.config, move)
