"""Each key by itself: what it takes, and what is said of what it does not take."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.config.faults import ConfigFaults, Fault
from controller.config.read import read_room
from controller.config.walk import Kinds

CONTACT = '[[input]]\nkind = "contact"\nrole = "door"\n'
RELAY = '[[output]]\nkind = "relay"\n'
AN_ID = "an id of small letters, digits and single hyphens, 40 characters at most"
INPUT_KINDS = (
    '"contact" or "contact-pair" or "dht11" or "dht22" or "iio-dht" or "modbus-climate" or '
    '"modbus-contact"'
)
A_PIN = "a BCM pin of the 40-pin header, 0 to 27"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            '[fire]\nwindw = "1s"',
            [
                Fault(
                    "fire.windw",
                    '"1s"',
                    "no such key; confirm, window, budget, verify, heat_above, heat_rise, "
                    "prealarm_stops_cooling, countdown, hold_total, fed, accept_risk",
                )
            ],
            id="unknown-key",
        ),
        pytest.param(
            "[bogus]\nx = 1",
            [
                Fault(
                    "bogus",
                    "a table",
                    "no such key; version, room, board, input, output, projector, ups, host, nut, "
                    "outage, return, climate, fire, access, feed, panel, store, simulation",
                )
            ],
            id="unknown-table",
        ),
        pytest.param(
            CONTACT + 'id = "d"', [Fault('input "d".pin', "missing", A_PIN)], id="missing-key"
        ),
        pytest.param(
            CONTACT + "pin = 5", [Fault("input[1].id", "missing", AN_ID)], id="missing-id"
        ),
        pytest.param(
            CONTACT + 'id = "d"\npin = "5"',
            [Fault('input "d".pin', '"5"', A_PIN)],
            id="text-for-a-number",
        ),
        pytest.param(
            CONTACT + 'id = "d"\npin = true',
            [Fault('input "d".pin', "true", A_PIN)],
            id="bool-for-a-number",
        ),
        pytest.param(
            CONTACT + 'id = "d"\npin = 28',
            [Fault('input "d".pin', "28", A_PIN)],
            id="out-of-range",
        ),
        pytest.param(
            CONTACT + 'id = "D\\n"\npin = 5',
            [Fault("input[1].id", '"D\\n"', AN_ID)],
            id="id-with-a-line-end",
        ),
        pytest.param(
            CONTACT + 'id = "d"\npin = 5\ncontact = "xx"',
            [Fault('input "d".contact', '"xx"', '"nc" or "no"')],
            id="not-one-of",
        ),
        pytest.param(
            '[[input]]\nid = "t"\nkind = "dht23"\npin = 5',
            [
                Fault(
                    'input "t".kind',
                    '"dht23"',
                    INPUT_KINDS,
                )
            ],
            id="unknown-kind",
        ),
        pytest.param(
            '[[input]]\nid = "t"\npin = 5',
            [
                Fault(
                    'input "t".kind',
                    "missing",
                    INPUT_KINDS,
                )
            ],
            id="missing-kind",
        ),
        pytest.param(
            '[[input]]\nid = "s"\nkind = "contact-pair"\nrole = "smoke"\npins = [17]',
            [Fault('input "s".pins', "[17]", f"a list of 2, each {A_PIN}")],
            id="one-pin-of-a-pair",
        ),
        pytest.param(
            "[simulation]\npace = nan",
            [Fault("simulation.pace", "nan", "a number from 1 to 1000")],
            id="nan",
        ),
        pytest.param(
            "[climate]\ntemperature_high = inf",
            [Fault("climate.temperature_high", "inf", "a number from -40 to 80")],
            id="infinity",
        ),
        pytest.param(
            '[fire]\nwindow = "2 minutes"\nbudget = 30',
            [
                Fault("fire.window", '"2 minutes"', 'a duration from "1s" to "10min"'),
                Fault("fire.budget", "30", 'a duration from "0s" to "10min"'),
            ],
            id="bad-durations",
        ),
        pytest.param(
            '[access]\nheld_open = "1d"',
            [Fault("access.held_open", '"1d"', 'a duration from "5s" to "2h"')],
            id="duration-too-long",
        ),
        pytest.param(
            '[outage]\n[[outage.stage]]\nstage = 1\nafter = "1s"\nruntime_below = "much"',
            [
                Fault(
                    "outage.stage[1].runtime_below",
                    '"much"',
                    'a duration from "1s" to "24h" or "need"',
                )
            ],
            id="duration-or-word",
        ),
        pytest.param(
            '[store]\nsize = "8"',
            [Fault("store.size", '"8"', 'a size from "10MB" to "10TB"')],
            id="size-without-unit",
        ),
        pytest.param(
            '[panel]\nlisten = "8080"',
            [Fault("panel.listen", '"8080"', 'an address and port such as "127.0.0.1:8080"')],
            id="no-address",
        ),
        pytest.param(
            '[feed]\nurl = "mqtt://me:letmein@127.0.0.1"\npassword = "letmein"',
            [
                Fault(
                    "feed.password",
                    "(not shown)",
                    "password_file, the name of a file that holds it",
                ),
                Fault("feed.url", "(not shown)", '"mqtt://host:1883" or "mqtts://host:8883"'),
            ],
            id="secrets-are-refused-and-not-shown",
        ),
        pytest.param(
            "[[access]]\n[input]",
            [
                Fault("input", "a table", "an array of tables: [[input]]"),
                Fault("access", "[a table]", "a table"),
            ],
            id="table-for-array-and-array-for-table",
        ),
    ],
)
def test_a_faulty_key_is_named_with_what_is_allowed(faults, text, found):
    assert faults(text) == found


def test_missing_tables_name_every_key_that_they_must_have(tmp_path: Path, kinds: Kinds):
    file = tmp_path / "room.toml"
    file.write_text("version = 2\n")
    with pytest.raises(ConfigFaults) as caught:
        read_room(file, kinds)
    assert str(caught.value).splitlines() == [
        f"{file}: version = 2; allowed: 1",
        f"{file}: room.site missing; allowed: {AN_ID}",
        f"{file}: room.id missing; allowed: {AN_ID}",
        f"{file}: room.name missing; allowed: a text of 1 to 200 characters",
        f'{file}: room.timezone missing; allowed: a time zone such as "Asia/Shanghai"',
        f'{file}: board.kind missing; allowed: "rpi3" or "rpi4" or "rpi5" or "simulated"',
    ]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "/etc/localtime", "", "Asia"])
def test_a_time_zone_must_exist(tmp_path: Path, kinds: Kinds, zone: str):
    file = tmp_path / "room.toml"
    file.write_text(
        f'[room]\nsite = "s"\nid = "r"\nname = "R"\ntimezone = "{zone}"\n'
        '[board]\nkind = "simulated"\n'
    )
    with pytest.raises(ConfigFaults) as caught:
        read_room(file, kinds)
    assert [fault.key for fault in caught.value.faults] == ["room.timezone"]


def test_all_faults_of_a_part_are_told_and_its_name_still_counts(faults):
    found = faults(
        '[[input]]\nid = "proof"\nkind = "contact"\nrole = "feedback"\nof = "cut"\npin = 99\n'
        'kontact = "nc"\n' + RELAY + 'id = "cut"\nrole = "cut-off"\nscope = "hall"\npin = 16\n'
    )
    assert [fault.key for fault in found] == [
        'input "proof".kontact',
        'input "proof".pin',
        'output "cut".scope',
    ]


def test_a_part_whose_own_driver_refuses_it_is_named(faults):
    found = faults('[[input]]\nid = "s"\nkind = "contact-pair"\nrole = "smoke"\npins = [17, 17]\n')
    assert found == [Fault('input "s"', "", "pins: two different pins, not 17 twice")]
