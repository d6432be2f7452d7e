"""The header pins of a real Pi, through lgpio, without a blip.

gpiozero's own lgpio pins claim every line as an input first, then as an output at level 0, and
write the wanted level last; at close they make the line a floating input. A relay would move
three times on a restart. The pins here claim an output once, together with its level, and never
let go of it: when the program ends, cleanly or not, the Pi's kernel keeps the level of a released
line (its default `persist_gpio_outputs`; `dtparam=strict_gpiod` would make it an input). So no
relay moves because the program began or ended.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from controller.core.parts import DeviceUnreachable

log = logging.getLogger(__name__)

# The header's GPIO controller as the kernel names it. Its number is not stable: on the Pi 5 it
# was gpiochip4 and became gpiochip0 with a kernel update. Source: Raspberry Pi device trees.
CHIP_LABELS = {
    "rpi3": "pinctrl-bcm2835",
    "rpi4": "pinctrl-bcm2711",
    "rpi5": "pinctrl-rp1",
}


def open_pins(kind: str, devices: Path = Path("/dev")) -> Any:
    """Return a gpiozero pin factory on the header of an "rpi3", "rpi4" or "rpi5".

    Call it before any thread starts: the working directory is left for a moment.
    Raises: DeviceUnreachable when lgpio or this board's GPIO chip is not there.
    """
    lgpio = _import_lgpio()
    chip = _find_chip(lgpio, CHIP_LABELS[kind], devices)
    try:
        return _factory_class()(chip)
    except library_errors() as error:
        raise DeviceUnreachable(f"gpiochip{chip}: {error}") from error


def events_alive() -> bool:
    """Whether lgpio's only thread, which brings every edge, still runs.

    True also where lgpio was never loaded, as on a simulated board.
    """
    lgpio = sys.modules.get("lgpio")
    if lgpio is None:
        return True
    thread = getattr(lgpio, "_notify_thread", None)
    return thread is not None and thread.is_alive()


def library_errors() -> tuple[type[Exception], ...]:
    """Return what gpiozero and, where it is loaded, lgpio raise of their own accord."""
    from gpiozero import GPIOZeroError

    lgpio_error = getattr(sys.modules.get("lgpio"), "error", None)
    return (GPIOZeroError,) if lgpio_error is None else (GPIOZeroError, lgpio_error)


def _import_lgpio() -> Any:
    # The import makes a pipe in the working directory, which a service often may not write, and
    # opens it at once: a directory that lasts as long as the import is enough.
    try:
        with tempfile.TemporaryDirectory(prefix="lgpio-") as folder, contextlib.chdir(folder):
            import lgpio
    except (ImportError, OSError) as error:
        raise DeviceUnreachable(f"lgpio cannot be loaded: {error}") from error
    # Where pip finds no build for this Python it installs lgpio 0.0.0.2, an empty file.
    if not hasattr(lgpio, "gpiochip_open"):
        raise DeviceUnreachable("the installed lgpio is an empty package; install python3-lgpio")
    return lgpio


def _find_chip(lgpio: Any, label: str, devices: Path) -> int:
    seen = []
    for number in sorted(_chip_numbers(devices)):
        try:
            handle = lgpio.gpiochip_open(number)
        except lgpio.error as error:
            seen.append(f"gpiochip{number}: {error}")
            continue
        try:
            found = lgpio.gpio_get_chip_info(handle)[3]
        finally:
            lgpio.gpiochip_close(handle)
        if found == label:
            return number
        seen.append(f"gpiochip{number}: {found}")
    raise DeviceUnreachable(f"no GPIO chip {label} here ({'; '.join(seen) or 'there is none'})")


def _chip_numbers(devices: Path) -> list[int]:
    names = (path.name.removeprefix("gpiochip") for path in devices.glob("gpiochip*"))
    return [int(name) for name in names if name.isdecimal()]


def _factory_class() -> Any:
    """Build the classes here, because their bases exist only where lgpio does."""
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin
    from gpiozero.pins.local import LocalPiPin

    class Pin(LGPIOPin):  # type: ignore[misc]  # gpiozero is not typed
        def __init__(self, factory: Any, info: Any) -> None:
            # Not LGPIOPin's own: it claims the line as an input, and a relay that was held
            # since before a restart would drop.
            LocalPiPin.__init__(self, factory, info)
            self._pwm = None
            self._bounce = None
            self._callback = None
            self._edges = lgpio.BOTH_EDGES
            self._is_input = False

        def _set_function(self, value: str) -> None:
            super()._set_function(value)
            self._is_input = value == "input"

        def output_with_state(self, state: bool) -> None:
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(bool(state)))
            self._is_input = False

        def close(self) -> None:
            # An output, or what could not become one, is not touched.
            if self._is_input:
                with contextlib.suppress(lgpio.error):
                    self.when_changed = None
                    super().close()

        def _call_when_changed(self, chip: int, gpio: int, level: int, ticks: int) -> None:
            # Runs on lgpio's only thread: an exception here would end every event for good.
            try:
                super()._call_when_changed(chip, gpio, level, ticks)
            except Exception:
                log.exception("an edge of GPIO %s could not be handled", gpio)

    class Factory(LGPIOFactory):  # type: ignore[misc]  # gpiozero is not typed
        def __init__(self, chip: int) -> None:
            super().__init__(chip)
            self.pin_class = Pin

    return Factory
