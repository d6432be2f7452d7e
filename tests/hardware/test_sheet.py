"""The wiring sheet tells the electrician what goes where, in both languages."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from controller.core.roles import INPUT_ROLES, OUTPUT_ROLES
from hardware import sheet
from hardware.sheet import wiring_sheet

TEXTS = Path(sheet.__file__).parent / "texts"


def rows(text: str, part: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith(f"| {part} |")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_each_contact_has_its_pin_and_what_closed_and_open_mean(lakeside):
    text = wiring_sheet(lakeside(), "en")
    assert rows(text, "smoke-1") == [
        ["smoke-1", "", "smoke detector", "normally open", "17 (11)", "smoke", "no smoke"],
        ["smoke-1", "", "smoke detector", "normally closed", "18 (12)", "no smoke", "smoke"],
    ]
    assert rows(text, "front-door") == [
        ["front-door", "", "door", "normally closed", "22 (15)", "door shut", "door open"]
    ]
    assert rows(text, "rack-air")[0][1:5] == [
        "rack inlet",
        "climate sensor",
        "data line, 4.7 kΩ pull-up to 3.3 V",
        "4 (7)",
    ]


def test_a_part_behind_a_bus_has_its_address_its_unit_and_what_it_is(lakeside):
    leak = (
        '[[input]]\nid = "leak"\nkind = "modbus-contact"\nrole = "leak"\nplace = "floor"\n'
        'address = "tcp://127.0.0.1:1502"\nunit = 7\nfunction = "discrete"\nregister = 0\n'
    )
    text = wiring_sheet(lakeside(added=leak), "en")
    assert rows(text, "leak") == [
        ["leak", "floor", "modbus-contact, water leak", "tcp://127.0.0.1:1502, unit 7"]
    ]
    assert rows(text, "main-ups") == [["main-ups", "", "modbus", "tcp://127.0.0.1:1502, unit 1"]]


def test_a_contact_of_a_ups_says_which(lakeside):
    contact = (
        '[[input]]\nid = "low"\nkind = "contact"\nrole = "ups-battery-low"\npin = 19\n'
        'of = "main-ups"\n'
    )
    text = wiring_sheet(lakeside(added=contact), "en")
    assert rows(text, "low")[0][2] == "UPS battery low: main-ups"


def test_each_relay_has_what_its_coil_does_and_what_proves_it(lakeside):
    text = wiring_sheet(lakeside(), "en")
    assert rows(text, "power-cut") == [
        [
            "power-cut",
            "",
            "cut-off of the room's supply",
            "16 (36)",
            "high level",
            "supply cut",
            "supply on",
            "down",
            "cut-proof",
        ]
    ]
    assert rows(text, "aircon")[0][4:7] == ["high level", "stopped", "runs"]


def test_the_sheet_is_chinese_where_that_is_asked(lakeside):
    text = wiring_sheet(lakeside(), "zh-CN")
    assert text.startswith("# 接线表：网络机房\n")
    assert rows(text, "front-door") == [
        ["front-door", "", "门", "常闭", "22 (15)", "门关", "门开"]
    ]


@pytest.mark.parametrize(("locale", "words"), [("en", "does not replace"), ("zh-CN", "不能替代")])
def test_the_sheet_says_that_it_is_no_life_safety_system(lakeside, locale, words):
    assert words in wiring_sheet(lakeside(), locale)


def test_a_held_in_contactor_and_a_lock_that_stays_shut_are_noted(lakeside):
    held = (
        'energised = "on"                  # shunt trip: an energised coil cuts; "off": a '
        "contactor held in"
    )
    lock = '[[output]]\nid = "lock"\nkind = "relay"\nrole = "door-release"\npin = 19\n'
    beacon = '[[output]]\nid = "lamp"\nkind = "relay"\nrole = "beacon"\npin = 5\n'
    text = wiring_sheet(lakeside((held, 'energised = "off"'), added=lock + beacon), "en")
    assert [line for line in text.splitlines() if line.startswith("- ")][-3:] == [
        "- power-cut: held in by its energised coil: a controller that dies or restarts cuts at "
        "once, and waits for no lamp to cool.",
        "- lock: without a controller it should be on (door free), but its released coil gives "
        "off (door locked).",
        "- lamp: energised by the pin's pull while the board starts.",
    ]


def test_words_of_the_room_cannot_break_a_table(lakeside):
    place = ('place = "rack inlet"', 'place = "a | b\\nc"')
    text = wiring_sheet(lakeside(place), "en")
    assert "| rack-air | a \\| b c | climate sensor |" in text


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_role_has_its_words(locale):
    texts = tomllib.loads((TEXTS / f"{locale}.toml").read_text())
    roles = {*INPUT_ROLES, *OUTPUT_ROLES}
    assert set(texts["role"]) == roles | {"climate"}
    assert set(texts["true"]) == roles
    assert set(texts["false"]) == roles


def test_both_languages_say_the_same():
    english, chinese = (
        tomllib.loads((TEXTS / f"{locale}.toml").read_text()) for locale in ("en", "zh-CN")
    )
    assert list(english) == list(chinese)
    for head in ("input_head", "output_head", "other_head"):
        assert english[head].count("|") == chinese[head].count("|")
