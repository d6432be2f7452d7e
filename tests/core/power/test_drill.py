"""The drill: the way to every host is tried, in the plan's order, and nothing is touched."""

from __future__ import annotations

import pytest

from controller.core.request import Status
from tests.core.powerrooms import host, room, stage

STAGES = (stage(1, after="30s"), stage(2, after="60s"))


@pytest.fixture
def rig(rigged):
    return rigged(room(host("standby", 1), host("office", 2), stages=STAGES))


def test_a_drill_tries_every_host_in_the_order_of_the_plan_and_stops_none(rig):
    asked = rig.ask("drill", plan="outage")
    rig.run(5.0)
    assert rig.end_of(asked) is Status.DONE
    tried = [subject for subject, cause in rig.causes("plan") if cause == "drill.tried"]
    assert tried == ["standby", "office"]
    assert all(rig.sent(id) == ["test"] for id in ("standby", "office"))
    assert rig.moved(since_s=6.0) == []
    assert set(rig.phases().values()) == {"running"}


def test_a_drill_of_the_return_tries_the_starts_the_other_way_and_starts_none(rig):
    asked = rig.ask("drill", plan="return")
    rig.run(5.0)
    assert rig.end_of(asked) is Status.DONE
    tried = [subject for subject, cause in rig.causes("plan") if cause == "drill.tried"]
    assert tried == ["office", "standby"]
    assert all(rig.sent(id) == ["test-start"] for id in ("standby", "office"))
    assert rig.moved(since_s=6.0) == []


@pytest.mark.parametrize(
    ("plan", "action", "hosts"),
    [("outage", "stop", ["standby", "office"]), ("return", "start", ["office", "standby"])],
)
def test_a_drill_says_of_each_host_what_was_tried(rig, plan, action, hosts):
    rig.servers["office"].mute = True
    rig.ask("drill", plan=plan)
    rig.run(3.0)
    steps = [(step["host"], step["action"]) for step in rig.view()["drill"]["steps"]]
    assert steps == [(host, action) for host in hosts]
    rig.run(70.0)
    tried = [e.data for _, e in rig.events if e.cause == "drill.tried"]
    assert [data["action"] for data in tried] == [action, action]
    steps = [(step["host"], step["action"]) for step in rig.view()["drill"]["steps"]]
    assert steps == [(host, action) for host in hosts]


def test_a_drill_that_has_ended_says_when_it_began_and_of_what(rig):
    rig.ask("drill", plan="return")
    began = rig.view()["drill"]["since"]
    rig.run(10.0)
    shown = rig.view()["drill"]
    assert (shown["running"], shown["plan"]) == (False, "return")
    assert shown["since"] == began is not None
    rig.restart()
    assert rig.view()["drill"] == shown
    rig.restart(same_boot=False)
    # Its own clock has begun anew: what was tried stands, with the date of the last run.
    assert rig.view()["drill"] == {**shown, "since": None}


def test_a_drill_that_an_outage_ended_says_what_it_was(rig):
    rig.servers["standby"].mute = True
    rig.ask("drill", plan="return")
    began = rig.view()["drill"]["since"]
    rig.run(2.0)
    rig.mains_fails()
    rig.run(2.0)
    assert ("room", "drill.aborted") in rig.causes("plan")
    shown = rig.view()["drill"]
    assert (shown["running"], shown["plan"], shown["since"]) == (False, "return", began)
    assert [(step["host"], step["action"]) for step in shown["steps"]] == [("office", "start")]


def test_a_drill_records_what_the_plan_would_take_and_its_date(rig):
    rig.ask("drill")
    rig.run(5.0)
    ended = next(e for _, e in rig.events if e.cause == "drill.ended")
    assert ended.data["ok"] is True
    assert ended.data["need_s"] > 0
    assert ended.data["runtime_s"] == pytest.approx(rig.power.runtime_s)
    last = rig.memory.rules["drill"].last_run
    assert (last.kind, last.ok) == ("drill", True)
    assert last.at_wall_s == pytest.approx(rig.wall_s, abs=10.0)


@pytest.mark.parametrize("plan", ["outage", "return"])
def test_a_host_that_cannot_be_reached_fails_the_drill_and_stays_an_alarm(rig, plan):
    rig.servers["office"].deaf = True
    asked = rig.ask("drill", plan=plan)
    rig.run(5.0)
    assert rig.end_of(asked) is Status.FAILED
    assert rig.alarm("plan.drill-failed") == "active-unacknowledged"
    rig.servers["office"].deaf = False
    rig.ask("drill")
    rig.run(5.0)
    assert rig.alarm("plan.drill-failed").startswith("latched")


def test_a_real_outage_ends_the_drill(rig):
    rig.servers["standby"].mute = True
    asked = rig.ask("drill")
    rig.mains_fails()
    rig.run(2.0)
    assert rig.end_of(asked) is Status.FAILED
    assert ("room", "drill.aborted") in rig.causes("plan")
    rig.run_until(lambda: rig.phase("standby") == "down", 120.0)


def test_no_drill_begins_in_an_outage(rig):
    rig.mains_fails()
    rig.run(3.0)
    assert rig.request("drill").reason.id == "refused.plan-runs"


def test_a_drill_is_not_begun_twice_and_its_plan_must_be_one(rig):
    rig.servers["standby"].mute = True
    rig.ask("drill")
    assert rig.request("drill").reason.id == "refused.already"
    assert rig.request("drill", plan="fire").reason.id == "refused.bad-argument"


def test_a_host_whose_test_never_answers_is_given_up(rig):
    rig.servers["standby"].mute = True
    asked = rig.ask("drill")
    rig.run(70.0)
    assert rig.end_of(asked) is Status.FAILED
    failed = [one.host for one in rig.memory.rules["drill"].tried if not one.ok]
    assert failed == ["standby"]


def test_a_drill_does_not_outlive_the_controller(rig):
    rig.servers["standby"].mute = True
    rig.ask("drill")
    rig.restart()
    rig.servers["standby"].mute = False
    rig.run(5.0)
    assert not rig.memory.rules["drill"].is_running
    asked = rig.ask("drill")
    rig.run(5.0)
    assert rig.end_of(asked) is Status.DONE


def test_no_drill_begins_while_hosts_are_being_started(rig):
    rig.mains_fails()
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 300.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.plan.returning_s is not None, 100.0)
    assert rig.power.on_s is None
    answer = rig.request("drill")
    assert answer.reason is not None and answer.reason.id == "refused.plan-runs"
