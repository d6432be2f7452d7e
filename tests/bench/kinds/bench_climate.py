"""A sensor that costs nothing to read and is read often; for the bench alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import ClassVar

from controller.core.partconfig import InputConfig
from controller.core.parts import Board, Quantity
from tests.bench.rooms import READINGS_PER_S, SENSORS

TABLE = "input"


class Config(InputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wired to nothing."""


class BenchClimate:
    """Air that moves by one step with each reading, so that each one is stored."""

    period_s = SENSORS / READINGS_PER_S
    quantities: ClassVar[Sequence[Quantity]] = (Quantity("temperature_c", -40.0, 80.0, 0.1),)

    def __init__(self) -> None:
        self._steps = count()

    def read(self) -> dict[str, float]:
        return {"temperature_c": 22.0 + abs(next(self._steps) % 20 - 10) / 10}

    def close(self) -> None: ...


def open_device(config: Config, board: Board) -> BenchClimate:
    return BenchClimate()
