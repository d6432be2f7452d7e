"""Hosts that go and come by themselves are left as they were found."""

from __future__ import annotations

import pytest

from tests.core.power.outages import STANDBY
from tests.core.power.returns import OFFICE, STAGES, TABLES, down, started_s, up_again
from tests.core.powerrooms import host, outlet, room, stage

pytestmark = pytest.mark.slow


def test_hosts_that_a_flat_battery_took_down_are_started_when_the_mains_is_back(rigged):
    """No stop came through: they fell. Nobody stops them again, and they come back in order."""
    rig = rigged(room(STANDBY, OFFICE, stages=STAGES))
    for server in rig.servers.values():
        server.deaf = True
    rig.mains_fails()
    rig.run(200.0)
    rig.ups.battery.charge_pct = 0.0
    rig.run(120.0)
    assert all(server.body.hard_cuts == 1 for server in rig.servers.values())
    for server in rig.servers.values():
        server.deaf = False
        server.body._ran_before_loss = False  # set to stay off
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 500.0)


def test_hosts_that_boot_by_themselves_when_the_mains_is_back_are_left_running(rigged):
    rig = rigged(room(STANDBY, OFFICE, stages=STAGES))
    rig.mains_fails()
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 300.0)
    rig.ups.battery.charge_pct = 0.0
    rig.run(30.0)
    for server in rig.servers.values():
        server.body._ran_before_loss = True  # set to come on with the power
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 300.0)
    rig.run(60.0)
    assert all(rig.sent(id).count("stop") == 1 for id in ("standby", "office"))
    assert up_again(rig)


def test_a_host_that_was_off_before_the_outage_is_not_started_by_the_return(rigged):
    rig = rigged(TABLES)
    rig.servers["standby"].body.stop()
    rig.run_until(lambda: rig.phase("standby") == "down", 100.0)
    rig.run(600.0)
    down(rig)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "running", 300.0)
    rig.run(120.0)
    assert started_s(rig, "standby") == []
    rig.ask("start-hosts")
    rig.run_until(lambda: rig.phase("standby") == "running", 200.0)


def test_after_a_new_boot_with_the_mains_back_a_booted_host_is_not_told_to_stop(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="10s"),)))
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("standby") == ["stop"], 100.0)
    rig.mains_returns()
    rig.restart(same_boot=False, off_s=120.0, mains=False)
    rig.servers["standby"].body.start()
    rig.run_until(lambda: rig.phase("standby") == "running", 300.0)
    rig.run(60.0)
    assert rig.sent("standby") == ["stop"]


def test_after_a_new_boot_in_an_outage_that_goes_on_a_host_is_told_again(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="10s"),)))
    rig.servers["standby"].deaf = True
    rig.mains_fails()
    rig.run_until(lambda: "stop" in rig.sent("standby"), 100.0)
    rig.servers["standby"].deaf = False
    before = len(rig.sent("standby"))
    rig.restart(same_boot=False, off_s=20.0)
    rig.run_until(lambda: len(rig.sent("standby")) > before, 60.0)
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)


@pytest.mark.parametrize("late_s", [8.0, 30.0])
def test_after_a_new_boot_no_host_is_told_to_stop_by_a_word_of_before(rigged, late_s):
    rig = rigged(room(STANDBY, stages=(stage(1, after="10s"),)))
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)
    rig.mains_returns()
    rig.ups.silent = True
    rig.servers["standby"].body.start()
    rig.restart(same_boot=False, off_s=300.0)
    rig.run(late_s)
    rig.ups.silent = False
    rig.run_until(lambda: rig.phase("standby") == "running", 300.0)
    assert rig.sent("standby") == ["stop"]


def test_a_host_that_boots_by_itself_over_a_restart_is_waited_for_and_nothing_else(fallen):
    rig = fallen()
    rig.servers["office"].sick = True
    rig.mains_returns()
    rig.run(2.0)
    rig.servers["office"].body.start()
    rig.run_until(lambda: rig.phase("office") == "starting", 30.0)
    rig.restart()
    assert rig.phase("office") == "starting"
    rig.servers["office"].sick = False
    rig.run_until(lambda: rig.phase("office") == "running", 60.0)
    assert started_s(rig, "office") == []


def test_a_host_that_boots_by_itself_and_gets_not_ready_is_not_stopped_on_the_mains(rigged):
    one, two = host("one", 1), host("two", 2, stop_timeout="10min")
    limits = {"charge_above": 95}
    rig = down(rigged(room(one, two, stages=STAGES, return_=limits)))
    rig.ups.says = {"charge": 50.0}
    rig.servers["one"].sick = True
    rig.mains_returns()
    rig.run(5.0)
    rig.servers["one"].body.start()
    rig.run_until(lambda: rig.phase("one") == "failed", 200.0)
    rig.run(120.0)
    assert rig.sent("one") == ["stop"]


@pytest.mark.parametrize("still_out", [False, True], ids=["mains back", "outage goes on"])
def test_a_host_that_booted_into_an_outage_over_a_restart_is_left_in_no_limbo(rigged, still_out):
    one, two = host("one", 1), host("two", 2)
    rig = down(rigged(room(one, two, stages=STAGES, return_={"stable": "10s"})))
    rig.servers["two"].sick = True
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("two") == "starting", 200.0)
    rig.mains_fails()
    rig.run(20.0)
    rig.restart()
    rig.servers["two"].sick = False
    if still_out:
        rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 300.0)
        return
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 900.0)


def test_a_host_that_is_only_watched_after_a_restart_has_its_whole_time(rigged):
    one = host("one", 1, outlet="o1", unconfirmed="cut", stop_timeout="30s")
    rig = rigged(room(outlet("o1", 11), one, stages=(stage(1, after="10s"),)))
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("one") == ["stop"], 60.0)
    rig.run(28.0)
    rig.mains_returns()
    rig.restart(off_s=5.0)
    rig.servers["one"].body.start()
    rig.run_until(lambda: rig.phase("one") == "running", 200.0)
    assert ("o1", False) not in rig.moved()
