"""Fire, and the plan."""

from __future__ import annotations

import pytest

from tests.core.power.outages import OFFICE, STANDBY, WITH_OUTLETS
from tests.core.powerrooms import CUTS, SMOKE, host, room, stage

pytestmark = pytest.mark.slow


def burning(rig):
    rig.set("smoke-1", True)
    rig.run(1.0)
    rig.set("smoke-2", True)


def fire_room(budget):
    return (
        room(
            SMOKE,
            CUTS,
            *WITH_OUTLETS,
            host("standby", 1, outlet="standby-outlet"),
            host("office", 2, outlet="office-outlet"),
            stages=(stage(1, after="30s"), stage(2, after="2min")),
        )
        + f'[fire]\nfed = "outside"\nbudget = "{budget}"\n'
    )


def test_a_fire_with_a_budget_asks_every_host_to_stop_before_the_cut(rigged):
    rig = rigged(fire_room("60s"))
    burning(rig)
    began_s = rig.at_s
    rig.run(8.0)
    assert rig.sent("standby") == rig.sent("office") == ["stop"]
    assert not rig.on("power-cut")
    rig.run_until(lambda: rig.on("power-cut"), 60.0, 0.5)
    assert rig.at_s - began_s == pytest.approx(60.0, abs=1.5)
    assert rig.on("ups-cut")
    assert all(server.body.hard_cuts == 0 for server in rig.servers.values())


def test_the_cut_of_a_fire_does_not_wait_for_hosts_nor_for_the_record(rigged):
    rig = rigged(fire_room("20s"))
    for server in rig.servers.values():
        server.body.act("hang")
    rig.journal_hangs = True
    burning(rig)
    rig.run(22.0)
    assert rig.on("power-cut")
    assert rig.on("ups-cut")


def test_a_fire_without_a_budget_cuts_at_once(rigged):
    rig = rigged(fire_room("0s"))
    burning(rig)
    rig.run(0.5)
    assert rig.on("power-cut")
    assert rig.on("ups-cut")
    rig.run(30.0)
    assert rig.sent("standby") == []


def test_a_fire_alarm_of_one_detector_stops_no_host(rigged):
    rig = rigged(fire_room("60s"))
    rig.set("smoke-1", True)
    rig.run(120.0)
    assert rig.sent("standby") == rig.sent("office") == []


def test_a_fire_in_the_middle_of_an_outage_cuts(rigged):
    rig = rigged(fire_room("20s"))
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("standby"), 60.0)
    burning(rig)
    rig.run(2.0)
    assert rig.sent("office") == ["stop"]
    rig.run(20.0)
    assert rig.on("ups-cut")


FIRE_OUTSIDE = '[fire]\nfed = "outside"\n'


@pytest.mark.parametrize("moment", ["stopping", "starting"])
def test_a_host_that_a_cut_takes_on_its_way_comes_back_after_the_restore(rigged, moment):
    rig = rigged(room(STANDBY, SMOKE, CUTS, stages=(stage(1, after="10s"),)) + FIRE_OUTSIDE)
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "stopping", 60.0, 0.2)
    if moment == "starting":
        rig.run_until(lambda: rig.phase("standby") == "down", 100.0)
        rig.mains_returns()
        rig.run_until(lambda: rig.phase("standby") == "starting", 200.0, 0.2)
    rig.ask("cut", privileged=True)
    rig.run(2.0)
    assert rig.phase("standby") == "down"
    rig.mains_returns()
    rig.run(300.0)
    rig.ask("restore")
    rig.run_until(lambda: rig.servers["standby"].body.is_up, 400.0)


def test_a_fire_that_gives_time_asks_a_host_again_that_nothing_proved_down(rigged):
    """It waits for its start, and may be running all the same."""
    fire = '[fire]\nfed = "outside"\nbudget = "5min"\n'
    stages = (stage(1, after="20s"), stage(2, after="40s"))
    back = {"spacing": "5min"}
    rig = rigged(room(SMOKE, CUTS, STANDBY, OFFICE, stages=stages, return_=back) + fire)
    rig.servers["standby"].dead_path = True
    rig.servers["standby"].body.fault = "silent"
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "unconfirmed", 300.0)
    rig.run_until(lambda: rig.phase("office") == "down", 300.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("standby") == "waiting", 200.0)
    asked = len(rig.sent("standby"))
    rig.set("call-point", True)
    rig.run(10.0)
    assert rig.sent("standby")[asked:] == ["stop"]


def test_a_last_detector_s_countdown_gives_the_hosts_their_time_too(rigged):
    """Not latched yet, and the cut comes at its end all the same."""
    fire = '[fire]\nfed = "outside"\nbudget = "5min"\n'
    rig = rigged(room(STANDBY, SMOKE, CUTS, stages=(stage(1, after="20min"),)) + fire)
    rig.wire("smoke-2", None)
    rig.run(30.0)
    rig.set("smoke-1", True)
    rig.run(10.0)
    assert rig.memory.rules["fire"].countdown is not None
    assert not rig.memory.rules["fire"].latched
    assert rig.sent("standby") == ["stop"]


def test_a_cut_host_is_down_by_the_cut_whatever_the_last_look_said(rigged):
    rig = rigged(room(STANDBY, SMOKE, CUTS, stages=(stage(1, after="10s"),)) + FIRE_OUTSIDE)
    rig.ask("cut", privileged=True)
    rig.run(90.0)
    assert [cause for id, cause in rig.causes("plan") if id == "standby"] == ["plan.cut"]
    rig.ask("restore")
    rig.run_until(lambda: rig.phase("standby") == "running", 400.0)
