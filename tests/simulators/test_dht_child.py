"""The child's line in the world, and the child as the process that it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.core.parts import DeviceError
from drivers.child import Child
from drivers.dht22 import Dht22
from simulators import control
from simulators.dht_child import Line, open_sensor
from simulators.pins import WorldPins


def test_a_line_without_a_world_has_nobody_on_it_until_there_is_one(
    start_world: Callable[..., Path], tmp_path: Path
) -> None:
    line = Line(tmp_path / "world.sock", "rack-air")
    assert len(line.pulses()) == 0
    start_world()
    assert len(line.pulses()) == 81
    line.close()


def test_a_sensor_that_the_world_does_not_have_says_so(pins: WorldPins) -> None:
    line = Line(pins._path, "no-air")
    with pytest.raises(RuntimeError, match="'no-air' is not a simulated sensor of this room"):
        open_sensor("dht22", line, pace=1.0).measure()
    line.close()


def test_the_vendors_time_runs_at_the_rooms_pace(pins: WorldPins) -> None:
    line = Line(pins._path, "rack-air")
    sensor = open_sensor("dht22", line, pace=1e6)
    sensor.measure()
    first = sensor.temperature
    control.sim(pins._path, "rack-air.temperature", str(first + 20))
    # Within 2 s of its own time it would repeat itself.
    assert sensor.temperature == pytest.approx(first + 20, abs=0.11)
    line.close()


@pytest.fixture
def sensor(start_world: Callable[..., Path]) -> Iterator[tuple[Path, Dht22]]:
    path = start_world(pace=25.0)
    command = [sys.executable, "-m", "simulators.dht_child", "--world", str(path)]
    command += ["--part", "rack-air", "--kind", "dht22", "--pace", "25", "--period", "2.5"]
    driver = Dht22(Child(command))
    yield path, driver
    driver.close()


def read_again(driver: Dht22) -> str:
    """Say what a read brings, in words."""
    try:
        driver.read()
    except DeviceError as error:
        return f"{type(error).__name__}: {error}"
    return "a reading"


@pytest.mark.system
def test_the_real_driver_reads_what_the_world_holds_within_a_step(
    sensor: tuple[Path, Dht22],
) -> None:
    path, driver = sensor
    driver.read()
    for temperature_c, humidity_pct in ((23.4, 51.2), (35.0, 20.0), (-7.5, 88.8)):
        control.sim(path, "rack-air.temperature", str(temperature_c))
        control.sim(path, "rack-air.humidity", str(humidity_pct))
        driver.read()  # may have been measured before the change
        said = driver.read()
        assert said["temperature_c"] == pytest.approx(temperature_c, abs=0.101)
        assert said["humidity_pct"] == pytest.approx(humidity_pct, abs=0.101)


@pytest.mark.system
def test_each_fault_reaches_the_real_driver_and_normal_undoes_it(
    sensor: tuple[Path, Dht22],
) -> None:
    path, driver = sensor
    driver.read()
    for fault, complaint in (
        ("silent", "DeviceTimeout: DHT sensor not found"),
        ("garbage", "BadReply: Checksum did not validate"),
        ("short", "BadReply: A full buffer was not returned"),
        ("zeros", "BadReply: only zeros"),
        ("normal", "a reading"),
    ):
        control.sim(path, "rack-air", fault)
        read_again(driver)  # may have been measured before the change
        assert read_again(driver).startswith(complaint)


@pytest.mark.system
def test_the_child_prints_nothing_but_its_lines_and_ends_with_its_input(pins: WorldPins) -> None:
    command = [sys.executable, "-m", "simulators.dht_child", "--world", str(pins._path)]
    ended = subprocess.run(
        [*command, "--part", "rack-air", "--kind", "dht22"],
        input=b"",
        capture_output=True,
        timeout=20.0,
        check=True,
    )
    assert ended.stderr == b""
    lines = ended.stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(b'{"temperature_c": ')
