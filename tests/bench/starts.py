"""From the start of the process to a guarded room, with and without smoke already there."""

from __future__ import annotations

import contextlib
import statistics
import time
from pathlib import Path

from controller.client import Door, DoorClosed
from controller.rundir import run_dir
from tests.bench.processes import BARE, ROOMWARDEN, Child, running
from tests.bench.rooms import trip_room
from tests.bench.table import Row
from tests.bench.worldside import BenchFailed, WorldSide

_TARGET_S = 0.5
_LONGEST_S = 10.0


def rows(folder: Path, count: int) -> list[Row]:
    """Start everything `count` times and return the medians; journals are of the run before.

    Guarding begins when the relay's line is claimed and the door answers, which it does after
    the first scan. The bare script's start ends with its first claim; a contact that is closed
    by then it never notices.
    """
    config = trip_room(folder)
    run = run_dir(folder / "room.db")
    first_s = _guarding(folder, config, run)
    clear = [_guarding(folder, config, run)]
    smoke = [_relay(folder, config, run)]
    script = [_first_claim(folder)]
    for _ in range(count - 1):
        # Twice without smoke: after a run with smoke the relay is taken over energised.
        _guarding(folder, config, run)
        clear.append(_guarding(folder, config, run))
        smoke.append(_relay(folder, config, run))
        script.append(_first_claim(folder))
    return [
        Row("start, bare script to its first pin", statistics.median(script), "s"),
        Row("start to guarding", statistics.median(clear), "s", target=_TARGET_S),
        Row("start to guarding, journal not made yet", first_s, "s"),
        Row(
            "start to relay, smoke already there", statistics.median(smoke), "s", target=_TARGET_S
        ),
    ]


def _guarding(folder: Path, config: Path, run: Path) -> float:
    world = WorldSide(run / "world.sock")
    with contextlib.closing(world):
        began_s = time.monotonic()
        with running([*ROOMWARDEN, "run", config], folder / "run.log") as controller:
            world.wait_for_client()
            world.wait_for_relay()
            _wait_for_door(run, controller)
            return time.monotonic() - began_s


def _relay(folder: Path, config: Path, run: Path) -> float:
    world = WorldSide(run / "world.sock")
    world.smoke = True
    with contextlib.closing(world):
        began_s = time.monotonic()
        with running([*ROOMWARDEN, "run", config], folder / "run.log"):
            world.wait_for_client()
            world.wait_for_relay()
            if world.relay:
                raise BenchFailed("the relay was energised from the run before")
            world.wait_for_relay(True)
            return time.monotonic() - began_s


def _first_claim(folder: Path) -> float:
    world = WorldSide(folder / "bare.sock")
    with contextlib.closing(world):
        began_s = time.monotonic()
        with running([*BARE, world.path], folder / "bare.log"):
            world.wait_for_client()
            world.wait_for_relay()
            return time.monotonic() - began_s


def _wait_for_door(run: Path, controller: Child) -> None:
    door = Door(run, timeout_s=_LONGEST_S)
    until_s = time.monotonic() + _LONGEST_S
    while True:
        try:
            door.state()
        except (DoorClosed, OSError):
            controller.check()
            if time.monotonic() > until_s:
                raise BenchFailed("the door did not answer") from None
            time.sleep(0.002)
        else:
            return
