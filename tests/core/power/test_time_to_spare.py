"""How long the stops take, and whether the battery lasts for them."""

from __future__ import annotations

import pytest

from tests.core.power.outages import LATE, OFFICE
from tests.core.powerrooms import host, room, stage

pytestmark = pytest.mark.slow


def test_the_time_a_stop_takes_is_measured_and_remembered(timed):
    view = timed.view()
    assert [(one["expected_stop_s"], one["measured"]) for one in view["hosts"]] == [
        (60.0, False),
        (60.0, False),
    ]
    assert view["need_s"] == pytest.approx(180.0)
    timed.mains_fails()
    timed.run_until(lambda: timed.phase("standby") == "down", 200.0)
    timed.mains_returns()
    timed.run_until(lambda: timed.phase("standby") == "running", 300.0)
    for _ in range(2):
        standby, office = timed.view()["hosts"]
        assert standby["measured"]
        assert 15.0 <= standby["expected_stop_s"] < 60.0
        assert not office["measured"]
        assert timed.view()["need_s"] == pytest.approx(
            standby["expected_stop_s"] + 60.0 + 60.0, abs=1.0
        )
        timed.restart(same_boot=False)
        timed.run(10.0)


def test_a_stop_that_was_never_confirmed_is_not_taken_for_a_measurement(timed):
    timed.servers["standby"].body.act("hang")
    timed.mains_fails()
    timed.run_until(lambda: timed.phase("standby") == "unconfirmed", 200.0)
    standby = timed.view()["hosts"][0]
    assert standby["expected_stop_s"] >= 60.0


def test_hosts_of_one_stage_stop_at_the_same_time_and_are_so_reckoned(rigged):
    rig = rigged(
        room(host("a", 1), host("b", 1, stop_timeout="100s"), OFFICE,
             stages=(stage(1, after="30s"), LATE))
    )  # fmt: skip
    assert rig.view()["need_s"] == pytest.approx(100.0 + 60.0 + 60.0)


def test_a_plan_that_no_longer_fits_the_battery_is_an_alarm_on_line_too(timed):
    assert timed.view()["fits"] is True
    # Stage 2 begins after 5 min at the latest; then come its 60 s and the reserve of 60 s.
    assert timed.view()["spare_s"] == pytest.approx(1200.0 - 420.0, abs=15.0)
    timed.ups.says = {"runtime": 150.0}
    timed.run(90.0)
    assert timed.alarm("plan.does-not-fit").startswith("active")
    assert timed.view()["fits"] is False
    assert timed.sent("standby") == []
    timed.ups.says = {}
    timed.run(300.0)
    assert not timed.alarm("plan.does-not-fit").startswith("active")


def test_whether_the_plan_fits_is_not_known_where_the_ups_tells_no_runtime(timed):
    timed.ups.says = {"runtime": None}
    timed.run(60.0)
    timed.restart()
    timed.run(10.0)
    view = timed.view()
    assert view["fits"] in (None, True)
    assert timed.alarm("plan.does-not-fit") == "normal"


def test_a_stop_of_a_host_that_was_down_already_is_not_taken_for_a_measurement(timed):
    timed.servers["standby"].body.act("off")
    timed.run_until(lambda: timed.phase("standby") == "down", 60.0)
    timed.mains_fails()
    timed.run_until(lambda: timed.sent("standby") == ["stop"], 90.0)
    timed.run_until(lambda: timed.phase("standby") == "down", 90.0)
    shown = timed.view()["hosts"][0]
    assert (shown["expected_stop_s"], shown["measured"]) == (60.0, False)


def test_a_host_that_boots_adds_its_start_to_what_the_plan_needs(timed):
    timed.mains_fails()
    timed.run_until(lambda: timed.phase("standby") == "down", 200.0)
    timed.mains_returns()
    before_s = timed.view()["need_s"]
    timed.run_until(lambda: timed.phase("standby") == "starting", 200.0, 0.2)
    assert timed.view()["need_s"] - before_s >= 60.0
