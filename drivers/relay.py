"""A relay coil on one output pin."""

from __future__ import annotations

import logging
import threading
from typing import Any, Literal

from controller.core.partconfig import OutputConfig, Pin
from controller.core.parts import Board, DeviceUnreachable
from drivers.gpio import library_errors

log = logging.getLogger(__name__)

TABLE = "output"


class Config(OutputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`active` is the pin's level that energises the coil."""

    pin: Pin
    active: Literal["high", "low"] = "high"


# One second on, one off: a pattern that nobody takes for the steady tone of a fire (guess).
TURN_S = 1.0


class Coil:
    """The coil, energised or released, or energised in turns by a thread of its own."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self._changed = threading.Condition()
        self._turning = False
        self._closed = False
        self._turner: threading.Thread | None = None

    def drive(self, energised: bool, intermittent: bool = False) -> None:
        """Energise or release the coil, or energise it for a second in every two.

        The level is there when this returns; nothing waits for the thread of the turns.
        Raises: DeviceUnreachable.
        """
        with self._changed:
            self._turning = energised and intermittent
            try:
                self._line.value = energised
            except library_errors() as error:
                raise DeviceUnreachable(f"relay: {error}") from error
            if self._turning and self._turner is None:
                self._turner = threading.Thread(target=self._turn, name="relay", daemon=True)
                self._turner.start()
            self._changed.notify()

    def close(self) -> None:
        """Let go of the line and leave its level as it is.

        On a Pi that holds until the next claim (see `drivers.gpio`); a simulated line keeps its
        level likewise, except GPIO 2 and 3, whose pull-ups raise it and which carry no relay.
        """
        with self._changed:
            self._turning = False
            self._closed = True
            self._changed.notify()
        self._line.close()

    def _turn(self) -> None:
        with self._changed:
            while not self._closed:
                if self._changed.wait(TURN_S if self._turning else None) or not self._turning:
                    continue  # driven anew: its second begins now
                try:
                    self._line.value = not self._line.value
                except library_errors():
                    log.exception("a relay could not be turned")
                    self._turning = False


def open_device(config: Config, board: Board, energised: bool) -> Coil:
    """Claim the line as an output that has the wanted level from the first moment.

    Raises: DeviceUnreachable.
    """
    from gpiozero import OutputDevice

    assert board.pins is not None, "gpiozero would fall back to a factory of its own choice"
    try:
        line = OutputDevice(
            config.pin,
            active_high=config.active == "high",
            initial_value=energised,
            pin_factory=board.pins,
        )
    except library_errors() as error:
        raise DeviceUnreachable(f"GPIO {config.pin}: {error}") from error
    return Coil(line)
