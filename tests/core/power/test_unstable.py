"""A supply that leaves its band again and again."""

from __future__ import annotations

import pytest

from tests.core.power.judged import AFTER, HOSTS, may_start
from tests.core.power.outages import OFFICE, STANDBY, all_down
from tests.core.powerrooms import LIGHTS, room, stage

pytestmark = pytest.mark.slow


def unstable(rig):
    """Three excursions of the mains out of its band."""
    for _ in range(3):
        rig.ups.volts = 185.0
        rig.run(5.0)
        rig.ups.volts = 230.0
        rig.run(20.0)


@pytest.mark.parametrize("sheds", [False, True], ids=["by itself", "with unstable_sheds"])
def test_an_unstable_voltage_is_an_alarm_and_sheds_only_where_that_is_said(rigged, sheds):
    rig = rigged(
        room(
            STANDBY, OFFICE, stages=(stage(1, after="10min"), stage(2, after="20min")),
            outage={"unstable_sheds": sheds}, return_={"voltage": [198, 242]},
        )
    )  # fmt: skip
    unstable(rig)
    assert rig.alarm("main-ups.voltage-unstable").startswith("active")
    rig.run(20.0)
    assert rig.sent("standby") == (["stop"] if sheds else [])
    assert rig.sent("office") == []


def test_two_excursions_are_not_unstable(rigged):
    rig = rigged(
        room(
            STANDBY, stages=(stage(1, after="10min"),),
            outage={"unstable_sheds": True}, return_={"voltage": [198, 242]},
        )
    )  # fmt: skip
    for _ in range(2):
        rig.ups.volts = 250.0
        rig.run(5.0)
        rig.ups.volts = 230.0
        rig.run(20.0)
    rig.run(600.0)
    rig.ups.volts = 250.0
    rig.run(5.0)
    assert rig.alarm("main-ups.voltage-unstable") == "normal"
    assert rig.sent("standby") == []


def test_nothing_is_started_on_an_unstable_voltage_though_it_is_in_band_for_a_while(rigged):
    bands = {"voltage": [198, 242]}
    rig = rigged(room(STANDBY, stages=(stage(1, after="10s"),), return_=bands))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.mains_returns()
    for volts in (185.0, 230.0) * 3:
        rig.ups.volts = volts
        rig.run(10.0)
    assert rig.power.state.value == "mains"
    rig.run(90.0)
    assert rig.sent("standby") == ["stop"]


def test_nothing_is_switched_on_while_the_voltage_is_or_was_out_of_its_band(rigged):
    rig = rigged(room(LIGHTS, *HOSTS, stages=AFTER, return_={"voltage": [198, 242]}))
    assert may_start(rig)
    rig.ups.volts = 185.0
    rig.run(3.0)
    assert not may_start(rig)
    rig.ups.volts = 230.0
    rig.run(25.0)
    assert not may_start(rig), "it must be stable for 30 s"
    rig.run(10.0)
    assert may_start(rig)


def test_nothing_is_switched_on_while_the_voltage_is_unstable(rigged):
    rig = rigged(room(LIGHTS, *HOSTS, stages=AFTER, return_={"voltage": [198, 242]}))
    for volts in (185.0, 230.0) * 3:
        rig.ups.volts = volts
        rig.run(10.0)
    rig.run(120.0)
    assert rig.alarm("main-ups.voltage-unstable").startswith("active")
    assert not may_start(rig)


def test_a_voltage_that_was_out_of_its_band_before_a_new_boot_still_holds_the_starts(rigged):
    rig = rigged(room(LIGHTS, *HOSTS, stages=AFTER, return_={"voltage": [198, 242]}))
    rig.ups.volts = 185.0
    rig.run(3.0)
    rig.ups.volts = 230.0
    rig.restart(same_boot=False, off_s=5.0)
    rig.run(20.0)
    assert rig.power.state.value == "mains"
    assert not may_start(rig)
    rig.run(15.0)
    assert may_start(rig)


def test_an_unstable_voltage_that_is_told_no_more_ends_in_its_time(rigged):
    rig = rigged(room(LIGHTS, *HOSTS, stages=AFTER, return_={"voltage": [198, 242]}))
    for volts in (150.0, 230.0) * 4:
        rig.ups.volts = volts
        rig.run(3.0)
    assert rig.alarm("main-ups.voltage-unstable").startswith("active")
    rig.ups.untold = {"input-voltage"}
    rig.restart()
    rig.run(700.0)
    assert rig.alarm("main-ups.voltage-unstable").startswith("returned")
