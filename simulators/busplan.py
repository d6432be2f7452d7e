"""What of the transmitters and contacts on a Modbus line is simulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.core.registers import Block, Register, RegisterMap, Value
from simulators.powerplan import Address, tcp_address

_FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
# Of industrial transmitters, where the room file gives no range: guesses.
_RANGES = {"temperature": (-40.0, 85.0), "humidity": (0.0, 100.0)}
_KEYS = {"temperature": "temperature_c", "humidity": "humidity_pct"}


class BusClimate(msgspec.Struct, frozen=True):
    """A transmitter. `ranges` and `steps` by quantity, those that it has; its `map` holds their
    registers by the names `temperature_c` and `humidity_pct`."""

    id: str
    address: Address
    unit: int
    map: RegisterMap
    ranges: Mapping[str, tuple[float, float]]
    steps: Mapping[str, float]


class BusContact(msgspec.Struct, frozen=True):
    """A contact: `bit` of `register` is 1 when what its role names is so, or 0 if `inverted`."""

    id: str
    address: Address
    unit: int
    register: Register
    bit: int = 0
    inverted: bool = False


def bus_climate(part: Any) -> BusClimate | None:
    """Return the transmitter; None for one on a serial line, which cannot be simulated."""
    address = tcp_address(part.address)
    if address is None:
        return None
    places = {
        quantity: place for quantity in _KEYS if (place := getattr(part, quantity)) is not None
    }
    function = _FUNCTIONS[part.function]
    values = tuple(
        Value(
            name=_KEYS[quantity],
            address=place.register,
            function=function,
            type=place.type,
            scale=place.scale,
            low_word_first=place.order == "low-first",
        )
        for quantity, place in places.items()
    )
    blocks = {register for value in values for register in value.registers}
    return BusClimate(
        id=part.id,
        address=address,
        unit=part.unit,
        map=RegisterMap(
            part.id,
            blocks=tuple(Block(at, 1, of) for of, at in sorted(blocks)),
            values=values,
        ),
        ranges={quantity: _range(quantity, place) for quantity, place in places.items()},
        steps={
            quantity: 0.1 if place.type == "f32" else abs(place.scale)
            for quantity, place in places.items()
        },
    )


def _range(quantity: str, place: Any) -> tuple[float, float]:
    low, high = _RANGES[quantity]
    return (low if place.low is None else place.low, high if place.high is None else place.high)


def bus_contact(part: Any) -> BusContact | None:
    """Return where the contact is read; None for one on a serial line."""
    address = tcp_address(part.address)
    if address is None:
        return None
    register = (_FUNCTIONS[part.function], part.register)
    return BusContact(part.id, address, part.unit, register, part.bit, part.invert)
