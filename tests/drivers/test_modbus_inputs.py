"""Temperature, humidity and contacts on a Modbus line."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from controller.core.parts import BadReply, DeviceTimeout, Quantity
from drivers import modbus_climate, modbus_contact
from drivers.modbus_climate import ModbusClimate
from drivers.modbus_contact import ModbusContact
from tests.drivers.modbus_slaves import (
    COILS,
    DISCRETE,
    HOLDING,
    INPUT,
    SerialLine,
    TcpLine,
    Unit,
    free_port,
    pymodbus_server,
    running,
)

Words = dict[tuple[int, int], int]


def climate_at(address: str, **keys: Any) -> ModbusClimate:
    written = {"id": "rack-air", "function": "input", "address": address, **keys}
    return modbus_climate.open_device(msgspec.convert(written, modbus_climate.Config), None)  # type: ignore[arg-type]


def contact_at(address: str, **keys: Any) -> ModbusContact:
    written = {"id": "smoke-1", "role": "smoke", "address": address, **keys}
    return modbus_contact.open_device(msgspec.convert(written, modbus_contact.Config), None)  # type: ignore[arg-type]


@pytest.fixture(params=[TcpLine, SerialLine], ids=["tcp", "rtu"])
def line(request: pytest.FixtureRequest) -> Iterator[Callable[[Words], tuple[str, Unit]]]:
    """The address of a line with one slave, which has these registers."""
    with ExitStack() as stack:

        def line(words: Words) -> tuple[str, Unit]:
            unit = Unit(words)
            return stack.enter_context(running(request.param({1: unit}))).address, unit

        yield line


def test_temperature_and_humidity_side_by_side_are_read_at_once(line):
    address, unit = line({(INPUT, 1): 234, (INPUT, 2): 512})
    air = climate_at(address, temperature={"register": 1}, humidity={"register": 2})
    assert air.read() == {"temperature_c": 23.4, "humidity_pct": 51.2}
    assert unit.asked == 1


def test_quantities_with_a_hole_between_are_read_one_by_one(line):
    address, unit = line({(HOLDING, 0): 0xFFCE, (HOLDING, 9): 47})
    air = climate_at(
        address,
        function="holding",
        temperature={"register": 0},
        humidity={"register": 9, "scale": 1.0, "type": "u16"},
    )
    assert air.read() == {"temperature_c": -5.0, "humidity_pct": 47.0}
    assert unit.asked == 2


@pytest.mark.parametrize(
    ("form", "order", "words", "scale", "expected"),
    [
        ("s16", "high-first", [0x8000], 0.1, -3276.8),
        ("u16", "high-first", [0x8000], 0.1, 3276.8),
        ("s32", "high-first", [0xFFFF, 0xFF9C], 0.01, -1.0),
        ("u32", "low-first", [0x0930, 0x0000], 0.01, 23.52),
        ("f32", "high-first", [0x41BB, 0x3333], 1.0, 23.4),
        ("f32", "low-first", [0x3333, 0x41BB], 1.0, 23.4),
    ],
)
def test_each_type_of_number_is_read(line, form, order, words, scale, expected):
    address, _ = line({(INPUT, 7 + at): word for at, word in enumerate(words)})
    place = {"register": 7, "type": form, "order": order, "scale": scale}
    assert climate_at(address, temperature=place).read() == {
        "temperature_c": pytest.approx(expected, abs=1e-6)
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_float_that_is_no_number_is_a_bad_reply(line, number):
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    address, _ = line({(INPUT, 0): high, (INPUT, 1): low})
    air = climate_at(address, temperature={"register": 0, "type": "f32", "scale": 1.0})
    with pytest.raises(BadReply, match="temperature_c is no number"):
        air.read()


def test_the_range_and_the_step_are_those_of_the_transmitter():
    air = climate_at(
        "tcp://127.0.0.1:1",
        temperature={"register": 0, "scale": 0.01, "low": -20.0, "high": 60.0},
        humidity={"register": 1},
    )
    assert air.quantities == (
        Quantity("temperature_c", -20.0, 60.0, 0.01),
        Quantity("humidity_pct", 0.0, 100.0, 0.1),
    )
    assert (air.period_s, air.line) == (5.0, "127.0.0.1:1")


@pytest.mark.parametrize(
    ("function", "code"),
    [("coil", COILS), ("discrete", DISCRETE), ("input", INPUT), ("holding", HOLDING)],
)
@pytest.mark.parametrize("invert", [False, True])
def test_a_contact_is_what_its_bit_is_or_the_reverse(line, function, code, invert):
    address, unit = line({(code, 3): 0, (code, 4): 1})
    contact = contact_at(address, function=function, register=3, invert=invert)
    assert contact.read() is invert
    unit.registers[code, 3] = 1
    assert contact.read() is not invert


def test_only_its_own_bit_of_a_register_counts(line):
    address, unit = line({(HOLDING, 8): 0b0010_0000})
    contacts = [contact_at(address, function="holding", register=8, bit=bit) for bit in range(16)]
    assert [bit for bit, contact in enumerate(contacts) if contact.read()] == [5]
    unit.registers[HOLDING, 8] = 0x8001
    assert [bit for bit, contact in enumerate(contacts) if contact.read()] == [0, 15]


@pytest.mark.system
def test_a_contact_that_is_not_heard_is_neither_closed_nor_open(line):
    address, unit = line({(DISCRETE, 0): 1})
    contact = contact_at(address, function="discrete", register=0)
    unit.fault = "silent"
    with pytest.raises(DeviceTimeout):
        contact.read()


def test_a_contact_that_is_refused_is_neither_closed_nor_open(line):
    address, _ = line({})
    with pytest.raises(BadReply, match="illegal address"):
        contact_at(address, function="coil", register=0).read()


@pytest.mark.system
@pytest.mark.parametrize(
    ("function", "code"), [("coil", COILS), ("discrete", DISCRETE), ("input", INPUT)]
)
def test_a_contact_behind_pymodbus_is_read(function, code):
    port = free_port()
    with pymodbus_server({(code, 10): 0, (code, 11): 1}, port=port):
        seen = [
            contact_at(f"tcp://127.0.0.1:{port}", function=function, register=at).read()
            for at in (10, 11)
        ]
    assert seen == [False, True]


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({}, "temperature or humidity"),
        ({"temperature": {"register": 0, "scale": 0.0}}, "scale: a number other than 0"),
        ({"temperature": {"register": 65536}}, "register"),
        ({"temperature": {"register": 0, "type": "u8"}}, "type"),
        ({"temperature": {"scale": 1.0}}, "register"),
        ({"temperature": {"register": 0, "colour": 1}}, "colour"),
        ({"temperature": {"register": 0}, "function": "coil"}, "function"),
        ({"temperature": {"register": 0}, "unit": 0}, "unit"),
    ],
)
def test_what_is_wrong_with_a_transmitter_is_named(keys, named):
    with pytest.raises(msgspec.ValidationError, match=named):
        climate_at("tcp://127.0.0.1:1", **keys)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"function": "coil", "register": 0, "bit": 1}, "bit: none, for a coil is one by itself"),
        ({"function": "holding", "register": 0, "bit": 16}, "bit"),
        ({"function": "holding", "register": -1}, "register"),
        ({"function": "write", "register": 0}, "function"),
        ({"function": "coil"}, "register"),
    ],
)
def test_what_is_wrong_with_a_contact_is_named(keys, named):
    with pytest.raises(msgspec.ValidationError, match=named):
        contact_at("tcp://127.0.0.1:1", **keys)
