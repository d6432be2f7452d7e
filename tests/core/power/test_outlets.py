"""What is never done to a host's outlet during an outage, and what is."""

from __future__ import annotations

import pytest

from controller.core.request import Status
from tests.core.power.outages import all_down, asked_s

pytestmark = pytest.mark.slow


def test_an_unconfirmed_host_keeps_its_outlet(keeping):
    keeping.servers["standby"].body.act("hang")
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("office") == "down", 400.0)
    assert keeping.phase("standby") == "unconfirmed"
    assert keeping.on("standby-outlet")
    assert keeping.servers["standby"].body.is_up


def test_an_unconfirmed_host_of_which_it_is_so_said_loses_its_outlet_after_its_time(cutting):
    cutting.servers["standby"].body.act("hang")
    cutting.mains_fails()
    cutting.run_until(lambda: cutting.sent("standby"), 40.0)
    cutting.run(55.0)
    assert cutting.on("standby-outlet")
    cutting.run_until(lambda: not cutting.on("standby-outlet"), 15.0)
    assert cutting.alarm("standby.stop-unconfirmed").startswith("active")
    assert cutting.on("office-outlet")
    cut = next(move for move in cutting.moves if move.output == "standby-outlet")
    assert (cut.slot, cut.cause) == (7, "plan.outlet-cut")
    assert cut.at_s - asked_s(cutting, "standby") >= 60.0


def test_a_host_confirmed_down_keeps_its_outlet_during_the_outage(cutting):
    cutting.mains_fails()
    cutting.run_until(lambda: all_down(cutting), 300.0)
    cutting.run(60.0)
    assert cutting.servers["standby"].body.hard_cuts == 0
    assert cutting.servers["office"].body.hard_cuts == 0


def test_a_host_that_keeps_coming_up_is_not_cut_before_it_was_asked_and_its_time_is_over(cutting):
    server = cutting.servers["standby"]
    rose_s = []
    cutting.mains_fails()
    for _ in range(4):
        cutting.run_until(lambda: not server.body.is_running, 200.0)
        cutting.run(40.0)
        server.body.start()
        rose_s.append(cutting.at_s)
        cutting.run(25.0)
    cutting.run(120.0)
    for move in cutting.moves:
        if move.cause == "plan.outlet-cut" and not move.on:
            last_s = max(at_s for at_s in rose_s if at_s < move.at_s)
            stop_s = [
                at for at, what in server.sent if what == "stop" and last_s <= at < move.at_s
            ]
            assert stop_s
            assert move.at_s - stop_s[0] >= 60.0


def test_the_outlet_of_a_running_host_is_not_switched_off_by_hand(keeping):
    answer = keeping.request("switch", output="standby-outlet", to="off", for_="1h")
    assert answer.status is Status.REFUSED
    assert answer.reason is not None
    assert keeping.on("standby-outlet")


def cut_and_waiting(cutting):
    """The standby server has hung and was cut; the mains is back, and it waits for its turn."""
    server = cutting.servers["standby"]
    server.body.act("hang")
    server.dead_path = True
    cutting.mains_fails()
    cutting.run_until(lambda: not cutting.on("standby-outlet"), 150.0)
    cutting.run_until(lambda: cutting.phase("office") == "down", 400.0)
    cutting.mains_returns()
    cutting.run_until(lambda: cutting.phase("standby") == "waiting", 200.0)


def test_an_outlet_that_was_cut_is_not_given_back_by_a_second_outage(cutting):
    cut_and_waiting(cutting)
    again_s = cutting.at_s
    cutting.mains_fails()
    cutting.run(200.0)
    assert ("standby-outlet", True) not in cutting.moved(again_s)
    assert cutting.servers["standby"].body.starts == 0


def test_an_outlet_is_given_back_once_a_cut_host_waits_for_nothing(cutting):
    """Not while it waits for its turn: it would boot before it, and all of them in one rush."""
    cut_and_waiting(cutting)
    while cutting.phase("office") != "running":
        assert not cutting.on("standby-outlet")
        cutting.run(1.0)
    cutting.run_until(lambda: cutting.on("standby-outlet"), 60.0)


def test_a_host_found_up_again_is_not_safe_to_switch_off_by_hand(keeping):
    """It was proved down once; since then it was started."""
    server = keeping.servers["standby"]
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("standby") == "down", 200.0)
    server.dead_path = True
    server.body.start()
    keeping.run_until(lambda: keeping.phase("standby") != "down", 200.0)
    server.body.act("hang")
    keeping.run_until(lambda: keeping.phase("standby") == "unconfirmed", 200.0)
    assert not keeping.plan.host("standby").proved


def test_an_outlet_that_was_just_cut_does_not_come_back_in_the_same_moment(cutting):
    """The last look of the host is of before the cut, and says that it is up."""
    cutting.servers["standby"].body.act("hang")
    cutting.mains_fails()
    cutting.run_until(lambda: not cutting.on("standby-outlet"), 150.0, 0.05)
    cut_s = cutting.at_s
    cutting.mains_returns()
    cutting.run_until(lambda: cutting.on("standby-outlet"), 300.0, 0.2)
    assert cutting.at_s - cut_s >= 10.0
