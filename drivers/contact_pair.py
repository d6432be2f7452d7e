"""A detector's normally-open and normally-closed contact on two pins.

Together they tell alarm from health from fault: healthy is (open, closed), alarm is (closed,
open), and two that stay equal are a broken or shorted wire.
"""

from __future__ import annotations

from typing import Annotated

from controller.core.duration import Duration, Within
from controller.core.partconfig import InputConfig, Pin
from controller.core.parts import Board
from drivers.loops import Loops, open_loops

TABLE = "input"


class Config(InputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`pins` is the normally-open contact, then the normally-closed one.

    `debounce` is how long a level must last before it counts (None: what the role asks for).
    """

    role: str
    pins: tuple[Pin, Pin]
    debounce: Annotated[Duration, Within("0s", "5s")] | None = None

    def __post_init__(self) -> None:
        if self.pins[0] == self.pins[1]:
            raise ValueError(f"pins: two different pins, not {self.pins[0]} twice")


def open_device(config: Config, board: Board) -> Loops:
    """Claim both pins, or none. Raises: DeviceUnreachable."""
    return open_loops(board, config.pins)
