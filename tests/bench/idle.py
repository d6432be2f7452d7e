"""What each process uses while nothing happens: the example room with a broker and a panel."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from controller.client import Door, DoorClosed
from controller.rundir import run_dir
from tests.bench.panel import healthy_panel, viewers
from tests.bench.processes import (
    ROOMWARDEN,
    Use,
    child_of,
    end_process,
    running,
    use,
)
from tests.bench.rooms import lakeside
from tests.bench.table import Row
from tests.bench.trips import bare
from tests.bench.worldside import BenchFailed

VIEWERS = 20
_SETTLE_S = 5.0
_TARGETS = {"controller": (0.30, 45.0), "panel, 20 viewers": (None, 60.0)}
"""CPU seconds a minute and MB, design section 11; of the controller, with nobody watching."""


def rows(folder: Path, seconds: float) -> list[Row]:
    """Measure each process for `seconds`, first with nobody before the panel, then with 20."""
    config, panel_port, broker_port = lakeside(folder)
    world: int | None = None
    try:
        with contextlib.ExitStack() as stack:
            _start_broker(stack, folder, broker_port)
            controller = stack.enter_context(running([*ROOMWARDEN, "run", config], folder / "run"))
            door = run_dir(folder / "room.db") / "door.sock"
            controller.wait_until(door.exists, "the door")
            controller.wait_until(lambda: _is_working(Door(door)), "a sensor, projector and feed")
            world = child_of(controller.pid, "firmware.main world")
            panel = stack.enter_context(healthy_panel(folder, config, panel_port))
            _, script = stack.enter_context(bare(folder))
            processes = {
                "bare script": script.pid,
                "controller": controller.pid,
                "DHT child": child_of(controller.pid, "dht_child"),
                "world": world,
                "panel": panel.pid,
            }
            measured = _measure(processes, seconds)
            stack.enter_context(viewers(folder, panel_port, VIEWERS))
            watched = {"controller, 20 viewers": controller.pid, "panel, 20 viewers": panel.pid}
            measured += _measure(watched, seconds)
            return measured
    finally:
        if world is not None:
            end_process(world)  # it outlives the controller on purpose


def _is_working(door: Door) -> bool:
    """Whether what is said to be idle is really there: sensor, projector and broker."""
    try:
        state = door.state()
    except DoorClosed:
        return False
    good = {point["id"] for point in state["points"] if point["quality"] == "good"}
    return {"rack-air.temperature", "hall.power"} <= good and bool(state["feed"]["connected"])


def _measure(processes: Mapping[str, int], seconds: float) -> list[Row]:
    time.sleep(_SETTLE_S)
    began = {name: use(pid) for name, pid in processes.items()}
    time.sleep(seconds)
    ended = {name: use(pid) for name, pid in processes.items()}
    return [row for name in processes for row in _rows(name, began[name], ended[name], seconds)]


def _rows(name: str, began: Use, ended: Use, seconds: float) -> list[Row]:
    cpu_target, memory_target = _TARGETS.get(name, (None, None))
    cpu_s = (ended.cpu_s - began.cpu_s) * 60.0 / seconds
    return [
        Row(f"idle CPU, {name}", cpu_s, "s/min", target=cpu_target),
        Row(f"idle RSS, {name}", ended.rss_mb, "MB", target=memory_target),
        Row(f"idle PSS, {name}", ended.pss_mb, "MB"),
    ]


def _start_broker(stack: contextlib.ExitStack, folder: Path, port: int) -> None:
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        raise BenchFailed("mosquitto is not installed")
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="ascii")
    stack.enter_context(running([program, "-c", config], folder / "mosquitto.log"))
