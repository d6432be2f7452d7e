"""What begins a stage, and what becomes of one that has begun."""

from __future__ import annotations

import pytest

from tests.core.power.outages import LATE, OFFICE, STANDBY, all_down, asked_s
from tests.core.powerrooms import host, room, stage

pytestmark = pytest.mark.slow


def test_an_outage_stops_the_standby_server_first_and_the_office_server_last(rigged):
    rig = rigged(
        room(STANDBY, OFFICE, stages=(stage(1, after="2min"), stage(2, runtime_below="need")))
    )
    rig.mains_fails()
    rig.run(115.0)
    assert rig.phases() == {"standby": "running", "office": "running"}
    rig.run_until(lambda: rig.phase("standby") == "down", 70.0)
    assert rig.phase("office") == "running"
    rig.run_until(lambda: rig.phase("office") == "down", 1200.0)
    assert rig.ups.battery.charge_pct > 5.0
    assert rig.servers["office"].body.hard_cuts == 0
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "running", 200.0)
    assert rig.phase("standby") != "running"
    rig.run_until(lambda: rig.phase("standby") == "running", 100.0)
    assert rig.plan.last_run is not None
    assert rig.plan.last_run.kind == "outage"
    assert rig.plan.last_run.ok


def test_a_stage_begins_after_its_time_on_battery(timed):
    timed.mains_fails()
    began_s = timed.at_s
    timed.run_until(lambda: timed.sent("standby"), 80.0)
    assert asked_s(timed, "standby") - began_s == pytest.approx(60.0, abs=2.5)
    timed.run_until(lambda: timed.sent("office"), 300.0)
    assert asked_s(timed, "office") - began_s == pytest.approx(300.0, abs=2.5)


BEGINS = [
    pytest.param({"charge_below": 70}, {"charge": 71.0}, {"charge": 69.0}, id="charge"),
    pytest.param({"runtime_below": "5min"}, {"runtime": 310.0}, {"runtime": 290.0}, id="runtime"),
    # 60 s for the host of stage 1 and as much for that of stage 2, and the reserve of 60 s.
    pytest.param({"runtime_below": "need"}, {"runtime": 190.0}, {"runtime": 175.0}, id="need"),
]


@pytest.mark.parametrize(("trigger", "not_yet", "then"), BEGINS)
def test_a_stage_begins_on_battery_when_its_limit_is_passed(rigged, trigger, not_yet, then):
    rig = rigged(room(STANDBY, OFFICE, stages=(stage(1, **trigger), LATE)))
    rig.ups.says = not_yet
    rig.mains_fails()
    rig.run(40.0)
    assert rig.sent("standby") == []
    rig.ups.says = then
    rig.run(8.0)
    assert rig.sent("standby") == ["stop"]
    assert rig.sent("office") == []
    reason = rig.view()["stages"][0]["reason"]
    assert reason


@pytest.mark.parametrize(("trigger", "not_yet", "then"), BEGINS)
def test_the_same_on_line_begins_nothing(rigged, trigger, not_yet, then):
    rig = rigged(room(STANDBY, OFFICE, stages=(stage(1, **trigger), LATE)))
    rig.ups.says = then
    rig.run(120.0)
    assert rig.sent("standby") == []
    assert rig.view()["stages"][0]["begun"] is None


@pytest.mark.parametrize("supply", ["mains fails", "mains stays"])
def test_a_warm_room_begins_a_stage_only_without_mains(rigged, supply):
    rig = rigged(room(STANDBY, OFFICE, stages=(stage(1, temperature_above=32.0), LATE)))
    if supply == "mains fails":
        rig.mains_fails()
        rig.run(30.0)
        assert rig.sent("standby") == []
    rig.air["rack-air.temperature"] = 33.0
    rig.run(60.0)
    assert rig.sent("standby") == (["stop"] if supply == "mains fails" else [])


def test_a_garbled_temperature_begins_no_stage(rigged):
    rig = rigged(room(STANDBY, OFFICE, stages=(stage(1, temperature_above=32.0), LATE)))
    rig.mains_fails()
    rig.air["rack-air.temperature"] = 79.0
    rig.garbled.add("rack-air")
    rig.run(60.0)
    assert rig.sent("standby") == []


def test_an_outage_that_is_ridden_through_starts_nothing(rigged):
    rig = rigged(room(STANDBY, OFFICE, stages=(stage(1, after="0s"), LATE)))
    rig.mains_fails()
    rig.run(9.0)
    assert rig.sent("standby") == []
    rig.mains_returns()
    rig.run(120.0)
    assert rig.sent("standby") == []
    rig.mains_fails()
    rig.run(8.0)
    assert rig.sent("standby") == []
    rig.run(5.0)
    assert rig.sent("standby") == ["stop"]


def test_time_on_battery_adds_up_until_the_mains_has_been_stable(timed):
    timed.mains_fails()
    timed.run(40.0)
    timed.mains_returns()
    timed.run(25.0)  # it is stable after 30 s
    timed.mains_fails()
    timed.run(15.0)
    assert timed.sent("standby") == []
    timed.run(8.0)
    assert timed.sent("standby") == ["stop"]


