"""Loops of wire between an input pin and ground, held high by the board's pull-up.

A closed loop pulls its pin low. Nothing is debounced here: that is done with the scan's clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from controller.core.parts import Board, DeviceUnreachable
from drivers.gpio import library_errors

log = logging.getLogger(__name__)


class Loops:
    """One or more loops. An edge that is lost is found by asking `closed()` now and then."""

    def __init__(self, lines: Sequence[Any]) -> None:
        self._lines = lines

    def closed(self) -> tuple[bool, ...]:
        """Return, loop by loop, whether it is closed now. Raises: DeviceUnreachable."""
        try:
            return tuple(bool(line.value) for line in self._lines)
        except library_errors() as error:
            raise DeviceUnreachable(f"contact: {error}") from error

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` on every edge of any loop, from the thread that saw it.

        A loop that is already closed gives no edge.
        """

        def edge() -> None:
            # Whoever carries this callback, it must live: lgpio has one thread for all pins.
            try:
                changed()
            except Exception:
                log.exception("what an edge set off has failed")

        for line in self._lines:
            line.when_activated = edge
            line.when_deactivated = edge

    def close(self) -> None:
        for line in self._lines:
            line.close()


def open_loops(board: Board, pins: Sequence[int]) -> Loops:
    """Claim `pins` (BCM) as inputs with pull-up. Raises: DeviceUnreachable."""
    from gpiozero import DigitalInputDevice

    assert board.pins is not None, "gpiozero would fall back to a factory of its own choice"
    lines: list[Any] = []
    for pin in pins:
        try:
            lines.append(DigitalInputDevice(pin, pull_up=True, pin_factory=board.pins))
        except library_errors() as error:
            Loops(lines).close()
            raise DeviceUnreachable(f"GPIO {pin}: {error}") from error
    return Loops(lines)
