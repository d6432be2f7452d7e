"""A UPS's registers become its normal form, and the normal form registers."""

from __future__ import annotations

import math
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.parts import SELF_TESTS, SUPPLIES, UPS_FAULTS, UPS_VALUES
from controller.core.registers import (
    Block,
    Match,
    RegisterMap,
    Value,
    Words,
    decode,
    encode,
    live_text,
    number,
    raw_of,
    tells,
)

TODAY_D = 20000.0
SUPPLY_BITS = {"off": 0, "bypass": 1, "battery": 2, "mains": 3}


def bit(place: int, key: str, word: str) -> Match:
    return Match(1 << place, 1 << place, key, word)


def bits(name: str, address: int, *matches: Match, **other: Any) -> Value:
    return Value(
        name=name, address=address, type="bits", matches=matches, invalid=(0xFFFF,), **other
    )


def measured(key: str, address: int, type: Any = "u16", **other: Any) -> Value:
    told = UPS_VALUES[key]
    return Value(
        name=key, key=key, address=address, type=type, low=told.low, high=told.high, **other
    )


SUPPLY = bits("status", 0, *(bit(at, "supply", word) for word, at in SUPPLY_BITS.items()))
LOW = bits("low", 1, bit(0, "battery_low", "battery-low"))
TESTS = bits("tests", 2, *(bit(at, "self_test", word) for at, word in enumerate(SELF_TESTS[1:])))
FAULTS = bits("faults", 3, *(bit(at, "faults", word) for at, word in enumerate(UPS_FAULTS)))
NUMBERS = (
    measured("charge_pct", 4, scale=0.1, invalid=(0xFFFF,)),
    measured("runtime_s", 5, "u32", invalid=(0xFFFF_FFFF,)),
    measured("load_pct", 7, scale=2**-8, live=True, invalid=(0xFFFF,)),
    measured("input_voltage_v", 8, "f32", live=True, absent=(0xFFFF_FFFF,)),
    measured("input_frequency_hz", 10, "s16", scale=0.01),
    measured("battery_age_d", 11, since=10957, absent=(0xFFFF,)),
)
UPS = RegisterMap("a-ups", blocks=(Block(0, 12),), values=(SUPPLY, LOW, TESTS, FAULTS, *NUMBERS))


def registers(*words: int, first: int = 0) -> Words:
    return {(3, address): word for address, word in enumerate(words, first)}


def one(value: Value, *words: int) -> Any:
    """What a map with this value alone says of these words; "left out" where it says nothing."""
    map = RegisterMap("one", blocks=(Block(value.address, len(words)),), values=(value,))
    told = decode(map, registers(*words, first=value.address), TODAY_D)
    return told.get(next(iter(value.keys)), "left out")


@pytest.mark.parametrize(
    ("said", "supply"),
    [
        ({"mains"}, "mains"),
        ({"battery"}, "battery"),
        ({"bypass", "mains"}, "bypass"),
        ({"bypass", "battery"}, "bypass"),
        ({"off", "bypass", "battery"}, "off"),
        ({"mains", "battery"}, None),
        ({"mains", "battery", "off"}, None),
        (set(), None),
    ],
)
def test_the_supply_is_what_the_ups_says_and_unknown_where_it_contradicts_itself(said, supply):
    assert one(SUPPLY, sum(1 << SUPPLY_BITS[word] for word in said)) == supply


def test_a_register_with_all_bits_set_says_nothing():
    assert [one(value, 0xFFFF) for value in (SUPPLY, LOW, TESTS, FAULTS)] == [None] * 4


@pytest.mark.parametrize(
    ("said", "word"), [(0, "mains"), (1, "battery"), (2, None), (0xFFFF, None)]
)
def test_a_number_of_an_enum_that_is_not_listed_is_unknown(said, word):
    matches = (Match(0xFFFF, 0, "supply", "mains"), Match(0xFFFF, 1, "supply", "battery"))
    assert one(Value(name="mode", address=0, type="enum", matches=matches), said) == word


