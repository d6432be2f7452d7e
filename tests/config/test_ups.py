"""UPSes: their contacts, their lines, and who shares one."""

from __future__ import annotations

import pytest

from controller.config.faults import Fault

MODBUS = '[[ups]]\nid = "{0}"\nkind = "modbus"\nmap = "apc-smart-ups"\naddress = "{1}"\n'
NUT = '[[ups]]\nid = "{0}"\nkind = "nut"\naddress = "{1}"\n'
DRY = '[[ups]]\nid = "{0}"\nkind = "dry-contacts"\n'
CONTACT = '[[input]]\nid = "{0}"\nkind = "contact"\nrole = "{1}"\npin = {2}\n'
ON_BATTERY = CONTACT.format("ob", "ups-on-battery", 5)
LEAK = (
    '[[input]]\nid = "{0}"\nkind = "modbus-contact"\nrole = "leak"\naddress = "{1}"\nunit = {2}\n'
    'function = "discrete"\nregister = {3}\n'
)
AIR = (
    '[[input]]\nid = "{0}"\nkind = "modbus-climate"\naddress = "{1}"\nunit = {2}\n'
    'function = "input"\ntemperature = {{ register = {3}, scale = 0.1 }}\n'
)
LINE = "rtu:///dev/ttyUSB0?baudrate={0}"
REAL = "[simulation]\nreal = [{0}]\n"
TCP = "tcp://127.0.0.1:502"
SIMULATED = "tcp://host:port on a simulated board, or the part among simulation.real"
STAGE = "[[outage.stage]]\nstage = 1\n{0}\n"

