"""What one key says about another."""

from __future__ import annotations

import pytest

from controller.config.faults import ConfigFaults, Fault
from controller.config.feed import REMOTE_ACTIONS
from controller.config.read import read_room
from controller.core.gate import RIGHTS

SMOKE = '[[input]]\nid = "{0}"\nkind = "contact"\nrole = "smoke"\npin = 5\n'
FEEDBACK = '[[input]]\nid = "{0}"\nkind = "contact"\nrole = "feedback"\npin = 5\nof = "{1}"\n'
OUTLET = '[[output]]\nid = "{0}"\nkind = "relay"\nrole = "outlet"\npin = 21\nenergised = "off"\n'
SIREN = '[[output]]\nid = "siren"\nkind = "relay"\nrole = "siren"\npin = 12\n'
CUT = '[[output]]\nid = "cut"\nkind = "relay"\nrole = "cut-off"\npin = 16\n'
HALL = '[[projector]]\nid = "{0}"\nkind = "relay-only"\noutlet = "{1}"\n'
HOST = '[[host]]\nid = "{0}"\nstage = 1\nstop = "{1}"\nevidence = ["ping://10.0.0.1"]\n'
FEED = '[feed]\nurl = "mqtt://127.0.0.1"\n'
ROLES = (
    "smoke, call-point, emergency, detector-fault, door, window, leak, tamper, mains, feedback, "
    "hold, silence, ups-on-battery, ups-battery-low, ups-fault"
)
ACTIONS = (
    "prepare, resend, silence, acknowledge, switch, release, projector-on, projector-off, "
    "start-hosts, lock-up, drill, arm"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            SMOKE.format("siren") + SIREN,
            [Fault("output[1].id", '"siren"', "an id of its own; input[1] has this one")],
            id="id-twice",
        ),
        pytest.param(
            SMOKE.format("fire"),
            [Fault("input[1].id", '"fire"', "an id that names no alarm of the room's")],
            id="id-of-our-own-alarms",
        ),
        pytest.param(
            '[[input]]\nid = "x"\nkind = "contact"\nrole = "dor"\npin = 5\n',
            [Fault('input "x".role', '"dor"', ROLES)],
            id="unknown-input-role",
        ),
        pytest.param(
            '[[output]]\nid = "x"\nkind = "relay"\nrole = "door"\npin = 16\n',
            [
                Fault(
                    'output "x".role',
                    '"door"',
                    "cut-off, siren, beacon, cooling, outlet, light, door-release, detector-reset",
                )
            ],
            id="input-role-of-an-output",
        ),
        pytest.param(
            FEEDBACK.format("p", "sirene") + SIREN,
            [Fault('input "p".of', '"sirene"', 'an output: "siren"')],
            id="feedback-of-nothing",
        ),
        pytest.param(
            FEEDBACK.format("p", "siren").replace('of = "siren"\n', "") + SIREN,
            [Fault('input "p".of', "missing", "the id of the output that it proves")],
            id="feedback-without-of",
        ),
        pytest.param(
            SMOKE.format("s") + 'of = "siren"\n' + SIREN,
            [
                Fault(
                    'input "s".of',
                    '"siren"',
                    'only with role = "feedback" or "detector-fault", or of a UPS\'s contact',
                )
            ],
            id="of-without-feedback",
        ),
        pytest.param(
            FEEDBACK.format("p", "siren") + FEEDBACK.format("q", "siren") + SIREN,
            [Fault('input "q".of', '"siren"', 'one feedback an output; input "p" is it')],
            id="two-feedbacks-of-one-output",
        ),
        pytest.param(
            CUT,
            [Fault('output "cut".scope', "missing", '"room" or "ups": what it cuts')],
            id="cut-off-without-scope",
        ),
        pytest.param(
            SIREN + 'scope = "room"\n',
            [Fault('output "siren".scope', '"room"', 'only with role = "cut-off"')],
            id="scope-without-cut-off",
        ),
        pytest.param(
            CUT + 'scope = "room"\nenergised = "off"\npulse = "500ms"\n',
            [Fault('output "cut".pulse', '"500ms"', 'only with energised = "on"')],
            id="pulse-of-a-held-contactor",
        ),
        pytest.param(
            HALL.format("hall", "siren") + SIREN + OUTLET.format("plug"),
            [Fault('projector "hall".outlet', '"siren"', 'an output with role "outlet": "plug"')],
            id="projector-on-a-siren",
        ),
        pytest.param(
            HALL.format("a", "plug") + HALL.format("b", "plug") + OUTLET.format("plug"),
            [
                Fault(
                    'projector "b".outlet', '"plug"', 'an outlet of its own; projector "a" has it'
                )
            ],
            id="two-projectors-on-one-outlet",
        ),
        pytest.param(
            HOST.format("h", "nut") + 'outlet = "plug"\n',
            [Fault('host "h".outlet', '"plug"', 'an output with role "outlet"; there is none')],
            id="host-on-no-outlet",
        ),
        pytest.param(
            '[climate]\nprofile = "custom"\n',
            [Fault("climate.temperature_high", "missing", "a limit, as the profile is custom")],
            id="custom-without-limit",
        ),
        pytest.param(
            "[climate]\ntemperature_high = 36\n",
            [Fault("climate.temperature_critical", "35.0", "above temperature_high, which is 36")],
            id="high-above-the-profile's-critical",
        ),
        pytest.param(
            SMOKE.format("s") + '[fire]\nconfirm = "two-detectors"\n',
            [
                Fault(
                    "fire.confirm",
                    '"two-detectors"',
                    'with two inputs of role "smoke"; there are 1',
                )
            ],
            id="two-detectors-of-one",
        ),
        pytest.param(
            SMOKE.format("s") + '[fire]\nconfirm = "detector-and-heat"\n',
            [Fault("fire.confirm", '"detector-and-heat"', "with a climate sensor in the room")],
            id="heat-without-sensor",
        ),
        pytest.param(
            FEED + 'ca = "ca.pem"\ncertificate = "c.pem"\n',
            [
                Fault("feed.ca", '"ca.pem"', "only with an mqtts:// url"),
                Fault("feed.certificate", '"c.pem"', "only with an mqtts:// url"),
                Fault("feed.key", "missing", "a file, as there is a certificate"),
            ],
            id="certificates-without-tls",
        ),
        pytest.param(
            FEED + '[[feed.client]]\nid = "c"\nrole = "acknowledge"\n'
            'actions = ["silence", "cut", "switch"]\n',
            [
                Fault('feed.client "c".actions', '"cut"', ACTIONS),
                Fault('feed.client "c".actions', '"switch"', 'only with role = "operate"'),
            ],
            id="remote-client-may-not-cut",
        ),
        pytest.param(
            SMOKE.format("s") + '[simulation]\nreal = ["s", "t"]\n',
            [
                Fault("simulation.real", '"s"', "a part with an address; this one is on a pin"),
                Fault("simulation.real", '"t"', "a part; there is none"),
            ],
            id="real-parts-that-are-not",
        ),
    ],
)
def test_keys_that_contradict_each_other_are_named(faults, text, found):
    assert faults(text) == found


