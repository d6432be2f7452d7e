"""An air temperature and humidity transmitter on a Modbus line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

import msgspec

from controller.core.duration import Duration, Within
from controller.core.partconfig import InputConfig
from controller.core.parts import BadReply, Board, Quantity
from controller.core.registers import Register, Value, number, raw_of
from drivers.bus import Bus, open_bus
from drivers.frames import READ_HOLDING, READ_INPUT

TABLE = "input"
_FUNCTIONS = {"input": READ_INPUT, "holding": READ_HOLDING}


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a quantity stands: raw times `scale` is °C or %. `low` and `high`: the transmitter's
    range, outside of which it measures nothing. `order`: of the two words of a long type."""

    register: Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
    scale: Annotated[float, msgspec.Meta(ge=-1000, le=1000)] = 0.1  # of most transmitters
    type: Literal["u16", "s16", "u32", "s32", "f32"] = "s16"
    order: Literal["high-first", "low-first"] = "high-first"
    low: Annotated[float, msgspec.Meta(ge=-100, le=200)] | None = None
    high: Annotated[float, msgspec.Meta(ge=-100, le=200)] | None = None

    def __post_init__(self) -> None:
        if self.scale == 0:
            raise ValueError("scale: a number other than 0")


class Config(InputConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`address` and `unit` as of a UPS; `function`: which registers it has."""

    address: str
    unit: Annotated[int, msgspec.Meta(ge=1, le=255)] = 1
    function: Literal["input", "holding"]
    temperature: Place | None = None
    humidity: Place | None = None
    period: Annotated[Duration, Within("500ms", "10min")] = Duration(5.0)

    def __post_init__(self) -> None:
        if self.temperature is None and self.humidity is None:
            raise ValueError("temperature or humidity, or both: { register = 0, scale = 0.1 }")


class ModbusClimate:
    """One transmitter. Registers that stand side by side are read at once."""

    # The range where none is given: that of industrial transmitters; a guess.
    _RANGES: ClassVar = {"temperature_c": (-40.0, 85.0), "humidity_pct": (0.0, 100.0)}

    def __init__(self, config: Config, bus: Bus) -> None:
        self.period_s: float = config.period
        self.line = bus.line
        self._bus = bus
        self._unit = config.unit
        self._function = _FUNCTIONS[config.function]
        places = {"temperature_c": config.temperature, "humidity_pct": config.humidity}
        given = {key: place for key, place in places.items() if place is not None}
        self._values = {key: self._value(key, place) for key, place in given.items()}
        self.quantities = tuple(self._quantity(key, place) for key, place in given.items())
        self._blocks = _blocks(value.registers for value in self._values.values())

    def read(self) -> dict[str, float]:
        """Return temperature_c and humidity_pct, those that it has.

        Raises: DeviceTimeout, DeviceUnreachable, BadReply.
        """
        words: dict[Register, int] = {}
        for first, count in self._blocks:
            registers = self._bus.read(self._unit, self._function, first, count)
            words |= {(self._function, at): w for at, w in enumerate(registers, first)}
        return {key: self._number(value, words) for key, value in self._values.items()}

    def close(self) -> None:
        self._bus.close()

    def _number(self, value: Value, words: dict[Register, int]) -> float:
        raw = raw_of(value, words)
        assert raw is not None
        measured = number(value.type, raw) * value.scale
        if not math.isfinite(measured):
            raise BadReply(f"{self.line} unit {self._unit}: {value.name} is no number")
        return round(measured, 6)

    def _value(self, key: str, place: Place) -> Value:
        return Value(
            name=key,
            address=place.register,
            function=self._function,
            type=place.type,
            scale=place.scale,
            low_word_first=place.order == "low-first",
        )

    def _quantity(self, key: str, place: Place) -> Quantity:
        low, high = self._RANGES[key]
        return Quantity(
            key,
            low if place.low is None else place.low,
            high if place.high is None else place.high,
            abs(place.scale) if place.type != "f32" else 0.1,
        )


def _blocks(places: Iterable[tuple[Register, ...]]) -> list[tuple[int, int]]:
    """The first register and the count of each run without a hole."""
    runs: list[tuple[int, int]] = []
    for at in sorted({at for registers in places for _, at in registers}):
        if runs and sum(runs[-1]) == at:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((at, 1))
    return runs


def open_device(config: Config, board: Board) -> ModbusClimate:
    """Touch no line yet: a transmitter that is not there is a fault of its readings.

    Raises: DeviceError for an address that cannot be used.
    """
    return ModbusClimate(config, open_bus(config.address))
