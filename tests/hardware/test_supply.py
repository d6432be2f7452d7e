"""Register maps in the room file: whole, and telling what the plan waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.config.faults import Fault

MAP = 'map = "apc-smart-ups" '
HOST = '[[host]]\nid = "h"\nstage = 1\nstop = "nut"\nneeds = 1\n'
STAGE = "[[outage.stage]]\nstage = 1\n{0}\n"
DRY = (
    '[[ups]]\nid = "small"\nkind = "dry-contacts"\n'
    '[[input]]\nid = "small-ob"\nkind = "contact"\nrole = "ups-on-battery"\npin = 19\n'
    'of = "small"\n'
)
NUT = '[[ups]]\nid = "large"\nkind = "nut"\naddress = "nut://{0}127.0.0.1/large"\n{1}\n'
# A UPS that says where it takes its power from, and how long it lasts, and nothing else.
RUNTIME_ONLY = """
source = "a test"
[[block]]
address = 0
count = 2
[word.status]
address = 0
type = "enum"
source = "a test"
numbers = { 1 = "mains", 2 = "battery" }
[value.runtime_s]
address = 1
type = "u16"
unit = "s"
source = "a test"
"""


@pytest.fixture
def own_map(tmp_path: Path):
    """Put a map of the site's own beside the room file, and return what to replace for it."""

    def own_map(text: str) -> tuple[str, str]:
        (tmp_path / "our-ups.toml").write_text(text)
        return MAP, 'map = "our-ups.toml" '

    return own_map


def test_a_shipped_map_has_no_fault(faults):
    assert faults(added=HOST + STAGE.format("charge_below = 50")) == []


def test_a_map_that_is_not_shipped_is_named(faults):
    (fault,) = faults((MAP, 'map = "apc-smart" '))
    assert (fault.key, fault.value) == ('ups "main-ups".map', '"apc-smart"')
    assert "apc-smart-ups" in fault.allowed


def test_a_map_of_the_sites_own_that_is_not_there_is_named(faults, tmp_path):
    (fault,) = faults((MAP, 'map = "none.toml" '))
    assert (fault.key, fault.value) == ('ups "main-ups".map', '"none.toml"')
    assert str(tmp_path / "none.toml") in fault.allowed


def test_a_whole_map_of_the_sites_own_is_taken(faults, own_map):
    assert faults(own_map(RUNTIME_ONLY)) == []


def test_every_fault_of_a_sites_own_map_is_told(faults, own_map):
    text = RUNTIME_ONLY.replace('type = "u16"', 'type = "u17"').replace("count = 2", "count = 0")
    found = faults(own_map(text))
    assert [fault.key for fault in found] == ['ups "main-ups".map'] * len(found)
    told = "\n".join(fault.allowed for fault in found)
    assert "block[1].count" in told
    assert "value.runtime_s.type" in told


@pytest.mark.parametrize(
    ("added", "found"),
    [
        pytest.param(STAGE.format('runtime_below = "need"'), [], id="a-stage-by-runtime"),
        pytest.param(
            STAGE.format("charge_below = 50"),
            [
                Fault(
                    "outage.stage[1].after",
                    "missing",
                    'a duration, as UPS "main-ups" tells no charge',
                )
            ],
            id="a-stage-by-charge",
        ),
        pytest.param(STAGE.format('charge_below = 50\nafter = "2min"'), [], id="or-by-time"),
        pytest.param(
            "[return]\ncharge_above = 40\nvoltage = [198, 242]\n",
            [
                Fault("return.charge_above", "40.0", "only with a UPS that tells it"),
                Fault("return.voltage", "[198.0, 242.0]", "only with a UPS that tells it"),
            ],
            id="a-return-by-charge-and-voltage",
        ),
        pytest.param(
            "[outage]\nups_off = true\n",
            [Fault("outage.ups_off", "true", "only with a UPS that can be switched off")],
            id="a-ups-that-is-not-switched",
        ),
        pytest.param(
            NUT.format("", "") + "[outage]\nups_off = true\n",
            [Fault("outage.ups_off", "true", "only with a UPS that can be switched off")],
            id="nor-one-behind-nut-that-takes-no-commands",
        ),
        pytest.param(
            NUT.format("room@", 'password_file = "nut.secret"') + "[outage]\nups_off = true\n",
            [],
            id="but-one-behind-nut-that-does",
        ),
        pytest.param(
            DRY + STAGE.format('runtime_below = "need"'),
            [
                Fault(
                    "outage.stage[1].after",
                    "missing",
                    'a duration, as UPS "small" tells no runtime',
                )
            ],
            id="a-second-ups-that-tells-less-is-said-once",
        ),
    ],
)
def test_the_plan_waits_for_nothing_that_the_map_cannot_tell(faults, own_map, added, found):
    assert faults(own_map(RUNTIME_ONLY), added=added) == found


@pytest.mark.parametrize("name", ["huawei-ups2000", "socomec-jbus", "phoenix-quint4"])
def test_every_shipped_map_may_stand_in_a_room(faults, name):
    assert faults((MAP, f'map = "{name}" ')) == []