def test_a_word_may_need_several_bits_and_the_absence_of_others():
    value = bits("status", 0, Match(0b111, 0b011, "supply", "mains"))
    assert [one(value, word) for word in (0b011, 0b111, 0b001, 0b1011)] == [
        "mains", None, None, "mains",
    ]  # fmt: skip


def test_several_self_tests_at_once_are_the_one_that_matters_most():
    assert one(TESTS, 0) == "none"
    assert one(TESTS, 0b1100) == "failed"
    assert one(TESTS, 0b0101) == "running"
    assert one(TESTS, 0b0111) == "calibrating"


def test_faults_are_all_named_whatever_registers_they_stand_in():
    more = bits("more", 4, bit(0, "faults", "overload"), bit(1, "faults", "fan"))
    map = RegisterMap("two", blocks=(Block(0, 5),), values=(FAULTS, more))
    assert decode(map, registers(0, 0, 0, 0, 0))["faults"] == ""
    assert decode(map, registers(0, 0, 0, 0b10, 0b11))["faults"] == "fan overload replace-battery"
    assert decode(map, registers(0, 0, 0, 0xFFFF, 0b11))["faults"] is None


@pytest.mark.parametrize(
    ("type", "raw", "expected"),
    [
        ("u16", 0xFFFF, 65535.0),
        ("s16", 0xFFFF, -1.0),
        ("s16", 0x7FFF, 32767.0),
        ("u32", 0xFFFF_FFFF, 4294967295.0),
        ("s32", 0x8000_0000, -2147483648.0),
        ("f32", 0x41C8_0000, 25.0),
        ("f32", 0xFF80_0000, -math.inf),
    ],
)
def test_raw_bits_are_numbers_of_their_type(type, raw, expected):
    assert number(type, raw) == expected


def test_the_words_of_a_long_value_stand_in_either_order():
    high_first = measured("runtime_s", 0, "u32")
    assert raw_of(high_first, registers(1, 2)) == 0x0001_0002
    low_first = measured("runtime_s", 0, "u32", low_word_first=True)
    assert raw_of(low_first, registers(1, 2)) == 0x0002_0001
    assert raw_of(low_first, registers(1)) is None


def test_the_two_kinds_of_registers_have_addresses_of_their_own():
    value = measured("charge_pct", 0, function=4)
    assert raw_of(value, {(3, 0): 1}) is None
    assert raw_of(value, {(3, 0): 1, (4, 0): 2}) == 2


@pytest.mark.parametrize(
    ("value", "words", "expected"),
    [
        (measured("charge_pct", 0, scale=0.1), [1000], 100.0),
        (measured("charge_pct", 0, scale=0.1), [1001], None),
        (measured("charge_pct", 0, scale=0.1, invalid=(0x7FFF,)), [0x7FFF], None),
        (measured("runtime_s", 0, scale=60.0, absent=(0xFFFF,)), [0xFFFF], "left out"),
        (measured("runtime_s", 0, scale=60.0), [12], 720.0),
        (measured("input_voltage_v", 0, "f32"), [0x7FC0, 0], None),
        (measured("input_voltage_v", 0, "s16"), [0xFFFF], None),
        (measured("battery_age_d", 0, since=10957), [9000], 43.0),
        (measured("battery_age_d", 0, since=10957), [9100], None),
    ],
    ids=[
        "the most", "over the most", "invalid", "absent", "minutes", "not a number", "negative",
        "age", "younger than today",
    ],
)  # fmt: skip
def test_a_number_is_known_within_its_range_only(value, words, expected):
    assert one(value, *words) == expected


def test_an_age_is_unknown_where_the_day_is():
    age = measured("battery_age_d", 0, since=10957)
    map = RegisterMap("one", blocks=(Block(0, 1),), values=(age,))
    assert decode(map, registers(9000)) == {"battery_age_d": None}


def test_what_was_not_read_is_left_out():
    assert decode(UPS, registers(1 << SUPPLY_BITS["mains"])) == {"supply": "mains"}
    assert decode(UPS, {}) == {}


