"""A contact: one loop of wire that a door, a relay or a detector closes and opens."""

from __future__ import annotations

from typing import Annotated, Literal

from controller.core.duration import Duration, Within
from controller.core.partconfig import Id, InputConfig, Pin
from controller.core.parts import Board
from drivers.loops import Loops, open_loops

TABLE = "input"


class Config(InputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`contact` is "nc" where the loop is closed as long as what the role names is not so.

    `of` is the output whose effect a feedback contact proves; `debounce` how long a level must
    last before it counts (None: what the role asks for).
    """

    role: str
    pin: Pin
    contact: Literal["no", "nc"] = "nc"
    debounce: Annotated[Duration, Within("0s", "5s")] | None = None
    of: Id | None = None


def open_device(config: Config, board: Board) -> Loops:
    """Claim the contact's pin. Raises: DeviceUnreachable."""
    return open_loops(board, (config.pin,))
