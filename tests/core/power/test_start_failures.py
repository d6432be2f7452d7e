"""A host that does not come."""

from __future__ import annotations

from itertools import pairwise

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
    told = {event.cause for _, event in rig.events if event.subject == "by-hand"}
    assert "plan.start-awaited" in told
    assert "plan.start-asked" not in told, "nobody asked it"
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


SLOW = room(host("office", 1, start_timeout="150s"), stages=(stage(1, after="10s"),))


def test_a_start_that_could_not_be_given_is_given_again(fallen):
    rig = fallen(SLOW)
    rig.servers["office"].refuses = 7
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "office"), 100.0)
    rig.run_until(lambda: "booting" in str(rig.view()["hosts"][0]["reason"]), 15.0)
    rig.run_until(lambda: rig.phase("office") == "running", 400.0)
    told_s = started_s(rig, "office")
    apart_s = [after - before for before, after in pairwise(told_s)]
    assert len(told_s) == 10 or len(told_s) < 10
    assert [round(gap_s, -1) for gap_s in apart_s[:6]] == [10.0] * 6
    assert all(gap_s >= 60.0 for gap_s in apart_s[6:])


def test_a_start_that_can_never_be_given_ends_in_its_time(fallen):
    rig = fallen(SLOW)
    rig.servers["office"].refuses = 1000
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "failed", 500.0)
    told_s = started_s(rig, "office")
    assert told_s[-1] - told_s[0] <= 150.0
    assert rig.alarm("office.start-failed").startswith("active")
    assert "booting" in rig.view()["hosts"][0]["reason"]
    rig.run(300.0)
    assert started_s(rig, "office") == told_s


def test_a_magic_packet_that_did_not_arrive_is_sent_again_until_the_host_is_heard(fallen):
    rig = fallen(SLOW)
    rig.servers["office"].misses = 1
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "running", 300.0)
    first_s, again_s = started_s(rig, "office")
    assert again_s - first_s >= 60.0


def test_a_host_that_is_slow_to_boot_is_waited_for_no_longer_for_its_packets(fallen):
    rig = fallen(SLOW)
    rig.servers["office"].body.act("no-boot")
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "failed", 500.0)
    failed_s, told_s = rig.at_s, started_s(rig, "office")
    assert len(told_s) == 3
    assert failed_s - told_s[0] <= 153.0


def test_a_command_that_was_taken_is_not_given_again(fallen):
    tables = room(
        host("office", 1, start_timeout="150s", start="command:/usr/local/bin/start-office"),
        stages=(stage(1, after="10s"),),
    )
    rig = fallen(tables)
    rig.servers["office"].misses = 1
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "failed", 500.0)
    assert len(started_s(rig, "office")) == 1


def test_no_start_is_given_again_in_an_outage_and_what_never_began_to_boot_comes_back_later(
    fallen,
):
    rig = fallen(SLOW)
    rig.servers["office"].refuses = 3
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "office"), 100.0)
    rig.mains_fails()
    rig.run(3.0)
    told_s = started_s(rig, "office")
    rig.run(7.0)
    assert rig.phase("office") != "starting"
    rig.mains_returns()
    rig.run(25.0)
    assert started_s(rig, "office") == told_s, "the mains is not stable yet"
    rig.run_until(lambda: up_again(rig), 300.0)


def test_a_start_given_again_keeps_its_distance_and_lets_the_others_go_first(fallen):
    tables = room(
        host("store", 1, start_timeout="300s"), host("mail", 1),
        host("web", 1, start_timeout="300s"), stages=(stage(1, after="10s"),),
    )  # fmt: skip
    rig = fallen(tables)
    rig.servers["store"].refuses = 4
    rig.servers["web"].refuses = 3
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 500.0)
    by_time = sorted((at_s, id) for id in rig.servers for at_s in started_s(rig, id))
    assert [id for _, id in by_time[:4]] == ["store", "mail", "web", "store"]
    assert all(after[0] - before[0] >= 9.9 for before, after in pairwise(by_time))
