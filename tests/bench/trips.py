"""Smoke edge to relay level: Roomwarden beside a bare gpiozero script.

Both stand on the same mirrored pins and are tripped in turn, so that whatever else the machine
does meets both alike; the way through the socket is part of both. Under load the bare script
itself has nothing else to do: only the machine is busy.
"""

from __future__ import annotations

import contextlib
import gc
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from controller.rundir import run_dir
from tests.bench.panel import healthy_panel, viewers
from tests.bench.processes import BARE, BENCH, BUSY_ROOMWARDEN, ROOMWARDEN, Child, running
from tests.bench.rooms import READINGS_PER_S, loaded_room, trip_room
from tests.bench.worldside import BenchFailed, WorldSide

STREAMS = 10
_APART_S = (0.045, 0.080)
"""Between two trips of one side; its smoke clears a quarter of that later."""
_WARM_UP = 20

Pair = tuple[list[float], list[float]]


def idle(folder: Path, count: int) -> Pair:
    """Return the trips of Roomwarden and of the bare script on a quiet machine, in ms."""
    config = trip_room(folder)
    with guarded(folder, config) as (ours, _), bare(folder) as (floor, _):
        return _trips(ours, floor, count)


def loaded(folder: Path, count: int) -> Pair:
    """Return the trips of both while 200 readings a second come in, ten people watch the panel,
    one of them looks at charts, and the disk takes 200 ms for each sync."""
    config, port = loaded_room(folder)
    shim = slow_disk(folder)
    slowly = {"LD_PRELOAD": str(shim)}
    with contextlib.ExitStack() as stack:
        ours, controller = stack.enter_context(
            guarded(folder, config, command=BUSY_ROOMWARDEN, env=slowly)
        )
        if shim.name not in Path(f"/proc/{controller.pid}/maps").read_text(encoding="utf-8"):
            raise BenchFailed("the slow disk is not in front of the controller's")
        stack.enter_context(healthy_panel(folder, config, port, BUSY_ROOMWARDEN))
        watching = stack.enter_context(viewers(folder, port, STREAMS, "air-0.temperature"))
        floor, _ = stack.enter_context(bare(folder))
        began_ms = int(time.time() * 1000)
        taken = _trips(ours, floor, count)
        watching.check()
    _check_load(folder / "room.db", began_ms)
    return taken


@contextlib.contextmanager
def guarded(
    folder: Path,
    config: Path,
    *,
    command: Sequence[str] = ROOMWARDEN,
    env: dict[str, str] | None = None,
) -> Iterator[tuple[WorldSide, Child]]:
    """A controller of the room `config`, with the bench as its world."""
    world = WorldSide(run_dir(folder / "room.db") / "world.sock")
    try:
        with running([*command, "run", config], folder / "run.log", env) as controller:
            world.wait_for_client()
            world.wait_for_relay(False)
            controller.wait_until(lambda: _door_answers(folder), "the first scan")
            yield world, controller
    finally:
        world.close()


@contextlib.contextmanager
def bare(folder: Path) -> Iterator[tuple[WorldSide, Child]]:
    """The bare script, with the bench as its world."""
    world = WorldSide(folder / "bare.sock")
    try:
        with running([*BARE, world.path], folder / "bare.log") as script:
            world.wait_for_client()
            world.wait_for_relay(False)
            time.sleep(0.2)  # its button is claimed after its relay, and says nothing of it
            yield world, script
    finally:
        world.close()


def _trips(ours: WorldSide, floor: WorldSide, count: int) -> Pair:
    taken: Pair = ([], [])
    apart = random.Random(1)
    gc.disable()
    try:
        due_s = time.monotonic()
        for number in range(_WARM_UP + count):
            quarter_s = apart.uniform(*_APART_S) / 4
            for side, trips in zip((ours, floor), taken, strict=True):
                _sleep_until(due_s)
                took_ms = side.trip()
                if number >= _WARM_UP:
                    trips.append(took_ms)
                _sleep_until(due_s + quarter_s)
                side.clear()
                due_s = max(due_s + 2 * quarter_s, time.monotonic())
    finally:
        gc.enable()
    return taken


def _sleep_until(due_s: float) -> None:
    time.sleep(max(due_s - time.monotonic(), 0.0))


def _door_answers(folder: Path) -> bool:
    from controller.client import Door, DoorClosed

    try:
        Door(run_dir(folder / "room.db")).state()
    except (DoorClosed, OSError):
        return False
    return True


def _check_load(store: Path, began_ms: int) -> None:
    """Raises: BenchFailed when the readings did not come as often as they should."""
    with contextlib.closing(sqlite3.connect(store)) as con:
        count, last_ms = con.execute(
            "SELECT count(*), max(at) FROM reading JOIN series ON series.id = reading.series"
            " WHERE at >= ? AND point LIKE 'air-%'",
            (began_ms,),
        ).fetchone()
    per_s = 1000 * count / (last_ms - began_ms) if count else 0.0
    told = f"{per_s:.0f} of {READINGS_PER_S} readings a second came in"
    print(told, file=sys.stderr)
    # A host that takes the CPU away (steal) costs both sides; half the load is still a load.
    if per_s < 0.5 * READINGS_PER_S:
        raise BenchFailed(told)


def slow_disk(folder: Path) -> Path:
    """Compile what makes a disk slow, and return the library to preload."""
    shim = folder / "slowdisk.so"
    source = BENCH / "slowdisk.c"
    subprocess.run(
        ["gcc", "-O2", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True, timeout=60
    )
    return shim
