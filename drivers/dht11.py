"""DHT11: air temperature and humidity on one data pin, +-2 C and +-5 %, in whole numbers.

Source: DHT11 datasheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from controller.core.partconfig import InputConfig, Pin
from controller.core.parts import Board, Quantity
from drivers.child import Child
from drivers.dht import Dht

TABLE = "input"


class Config(InputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`pin` is the data line."""

    pin: Pin


class Dht11(Dht):
    quantities: ClassVar[Sequence[Quantity]] = (
        Quantity("temperature_c", 0.0, 50.0, 1.0),
        Quantity("humidity_pct", 20.0, 90.0, 1.0),
    )


def open_device(config: Config, board: Board) -> Dht11:
    """Touch nothing yet: the child starts with the first reading."""
    return Dht11(Child(board.dht_command("dht11", config.id, config.pin)))
