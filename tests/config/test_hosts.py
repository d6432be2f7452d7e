"""Hosts, stages and limits: what must hold between them before anybody relies on the plan."""

from __future__ import annotations

import pytest

from controller.config.faults import Fault
from controller.config.order import evidence_kinds
from controller.core.rules.starting import INITIALISE_S
from drivers.hosts.command import LIMIT_S

HOST = '[[host]]\nid = "{0}"\nstage = 1\nstop = "{1}"\nevidence = ["ping://10.0.0.1"]\n'
NUT_HOST = HOST.format("h", "nut")
SSH = HOST.format("h", "ssh://room@10.0.0.1")
STAGED = '[[host]]\nid = "{0}"\nstage = {1}\nstop = "nut"\nneeds = 1\n'
PLUG = '[[output]]\nid = "plug"\nkind = "relay"\nrole = "outlet"\npin = 21\nenergised = "off"\n'
PROOF = '[[input]]\nid = "proof"\nkind = "contact"\nrole = "feedback"\nof = "plug"\npin = 5\n'
AIR = '[[input]]\nid = "air"\nkind = "dht22"\npin = 4\n'
NUT = '[[ups]]\nid = "u"\nkind = "nut"\naddress = "nut://127.0.0.1/ups"\n'
STAGE = "[[outage.stage]]\nstage = {0}\n{1}\n"
CIRCLE = "hosts that can be ready before it; these wait in a circle"
NO_BAND = "only with [return] voltage or frequency, which say what is stable"
NO_SENSOR = "only with a climate sensor in the room"

NO_COMMANDS = "only with a UPS that takes commands; one behind NUT needs user and password_file"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            NUT_HOST + 'unconfirmed = "cut"\n',
            [Fault('host "h".outlet', "missing", 'an output, as unconfirmed = "cut"')],
            id="cut-without-outlet",
        ),
        pytest.param(
            NUT_HOST + 'start = "outlet"\n',
            [Fault('host "h".outlet', "missing", 'an output, as start = "outlet"')],
            id="start-by-no-outlet",
        ),
        pytest.param(
            NUT_HOST.replace('1"]', '1", "outlet"]'),
            [Fault('host "h".outlet', "missing", 'an output, as evidence = ["outlet"]')],
            id="evidence-of-no-outlet",
        ),
        pytest.param(
            '[[host]]\nid = "h"\nstage = 1\nstop = "nut"\nevidence = ["outlet"]\n'
            'outlet = "plug"\n' + PLUG,
            [Fault('host "h".evidence', '"outlet"', 'with an input of role "feedback" of "plug"')],
            id="an-outlet-that-nothing-proves-is-no-evidence",
        ),
        pytest.param(
            '[[host]]\nid = "h"\nstage = 1\nstop = "nut"\nevidence = ["outlet"]\n'
            'outlet = "plug"\n' + PLUG + PROOF,
            [],
            id="an-outlet-that-is-proven-is-evidence",
        ),
        pytest.param(
            HOST.format("h", "command:/bin/stop"),
            [Fault('host "h".needs', "2", "1, as its kinds of evidence: network")],
            id="more-evidence-than-there-is",
        ),
        pytest.param(
            NUT_HOST + "needs = 3\n",
            [Fault('host "h".needs', "3", "2, as its kinds of evidence: client, network")],
            id="two-probes-of-one-kind-count-once",
        ),
        pytest.param(
            SSH,
            [
                Fault(
                    'host "h".key_file', "missing", "a file with a private key, as it stops by ssh"
                )
            ],
            id="ssh-without-key",
        ),
        pytest.param(
            HOST.format("h", "redfish://admin@10.0.0.2"),
            [Fault('host "h".password_file', "missing", "a file, as redfish:// names a user")],
            id="redfish-user-without-password",
        ),
        pytest.param(
            NUT_HOST + 'after = ["h", "i"]\n',
            [
                Fault('host "h".after', '"h"', "the id of another host"),
                Fault('host "h".after', '"i"', "the id of another host"),
            ],
            id="after-itself-and-nothing",
        ),
        pytest.param(
            NUT_HOST + 'after = ["i"]\n' + HOST.format("i", "nut") + 'after = ["h"]\n',
            [
                Fault('host "h".after', '["i"]', CIRCLE),
                Fault('host "i".after', '["h"]', CIRCLE),
            ],
            id="in-a-circle",
        ),
        pytest.param(
            STAGED.format("db", 2) + 'after = ["web"]\n' + STAGED.format("web", 1),
            [
                Fault(
                    'host "db".after',
                    '"web"',
                    "a host of stage 2 or above; stage 1 starts after them",
                )
            ],
            id="after-one-that-starts-later",
        ),
        pytest.param(
            STAGED.format("db", 2) + STAGED.format("web", 1) + 'after = ["db"]\n',
            [],
            id="after-one-that-starts-earlier",
        ),
        pytest.param(
            NUT_HOST + STAGE.format(2, 'after = "1min"'),
            [Fault('host "h".stage', "1", "a stage of [[outage.stage]]")],
            id="of-no-stage",
        ),
    ],
)
def test_a_host_that_cannot_be_stopped_proven_or_started_is_named(faults, text, found):
    assert faults(text) == found


