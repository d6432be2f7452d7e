"""Register maps of UPSes: the shipped ones are whole, and what is wrong with one is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from controller.core.parts import UPS_VALUES
from controller.core.registers import Match, Write, decode, encode, live_text, tells
from hardware.upsmap import FOLDER, MapFaults, find_map, read_map

SHIPPED = ["apc-smart-ups", "huawei-ups2000", "phoenix-quint4", "socomec-jbus"]
each_shipped = pytest.mark.parametrize("name", SHIPPED)

WELL = """
source = "the maker's manual"
reply_timeout = "2.5s"
gap = "5ms"

[[block]]
address = 10
count = 4

[[block]]
address = 100
count = 2
function = 4

[word.mode]
address = 10
type = "enum"
source = "page 1"
numbers = { 0 = "off", 2 = "mains", 3 = "battery" }

[word.state]
address = 11
type = "bits"
source = "page 2"
bits = { 0 = "battery-low", 15 = "overload" }
masks = [[0b110, 0b010, "running"]]

[value.charge_pct]
address = 12
type = "u16"
scale = 0.1
unit = "%"
invalid = [0xFFFF]
source = "page 3"

[value.runtime_s]
address = 100
type = "u32"
function = 4
order = "low-first"
scale = 60
unit = "s"
absent = [0xFFFFFFFF]
source = "page 4"

[live.output_voltage_v]
address = 13
type = "u16"
unit = "V"
source = "page 5"

