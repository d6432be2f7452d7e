"""A step of the plan is in the record before it is done."""

from __future__ import annotations

import pytest

from tests.core.power.outages import asked_s, plan_events

pytestmark = pytest.mark.slow


def test_a_stop_waits_until_its_record_is_kept(timed):
    timed.journal_hangs = True
    timed.mains_fails()
    timed.run(75.0)
    assert timed.sent("standby") == []
    timed.journal_hangs = False
    timed.run(1.5)
    assert timed.sent("standby") == ["stop"]


def test_a_stop_is_given_after_two_seconds_when_the_journal_fails(timed):
    timed.journal_fails = True
    timed.mains_fails()
    timed.run_until(lambda: plan_events(timed, "standby", "plan.stop-asked"), 80.0, 0.1)
    decided_s = plan_events(timed, "standby", "plan.stop-asked")[0][0]
    timed.run_until(lambda: timed.sent("standby"), 5.0, 0.1)
    assert 1.9 <= asked_s(timed, "standby") - decided_s <= 3.5
    timed.run_until(lambda: timed.phase("standby") == "down", 120.0)


def test_an_outlet_is_cut_only_after_its_record_is_kept(cutting):
    cutting.servers["standby"].body.act("hang")
    cutting.mains_fails()
    cutting.run_until(lambda: cutting.sent("standby"), 40.0)
    cutting.run(50.0)
    cutting.journal_hangs = True
    cutting.run(30.0)
    assert cutting.on("standby-outlet")
    cutting.journal_hangs = False
    cutting.run(3.0)
    assert not cutting.on("standby-outlet")


def test_every_step_was_in_the_record_before_it_was_done(cutting):
    cutting.servers["standby"].body.act("hang")
    cutting.mains_fails()
    cutting.run_until(lambda: cutting.phase("office") == "down", 400.0)
    for id in ("standby", "office"):
        asked = plan_events(cutting, id, "plan.stop-asked")
        assert asked[0][0] < asked_s(cutting, id)
        assert isinstance(asked[0][1].data["step"], int)
    cut = next(move for move in cutting.moves if move.output == "standby-outlet")
    unconfirmed = plan_events(cutting, "standby", "plan.unconfirmed")
    assert unconfirmed[0][0] < cut.at_s
    steps = [event.data["step"] for _, event in cutting.events if event.kind == "plan"
             and "step" in event.data]  # fmt: skip
    assert steps == sorted(set(steps))


def test_a_stop_that_was_decided_before_a_restart_is_decided_anew(timed):
    timed.mains_fails()
    timed.run(40.0)
    timed.journal_hangs = True
    timed.run_until(lambda: timed.plan.host("standby").asked_s is not None, 60.0)
    timed.restart()
    timed.journal_hangs = False
    timed.run(5.0)
    assert timed.sent("standby") == ["stop"]
    assert len(plan_events(timed, "standby", "plan.stop-asked")) == 2