def test_a_mains_that_was_stable_between_two_outages_begins_the_time_anew(timed):
    timed.mains_fails()
    timed.run(40.0)
    timed.mains_returns()
    timed.run(35.0)
    timed.mains_fails()
    timed.run(50.0)
    assert timed.sent("standby") == []
    timed.run(15.0)
    assert timed.sent("standby") == ["stop"]


def test_a_low_battery_starts_every_stage_at_once(timed):
    timed.mains_fails()
    timed.run(15.0)
    assert timed.sent("standby") == []
    timed.ups.says = {"battery-low": True}
    timed.run(4.0)
    assert timed.sent("standby") == timed.sent("office") == ["stop"]
    timed.run_until(lambda: all_down(timed), 90.0)


def test_a_battery_that_is_low_at_once_does_not_wait_for_the_ride_through(timed):
    timed.ups.says = {"battery-low": True}
    timed.mains_fails()
    timed.run(6.0)
    assert timed.sent("standby") == timed.sent("office") == ["stop"]


def test_a_later_stage_takes_the_earlier_ones_with_it_and_they_go_first(rigged):
    rig = rigged(room(STANDBY, OFFICE, stages=(stage(1, after="20min"), stage(2, after="1min"))))
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("standby"), 70.0)
    assert rig.sent("office") == []
    assert rig.phase("office") == "queued"
    rig.run_until(lambda: rig.sent("office"), 70.0)
    assert rig.phase("standby") == "down"
    rig.run_until(lambda: all_down(rig), 70.0)


def test_what_needs_another_host_stops_before_it(rigged):
    """`after` orders the start; the stop goes the other way within one stage."""
    rig = rigged(
        room(host("store", 1), host("mail", 1, after=["store"]), stages=(stage(1, after="30s"),))
    )
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("store"), 120.0)
    assert rig.phase("mail") == "down"


def test_a_stage_once_begun_is_finished_and_later_ones_are_called_off(timed):
    timed.mains_fails()
    timed.run_until(lambda: timed.sent("standby"), 70.0)
    timed.mains_returns()
    timed.run_until(lambda: timed.phase("standby") == "down", 90.0)
    timed.run_until(lambda: timed.phase("standby") == "running", 200.0)
    timed.run(400.0)
    assert timed.sent("office") == []
    assert timed.servers["office"].body.stops == 0
    assert timed.sent("standby") == ["stop", "start"]


def test_the_rest_of_a_stage_is_stopped_though_the_mains_is_back(rigged):
    rig = rigged(
        room(host("store", 1), host("mail", 1, after=["store"]), stages=(stage(1, after="30s"),))
    )
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("mail"), 60.0)
    rig.mains_returns()
    rig.run_until(lambda: "stop" in rig.sent("store"), 120.0)
    rig.run_until(lambda: set(rig.phases().values()) == {"running"}, 400.0)


def test_a_stage_that_has_not_begun_is_called_off_while_an_earlier_one_is_being_finished(timed):
    """The mains is stable before the first stage is done: the second never begins."""
    timed.servers["standby"].body.act("hang")
    timed.mains_fails()
    timed.run(280.0)
    timed.mains_returns()
    timed.run(300.0)
    assert timed.sent("office") == []


def test_a_host_that_fell_silent_before_the_outage_is_told_to_stop_too(timed):
    """Its network may have failed, and it may be running."""
    timed.servers["standby"].body.fault = "silent"
    timed.run_until(lambda: timed.phase("standby") == "down", 60.0)
    timed.mains_fails()
    timed.run(70.0)
    assert timed.sent("standby") == ["stop"]


def test_a_dip_does_not_stop_a_host_that_was_started_by_hand_after_the_outage(rigged):
    """Its stage has begun, and the return waits for the battery; a dip is ridden through."""
    rig = rigged(room(STANDBY, stages=(stage(1, after="30s"),), return_={"charge_above": 90}))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.ups.says = {"charge": 50.0}
    rig.mains_returns()
    rig.run(120.0)
    rig.servers["standby"].body.start()
    rig.run_until(lambda: rig.phase("standby") == "running", 200.0)
    rig.mains_fails()
    rig.run(3.0)
    rig.mains_returns()
    rig.run(60.0)
    assert rig.sent("standby") == ["stop"]


def test_a_low_battery_of_a_ups_on_bypass_stops_nothing_while_the_mains_is_there(timed):
    timed.ups.says = {"supply": "bypass", "battery-low": True}
    timed.run(60.0)
    assert timed.sent("standby") == timed.sent("office") == []


def test_after_an_outage_in_haste_the_next_one_keeps_the_order_again(rigged):
    rig = rigged(
        room(host("store", 1), host("mail", 1, after=["store"]), stages=(stage(1, after="30s"),))
    )
    rig.ups.says = {"battery-low": True}
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.ups.says = {}
    rig.mains_returns()
    rig.run_until(lambda: set(rig.phases().values()) == {"running"}, 400.0)
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("store").count("stop") == 2, 120.0)
    assert rig.phase("mail") == "down"