def test_an_initialisation_that_would_outlast_its_limit_is_named(faults, read):
    said = NUT_HOST + "initialise = [{}]\n"
    assert faults(said.format(", ".join(['"command:/bin/true"'] * 9))) == [
        Fault('host "h"', "", "initialise: a list of 8 commands at most")
    ]
    (host,) = read(said.format(", ".join(['"command:/bin/true"'] * 8))).hosts
    # Even if each is given up only at its end, the plan has not given up all of them.
    assert len(host.initialise) * LIMIT_S < INITIALISE_S


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            STAGE.format(1, "") + STAGE.format(1, "charge_below = 50"),
            [
                Fault("outage.stage[2].stage", "1", "a number of its own"),
                Fault(
                    "outage.stage[1].after",
                    "missing",
                    "after, charge_below, runtime_below or temperature_above, one at least",
                ),
                Fault(
                    "outage.stage[2].after",
                    "missing",
                    "a duration, as no UPS tells charge or runtime",
                ),
            ],
            id="stages-that-never-begin",
        ),
        pytest.param(
            STAGE.format(1, 'after = "1min"\ntemperature_above = 32'),
            [Fault("outage.stage[1].temperature_above", "32.0", NO_SENSOR)],
            id="a-stage-by-a-temperature-that-nobody-measures",
        ),
        pytest.param(
            AIR + STAGE.format(1, 'after = "1min"\ntemperature_above = 32'),
            [],
            id="a-stage-by-a-temperature-that-is-measured",
        ),
        pytest.param(
            NUT + STAGE.format(1, 'runtime_below = "need"'), [], id="a-nut-ups-may-tell-runtime"
        ),
        pytest.param(
            "[return]\nvoltage = [242, 198]\n" + NUT,
            [Fault("return.voltage", "[242.0, 198.0]", "the lower bound before the upper")],
            id="band-upside-down",
        ),
        pytest.param(
            "[return]\ncharge_above = 40\nvoltage = [198, 242]\nfrequency = [49, 51]\n"
            "temperature_below = 28\n",
            [
                Fault("return.charge_above", "40.0", "only with a UPS that tells it"),
                Fault("return.voltage", "[198.0, 242.0]", "only with a UPS that tells it"),
                Fault("return.frequency", "[49.0, 51.0]", "only with a UPS that tells it"),
                Fault("return.temperature_below", "28.0", NO_SENSOR),
            ],
            id="limits-that-nothing-tells",
        ),
        pytest.param(
            "[return]\ncharge_above = 40\nvoltage = [198, 242]\ntemperature_below = 28\n"
            + NUT
            + AIR,
            [],
            id="limits-that-are-told",
        ),
        pytest.param(
            "[outage]\nups_off = true\n",
            [Fault("outage.ups_off", "true", NO_COMMANDS)],
            id="no-ups-to-switch-off",
        ),
        pytest.param(
            "[outage]\nups_off = true\n" + NUT,
            [Fault("outage.ups_off", "true", NO_COMMANDS)],
            id="a-ups-behind-nut-that-nobody-may-command",
        ),
        pytest.param(
            "[outage]\nups_off = true\n"
            + NUT.replace("//", "//room@")
            + 'password_file = "nut.secret"\n',
            [],
            id="a-ups-behind-nut-that-may-be-commanded",
        ),
        pytest.param(
            "[outage]\nunstable_sheds = true\nlost_sheds = true\n",
            [
                Fault("outage.unstable_sheds", "true", NO_BAND),
                Fault("outage.lost_sheds", "true", "only with a UPS that can fall silent"),
            ],
            id="policies-for-what-nobody-would-notice",
        ),
    ],
)
def test_a_limit_that_nothing_can_tell_is_named(faults, text, found):
    assert faults(text) == found


def test_every_way_of_reaching_a_host_is_a_kind_of_evidence(read):
    room = read(
        '[[host]]\nid = "h"\nstage = 1\nstop = "ssh://a@10.0.0.1"\nkey_file = "k"\nneeds = 4\n'
        'password_file = "p"\noutlet = "plug"\n'
        'evidence = ["tcp://10.0.0.1:22", "ping://10.0.0.1", "redfish://a@10.0.0.2", "outlet"]\n'
        + PLUG
        + PROOF
    )
    assert evidence_kinds(room.hosts[0]) == {"network", "client", "management", "outlet"}