def test_simulation_is_for_simulated_boards_only(tmp_path, kinds):
    file = tmp_path / "pi.toml"
    file.write_text(
        '[room]\nsite = "s"\nid = "r"\nname = "R"\ntimezone = "UTC"\n[board]\nkind = "rpi4"\n'
        '[[projector]]\nid = "hall"\nkind = "relay-only"\noutlet = "plug"\n'
        '[simulation]\nreal = ["hall"]\npace = 60\n' + OUTLET.format("plug")
    )
    with pytest.raises(ConfigFaults) as caught:
        read_room(file, kinds)
    assert [fault.key for fault in caught.value.faults] == ["simulation.real", "simulation.pace"]


@pytest.mark.parametrize(
    ("profile", "limits"),
    [
        ("gb50174-2017", (10, 18, 27, 35, None, 60, 5.5, 15, 5)),
        ("ashrae-a1", (15, 18, 27, 32, 8, 80, -12, 17, 5)),
        ("ashrae-a2", (10, 18, 27, 35, 8, 80, -12, 21, 5)),
        ("ashrae-a3", (5, 18, 27, 40, 8, 85, -12, 24, 5)),
        ("ashrae-a4", (5, 18, 27, 45, 8, 90, -12, 24, 5)),
    ],
)
def test_a_profile_gives_its_limits(read, profile, limits):
    climate = read(f'[climate]\nprofile = "{profile}"\n').climate
    assert limits == (
        climate.temperature_critical_low,
        climate.temperature_low,
        climate.temperature_high,
        climate.temperature_critical,
        climate.humidity_low,
        climate.humidity_high,
        climate.dew_point_low,
        climate.dew_point_high,
        climate.rise,
    )


def test_each_limit_can_be_set_by_itself(read):
    climate = read("[climate]\ntemperature_high = 30\n").climate
    assert (climate.temperature_high, climate.temperature_critical) == (30, 35)


def test_a_custom_profile_has_only_the_limits_that_are_written(read):
    climate = read('[climate]\nprofile = "custom"\ntemperature_high = 30\n').climate
    assert (climate.temperature_low, climate.temperature_high, climate.rise) == (None, 30, None)


def test_what_a_remote_client_may_be_given_is_what_the_gate_takes_from_one():
    taken = {action: rights.network for action, rights in RIGHTS.items() if rights.mqtt}
    assert {action: REMOTE_ACTIONS.get(action) for action in taken} == taken
    assert {"start-hosts", "drill"} <= taken.keys()
    assert not REMOTE_ACTIONS.keys() & (RIGHTS.keys() - taken.keys())
