"""The real drivers and gpiozero's own lgpio code, above a model of lgpio and its lines."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest
from gpiozero import DigitalInputDevice, OutputDevice
from gpiozero.pins.local import LocalPiFactory

from controller.core.parts import DeviceUnreachable
from drivers import contact, gpio, relay

pytestmark = pytest.mark.slow

IS_OUT, PULL_UP, PULL_NONE = 2, 32, 128
RPI4_REVISION = 0xC03111  # a Pi 4B, so that gpiozero knows the header


class Lgpio(ModuleType):
    """lgpio's functions, and beneath them the lines of a Pi 4, which keep their level when
    released. `calls` has every claim, write and release of a line, in order."""

    SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = PULL_UP, 64, PULL_NONE
    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3

    class error(Exception):  # lgpio's own name
        pass

    def __init__(self, labels: dict[int, str]) -> None:
        super().__init__("lgpio")
        self.labels = labels
        self.calls: list[tuple] = []
        self.modes: dict[int, int] = {}
        self.levels: dict[int, int] = {}
        self.handlers: dict[int, object] = {}
        self.open_chips: list[int] = []
        self.broken = False
        self._notify_thread = threading.Thread(target=threading.Event().wait, daemon=True)

    def gpiochip_open(self, number):
        if number not in self.labels:
            raise self.error("can not open gpiochip")
        self.open_chips.append(number)
        return number

    def gpiochip_close(self, handle):
        self.open_chips.remove(handle)

    def gpio_get_chip_info(self, handle):
        return [0, 58, f"gpiochip{handle}", self.labels[handle]]

    def gpio_claim_input(self, handle, line, flags=0):
        self._ask(line)
        self.calls.append(("input", line))
        self.modes[line] = flags

    def gpio_claim_output(self, handle, line, level=0, flags=0):
        self._ask(line)
        self.calls.append(("output", line, level))
        self.modes[line] = IS_OUT | flags
        self.levels[line] = level

    def gpio_claim_alert(self, handle, line, edges, flags=0):
        self._ask(line)
        self.calls.append(("alert", line, flags))
        self.modes[line] = flags

    def gpio_free(self, handle, line):
        self.calls.append(("free", line))

    def gpio_write(self, handle, line, level):
        self._ask(line)
        assert self.modes[line] & IS_OUT
        self.calls.append(("write", line, int(level)))
        self.levels[line] = int(level)

    def gpio_read(self, handle, line):
        self._ask(line)
        return self.levels.get(line, 1 if self.modes.get(line, 0) & PULL_UP else 0)

    def gpio_get_mode(self, handle, line):
        return self.modes.get(line, 0)

    def gpio_set_debounce_micros(self, handle, line, micros):
        assert micros == 0, "the debounce is ours"

    def callback(self, handle, line, edges, func):
        self.handlers[line] = func
        module = self

        class Registered:
            def cancel(self):
                module.handlers.pop(line, None)

        return Registered()

    def _ask(self, line):
        if self.broken:
            raise self.error(f"GPIO {line} does not answer")

    def edge(self, line, level):
        """A change on the wire, brought by lgpio's thread."""
        self.levels[line] = level
        if line in self.handlers:
            self.handlers[line](0, line, level, 1_000_000)

    def of(self, line):
        return [call for call in self.calls if call[1] == line]


def forget_library():
    sys.modules.pop("gpiozero.pins.lgpio", None)
    LocalPiFactory.pins.clear()
    LocalPiFactory._reservations.clear()


@pytest.fixture
def lgpio(monkeypatch):
    module = Lgpio({0: "raspberrypi-exp-gpio", 4: "pinctrl-bcm2711"})
    monkeypatch.setitem(sys.modules, "lgpio", module)
    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", lambda: RPI4_REVISION)
    forget_library()
    yield module
    module.broken = False
    gc.collect()
    forget_library()


@pytest.fixture
def devices(tmp_path):
    for name in ("gpiochip0", "gpiochip4", "gpiomem", "gpiochip2"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def board(bench, lgpio, devices):
    bench.kind = "rpi4"
    bench.pins = gpio.open_pins("rpi4", devices)
    return bench


def siren(active):
    return relay.Config(id="siren", role="siren", pin=12, active=active)


LEVELS = pytest.mark.parametrize(
    ("active", "energised", "level"),
    [("high", True, 1), ("high", False, 0), ("low", True, 0), ("low", False, 1)],
)


@LEVELS
def test_a_relay_is_claimed_once_with_its_level_and_closed_without_a_touch(
    board, lgpio, active, energised, level
):
    coil = relay.open_device(siren(active), board, energised)
    assert lgpio.of(12) == [("output", 12, level)]
    coil.close()
    board.pins.close()
    assert lgpio.of(12) == [("output", 12, level)]
    assert lgpio.open_chips == []


@LEVELS
def test_a_program_that_ends_without_closing_leaves_the_line_alone(
    board, lgpio, active, energised, level
):
    coil = relay.open_device(siren(active), board, energised)
    del coil
    gc.collect()  # gpiozero closes a device that nobody holds
    assert lgpio.of(12) == [("output", 12, level)]


@LEVELS
def test_a_restart_claims_a_held_relay_with_its_level_and_never_as_an_input(
    board, lgpio, devices, active, energised, level
):
    relay.open_device(siren(active), board, energised).close()
    board.pins.close()
    board.pins = gpio.open_pins("rpi4", devices)
    relay.open_device(siren(active), board, energised)
    assert lgpio.of(12) == [("output", 12, level)] * 2


def test_a_coil_is_driven_by_one_write(board, lgpio):
    coil = relay.open_device(siren("low"), board, False)
    coil.drive(True)
    coil.drive(False)
    assert lgpio.of(12) == [("output", 12, 1), ("write", 12, 0), ("write", 12, 1)]


def test_the_model_shows_the_blips_of_the_librarys_own_pins(board, lgpio):
    """Were this not so, the tests above could not fail."""
    from gpiozero.pins.lgpio import LGPIOPin

    board.pins.pin_class = LGPIOPin
    line = OutputDevice(12, active_high=False, initial_value=False, pin_factory=board.pins)
    line.close()
    assert lgpio.of(12) == [
        ("input", 12),
        ("output", 12, 0),
        ("write", 12, 1),
        ("input", 12),
    ]


def test_a_contact_is_pulled_up_and_told_edge_by_edge(board, lgpio):
    door = contact.open_device(contact.Config(id="front-door", role="door", pin=22), board)
    assert lgpio.modes[22] == PULL_UP
    seen = []
    door.watch(lambda: seen.append(door.closed()))
    lgpio.edge(22, 0)
    lgpio.edge(22, 1)
    assert seen == [(True,), (False,)]
    assert all(call[0] in ("input", "free", "alert") for call in lgpio.of(22))
    door.close()
    lgpio.edge(22, 0)
    assert len(seen) == 2
    assert 22 not in lgpio.handlers


def test_nothing_that_fails_on_the_event_thread_leaves_it(board, lgpio, caplog):
    line = DigitalInputDevice(22, pull_up=True, pin_factory=board.pins)
    line.when_activated = lambda: 1 / 0
    with caplog.at_level(logging.ERROR):
        lgpio.edge(22, 0)
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]
    line.close()


