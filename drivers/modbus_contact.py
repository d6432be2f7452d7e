"""A contact on a Modbus line: a smoke or leak detector, or an input of a remote I/O module."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from controller.core.duration import Duration, Within
from controller.core.partconfig import Id, InputConfig
from controller.core.parts import Board
from drivers.bus import Bus, open_bus
from drivers.frames import READ_COILS, READ_DISCRETE_INPUTS, READ_HOLDING, READ_INPUT

TABLE = "input"
_FUNCTIONS = {
    "coil": READ_COILS,
    "discrete": READ_DISCRETE_INPUTS,
    "holding": READ_HOLDING,
    "input": READ_INPUT,
}


class Config(InputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`address` and `unit` as of a UPS. What the role names is so when the coil or the discrete
    input `register`, or `bit` of the register, is 1, or with `invert` when it is 0. `of` is the
    output that a feedback contact proves, or the UPS that the contact is of."""

    role: str
    address: str
    unit: Annotated[int, msgspec.Meta(ge=1, le=255)] = 1
    function: Literal["coil", "discrete", "input", "holding"]
    register: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    bit: Annotated[int, msgspec.Meta(ge=0, le=15)] = 0
    invert: bool = False
    of: Id | None = None
    period: Annotated[Duration, Within("100ms", "1min")] = Duration(1.0)

    def __post_init__(self) -> None:
        if self.bit and self.function in ("coil", "discrete"):
            raise ValueError(f"bit: none, for a {self.function} is one by itself")


class ModbusContact:
    """One contact."""

    def __init__(self, config: Config, bus: Bus) -> None:
        self.period_s: float = config.period
        self.line = bus.line
        self._bus = bus
        self._unit = config.unit
        self._function = _FUNCTIONS[config.function]
        self._register = config.register
        self._bit = config.bit
        self._invert = config.invert

    def read(self) -> bool:
        """Return whether what its role names is so. Raises: DeviceTimeout, DeviceUnreachable,
        BadReply."""
        (word,) = self._bus.read(self._unit, self._function, self._register, 1)
        return bool(word >> self._bit & 1) is not self._invert

    def close(self) -> None:
        self._bus.close()


def open_device(config: Config, board: Board) -> ModbusContact:
    """Touch no line yet: a contact that is not there is a fault of its readings.

    Raises: DeviceError for an address that cannot be used.
    """
    return ModbusContact(config, open_bus(config.address))
