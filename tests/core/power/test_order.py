"""The order of the return, and its distances."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.core.power.outages import STANDBY
from tests.core.power.returns import OFFICE, STAGES, TABLES, down, started_s, up_again
from tests.core.powerrooms import host, room, stage

pytestmark = pytest.mark.slow


def test_what_stopped_last_starts_first_and_each_waits_for_the_one_before(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 300.0)
    initialised_s = next(at_s for at_s, what in rig.servers["office"].sent if what == "initialise")
    assert started_s(rig, "standby")[0] >= initialised_s
    assert rig.sent("office") == ["stop", "start", "initialise"]
    assert rig.sent("standby") == ["stop", "start"]
    assert rig.plan.last_run is not None
    assert rig.plan.last_run.ok


def test_starts_keep_their_distance(fallen):
    tables = room(
        *(host(id, 1) for id in ("a", "b", "c")),
        stages=(stage(1, after="10s"),),
        return_={"spacing": "10s"},
    )
    rig = fallen(tables)
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 300.0)
    at_s = sorted(started_s(rig, id)[0] for id in ("a", "b", "c"))
    assert all(after - before >= 9.9 for before, after in pairwise(at_s))


def test_a_host_waits_for_those_it_needs(fallen):
    tables = room(
        host("store", 1, initialise=["command:/bin/mount"]),
        host("mail", 1, after=["store"]),
        stages=(stage(1, after="10s"),),
    )
    rig = fallen(tables)
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "mail"), 300.0, 0.5)
    assert rig.sent("store")[-1] == "initialise"
    assert rig.phase("store") == "running"
    rig.run_until(lambda: up_again(rig), 100.0)


def test_no_host_starts_before_all_have_been_off_for_half_a_minute(rigged):
    rig = rigged(room(STANDBY, OFFICE, stages=STAGES, return_={"stable": "0s"}))
    rig.mains_fails()
    rig.run_until(lambda: "stop" in rig.sent("office"), 200.0)
    rig.mains_returns()
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 200.0, 0.2)
    down_s = rig.at_s
    rig.run_until(lambda: started_s(rig, "office"), 100.0)
    assert started_s(rig, "office")[0] - down_s >= 29.0


def test_a_host_that_went_down_after_the_mains_was_back_is_started_too(rigged):
    rig = rigged(TABLES)
    rig.mains_fails()
    rig.run_until(lambda: "stop" in rig.sent("office"), 200.0)
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 400.0)
    assert rig.sent("office").count("start") == 1
    assert rig.sent("standby").count("start") == 1


def test_everything_is_off_for_a_while_also_beside_a_host_that_still_boots(rigged):
    one, two = host("one", 1), host("two", 2, start_timeout="30min")
    stages = (stage(1, after="10s"), stage(2, after="30min"))
    rig = rigged(room(one, two, stages=stages, return_={"stable": "10s"}))
    rig.ups.says = {"battery-low": True}
    down(rig)
    rig.ups.says = {}
    rig.servers["two"].sick = True
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("two") == "starting", 300.0)
    rig.mains_fails()
    rig.run(20.0)
    rig.servers["one"].body.start()
    rig.run_until(lambda: rig.phase("one") == "stopping", 100.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("one") == "down", 100.0)
    down_s = rig.at_s
    assert rig.phase("two") == "starting"
    rig.servers["two"].sick = False
    rig.run_until(lambda: len(started_s(rig, "one")) == 1, 300.0)
    assert started_s(rig, "one")[0] - down_s >= 29.0
