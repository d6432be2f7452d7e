"""DHT22: air temperature and humidity on one data pin, +-0.5 C and +-2 to 5 %.

Source: AM2302 datasheet.
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


class Dht22(Dht):
    quantities: ClassVar[Sequence[Quantity]] = (
        Quantity("temperature_c", -40.0, 80.0, 0.1),
        Quantity("humidity_pct", 0.0, 100.0, 0.1),
    )


def open_device(config: Config, board: Board) -> Dht22:
    """Touch nothing yet: the child starts with the first reading."""
    return Dht22(Child(board.dht_command("dht22", config.id, config.pin)))
