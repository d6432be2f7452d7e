"""What must not be wired, and what may."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.config.faults import Fault
from controller.config.read import read_room
from hardware.wiring import check_wiring

OUTSIDE = (
    '"outside": the controller, its network path and the door release are fed from outside the cut'
)
LIVE_UPS = (
    'who, when, why; or a cut-off with scope = "ups": without one the UPS keeps the room live '
    "after the cut"
)
LOW_PINS = "9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27"
SMOKE_3 = (
    '[[input]]\nid = "smoke-3"\nkind = "contact"\nrole = "smoke"\npin = {0}\ncontact = "{1}"\n'
)
LOCK = '[[output]]\nid = "lock"\nkind = "relay"\nrole = "door-release"\npin = {0}\n'
BEACON = '[[output]]\nid = "beacon"\nkind = "relay"\nrole = "beacon"\npin = {0}\n'
RACK = '[[output]]\nid = "rack"\nkind = "relay"\nrole = "outlet"\npin = 19\n'
HOST = (
    '[[host]]\nid = "office"\nstage = 1\nstop = "nut"\nevidence = ["ping://10.0.0.1"]\n'
    'outlet = "rack"\n'
)
UPS_CUT_PROOF = (
    '[[input]]\nid = "ups-cut-proof"\nkind = "contact"\nrole = "feedback"\nof = "ups-cut"\n'
    'pin = 6\ncontact = "no"\n'
)
UPS_SCOPE = (
    'scope = "ups"                     # the UPS output; the one above is the room\'s supply'
)
HALL_OUTLET = (
    'energised = "off"                 # NC contact: a lost controller leaves the fan its power'
)
FED = 'fed = "outside" '


@pytest.mark.parametrize(
    ("replaced", "added", "found"),
    [
        pytest.param([], "", [], id="the-lakeside-room-is-wired-safely"),
        pytest.param(
            [],
            SMOKE_3.format(22, "nc") + BEACON.format(4),
            [
                Fault('input "smoke-3".pin', "22", 'a free pin; input "front-door" has this one'),
                Fault('output "beacon".pin', "4", 'a free pin; input "rack-air" has this one'),
            ],
            id="a-pin-used-twice-by-inputs-and-outputs",
        ),
        pytest.param(
            [("pins = [27, 26]", "pins = [27, 18]")],
            "",
            [Fault('input "smoke-2".pins', "18", 'a free pin; input "smoke-1" has this one')],
            id="a-pin-of-two-pairs",
        ),
        pytest.param(
            [],
            SMOKE_3.format(1, "nc"),
            [
                Fault(
                    'input "smoke-3".pin',
                    "1",
                    "another pin: the ID EEPROM of a HAT is read here at every boot",
                )
            ],
            id="an-input-on-the-eeprom",
        ),
        pytest.param(
            [],
            BEACON.format(14) + LOCK.format(2),
            [
                Fault(
                    'output "beacon".pin',
                    "14",
                    "another pin: the serial console talks here while booting, and the relay "
                    "with it",
                ),
                Fault(
                    'output "lock".pin',
                    "2",
                    "another pin: I2C, with pull-ups of 1.8 kilohm soldered on the board",
                ),
            ],
            id="relays-on-the-console-and-i2c",
        ),
        pytest.param([], SMOKE_3.format(15, "nc"), [], id="a-contact-may-be-on-the-console"),
        pytest.param(
            [],
            LOCK.format(5),
            [
                Fault(
                    'output "lock".pin',
                    "5",
                    f"{LOW_PINS}: this one is pulled up at power-on and energises",
                )
            ],
            id="a-lock-that-opens-while-booting",
        ),
        pytest.param(
            [("pin = 16\n", 'pin = 16\nactive = "low"\n')],
            "",
            [
                Fault(
                    'output "power-cut".active',
                    '"low"',
                    '"high", or a pin of 4, 5, 6, 7, 8: pin 16 is pulled down at power-on and '
                    "energises",
                )
            ],
            id="a-cut-while-booting",
        ),
        pytest.param(
            [], LOCK.format(5) + 'active = "low"\n', [], id="active-low-on-a-pin-pulled-up"
        ),
        pytest.param([], BEACON.format(19) + 'active = "low"\n', [], id="a-beacon-may-twitch"),
        pytest.param(
            [],
            SMOKE_3.format(19, "no"),
            [
                Fault(
                    'input "smoke-3".contact',
                    '"no"',
                    '"nc", or kind = "contact-pair": a broken wire of a normally-open smoke loop '
                    "is never noticed",
                )
            ],
            id="a-normally-open-smoke-loop",
        ),
        pytest.param(
            [(UPS_SCOPE, 'scope = "room"')],
            "",
            [Fault("fire.accept_risk", "missing", LIVE_UPS)],
            id="a-ups-that-stays-live",
        ),
        pytest.param(
            [
                (UPS_SCOPE, 'scope = "room"'),
                (FED, 'accept_risk = "head of house, 2026-11-22: no UPS breaker"\n' + FED),
            ],
            "",
            [],
            id="a-ups-that-stays-live-accepted",
        ),
        pytest.param(
            [(FED, 'fed = "inside" ')],
            "",
            [Fault("fire.fed", '"inside"', OUTSIDE)],
            id="fed-from-inside-the-cut",
        ),
        pytest.param(
            [(FED, "#")], "", [Fault("fire.fed", "missing", OUTSIDE)], id="fed-not-said"
        ),
        pytest.param(
            [(HALL_OUTLET, 'energised = "on"')],
            "",
            [
                Fault(
                    'output "hall-outlet".energised',
                    '"on"',
                    '"off" (the NC contact): a restart would take the fan from a hot lamp',
                )
            ],
            id="a-fan-that-a-restart-stops",
        ),
        pytest.param(
            [(HALL_OUTLET, 'energised = "off"\nlost = "off"')],
            "",
            [
                Fault(
                    'output "hall-outlet".lost', '"off"', '"on": a hot lamp\'s fan needs its power'
                )
            ],
            id="a-fan-that-a-lost-controller-stops",
        ),
        pytest.param(
            [],
            RACK + HOST,
            [
                Fault(
                    'output "rack".energised',
                    '"on"',
                    '"off" (the NC contact): a restart would drop the host',
                )
            ],
            id="a-host-that-a-restart-drops",
        ),
        pytest.param([], RACK + 'lost = "off"\n' + HOST, [], id="a-host-that-may-be-dropped"),
        pytest.param([], RACK, [], id="an-outlet-of-nothing-may-rest-off"),
        pytest.param(
            [('energised = "on"                  # shunt trip: an energised coil cuts; "off": '
              "a contactor held in", 'energised = "off"')],
            "",
            [],
            id="a-held-in-contactor-may-cut",
        ),
        pytest.param(
            [('kind = "contact-pair"             # the', 'kind = "contact-pear" # the')],
            BEACON.format(17),
            [
                Fault(
                    'input "smoke-1".kind',
                    '"contact-pear"',
                    '"contact" or "contact-pair" or "dht22" or "iio-dht" or "modbus-contact"',
                ),
                Fault('output "beacon".pin', "17", 'a free pin; input "smoke-1" has this one'),
            ],
            id="pins-of-a-faulty-part-still-count",
        ),
    ],
)  # fmt: skip
def test_unsafe_wiring_is_named(faults, replaced, added, found):
    assert faults(*replaced, added=added) == found


def test_a_ups_known_by_its_contacts_alone_stays_live_too(faults):
    ups = (
        '[[ups]]\nid = "main-ups"\nkind = "modbus"                   # or "nut"\n'
        'map = "apc-smart-ups"             '
        '# "huawei-ups2000", "socomec-jbus", "phoenix-quint4", or a file of the site\'s own\n'
        'address = "tcp://127.0.0.1:1502"  '
        '# "rtu:///dev/ttyUSB0?baudrate=9600"; for nut "nut://127.0.0.1:3493/ups"\nunit = 1\n'
    )
    contact = '[[input]]\nid = "low"\nkind = "contact"\nrole = "ups-battery-low"\npin = 19\n'
    without_ups = [(ups, ""), (UPS_SCOPE, 'scope = "room"')]
    assert faults(*without_ups) == []
    assert faults(*without_ups, added=contact) == [Fault("fire.accept_risk", "missing", LIVE_UPS)]


def test_a_ups_of_dry_contacts_that_stays_live_is_named(faults):
    small = (
        '[[ups]]\nid = "small"\nkind = "dry-contacts"\n[[input]]\nid = "small-ob"\n'
        'kind = "contact"\nrole = "ups-on-battery"\npin = 19\nof = "small"\n'
    )
    assert faults((UPS_SCOPE, 'scope = "room"'), added=small) == [
        Fault("fire.accept_risk", "missing", LIVE_UPS)
    ]


@pytest.mark.parametrize("kind", ["rpi3", "rpi4", "rpi5"])
def test_the_lakeside_room_may_be_wired_to_every_board(faults, kind):
    simulation = '[simulation]                      # only with [board] kind = "simulated"\n'
    board = 'kind = "simulated"                # "rpi3", "rpi4", "rpi5"'
    assert faults((board, f'kind = "{kind}"'), (simulation, "[simulation]\n")) == []


def test_a_room_that_cuts_nothing_need_not_say_how_its_controller_is_fed(tmp_path: Path):
    file = tmp_path / "room.toml"
    file.write_text(
        '[room]\nsite = "s"\nid = "r"\nname = "R"\ntimezone = "UTC"\n[board]\nkind = "rpi4"\n'
    )
    assert check_wiring(read_room(file, {})) == []
