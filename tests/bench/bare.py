"""The floor: what a person would write with gpiozero alone, on the same mirrored pins.

python tests/bench/bare.py SOCKET
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from gpiozero import Button, OutputDevice

from simulators.pins import WorldPins


def main(socket_path: Path) -> None:
    pins = WorldPins(socket_path)
    relay = OutputDevice(12, pin_factory=pins)
    # The room's smoke loop is normally closed, so smoke is a high level here too.
    smoke = Button(17, pull_up=False, bounce_time=None, pin_factory=pins)
    smoke.when_pressed = relay.on
    smoke.when_released = relay.off
    signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
