"""Pin tables of the boards: one data file each, and their reader."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from controller.core.partconfig import Pin


class Reserved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pins that the board needs itself; `tables` says what may not be wired to them."""

    pins: tuple[Pin, ...]
    tables: tuple[Literal["input", "output"], ...]
    why: str


class BoardTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a board's pins: the pull that each has at power-on, and who needs it."""

    name: str
    gpio_chip: str
    pulled_up: frozenset[Pin]
    pulled_down: frozenset[Pin]
    reserved: tuple[Reserved, ...]

    def why_reserved(self, table: str, pin: int) -> str | None:
        """Why no part of `table` may be wired to `pin`, or None where it may."""
        for reserved in self.reserved:
            if pin in reserved.pins and table in reserved.tables:
                return reserved.why
        return None


@cache
def board_table(kind: str) -> BoardTable:
    """The table of a board of `kind`. Raises: FileNotFoundError for a kind there is not."""
    return msgspec.toml.decode(
        (Path(__file__).parent / f"{kind}.toml").read_bytes(), type=BoardTable
    )


@cache
def header_places() -> dict[int, int]:
    """The place on the 40-pin header of each BCM pin."""
    with (Path(__file__).parents[1] / "header.toml").open("rb") as file:
        return {int(pin): place for pin, place in tomllib.load(file).items()}
