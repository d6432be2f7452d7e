"""The UPS is switched off after the last stage, proved, and told again."""

from __future__ import annotations

import pytest

from tests.core.power.outages import OFFICE, STANDBY, all_down, plan_events
from tests.core.powerrooms import room, stage

pytestmark = pytest.mark.slow

SWITCHED = {"ups_off": True}


@pytest.mark.parametrize("off", [False, True], ids=["by default", "with ups_off"])
def test_the_ups_is_switched_off_after_the_last_stage_only_where_that_is_said(rigged, off):
    rig = rigged(
        room(
            STANDBY, OFFICE, stages=(stage(1, after="30s"), stage(2, after="2min")),
            outage={"ups_off": off},
        )
    )  # fmt: skip
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 300.0)
    down_s = rig.at_s
    rig.run(60.0)
    assert rig.ups.sent == (["off"] if off else [])
    assert all(server.body.hard_cuts == 0 for server in rig.servers.values())
    if off:
        recorded = [at for at, event in plan_events(rig, "main-ups", "plan.ups-off")]
        recorded += [at for at, event in plan_events(rig, "room", "plan.ups-off")]
        assert recorded
        assert recorded[0] >= down_s - 1.0


def test_a_ups_that_is_switched_off_has_no_runtime_to_spare(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="30s"),), outage=SWITCHED))
    rig.run(30.0)
    assert rig.power.runtime_s > 60.0
    rig.mains_fails()
    rig.run_until(lambda: rig.ups.switched_off, 300.0)
    rig.run(30.0)
    assert rig.power.runtime_s is None


def test_a_ups_that_drains_on_is_told_again_and_then_a_person_is_told(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="30s"),), outage=SWITCHED))
    rig.ups.deaf = True
    rig.mains_fails()
    rig.run_until(lambda: rig.ups.sent == ["off"], 300.0)
    rig.run_until(lambda: rig.ups.sent == ["off", "off"], 150.0)
    assert rig.alarm("plan.ups-not-off") == "normal"
    rig.run_until(lambda: rig.alarm("plan.ups-not-off") != "normal", 300.0)
    rig.run(600.0)
    assert len(rig.ups.sent) == 3
    assert len(plan_events(rig, "room", "plan.ups-off")) == 3
    rig.mains_returns()
    rig.run(30.0)
    assert rig.alarm("plan.ups-not-off") == "returned-unacknowledged"


def test_a_ups_that_heard_at_last_is_not_told_again(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="30s"),), outage=SWITCHED))
    rig.ups.deaf = True
    rig.mains_fails()
    rig.run_until(lambda: rig.ups.sent == ["off"], 300.0)
    rig.ups.switched_off = True
    rig.run(600.0)
    assert rig.ups.sent == ["off"]
    assert rig.alarm("plan.ups-not-off") == "normal"


def test_the_ups_is_not_switched_off_under_a_host_that_may_still_run(rigged):
    rig = rigged(
        room(
            STANDBY,
            OFFICE,
            stages=(stage(1, after="30s"), stage(2, after="2min")),
            outage=SWITCHED,
        )
    )
    rig.servers["standby"].body.act("hang")
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("office") == "down", 400.0)
    rig.run(120.0)
    assert rig.ups.sent == []
    assert rig.servers["standby"].body.hard_cuts == 0


def test_the_ups_is_not_switched_off_when_the_mains_is_back_before_the_last_host_is_down(rigged):
    """Its load would stay without a battery behind it, or off for good."""
    rig = rigged(room(STANDBY, stages=(stage(1, after="30s"),), outage=SWITCHED))
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("standby"), 60.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("standby") == "running", 300.0)
    assert rig.ups.sent == []


def test_the_ups_is_not_switched_off_before_every_stage_has_run(rigged):
    rig = rigged(
        room(
            STANDBY, OFFICE, stages=(stage(1, after="30s"), stage(2, after="10min")),
            outage=SWITCHED,
        )
    )  # fmt: skip
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)
    rig.run(120.0)
    assert rig.ups.sent == []