def test_a_line_that_lgpio_cannot_reach_is_a_device_error(board, lgpio):
    coil = relay.open_device(siren("high"), board, False)
    door = contact.open_device(contact.Config(id="front-door", role="door", pin=22), board)
    lgpio.broken = True
    with pytest.raises(DeviceUnreachable, match="GPIO 12 does not answer"):
        coil.drive(True)
    with pytest.raises(DeviceUnreachable, match="GPIO 22 does not answer"):
        door.closed()
    with pytest.raises(DeviceUnreachable, match="GPIO 13: GPIO 13 does not answer"):
        relay.open_device(relay.Config(id="s", role="siren", pin=13), board, False)
    door.close()
    lgpio.broken = False
    gc.collect()
    assert lgpio.of(13) == []  # what could not be claimed is not made an input either


def test_the_chip_is_found_by_its_label_wherever_it_is(lgpio, devices):
    lgpio.labels = {0: "pinctrl-bcm2711", 4: "raspberrypi-exp-gpio"}
    assert gpio.open_pins("rpi4", devices).chip == 0
    LocalPiFactory.pins.clear()
    lgpio.labels = {0: "gpio-brcmstb", 4: "pinctrl-rp1"}
    assert gpio.open_pins("rpi5", devices).chip == 4
    assert lgpio.open_chips == [0, 4]


def test_another_board_than_the_one_configured_is_refused_with_what_is_there(lgpio, devices):
    with pytest.raises(DeviceUnreachable) as told:
        gpio.open_pins("rpi5", devices)
    assert str(told.value) == (
        "no GPIO chip pinctrl-rp1 here (gpiochip0: raspberrypi-exp-gpio; "
        "gpiochip2: can not open gpiochip; gpiochip4: pinctrl-bcm2711)"
    )
    assert lgpio.open_chips == []


def test_a_machine_without_a_gpio_chip_is_refused(lgpio, tmp_path):
    with pytest.raises(DeviceUnreachable, match="there is none"):
        gpio.open_pins("rpi3", tmp_path)


def test_a_missing_lgpio_is_refused_and_never_replaced_by_mock_pins(monkeypatch, devices):
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(DeviceUnreachable, match="lgpio cannot be loaded"):
        gpio.open_pins("rpi4", devices)


def test_the_empty_lgpio_package_is_refused(monkeypatch, devices):
    monkeypatch.setitem(sys.modules, "lgpio", ModuleType("lgpio"))
    with pytest.raises(DeviceUnreachable, match="empty package"):
        gpio.open_pins("rpi4", devices)


def test_lgpio_gets_a_folder_it_may_write_while_it_is_loaded(monkeypatch, devices, tmp_path):
    """It makes its pipe in the working directory, which a service may not be allowed to write."""
    source = tmp_path / "site"
    source.mkdir()
    (source / "lgpio.py").write_text(
        "import os\nopen('.lgd-nfy0', 'w').close()\nmade_in = os.getcwd()\n"
    )
    monkeypatch.setitem(sys.modules, "lgpio", None)  # so that it is forgotten afterwards
    del sys.modules["lgpio"]
    monkeypatch.syspath_prepend(str(source))
    before = os.getcwd()
    with pytest.raises(DeviceUnreachable, match="empty package"):
        gpio.open_pins("rpi4", devices)
    made_in = Path(sys.modules["lgpio"].made_in)
    assert os.getcwd() == before
    assert made_in != Path(before)
    assert not made_in.exists()


def test_the_death_of_the_event_thread_is_seen(lgpio):
    thread = threading.Thread(target=(end := threading.Event()).wait, daemon=True)
    lgpio._notify_thread = thread
    thread.start()
    assert gpio.events_alive()
    end.set()
    thread.join(2.0)
    assert not gpio.events_alive()
    del lgpio._notify_thread
    assert not gpio.events_alive()


def test_a_board_without_lgpio_has_no_event_thread_to_lose(monkeypatch):
    monkeypatch.delitem(sys.modules, "lgpio", raising=False)
    assert gpio.events_alive()
