from __future__ import annotations

import time

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

from controller.core.parts import DeviceUnreachable
from drivers import relay


class WatchedPin(MockPin):
    """A pin that remembers each level at which it was driven, in order.

    It claims a line together with its level, as the Pi's pins do.
    """

    def __init__(self, factory, info):
        self.driven = []
        super().__init__(factory, info)

    def output_with_state(self, state):
        self._function = "output"
        self._set_state(state)

    def _set_function(self, value):
        super()._set_function(value)
        self.driven.append(value)

    def _set_state(self, value):
        super()._set_state(value)
        self.driven.append(bool(value))


@pytest.fixture
def watched(bench):
    bench.pins = MockFactory(pin_class=WatchedPin)
    return bench


def config(active: str = "high") -> relay.Config:
    return relay.Config(id="siren", role="siren", pin=12, active=active)


@pytest.mark.parametrize(
    ("active", "energised", "level"),
    [("high", True, True), ("high", False, False), ("low", True, False), ("low", False, True)],
)
class TestLevels:
    def test_a_line_is_claimed_with_its_level_and_left_with_it(
        self, watched, active, energised, level
    ):
        coil = relay.open_device(config(active), watched, energised)
        pin = watched.pins.pin(12)
        assert pin.driven == [level]
        coil.close()
        assert pin.driven == [level, "input"]  # what a mock pin does at its end
        assert pin.state is level

    def test_a_coil_is_driven_at_the_level_of_its_relay_board(
        self, watched, opened, active, energised, level
    ):
        coil = opened(relay.open_device(config(active), watched, not energised))
        coil.drive(energised)
        coil.drive(energised)
        coil.drive(not energised)
        assert watched.pins.pin(12).driven == [not level, level, level, not level]


@pytest.mark.parametrize("energised", [True, False])
def test_gpiozeros_own_mock_pins_end_at_the_wanted_level(bench, opened, energised):
    opened(relay.open_device(config("low"), bench, energised))
    assert bench.pins.pin(12).state is not energised
    assert Device.pin_factory is None


def test_a_line_can_be_claimed_again_after_it_was_closed(watched, opened):
    relay.open_device(config(), watched, True).close()
    coil = opened(relay.open_device(config(), watched, True))
    coil.drive(False)
    assert watched.pins.pin(12).state is False


def test_a_pin_that_is_taken_is_named(bench, opened):
    opened(relay.open_device(config(), bench, False))
    with pytest.raises(DeviceUnreachable, match=r"GPIO 12: .*in use"):
        relay.open_device(config(), bench, True)


def test_a_closed_relay_refuses_to_be_driven(bench):
    coil = relay.open_device(config(), bench, False)
    coil.close()
    with pytest.raises(DeviceUnreachable, match="relay: "):
        coil.drive(True)


def test_an_intermittent_coil_turns_and_is_steady_again_at_once(watched, monkeypatch) -> None:
    monkeypatch.setattr(relay, "TURN_S", 0.01)
    coil = relay.open_device(config(), watched, False)
    pin = watched.pins.pin(12)
    coil.drive(True, intermittent=True)
    assert pin.state
    claimed = len(pin.driven)
    until_s = time.monotonic() + 5.0
    while len(pin.driven) < claimed + 4 and time.monotonic() < until_s:
        time.sleep(0.005)
    assert pin.driven[claimed:][:4] == [False, True, False, True]
    coil.drive(True)
    driven = list(pin.driven)
    # Several turns later: only time can show that nothing turns any more.
    time.sleep(0.05)
    assert pin.driven == driven
    assert pin.state
    coil.close()