NO_COMMANDS = "only with a UPS that takes commands; one behind NUT needs user and password_file"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(DRY.format("u") + ON_BATTERY, [], id="the-only-ups"),
        pytest.param(ON_BATTERY, [], id="the-ups-of-a-room-without-any"),
        pytest.param(
            DRY.format("u"),
            [Fault('ups "u"', "", 'needs an input with role "ups-on-battery" that is its own')],
            id="a-ups-that-nothing-tells-of",
        ),
        pytest.param(
            DRY.format("u") + DRY.format("v") + ON_BATTERY + 'of = "u"\n',
            [Fault('ups "v"', "", 'needs an input with role "ups-on-battery" that is its own')],
            id="the-other-ups-that-nothing-tells-of",
        ),
        pytest.param(
            NUT.format("u", "nut://h/u") + NUT.format("v", "nut://h/v") + ON_BATTERY,
            [Fault('input "ob".of', "missing", 'a UPS: "u", "v"')],
            id="which-of-two",
        ),
        pytest.param(
            NUT.format("u", "nut://h/u") + NUT.format("v", "nut://h/v") + ON_BATTERY + 'of = "v"',
            [],
            id="this-one-of-two",
        ),
        pytest.param(
            DRY.format("u")
            + ON_BATTERY
            + CONTACT.format("low", "ups-battery-low", 6)
            + 'of = "w"',
            [Fault('input "low".of', '"w"', 'a UPS: "u"')],
            id="of-no-ups",
        ),
        pytest.param(
            ON_BATTERY + CONTACT.format("again", "ups-on-battery", 6),
            [],
            id="two-that-say-the-same",
        ),
        pytest.param(
            DRY.format("u") + ON_BATTERY + STAGE.format("charge_below = 50"),
            [Fault("outage.stage[1].after", "missing", 'a duration, as UPS "u" tells no charge')],
            id="contacts-tell-no-charge",
        ),
        pytest.param(
            DRY.format("u")
            + ON_BATTERY
            + STAGE.format('charge_below = 50\nruntime_below = "need"'),
            [
                Fault(
                    "outage.stage[1].after",
                    "missing",
                    'a duration, as UPS "u" tells no charge and no runtime',
                )
            ],
            id="contacts-tell-no-runtime",
        ),
        pytest.param(
            DRY.format("u") + ON_BATTERY + STAGE.format('charge_below = 50\nafter = "2min"'),
            [],
            id="time-on-battery-is-always-told",
        ),
        pytest.param(
            DRY.format("u") + ON_BATTERY + "[return]\nvoltage = [198, 242]\n",
            [Fault("return.voltage", "[198.0, 242.0]", "only with a UPS that tells it")],
            id="contacts-tell-no-voltage",
        ),
        pytest.param(
            DRY.format("u") + ON_BATTERY + "[outage]\nups_off = true\n",
            [Fault("outage.ups_off", "true", NO_COMMANDS)],
            id="contacts-switch-nothing-off",
        ),
    ],
)
def test_contacts_tell_of_one_ups_and_no_more_than_they_can(faults, text, found):
    assert faults(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(MODBUS.format("u", TCP), [], id="one-ups"),
        pytest.param(
            MODBUS.format("u", TCP) + MODBUS.format("v", TCP) + "unit = 2\n",
            [],
            id="two-units-on-a-bus",
        ),
        pytest.param(
            MODBUS.format("u", TCP) + MODBUS.format("v", TCP),
            [Fault('ups "v".unit', "1", 'one of its own; ups "u" has this one')],
            id="one-unit-twice",
        ),
        pytest.param(
            LEAK.format("leak", TCP, 1, 0) + MODBUS.format("u", TCP),
            [Fault('input "leak".unit', "1", 'one of its own; ups "u" has this one')],
            id="a-contact-at-the-unit-of-a-ups",
        ),
        pytest.param(
            LEAK.format("a", TCP, 2, 0) + LEAK.format("b", TCP, 2, 1) + AIR.format("c", TCP, 2, 0),
            [],
            id="inputs-of-one-module",
        ),
        pytest.param(
            LEAK.format("a", TCP, 2, 0) + LEAK.format("b", TCP, 2, 0),
            [Fault('input "b".unit', "2", 'a register of its own; input "a" reads it')],
            id="one-contact-twice",
        ),
        pytest.param(
            AIR.format("a", TCP, 2, 0) + AIR.format("b", TCP, 2, 0),
            [Fault('input "b".unit', "2", 'a register of its own; input "a" reads it')],
            id="one-probe-twice",
        ),
        pytest.param(
            NUT.format("u", "nut://h/ups")
            + NUT.format("v", "nut://me@h:3493/ups")
            + 'password_file = "p"\n',
            [
                Fault(
                    'ups "v".address',
                    '"nut://me@h:3493/ups"',
                    'one of its own; ups "u" has this one',
                )
            ],
            id="one-nut-ups-twice",
        ),
        pytest.param(
            MODBUS.format("u", LINE.format(9600))
            + LEAK.format("leak", LINE.format(19200), 2, 0)
            + REAL.format('"u", "leak"'),
            [
                Fault(
                    'input "leak".address',
                    '"rtu:///dev/ttyUSB0?baudrate=19200"',
                    'baudrate=9600, parity=N, stopbits=1, as ups "u" on the same line',
                )
            ],
            id="two-speeds-on-one-line",
        ),
        pytest.param(
            MODBUS.format("u", "rtu:///dev/ttyUSB0")
            + LEAK.format("leak", LINE.format("9600&parity=N"), 2, 0)
            + REAL.format('"u", "leak"'),
            [],
            id="what-is-not-said-is-9600-8n1",
        ),
        pytest.param(
            MODBUS.format("u", LINE.format(9600)),
            [Fault('ups "u".address', '"rtu:///dev/ttyUSB0?baudrate=9600"', SIMULATED)],
            id="no-serial-line-on-a-simulated-board",
        ),
        pytest.param(
            MODBUS.format("u", LINE.format(9600)) + REAL.format('"u"'), [], id="but-a-real-one"
        ),
    ],
)
def test_who_shares_a_line_agrees_on_it(faults, text, found):
    assert faults(text) == found


@pytest.mark.parametrize(
    ("text", "form"),
    [
        pytest.param(MODBUS.format("u", "nut://127.0.0.1/ups"), "tcp://", id="nut-for-modbus"),
        pytest.param(NUT.format("u", TCP), "nut://", id="modbus-for-nut"),
        pytest.param(LEAK.format("leak", "10.0.0.1", 1, 0), "tcp://", id="a-bare-address"),
    ],
)
def test_an_address_that_its_kind_cannot_be_reached_at_is_one_fault(faults, text, form):
    (fault,) = faults(text)
    assert form in fault.allowed
    assert "address" in str(fault)


def test_a_nut_user_without_a_password_is_refused(faults):
    assert faults(NUT.format("u", "nut://me@h/ups")) == [
        Fault('ups "u".password_file', "missing", "a file, as the address names a user")
    ]


@pytest.mark.parametrize("id", ["power", "plan", "room", "controller", "system", "ups"])
def test_an_id_that_names_what_is_the_rooms_own_is_refused(faults, id):
    assert faults(CONTACT.format(id, "door", 5)) == [
        Fault("input[1].id", f'"{id}"', "an id that names no alarm of the room's")
    ]


def test_the_only_ups_may_be_called_so(faults):
    assert faults(NUT.format("ups", "nut://h/ups")) == []
