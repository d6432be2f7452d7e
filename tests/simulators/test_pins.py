"""Real gpiozero devices on pins that mirror a world behind a real socket."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from gpiozero import DigitalInputDevice, OutputDevice

from simulators import control
from simulators.pins import WorldPins
from simulators.subjects import Refused

Eventually = Callable[..., None]


def path_of(pins: WorldPins) -> Path:
    return pins._path


def edges_of(path: Path, pin: int) -> list[bool]:
    return [high for _, number, high in control.wire_log(path) if number == pin]


def test_an_input_shows_its_wires_level_from_the_first_moment(pins: WorldPins) -> None:
    assert DigitalInputDevice(18, pull_up=True, pin_factory=pins).value == 1
    assert DigitalInputDevice(17, pull_up=True, pin_factory=pins).value == 0


def test_a_pin_without_a_wire_follows_its_pull(pins: WorldPins) -> None:
    assert DigitalInputDevice(5, pull_up=True, pin_factory=pins).pin.state is True
    assert DigitalInputDevice(6, pull_up=False, pin_factory=pins).pin.state is False


def test_edges_arrive_on_the_one_reader_thread(pins: WorldPins, eventually: Eventually) -> None:
    door = DigitalInputDevice(22, pull_up=True, pin_factory=pins)
    seen: list[tuple[str, int]] = []
    door.when_deactivated = lambda: seen.append((threading.current_thread().name, door.value))
    door.when_activated = lambda: seen.append((threading.current_thread().name, door.value))
    control.sim(path_of(pins), "front-door", "open")
    eventually(lambda: len(seen) == 1)
    control.sim(path_of(pins), "front-door", "closed")
    eventually(lambda: len(seen) == 2)
    assert seen == [("world-pins", 0), ("world-pins", 1)]


def test_a_callback_that_fails_does_not_end_the_edges(
    pins: WorldPins, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    door = DigitalInputDevice(22, pull_up=True, pin_factory=pins)
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise ZeroDivisionError

    door.when_deactivated = fail
    for _ in range(3):
        control.sim(path_of(pins), "front-door", "open")
        control.sim(path_of(pins), "front-door", "closed")
    eventually(lambda: len(calls) == 3)
    assert "an edge of GPIO 22 could not be handled" in caplog.text


def test_an_output_is_claimed_in_one_step_and_then_followed(
    pins: WorldPins, eventually: Eventually
) -> None:
    path = path_of(pins)
    relay = OutputDevice(16, active_high=False, initial_value=False, pin_factory=pins)
    eventually(lambda: edges_of(path, 16) == [True])
    relay.on()
    relay.on()
    eventually(lambda: edges_of(path, 16) == [True, False])
    relay.off()
    eventually(lambda: edges_of(path, 16) == [True, False, True])


def test_a_relay_on_one_pin_moves_the_proof_on_another(
    pins: WorldPins, eventually: Eventually
) -> None:
    proof = DigitalInputDevice(24, pull_up=True, pin_factory=pins)
    cut = OutputDevice(16, pin_factory=pins)
    assert proof.value == 0
    cut.on()
    eventually(lambda: proof.value == 1)


def test_a_bounce_reaches_the_callbacks_as_edges(pins: WorldPins, eventually: Eventually) -> None:
    smoke = DigitalInputDevice(17, pull_up=True, pin_factory=pins)
    seen: list[bool] = []
    smoke.when_activated = lambda: seen.append(True)
    smoke.when_deactivated = lambda: seen.append(False)
    control.sim(path_of(pins), "smoke-1", "bounce")
    eventually(lambda: len(seen) == 7)
    assert seen == [True, False, True, False, True, False, True]
    assert smoke.value == 1


def test_a_closed_line_keeps_its_level_in_the_world(
    pins: WorldPins, eventually: Eventually
) -> None:
    path = path_of(pins)
    relay = OutputDevice(12, initial_value=True, pin_factory=pins)
    eventually(lambda: edges_of(path, 12) == [True])
    relay.close()
    door = DigitalInputDevice(22, pull_up=True, pin_factory=pins)
    control.sim(path, "front-door", "open")
    eventually(lambda: door.value == 0)
    assert control.truth(path)["lines"]["12"] is True


def test_pins_keep_their_levels_without_a_world_and_tell_the_next_one_all(
    start_world: Callable[..., Path], tmp_path: Path, eventually: Eventually
) -> None:
    path = start_world()
    pins = WorldPins(path)
    try:
        door = DigitalInputDevice(22, pull_up=True, pin_factory=pins)
        siren = OutputDevice(12, initial_value=True, pin_factory=pins)
        light = OutputDevice(19, pin_factory=pins)
        eventually(lambda: "12" in control.truth(path)["lines"])
        # The way to the world is cut from this side: the world itself ends alone.
        other = start_world(name="other.sock")
        control.sim(other, "front-door", "open")
        pins._path = tmp_path / "nowhere.sock"
        assert pins._sock is not None
        pins._sock.shutdown(2)
        eventually(lambda: not pins.connected)
        assert (door.value, siren.value) == (1, 1)
        light.on()
        pins._path = other
        eventually(lambda: pins.connected)
        eventually(lambda: door.value == 0)
        eventually(lambda: control.truth(other)["lines"] == {"12": True, "19": True})
    finally:
        pins.close()


def test_no_world_is_a_connection_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"no simulated world answers on .*world\.sock"):
        WorldPins(tmp_path / "world.sock", wait_s=0.1)


def test_a_closed_factory_is_no_longer_connected(pins: WorldPins) -> None:
    assert pins.connected
    pins.close()
    assert not pins.connected


def test_an_unsynchronised_clock_is_told_to_the_pins(
    pins: WorldPins, eventually: Eventually
) -> None:
    assert pins.synchronised
    control.sim(path_of(pins), "clock", "unsynchronised")
    eventually(lambda: not pins.synchronised)
    control.sim(path_of(pins), "clock", "normal")
    eventually(lambda: pins.synchronised)


def test_sim_names_what_may_be_said(pins: WorldPins) -> None:
    with pytest.raises(Refused, match="front-door: 'ajar' is not one of open, closed, on, off"):
        control.sim(path_of(pins), "front-door", "ajar")
