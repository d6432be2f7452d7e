"""The world as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gpiozero import DigitalInputDevice, OutputDevice

from simulators import control
from simulators.pins import WorldPins

pytestmark = pytest.mark.system

Eventually = Callable[..., None]

PROGRAM = """
import sys
from pathlib import Path
from controller.clock import Clock
from controller.config.schema import BoardConfig, Room, RoomFile
from drivers import contact, relay
from simulators.server import serve

serve(
    RoomFile(
        room=Room(site="lakeside-school", id="server-room", name="Server room", timezone="UTC"),
        board=BoardConfig(kind="simulated"),
        inputs=(contact.Config(id="front-door", role="door", pin=22),),
        outputs=(relay.Config(id="siren", role="siren", pin=12),),
    ),
    Path(sys.argv[1]),
    Clock(),
)
"""

CONTROLLER = """
import sys
from pathlib import Path
from gpiozero import OutputDevice
from simulators.pins import WorldPins

pins = WorldPins(Path(sys.argv[1]))
OutputDevice(12, initial_value=True, pin_factory=pins)
print("driven", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a program on the test's socket; what still runs in the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(program: str = PROGRAM) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program, str(tmp_path / "world.sock")]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "world.sock"


def test_sigterm_ends_the_world_cleanly(
    start: Callable[..., subprocess.Popen[str]], path: Path
) -> None:
    world = start()
    WorldPins(path, wait_s=20.0).close()
    world.send_signal(signal.SIGTERM)
    assert world.wait(5.0) == 0
    assert not path.exists()


def test_a_second_world_process_ends_with_what_is_wrong(
    start: Callable[..., subprocess.Popen[str]], path: Path
) -> None:
    start()
    WorldPins(path, wait_s=20.0).close()
    second = start()
    _, complaint = second.communicate(timeout=20.0)
    assert second.returncode == 1
    assert f"WorldTaken: a world already runs on {path}" in complaint
    assert control.truth(path)["contacts"]["front-door"]["value"] is False


def test_pins_follow_a_world_that_is_killed_and_started_again(
    start: Callable[..., subprocess.Popen[str]], path: Path, eventually: Eventually
) -> None:
    first = start()
    pins = WorldPins(path, wait_s=20.0)
    try:
        door = DigitalInputDevice(22, pull_up=True, pin_factory=pins)
        siren = OutputDevice(12, initial_value=True, pin_factory=pins)
        control.sim(path, "front-door", "open")
        eventually(lambda: door.value == 0)
        first.kill()
        first.wait()
        eventually(lambda: not pins.connected)
        assert (door.value, siren.value) == (0, 1)
        start()
        eventually(lambda: pins.connected, within_s=20.0)
        eventually(lambda: door.value == 1)  # the new world's door is shut
        eventually(lambda: control.truth(path)["lines"] == {"12": True})
    finally:
        pins.close()


def test_the_world_keeps_the_lines_of_a_killed_controller(
    start: Callable[..., subprocess.Popen[str]], path: Path
) -> None:
    start()
    WorldPins(path, wait_s=20.0).close()
    controller = start(CONTROLLER)
    assert controller.stdout is not None
    assert controller.stdout.readline() == "driven\n"
    control_before = control.truth(path)["lines"]
    controller.kill()
    controller.wait()
    assert control_before == control.truth(path)["lines"] == {"12": True}
    assert control.truth(path)["outputs"]["siren"]["on"] is True
