"""A relay coil on one output pin."""

from __future__ import annotations

from typing import Any, Literal

from controller.core.partconfig import OutputConfig, Pin
from controller.core.parts import Board, DeviceUnreachable
from drivers.gpio import library_errors

TABLE = "output"


class Config(OutputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`active` is the pin's level that energises the coil."""

    pin: Pin
    active: Literal["high", "low"] = "high"


# One second on, one off: a pattern that nobody takes for the steady tone of a fire (guess).
_TURN_S = 1.0


class Coil:
    """The coil, energised or released."""

    def __init__(self, line: Any) -> None:
        self._line = line

    def drive(self, energised: bool, intermittent: bool = False) -> None:
        """Energise or release the coil, or energise it for a second in every two.

        Raises: DeviceUnreachable.
        """
        try:
            self._line.value = energised
            if energised and intermittent:
                # The first second is already under way; the library's thread goes on with it.
                self._line.blink(on_time=_TURN_S, off_time=_TURN_S)
        except library_errors() as error:
            raise DeviceUnreachable(f"relay: {error}") from error

    def close(self) -> None:
        """Let go of the line and leave its level as it is.

        On a Pi that holds until the next claim (see `drivers.gpio`); a simulated line keeps its
        level likewise, except GPIO 2 and 3, whose pull-ups raise it and which carry no relay.
        """
        self._line.close()


def open_device(config: Config, board: Board, energised: bool) -> Coil:
    """Claim the line as an output that has the wanted level from the first moment.

    Raises: DeviceUnreachable.
    """
    from gpiozero import DigitalOutputDevice

    assert board.pins is not None, "gpiozero would fall back to a factory of its own choice"
    try:
        line = DigitalOutputDevice(
            config.pin,
            active_high=config.active == "high",
            initial_value=energised,
            pin_factory=board.pins,
        )
    except library_errors() as error:
        raise DeviceUnreachable(f"GPIO {config.pin}: {error}") from error
    return Coil(line)
