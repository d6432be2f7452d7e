"""Every kind of part in drivers/ keeps the contract of controller.core.parts.

A new kind needs a row in PARTS: its configuration, and what makes it fail on the bench.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from types import ModuleType
from typing import Any

import msgspec
import pytest

import drivers
from controller.core.parts import DeviceError, Quantity

TABLES = {"input", "output", "projector", "ups"}
UNITS = ("_c", "_pct", "_s", "_v", "_w", "_hz", "_a", "_lx", "_pa")

# The least that each kind must be given, as it stands in a room file.
PARTS: dict[str, dict[str, Any]] = {
    "contact": {"id": "front-door", "role": "door", "pin": 22},
    "contact-pair": {"id": "smoke-1", "role": "smoke", "pins": [17, 18]},
    "dht11": {"id": "rack-air", "pin": 4},
    "dht22": {"id": "rack-air", "pin": 4},
    "iio-dht": {"id": "rack-air", "device": "no-such-device@4"},
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
each_kind = pytest.mark.parametrize("kind", sorted(KINDS))
each_sensor = pytest.mark.parametrize(
    "kind", sorted(k for k, m in KINDS.items() if m.TABLE == "input" and not k.startswith("cont"))
)


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
    assert KINDS[kind].TABLE in TABLES
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
    if kind == "relay-only":
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


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"relay-only"}))  # it has no part to fail
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


def test_a_projector_says_its_period():
    assert 0.0 < KINDS["pjlink"].PjLink.period_s <= 5.0
