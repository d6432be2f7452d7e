"""From the mains' failure to the judgement, by the contact and by a UPS polled each second; and a
whole outage with its return in virtual time."""

from __future__ import annotations

import statistics
import time
from datetime import datetime
from pathlib import Path

from controller.client import Door, DoorClosed
from controller.rundir import run_dir
from simulators import control
from tests.bench.processes import ROOMWARDEN, running
from tests.bench.rooms import power_room
from tests.bench.table import Row
from tests.bench.worldside import BenchFailed

TRIALS = 12
_LONGEST_S = 20.0

# What the issue asks is 0.1 s and 2 s at most; the design's goals are 0.1 s and 0.6 s.
BY_CONTACT_TARGET_S = 0.1
BY_POLL_TARGET_S = 0.6


def rows(folder: Path) -> list[Row]:
    """Let the mains fail and return `TRIALS` times in each of two rooms."""
    by_contact = _judged(folder / "contact", True)
    by_poll = _judged(folder / "poll", False)
    return [
        Row("mains lost to judged, by its contact, p50", statistics.median(by_contact), "s",
            target=BY_CONTACT_TARGET_S),
        Row("mains lost to judged, by its contact, max", max(by_contact), "s"),
        Row("mains lost to judged, UPS polled each second, p50", statistics.median(by_poll), "s",
            target=BY_POLL_TARGET_S),
        Row("mains lost to judged, UPS polled each second, max", max(by_poll), "s", target=2.0),
    ]  # fmt: skip


def _judged(folder: Path, contact: bool) -> list[float]:
    folder.mkdir()
    config = power_room(folder, contact)
    run = run_dir(folder / "room.db")
    world = run / "world.sock"
    took = []
    try:
        with running([*ROOMWARDEN, "run", config], folder / "run.log"):
            door = Door(run / "door.sock")
            _until(door, "mains")
            for trial in range(TRIALS):
                # Not in step with the polls.
                time.sleep(0.5 + 0.37 * (trial % 5))
                failed_s = time.time()
                control.sim(world, "mains", "off")
                took.append(_until(door, "outage") - failed_s)
                control.sim(world, "mains", "on")
                _until(door, "mains")
    finally:
        control.end(world)
    return took


def _until(door: Door, state: str) -> float:
    """Wait for a judgement; return when it was made, by its event's own stamp."""
    end_s = time.monotonic() + _LONGEST_S
    while time.monotonic() < end_s:
        try:
            power = door.state()["plan"]["power"]
        except DoorClosed:
            power = None
        if power is not None and power["state"] == state:
            return datetime.fromisoformat(power["since"]).timestamp()
        time.sleep(0.02)
    raise BenchFailed(f"the room was not judged {state} within {_LONGEST_S:g} s")