def test_a_restart_decides_anew_to_switch_the_ups_off(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="30s"),), outage=SWITCHED))
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)
    rig.journal_hangs = True
    rig.run_until(lambda: rig.plan.ups_asked_s is not None, 60.0)
    rig.restart()
    rig.journal_hangs = False
    rig.run(10.0)
    assert rig.ups.sent == ["off"]
    assert len(plan_events(rig, "room", "plan.ups-off")) == 2


def test_a_ups_that_did_not_switch_off_in_one_outage_is_told_in_the_next(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="30s"),), outage=SWITCHED))
    rig.ups.deaf = True
    rig.mains_fails()
    rig.run_until(lambda: len(rig.ups.sent) == 3, 700.0)
    rig.ups.deaf = False
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("standby") == "running", 300.0)
    rig.mains_fails()
    rig.run_until(lambda: rig.ups.switched_off, 200.0)


OFF_LAST = {"outage": SWITCHED, "stages": (stage(1, after="30s"),)}


def test_the_ups_is_not_switched_off_before_all_have_been_down_for_half_a_minute(rigged):
    rig = rigged(room(STANDBY, **OFF_LAST))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0, 0.2)
    rig.run(28.0)
    assert rig.ups.sent == []
    rig.run(5.0)
    assert rig.ups.sent == ["off"]


def test_the_ups_is_switched_off_only_after_its_record_is_kept(rigged):
    rig = rigged(room(STANDBY, **OFF_LAST))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.journal_hangs = True
    rig.run(60.0)
    assert rig.ups.sent == []
    rig.journal_hangs = False
    rig.run(5.0)
    assert rig.ups.sent == ["off"]


def test_a_ups_off_that_was_decided_is_decided_anew_after_a_moment_of_mains(rigged):
    rig = rigged(room(STANDBY, **OFF_LAST))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.journal_hangs = True
    rig.run_until(lambda: rig.plan.ups_asked_s is not None, 60.0)
    rig.mains_returns()
    rig.run(8.0)
    assert rig.point("power.state").value == "mains"
    rig.mains_fails()
    rig.journal_hangs = False
    rig.run(10.0)
    assert rig.ups.sent == ["off"]
    assert len(plan_events(rig, "room", "plan.ups-off")) == 2


def test_the_ups_is_not_switched_off_under_hosts_that_a_new_boot_has_not_seen_down(rigged):
    rig = rigged(room(STANDBY, **OFF_LAST))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0, 0.2)
    server = rig.servers["standby"]
    server.dead_path, server.body.fault = True, "silent"
    server.body.start()
    rig.restart(same_boot=False, off_s=1.0)
    rig.run(120.0)
    assert rig.ups.sent == []


def test_the_ups_is_not_switched_off_under_a_host_that_merely_fell_silent(rigged):
    """Its own stage has not begun: it was never asked, and may be running."""
    rig = rigged(
        room(STANDBY, OFFICE, stages=(stage(1, after="30s"), stage(2, after="20min")),
             outage=SWITCHED)
    )  # fmt: skip
    rig.servers["office"].body.fault = "silent"
    rig.run_until(lambda: rig.phase("office") == "down", 90.0)
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)
    rig.run(120.0)
    assert rig.ups.sent == []


def test_the_ups_is_not_switched_off_while_the_contact_says_that_the_mains_is_there(rigged):
    rig = rigged(room(STANDBY, **OFF_LAST))
    rig.ups.breaker = True
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.run(120.0)
    assert rig.ups.sent == []


def test_a_ups_that_is_silent_once_it_was_told_is_not_said_to_drain_on(rigged):
    rig = rigged(room(STANDBY, **OFF_LAST))
    rig.ups.deaf = True
    rig.mains_fails()
    rig.run_until(lambda: rig.ups.sent == ["off"], 300.0)
    rig.ups.silent = True
    rig.run(900.0)
    assert rig.alarm("plan.ups-not-off") == "normal"


def test_a_ups_that_obeyed_each_time_is_told_each_time(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="30s"),), outage=SWITCHED,
                      return_={"stable": "10min"}))  # fmt: skip
    for count in range(1, 6):
        rig.mains_fails()
        rig.run_until(lambda count=count: len(rig.ups.sent) == count, 300.0)
        rig.run(20.0)
        rig.mains_returns()
        rig.run(15.0)
    assert rig.alarm("plan.ups-not-off") == "normal"
