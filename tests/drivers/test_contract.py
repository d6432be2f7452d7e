"""Every kind of part in drivers/ keeps the contract of controller.core.parts.

A new kind needs a row in PARTS: its configuration, and what makes it fail on the bench.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import drivers
from controller.core.partconfig import InputConfig, OutputConfig, ProjectorConfig, UpsConfig
from controller.core.parts import LIVE, UPS_VALUES, DeviceError, Quantity
from controller.core.registers import RegisterMap
from hardware.upsmap import find_map, read_map
from tests.drivers.conftest import Bench
from tests.drivers.modbus_slaves import TcpLine, Unit, running, ups_registers

TABLES = {
    "input": InputConfig,
    "output": OutputConfig,
    "projector": ProjectorConfig,
    "ups": UpsConfig,
}
UNITS = ("_c", "_pct", "_s", "_v", "_w", "_hz", "_a", "_lx", "_pa")

# The least that each kind must be given, as it stands in a room file.
PARTS: dict[str, dict[str, Any]] = {
    "contact": {"id": "front-door", "role": "door", "pin": 22},
    "contact-pair": {"id": "smoke-1", "role": "smoke", "pins": [17, 18]},
    "dry-contacts": {"id": "main-ups"},
    "dht11": {"id": "rack-air", "pin": 4},
    "dht22": {"id": "rack-air", "pin": 4},
    "iio-dht": {"id": "rack-air", "device": "no-such-device@4"},
    "modbus": {"id": "main-ups", "map": "apc-smart-ups", "address": "tcp://127.0.0.1:1"},
    "modbus-climate": {
        "id": "rack-air",
        "address": "tcp://127.0.0.1:1",
        "function": "input",
        "temperature": {"register": 0},
    },
    "modbus-contact": {
        "id": "leak-1",
        "role": "leak",
        "address": "tcp://127.0.0.1:1",
        "function": "discrete",
        "register": 0,
    },
    "nut": {"id": "main-ups", "address": "nut://127.0.0.1:1/ups"},
    "pjlink": {"id": "hall", "outlet": "hall-outlet", "address": "127.0.0.1:1"},
    "relay": {"id": "siren", "role": "siren", "pin": 12},
    "relay-only": {"id": "hall", "outlet": "hall-outlet"},
}


def kinds() -> dict[str, ModuleType]:
    modules = (
        importlib.import_module(f"drivers.{found.name}")
        for found in pkgutil.iter_modules(drivers.__path__)
    )
    return {
        module.__name__.removeprefix("drivers.").replace("_", "-"): module
        for module in modules
        if hasattr(module, "TABLE")
    }


KINDS = kinds()
# Kinds with nothing behind them to open: what they stand for is told by others.
NOTHING = {"relay-only", "dry-contacts"}
CONTACTS = {"contact", "contact-pair", "modbus-contact"}


def of_table(table: str) -> set[str]:
    return {kind for kind, module in KINDS.items() if table == module.TABLE}


each_kind = pytest.mark.parametrize("kind", sorted(KINDS))
each_sensor = pytest.mark.parametrize("kind", sorted(of_table("input") - CONTACTS))
each_ups = pytest.mark.parametrize("kind", sorted(of_table("ups") - NOTHING))


class MapBench(Bench):
    """A bench that has the shipped register maps."""

    def register_map(self, name: str) -> RegisterMap:
        return read_map(find_map(name, Path()))


@pytest.fixture
def bench() -> MapBench:
    return MapBench()


def config(kind: str, **changed: Any) -> Any:
    return msgspec.convert({**PARTS[kind], **changed}, KINDS[kind].Config)


def device(kind: str, bench: Any) -> Any:
    module = KINDS[kind]
    args = (False,) if module.TABLE == "output" else ()
    return module.open_device(config(kind), bench, *args)


def test_every_kind_in_the_folder_is_on_this_bench():
    assert set(KINDS) == set(PARTS)


@each_kind
def test_a_kind_names_its_table_and_says_what_it_is(kind):
    assert issubclass(KINDS[kind].Config, TABLES[KINDS[kind].TABLE])
    assert KINDS[kind].__doc__


@each_kind
def test_a_configuration_is_frozen(kind):
    with pytest.raises(AttributeError):
        config(kind).id = "another"


@each_kind
def test_a_configuration_refuses_a_key_it_does_not_know(kind):
    with pytest.raises(msgspec.ValidationError, match="colour"):
        config(kind, colour="red")


@each_kind
def test_a_configuration_refuses_a_missing_key(kind):
    for key in PARTS[kind]:
        less = {name: value for name, value in PARTS[kind].items() if name != key}
        with pytest.raises(msgspec.ValidationError, match=key):
            msgspec.convert(less, KINDS[kind].Config)


@pytest.mark.parametrize(
    ("kind", "changed", "named"),
    [
        ("contact", {"pin": 28}, r"pin"),
        ("contact", {"contact": "open"}, r"contact"),
        ("contact-pair", {"pins": [17, 17]}, "two different pins, not 17 twice"),
        ("contact-pair", {"pins": [17]}, r"pins"),
        ("contact-pair", {"pins": [17, 18, 19]}, r"pins"),
        ("dht22", {"pin": -1}, r"pin"),
        ("iio-dht", {"device": ""}, r"device"),
        ("modbus", {"unit": 0}, r"unit"),
        ("modbus", {"unit": 256}, r"unit"),
        ("modbus", {"map": ""}, r"map"),
        ("modbus-climate", {"function": "coil"}, r"function"),
        ("modbus-climate", {"temperature": {"register": -1}}, r"register"),
        ("modbus-contact", {"bit": 3}, "bit: none, for a discrete is one by itself"),
        ("pjlink", {"address": "127.0.0.1:70000"}, 'not "127.0.0.1:70000"'),
        ("pjlink", {"address": ":4352"}, 'not ":4352"'),
        ("pjlink", {"address": "::1"}, 'not "::1"'),
        ("pjlink", {"address": ""}, 'not ""'),
        ("relay", {"pin": True}, r"pin"),
        ("relay", {"active": "on"}, r"active"),
    ],
)
def test_a_value_out_of_range_is_named(kind, changed, named):
    with pytest.raises(msgspec.ValidationError, match=named):
        config(kind, **changed)


@each_kind
def test_a_device_is_opened_with_its_configuration_and_the_board(kind):
    expected = ["config", "board"] + (["energised"] if KINDS[kind].TABLE == "output" else [])
    assert list(inspect.signature(KINDS[kind].open_device).parameters) == expected


@each_kind
def test_a_device_closes_twice_without_harm(kind, bench):
    part = device(kind, bench)
    if kind in NOTHING:
        assert part is None
        return
    part.close()
    part.close()


@each_sensor
def test_a_sensor_says_its_period_and_its_quantities_with_their_units(kind, bench, opened):
    part = opened(device(kind, bench))
    assert 0.0 < part.period_s <= 15.0
    assert part.quantities
    for quantity in part.quantities:
        assert isinstance(quantity, Quantity)
        assert quantity.key.endswith(UNITS)
        assert quantity.low < quantity.high
        assert 0.0 < quantity.step < quantity.high - quantity.low


@each_sensor
def test_a_sensor_gives_a_number_for_each_of_its_quantities(kind, bench, opened, tmp_path):
    if kind == "modbus-climate":
        with running(TcpLine({1: Unit({(4, 0): 234, (4, 1): 512})})) as line:
            part = KINDS[kind].open_device(
                config(kind, address=line.address, humidity={"register": 1}), bench
            )
            assert part.read() == {"temperature_c": 23.4, "humidity_pct": 51.2}
            assert {quantity.key for quantity in part.quantities} == set(part.read())
        return
    if kind == "iio-dht":
        folder = tmp_path / "iio:device0"
        folder.mkdir()
        for name, text in (
            ("name", "rack\n"),
            ("in_temp_input", "23400\n"),
            ("in_humidityrelative_input", "51200\n"),
        ):
            (folder / name).write_text(text)
        part = KINDS[kind].IioDht("rack", tmp_path)
    else:
        line = json.dumps({"temperature_c": 23.4, "humidity_pct": 51.2})
        bench.program = f"import sys; print('{line}', flush=True); sys.stdin.read()"
        part = device(kind, bench)
    opened(part)

    assert part.read() == {"temperature_c": 23.4, "humidity_pct": 51.2}
    assert {quantity.key for quantity in part.quantities} == {"temperature_c", "humidity_pct"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NOTHING))
def test_a_part_that_is_not_there_fails_with_a_device_error_only(kind, bench, opened):
    bench.program = "raise SystemExit(1)"
    part = opened(device(kind, bench))
    match kind:
        case "contact" | "contact-pair":
            part.close()
            fails = part.closed
        case "relay":
            part.close()
            fails = lambda: part.drive(True)  # noqa: E731
        case _:
            fails = part.read
    for _ in range(2):
        with pytest.raises(DeviceError) as told:
            fails()
        assert str(told.value)


@each_ups
def test_a_ups_says_its_period_and_refuses_a_command_that_it_does_not_know(kind, bench, opened):
    part = opened(device(kind, bench))
    assert 0.5 <= part.period_s <= 60.0
    with pytest.raises(DeviceError) as told:
        part.send("no-such-command")
    assert "no-such-command" in str(told.value)


def test_a_ups_tells_only_keys_of_the_normal_form_each_as_it_must_be(bench, opened):
    map = bench.register_map("apc-smart-ups")
    with running(TcpLine({1: Unit(ups_registers(map))})) as line:
        part = opened(KINDS["modbus"].open_device(config("modbus", address=line.address), bench))
        told = part.read()
    assert isinstance(told.pop(LIVE), str)
    assert told.keys() <= UPS_VALUES.keys()
    for key, value in told.items():
        words = UPS_VALUES[key].words
        assert value in words if words else isinstance(value, bool | float | str)


@pytest.mark.parametrize("kind", ["modbus", "modbus-climate", "modbus-contact"])
def test_a_device_on_a_bus_names_its_line(kind, bench, opened):
    assert opened(device(kind, bench)).line == "127.0.0.1:1"


def test_a_contact_on_a_bus_says_its_period_and_what_its_role_names(bench, opened):
    with running(TcpLine({1: Unit({(2, 0): 1})})) as line:
        changed = config("modbus-contact", address=line.address)
        part = opened(KINDS["modbus-contact"].open_device(changed, bench))
        assert 0.1 <= part.period_s <= 60.0
        assert part.read() is True


def test_a_projector_says_its_period():
    assert 0.0 < KINDS["pjlink"].PjLink.period_s <= 5.0
