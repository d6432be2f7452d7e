"""Two UPSes in one room: it is as badly off as the worse of them."""

from __future__ import annotations

import pytest

from tests.core.powerrooms import host, room, stage

SECOND = """
[[ups]]
id = "second-ups"
kind = "modbus"
map = "huawei-ups2000"
address = "tcp://127.0.0.1:1503"
"""


@pytest.fixture
def rig(rigged):
    stages = (stage(1, after="10min", charge_below=50), stage(2, after="20min"))
    return rigged(room(SECOND, host("standby", 1), host("office", 2), stages=stages))


def state(rig):
    return rig.point("power.state").value


def test_one_of_two_on_battery_is_a_room_on_battery(rig):
    rig.upses["second-ups"].breaker = True
    rig.run(5.0)
    assert state(rig) == "on-battery"
    assert rig.alarm("second-ups.on-battery") == "active-unacknowledged"
    assert rig.alarm("main-ups.on-battery") == "normal"


def test_the_smaller_charge_and_the_shorter_runtime_are_what_is_left(rig):
    rig.mains_fails()
    rig.upses["second-ups"].battery.charge_pct = 45.0
    rig.run(15.0)
    assert rig.power.charge == pytest.approx(45.0, abs=2.0)
    assert rig.power.left_s(rig.mono_s) < rig.ups.battery.lasts_s(3000.0)
    rig.run(5.0)
    assert rig.phase("standby") in ("stopping", "down"), "stage 1 begins by the smaller charge"


def test_one_of_two_lost_starts_nothing_and_stops_nothing_while_the_mains_is_there(rig):
    rig.upses["second-ups"].silent = True
    rig.run(20.0)
    assert state(rig) == "lost"
    assert set(rig.phases().values()) == {"running"}
    assert rig.alarm("second-ups.lost") == "active-unacknowledged"


def test_a_ups_out_of_service_has_no_say(rig):
    rig.ask("out-of-service", part="second-ups", reason="battery is replaced", privileged=True)
    rig.upses["second-ups"].breaker = True
    rig.upses["second-ups"].battery.charge_pct = 3.0
    rig.run(30.0)
    assert state(rig) == "mains"
    assert set(rig.phases().values()) == {"running"}


def test_both_silent_and_the_mains_contact_absent_is_an_outage_by_half_of_the_last_word(rig):
    before_s = rig.power.runtime_s
    for unit in rig.upses.values():
        unit.silent = True
    rig.run(20.0)
    rig.mains_fails()
    rig.run(8.0)
    assert state(rig) == "outage"
    assert rig.power.projected
    assert rig.power.left_s(rig.mono_s) <= before_s / 2


def test_a_ups_word_is_asked_for_by_its_own_contact(rigged):
    """Contacts of the one name it; a room with two must say whose they are."""
    tables = room(SECOND, host("standby", 1), stages=(stage(1, after="30s"),), mains=False)
    contact = """
[[input]]
id = "second-on-battery"
kind = "contact"
role = "ups-on-battery"
of = "second-ups"
pin = 5
contact = "no"
"""
    rig = rigged(tables + contact)
    rig.upses["second-ups"].silent = True
    rig.run(20.0)
    assert state(rig) == "mains", "its contact speaks for it"
    rig.upses["second-ups"].breaker = True
    rig.run(3.0)
    assert state(rig) == "outage"


SMALL = """
[[ups]]
id = "small-ups"
kind = "dry-contacts"
[[input]]
id = "small-on-battery"
kind = "contact"
role = "ups-on-battery"
of = "small-ups"
pin = 5
contact = "no"
"""
LIMITS = {"charge_above": 40, "voltage": [198, 242]}
SHORT = (stage(1, after="20s"),)


def returns(rig, within_s=600.0):
    """An outage, and whether the server is started again after it."""
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "down", 300.0)
    rig.mains_returns()
    end_s = rig.at_s + within_s
    while rig.at_s < end_s and rig.phase("standby") != "running":
        rig.run(5.0)
    return rig.phase("standby") == "running"


def test_a_ups_that_has_no_charge_or_voltage_to_tell_holds_no_start(rigged):
    rig = rigged(room(SMALL, host("standby", 1), stages=SHORT, return_=LIMITS))
    rig.run(20.0)
    assert returns(rig)


def test_a_charge_that_a_ups_told_and_tells_no_more_holds_the_start(rigged):
    rig = rigged(room(SECOND, host("standby", 1), stages=SHORT, return_=LIMITS))
    rig.run(20.0)
    rig.upses["second-ups"].says = {"charge": None}
    assert not returns(rig, 200.0)


def test_a_ups_out_of_service_holds_no_start(rigged):
    rig = rigged(room(SECOND, host("standby", 1), stages=SHORT, return_=LIMITS))
    rig.run(20.0)
    rig.ask("out-of-service", part="second-ups", reason="battery is replaced", privileged=True)
    rig.upses["second-ups"].silent = True
    assert returns(rig)


@pytest.mark.parametrize("contact", [False, True], ids=["no contact", "contact"])
def test_a_ups_that_was_never_heard_holds_no_start(rigged, contact):
    tables = room(SECOND, host("standby", 1), stages=SHORT, mains=contact, return_=LIMITS)
    rig = rigged(tables, silent=["second-ups"])
    rig.run(30.0)
    assert rig.alarm("second-ups.lost") == "active-unacknowledged"
    assert state(rig) == "mains"
    assert returns(rig)


def test_a_ups_that_was_never_heard_makes_no_outage_of_a_broken_contact(rigged):
    rig = rigged(room(SECOND, host("standby", 1), stages=SHORT), silent=["second-ups"])
    rig.run(30.0)
    rig.set("mains", False)
    rig.run(60.0)
    assert state(rig) == "disagreement"
    assert rig.sent("standby") == []


def test_a_charge_that_one_of_two_does_not_tell_is_not_known(rigged):
    stages = (stage(1, after="20s"),)
    rig = rigged(room(SECOND, host("standby", 1), stages=stages, return_={"charge_above": 40}))
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)
    rig.upses["second-ups"].says = {"charge": None}
    rig.mains_returns()
    rig.run(120.0)
    item = next(one for one in rig.view()["permissive"]["items"] if one["id"] == "charge")
    assert item["ok"] is None
    assert rig.sent("standby") == ["stop"]