def test_a_map_tells_the_keys_of_the_normal_form_that_its_registers_know():
    assert tells(UPS) == frozenset(UPS_VALUES)
    assert tells(RegisterMap("none")) == frozenset()
    unseen = Value(name="output_voltage_v", address=0, type="u16", live=True)
    assert tells(RegisterMap("live only", values=(unseen, LOW))) == {"battery_low"}


def test_the_live_text_is_made_of_live_registers_alone():
    words = dict(encode(UPS, {"load_pct": 40.0, "input_voltage_v": 230.0}))
    before = live_text(UPS, words)
    words[3, 4] ^= 1
    assert live_text(UPS, words) == before
    words[3, 7] ^= 1
    assert live_text(UPS, words) != before
    assert live_text(RegisterMap("none", values=(LOW,)), words) is None


states = st.fixed_dictionaries(
    {
        "supply": st.sampled_from([*SUPPLIES, None]),
        "battery_low": st.booleans(),
        "charge_pct": st.integers(0, 100).map(float),
        "runtime_s": st.integers(1, 7 * 86400).map(float),
        "load_pct": st.integers(0, 200).map(float),
        "input_voltage_v": st.integers(0, 600).map(float),
        "input_frequency_hz": st.integers(0, 80).map(float),
        "battery_age_d": st.integers(0, 5000).map(float),
        "self_test": st.sampled_from(SELF_TESTS),
        "faults": st.sets(st.sampled_from(UPS_FAULTS)).map(lambda all: " ".join(sorted(all))),
    }
)


@given(states)
@settings(derandomize=True, database=None, max_examples=50)
def test_what_a_simulated_ups_is_made_to_say_is_what_is_heard(state):
    words = encode(UPS, state, TODAY_D)
    assert set(words) == {(3, address) for address in range(12)}
    assert decode(UPS, words, TODAY_D) == state


@given(st.lists(st.integers(0, 0xFFFF), min_size=12, max_size=12))
@settings(derandomize=True, database=None, max_examples=80)
def test_no_words_whatever_give_a_value_out_of_range(words):
    told = decode(UPS, registers(*words), TODAY_D)
    for key, value in told.items():
        normal = UPS_VALUES[key]
        if isinstance(value, float):
            assert normal.low <= value <= normal.high
        elif key in ("supply", "self_test"):
            assert value is None or value in normal.words
        elif key == "faults":
            assert value is None or set(str(value).split()) <= set(UPS_FAULTS)


@pytest.mark.parametrize("key", [key for key in UPS_VALUES if key != "input_frequency_hz"])
def test_what_is_not_known_is_written_as_a_pattern_that_says_so(key):
    known = {
        "supply": "mains", "battery_low": False, "charge_pct": 50.0, "runtime_s": 60.0,
        "load_pct": 1.0, "input_voltage_v": 230.0, "input_frequency_hz": 50.0,
        "battery_age_d": 3.0, "self_test": "none", "faults": "",
    }  # fmt: skip
    told = decode(UPS, encode(UPS, known | {key: None}, TODAY_D), TODAY_D)
    assert told.pop(key, None) is None
    assert told == {other: value for other, value in known.items() if other != key}


def test_a_number_is_held_within_what_its_register_can_say():
    words = encode(UPS, {"load_pct": 300.0, "charge_pct": -5.0, "input_frequency_hz": -400.0})
    assert (words[3, 7], words[3, 4], words[3, 10]) == (0xFFFF, 0, 0x8000)


def test_a_value_that_is_only_live_is_written_by_its_name():
    volts = Value(name="output_voltage_v", address=0, type="f32", live=True)
    map = RegisterMap("live", blocks=(Block(0, 2),), values=(volts,))
    words = encode(map, {"output_voltage_v": 229.5})
    assert struct.pack(">HH", words[3, 0], words[3, 1]) == struct.pack(">f", 229.5)


def test_a_map_cannot_be_changed():
    with pytest.raises(AttributeError):
        UPS.name = "another"  # type: ignore[misc]
    assert msgspec.structs.replace(UPS, gap_s=0.1).gap_s == 0.1
