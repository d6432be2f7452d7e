"""The bench's own arithmetic, and the form in which it says what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero import Button, OutputDevice

from controller.config.read import read_room
from firmware.kinds import kinds
from hardware.wiring import check_wiring
from simulators.pins import WorldPins
from tests.bench.kinds import bench_climate
from tests.bench.processes import environment, use
from tests.bench.rooms import RELAY_PIN, SENSORS, SMOKE_PIN, lakeside, loaded_room, trip_room
from tests.bench.table import Row, markdown, percentile, trip_rows
from tests.bench.trips import slow_disk
from tests.bench.worldside import BenchFailed, WorldSide

TRIP = Row("smoke to relay", 0.3, "ms", 0.1, 2.0)
MEMORY = Row("memory", 41.26, "MB", target=45.0)
PLAIN = Row("readings", 20000, "readings")


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(50, 50), (99, 99), (99.1, 100), (100, 100), (1, 1), (0.5, 1)],
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([float(one) for one in range(100, 0, -1)], percent) == expected


def test_the_percentiles_of_a_single_trip_are_that_trip() -> None:
    assert [percentile([7.0], percent) for percent in (1, 50, 100)] == [7.0, 7.0, 7.0]


@pytest.mark.parametrize(
    ("row", "ratio", "is_over"),
    [
        pytest.param(Row("a", 0.4, "ms", 0.2, 2.0), 2.0, False, id="ratio at its ceiling"),
        pytest.param(Row("a", 0.41, "ms", 0.2, 2.0), 2.05, True, id="ratio above it"),
        pytest.param(Row("a", 3.0, "ms", 2.0, 2.0), 1.5, False, id="value does not count"),
        pytest.param(Row("a", 45.0, "MB", target=45.0), None, False, id="value at its ceiling"),
        pytest.param(Row("a", 45.1, "MB", target=45.0), None, True, id="value above it"),
        pytest.param(Row("a", 9.0, "ms", 1.0), 9.0, False, id="nothing promised"),
    ],
)
def test_a_target_is_a_ceiling_on_the_ratio_or_else_on_the_value(
    row: Row, ratio: float | None, is_over: bool
) -> None:
    assert row.ratio == (None if ratio is None else pytest.approx(ratio))
    assert row.is_over is is_over


def test_trips_become_three_rows_beside_the_floor() -> None:
    rows = trip_rows("idle", [2.0, 4.0, 6.0], [1.0, 1.0, 3.0], {50: 2.0})
    assert rows == [
        Row("smoke to relay, idle, p50", 4.0, "ms", 1.0, 2.0),
        Row("smoke to relay, idle, p99", 6.0, "ms", 3.0),
        Row("smoke to relay, idle, max", 6.0, "ms", 3.0),
    ]


def test_the_table_shows_ratio_target_and_verdict() -> None:
    assert markdown([TRIP, MEMORY, PLAIN]).splitlines() == [
        "| measured | Roomwarden | bare script | ratio | target | |",
        "|---|---:|---:|---:|---:|---|",
        "| smoke to relay | 0.3 ms | 0.1 ms | 3.00 | 2x | **over** |",
        "| memory | 41.3 MB |  |  | 45 MB | kept |",
        "| readings | 20000 readings |  |  |  |  |",
    ]


def test_bench_json_has_the_six_members_of_the_contract() -> None:
    said = json.loads(json.dumps([TRIP.as_json(), PLAIN.as_json()]))
    assert said == [
        {
            "name": "smoke to relay",
            "value": 0.3,
            "unit": "ms",
            "floor": 0.1,
            "ratio": pytest.approx(3.0),
            "target": 2.0,
        },
        {
            "name": "readings",
            "value": 20000,
            "unit": "readings",
            "floor": None,
            "ratio": None,
            "target": None,
        },
    ]


def test_the_measured_rooms_have_no_faults(tmp_path: Path) -> None:
    known = kinds()
    known["input"] = {**known["input"], "bench-climate": bench_climate.Config}
    trip = read_room(trip_room(tmp_path), known, [check_wiring])
    assert [float(part.debounce) for part in trip.inputs] == [0.0]  # type: ignore[attr-defined]
    busy = read_room(loaded_room(tmp_path)[0], known, [check_wiring])
    assert len(busy.inputs) == 1 + SENSORS
    path, panel_port, broker_port = lakeside(tmp_path)
    example = read_room(path, known, [check_wiring])
    assert example.panel.listen == f"127.0.0.1:{panel_port}"
    assert example.feed is not None
    assert example.feed.url == f"mqtt://127.0.0.1:{broker_port}"


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[tuple[WorldSide, OutputDevice]]:
    """The bench's side of the pins, and a script's relay and button on them."""
    world = WorldSide(tmp_path / "world.sock")
    waiting = threading.Thread(target=world.wait_for_client, daemon=True)
    waiting.start()
    pins = WorldPins(world.path)
    waiting.join(5.0)
    relay = OutputDevice(RELAY_PIN, pin_factory=pins)
    smoke = Button(SMOKE_PIN, pull_up=False, bounce_time=None, pin_factory=pins)
    smoke.when_pressed = relay.on
    smoke.when_released = relay.off
    yield world, relay
    pins.close()
    world.close()


def test_a_trip_ends_when_the_relay_follows(wired: tuple[WorldSide, OutputDevice]) -> None:
    world, relay = wired
    world.wait_for_relay(False)
    began_s = time.perf_counter()
    took_ms = world.trip()
    assert 0 < took_ms <= (time.perf_counter() - began_s) * 1000
    assert relay.value == 1
    world.clear()
    assert relay.value == 0


def test_a_trip_does_not_count_when_the_relay_was_on_before(
    wired: tuple[WorldSide, OutputDevice],
) -> None:
    world, relay = wired
    world.wait_for_relay(False)
    relay.on()
    with pytest.raises(BenchFailed, match="not released before"):
        world.trip()


def test_a_script_that_has_gone_fails_the_bench(wired: tuple[WorldSide, OutputDevice]) -> None:
    world, relay = wired
    world.wait_for_relay(False)
    relay.pin_factory.close()
    with pytest.raises(BenchFailed, match="has gone"):
        world.trip()


def test_use_counts_the_seconds_that_a_process_has_computed() -> None:
    before = use(os.getpid())
    until_s = time.process_time() + 0.1
    while time.process_time() < until_s:
        pass
    after = use(os.getpid())
    assert 0.08 <= after.cpu_s - before.cpu_s <= 0.3
    assert 5 < after.pss_mb <= after.rss_mb


def test_children_keep_their_compiled_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in environment()


@pytest.mark.system
@pytest.mark.parametrize("sync", ["fsync", "fdatasync"])
def test_the_slow_disk_takes_200_ms_for_a_sync(tmp_path: Path, sync: str) -> None:
    script = (
        "import os, sys, time\n"
        "with open(sys.argv[1], 'w') as file:\n"
        "    began_s = time.monotonic()\n"
        f"    os.{sync}(file.fileno())\n"
        "    print(time.monotonic() - began_s)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "file"],
        env=environment() | {"LD_PRELOAD": str(slow_disk(tmp_path))},
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert 0.2 <= float(said.stdout) < 2.0