[command.off]
source = "page 6"
write = [{ address = 1000, words = [1, 2] }, { address = 7, words = [1], function = 6 }]
"""

Faults = Callable[..., list[str]]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """What is wrong with the map above once pieces of it are replaced and more is added."""

    def faults(*replaced: tuple[str, str], added: str = "") -> list[str]:
        text = WELL
        for old, new in replaced:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the map"
            text = text.replace(old, new)
        file = tmp_path / "our-ups.toml"
        file.write_text(text + added)
        try:
            read_map(file)
        except MapFaults as found:
            return [line.removeprefix(f"{file}: ") for line in str(found).splitlines()]
        return []

    return faults


def test_every_shipped_map_is_found_by_its_name():
    assert sorted(file.stem for file in FOLDER.glob("*.toml")) == SHIPPED
    assert [find_map(name, Path()).stem for name in SHIPPED] == SHIPPED


@each_shipped
def test_a_shipped_map_names_its_source_for_each_value(name):
    map = read_map(find_map(name, Path()))
    assert map.source
    assert all(value.source for value in map.values)


@each_shipped
def test_a_shipped_map_tells_what_a_plan_needs_and_whether_the_ups_is_frozen(name):
    map = read_map(find_map(name, Path()))
    assert tells(map) >= {"supply", "battery_low", "charge_pct", "runtime_s", "faults"}
    assert len([value for value in map.values if value.live]) >= 3
    assert live_text(map, encode(map, {})) is not None


@each_shipped
@pytest.mark.parametrize("supply", ["mains", "battery"])
def test_a_shipped_map_reads_back_what_it_writes(name, supply):
    map = read_map(find_map(name, Path()))
    state = {
        "supply": supply, "battery_low": supply == "battery", "charge_pct": 64.0,
        "runtime_s": 1500.0, "load_pct": 37.0, "input_voltage_v": 231.5,
        "input_frequency_hz": 49.9, "battery_age_d": 700.0, "self_test": "none",
        "faults": "battery-disconnected replace-battery",
    }  # fmt: skip
    told = decode(map, encode(map, state, 20000.0), 20000.0)
    assert told == {key: state[key] for key in told}
    assert set(told) == tells(map)
    assert set(told) <= set(UPS_VALUES)


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        # An APC on line with a charge of 100 % and 40 min, as its registers are on the wire.
        (
            "apc-smart-ups",
            {1: 0x0002, 129: 2400, 130: 51200, 136: 10240, 151: 14720},
            {"supply": "mains", "charge_pct": 100.0, "runtime_s": 2400.0, "load_pct": 40.0,
             "input_voltage_v": 230.0, "battery_low": False, "faults": ""},
        ),
        ("apc-smart-ups", {1: 0x0004, 18: 0b11}, {"supply": "battery", "battery_low": True}),
        ("apc-smart-ups", {1: 0x0008 | 0x0002}, {"supply": "bypass"}),
        ("apc-smart-ups", {1: 0x0010}, {"supply": "off"}),
        ("apc-smart-ups", {1: 0x0006}, {"supply": None}),
        ("apc-smart-ups", {0: 0x0020, 1: 0x0002}, {"supply": "mains", "faults": "overload"}),
        ("apc-smart-ups", {1: 0x0080}, {"supply": None}),
        ("apc-smart-ups", {22: 0b100, 24: 0b10}, {"faults": "replace-battery",
                                                  "self_test": "calibrating"}),
        ("apc-smart-ups", {23: 0b1000}, {"self_test": "failed"}),
        ("apc-smart-ups", {151: 0xFFFF}, {"input_voltage_v": "left out"}),
        ("huawei-ups2000", {11024: 5, 11000: 2305, 11003: 500}, {"supply": "mains",
         "input_voltage_v": 230.5, "input_frequency_hz": 50.0}),
        ("huawei-ups2000", {11024: 4}, {"supply": None}),
        ("huawei-ups2000", {11024: 3, 11043: 0x40, 12003: 55, 12005: 300},
         {"supply": "battery", "battery_low": True, "charge_pct": 55.0, "runtime_s": 300.0}),
        ("huawei-ups2000", {11000: 0x7FFF, 12003: 0xFFFF, 12004: 0xFFFF, 12005: 0xFFFF},
         {"input_voltage_v": None, "charge_pct": None, "runtime_s": None}),
        ("huawei-ups2000", {41188: 0b10, 41197: 0b1000}, {"faults": "overload replace-battery"}),
        ("socomec-jbus", {0x1020: 0b001001}, {"supply": "mains"}),
        ("socomec-jbus", {0x1020: 0b101000}, {"supply": "battery"}),
        # Its rectifier is fed but it runs on its battery all the same.
        ("socomec-jbus", {0x1020: 0b101001}, {"supply": "battery"}),
        ("socomec-jbus", {0x1020: 0b010001}, {"supply": "bypass"}),
        ("socomec-jbus", {0x1020: 0b000001}, {"supply": None}),
        ("socomec-jbus", {0x1020: 0x8020, 0x1077: 12, 0x1064: 20},
         {"supply": "battery", "battery_low": True, "runtime_s": 720.0}),
        ("socomec-jbus", {0x1020: 0b001001, 0x1077: 0xFFFF},
         {"supply": "mains", "runtime_s": "left out"}),
        ("phoenix-quint4", {0x2000: 0b100100, 0x3001: 0b100, 0x200F: 9},
         {"supply": "battery", "battery_low": True, "charge_pct": 9.0}),
        ("phoenix-quint4", {0x2000: 0b100000, 0x3000: 0b1000},
         {"supply": "mains", "faults": "battery-disconnected"}),
    ],
)  # fmt: skip
def test_a_shipped_map_reads_words_as_they_are_on_the_wire(name, words, expected):
    map = read_map(find_map(name, Path()))
    registers = {
        (block.function, address): words.get(address, 0)
        for block in map.blocks
        for address in range(block.address, block.address + block.count)
    }
    told = decode(map, registers, 20000.0)
    assert {key: told.get(key, "left out") for key in expected} == expected


def test_a_map_of_the_site_is_read_as_it_stands(faults, tmp_path):
    assert faults() == []
    map = read_map(find_map("our-ups.toml", tmp_path))
    assert (map.name, map.reply_timeout_s, map.gap_s) == ("our-ups", 2.5, 0.005)
    assert tells(map) == {
        "supply", "battery_low", "faults", "self_test", "charge_pct", "runtime_s",
    }  # fmt: skip
    values = {value.name: value for value in map.values}
    assert values["runtime_s"].registers == ((4, 101), (4, 100))
    assert values["state"].matches == (
        Match(1, 1, "battery_low", "battery-low"),
        Match(0x8000, 0x8000, "faults", "overload"),
        Match(0b110, 0b010, "self_test", "running"),
    )
    assert values["output_voltage_v"].live
    assert map.commands == {"off": (Write(1000, (1, 2)), Write(7, (1,), 6))}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("address = 11\n", "address = 10\n",
         "word.state.address = 10; allowed: no overlap; word.mode stands there"),
        ("address = 13\n", "address = 12\n",
         "live.output_voltage_v.address = 12; allowed: no overlap; value.charge_pct stands there"),
        ("address = 100\ncount = 2\nfunction = 4\n",
         "address = 100\ncount = 2\nfunction = 4\n[[block]]\naddress = 13\ncount = 5\n",
         "block[3].address = 13; allowed: no overlap; block[1] has some of it"),
        ("scale = 0.1\n", "scale = 0\n",
         "value.charge_pct.scale = 0.0; allowed: a number other than 0"),
        ("scale = 0.1\n", "scale = nan\n", "value.charge_pct.scale = nan; allowed: a number"),
        ('type = "u32"', 'type = "u64"',
         'value.runtime_s.type = "u64"; allowed: "f32" or "s16" or "s32" or "u16" or "u32"'),
        ('type = "u32"', 'type = "bits"',
         'value.runtime_s.type = "bits"; allowed: "f32" or "s16" or "s32" or "u16" or "u32"'),
        ('type = "enum"', 'type = "u16"',
         'word.mode.type = "u16"; allowed: "bits" or "bits32" or "enum"'),
        ("15 =", "16 =", 'word.state.bits.16 = "overload"; allowed: a bit from 0 to 15'),
        ("15 =", "x =", 'word.state.bits.x = "overload"; allowed: a bit from 0 to 15'),
        ("3 =", "65536 =",
         'word.mode.numbers.65536 = "battery"; allowed: a number from 0 to 65535'),
        ('"overload"', '"overloud"', 'word.state.bits.15 = "overloud"; allowed: "mains" or'),
        ('"overload"', "7", 'word.state.bits.15 = 7; allowed: "mains" or'),
        ("[[0b110, 0b010,", "[[0b110, 0b001,", "word.state.masks[1] = [6, 1,"),
        ("[[0b110, 0b010,", "[[0x10000, 0,", "word.state.masks[1] = [65536, 0,"),
        ("[value.charge_pct]", "[value.charge]",
         "value.charge: no such value; charge_pct, runtime_s, load_pct, input_voltage_v,"),
        ("[live.output_voltage_v]", "[live.load_pct]",
         'live.load_pct: another name, or [value.load_pct] with "live = true"'),
        ("[command.off]", "[command.on]", "command.on: no such command; off"),
        ("words = [1, 2]", "words = []", "command.off.write[1].words = []; allowed: 1 to 123"),
        ("words = [1, 2]", "words = [1, 65536]", "command.off.write[1].words = [1, 65536]"),
        ("words = [1], function = 6", "words = [1, 2], function = 6",
         "command.off.write[2].words = [1, 2]; allowed: 1 to 1 words"),
        ("words = [1], function = 6", "words = [1], function = 5",
         "command.off.write[2].function = 5; allowed: 6 or 16"),
        (WELL[WELL.index("write = ") :], "write = []",
         "command.off.write = []; allowed: one write at least"),
        ("address = 10\ncount = 4\n",
         "address = 10\ncount = 4\n[[block]]\naddress = 5\ncount = 300\n"
         "[[block]]\naddress = 65535\ncount = 2\n",
         "block[3].count = 2; allowed: registers up to address 65535"),
        ("address = 1000, ", "address = 65535, ",
         "command.off.write[1].address = 65535; allowed: words up to address 65535"),
        ('unit = "%"', 'unit = "V"', 'value.charge_pct.unit = "V"; allowed: "%", after scale'),
        ('unit = "%"', "", "value.charge_pct.unit missing; allowed: a text"),
        ('source = "page 3"\n', "", "value.charge_pct.source missing; allowed: a text"),
        ("address = 12\n", "", "value.charge_pct.address missing; allowed: a whole number"),
        ("address = 12\n", "address = 70000\n",
         "value.charge_pct.address = 70000; allowed: a whole number from 0 to 65535"),
        ("address = 12\n", "address = 14\n",
         "value.charge_pct.address = 14; allowed: 1 registers at 14 of function 3"),
        ('function = 4\norder', 'order',
         "value.runtime_s.address = 100; allowed: 2 registers at 100 of function 3"),
        ("count = 4\n", "count = 126\n", "block[1].count = 126; allowed: a whole number from 1"),
        ("address = 10\ncount = 4", "address = 65534\ncount = 4",
         "block[1].count = 4; allowed: registers up to address 65535"),
        ("function = 4\n\n", "function = 2\n\n",
         "block[2].function = 2; allowed: 3 (holding) or 4 (input registers)"),
        ("invalid = [0xFFFF]", "invalid = [0x10000]",
         "value.charge_pct.invalid = 65536; allowed: raw patterns from 0 to 0xffff"),
        ("invalid = [0xFFFF]", "invalid = 3", "value.charge_pct.invalid = 3; allowed: a list"),
        ("invalid = [0xFFFF]", 'colour = "red"', 'value.charge_pct.colour = "red"'),
        ('gap = "5ms"', 'gap = "5s"', 'gap = "5s"; allowed: a duration from "0s" to "1s"'),
        ('gap = "5ms"', 'speed = 1', "speed = 1; allowed: no such key;"),
        ('numbers = { 0', 'bits = { 0', "word.mode.bits = a table; allowed: none: type ="),
        ('3 = "battery"', '3 = "off"',
         'word missing; allowed: a register that tells "battery"'),
        ("[value.charge_pct]\n", "[value]\ncharge_pct = 3\n[value.load_pct]\n",
         "value.charge_pct = 3; allowed: a table: [value.charge_pct]"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_map_is_named_by_its_key(faults, old, new, fault):
    told = faults((old, new))
    assert [line for line in told if line.startswith(fault)], told


def test_every_fault_is_told_in_one_reading(faults):
    told = faults(
        ("scale = 0.1\n", "scale = 0\n"),
        ("15 =", "16 ="),
        ("[command.off]", "[command.on]"),
        ('gap = "5ms"', 'gap = "5s"'),
        added="[[block]]\naddress = 0\ncount = 11\n",
    )
    assert sorted(line.split(" ")[0].rstrip(":") for line in told) == [
        "block[3].address", "command.on", "gap", "value.charge_pct.scale", "word.state.bits.16",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"source = ", "is not TOML"),
        (b"\xff", "codec can't decode"),
        (b"#" * 100_001, "is larger than 100000 bytes"),
        (b"a = " + b"[" * 50_000, "our-ups"),
        (b"", "source missing"),
    ],
    ids=["no TOML", "no UTF-8", "large", "deep", "empty"],
)
def test_a_file_that_is_no_map_is_one_clear_error(tmp_path, content, fault):
    file = tmp_path / "our-ups.toml"
    file.write_bytes(content)
    with pytest.raises(MapFaults, match=fault) as told:
        read_map(file)
    assert str(told.value).startswith(f"{file}: ")


def test_a_map_that_there_is_not_is_named_with_those_that_there_are(tmp_path):
    with pytest.raises(MapFaults, match='no register map; "apc-smart-ups", "huawei-ups2000",'):
        find_map("apc", tmp_path)
    with pytest.raises(MapFaults, match=r"our-ups\.toml: no such file"):
        find_map("our-ups.toml", tmp_path)
    with pytest.raises(MapFaults, match="cannot be read"):
        read_map(tmp_path)
