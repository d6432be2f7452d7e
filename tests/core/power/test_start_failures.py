"""A host that does not come."""

from __future__ import annotations

import pytest

from tests.core.power.outages import STANDBY
from tests.core.power.returns import STAGES, down, started_s, up_again
from tests.core.powerrooms import host, room, stage

pytestmark = pytest.mark.slow


def test_a_host_that_does_not_get_ready_holds_what_depends_on_it_and_nothing_else(fallen):
    tables = room(
        host("store", 2), host("mail", 2, after=["store"]), host("web", 1),
        stages=(stage(1, after="10s"), stage(2, after="10s")),
    )  # fmt: skip
    rig = fallen(tables)
    rig.servers["store"].sick = True
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("store") == "failed", 250.0)
    assert rig.alarm("store.start-failed").startswith("active")
    rig.run_until(lambda: rig.phase("web") == "running", 200.0)
    assert rig.phase("mail") == "held"
    assert started_s(rig, "mail") == []
    held = next(one for one in rig.view()["hosts"] if one["id"] == "mail")
    assert "store" in held["reason"]
    assert rig.plan.last_run is None or not rig.plan.last_run.ok


def test_a_host_that_gets_ready_after_all_lets_go_what_it_held(fallen):
    tables = room(
        host("store", 1), host("mail", 1, after=["store"]), stages=(stage(1, after="10s"),)
    )
    rig = fallen(tables)
    rig.servers["store"].sick = True
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("store") == "failed", 250.0)
    rig.servers["store"].sick = False
    rig.run_until(lambda: rig.phase("store") == "running", 20.0)
    assert not rig.alarm("store.start-failed").startswith("active")
    if rig.phase("mail") == "held":
        rig.ask("start-hosts")
    rig.run_until(lambda: up_again(rig), 250.0)


def test_a_start_that_does_nothing_ends_in_its_time(fallen):
    rig = fallen()
    rig.servers["office"].body.act("no-boot")
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "office"), 100.0)
    rig.run_until(lambda: rig.phase("office") == "failed", 75.0)
    rig.run_until(lambda: rig.phase("standby") == "running", 150.0)


def test_a_host_without_a_way_to_start_it_holds_nobody_up(fallen):
    tables = room(
        host("office", 2, start="wol://02:00:00:00:00:02"), STANDBY,
        host("by-hand", 2).replace('start = "wol://02:00:00:00:00:01"\n', ""),
        stages=STAGES,
    )  # fmt: skip
    rig = fallen(tables)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("standby") == "running", 400.0)
    assert started_s(rig, "by-hand") == []
    rig.servers["by-hand"].body.start()
    rig.run_until(lambda: up_again(rig), 100.0)


def test_a_host_with_nothing_listed_but_its_way_of_stopping_is_started_once_it_answers(rigged):
    bare = host("bare", 1, evidence=[], needs=1)
    rig = rigged(room(bare, host("mail", 1, after=["bare"]), stages=(stage(1, after="10s"),)))
    rig.servers["bare"].no_ready = True
    rig.image.pop("bare.ready", None)
    down(rig)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("mail") == "running", 400.0)
    assert rig.phase("bare") == "running"
    assert rig.alarm("bare.start-failed") == "normal"
