"""What proves that a host is down, and what is done with one that does not go."""

from __future__ import annotations

from itertools import pairwise

import pytest

from controller.core.request import Origin, Status
from tests.core.power.outages import OFFICE, all_down
from tests.core.powerrooms import host, outlet, room, stage

pytestmark = pytest.mark.slow


def test_a_host_that_ignores_its_stop_is_told_and_the_plan_goes_on(timed):
    timed.servers["standby"].body.act("hang")
    timed.mains_fails()
    timed.run_until(lambda: timed.phase("standby") == "unconfirmed", 130.0)
    timed.run(2.0)
    assert timed.alarm("standby.stop-unconfirmed").startswith("active")
    timed.run_until(lambda: timed.phase("office") == "down", 400.0)
    assert timed.servers["standby"].body.hard_cuts == 0


def test_silence_over_a_dead_path_proves_nothing(keeping):
    keeping.servers["standby"].dead_path = True
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("standby") == "unconfirmed", 130.0)
    host = next(one for one in keeping.view()["hosts"] if one["id"] == "standby")
    assert set(host["evidence"].values()) == {"unknown"}
    assert keeping.on("standby-outlet")
    assert keeping.alarm("standby.stop-unconfirmed").startswith("active")


def test_a_network_that_is_dead_for_moments_proves_nothing(keeping):
    """Ports must be silent for half a minute before their silence is a word."""
    server = keeping.servers["standby"]
    server.deaf = True
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.sent("standby"), 40.0)
    server.body.fault = "silent"
    keeping.run(20.0)
    assert keeping.phase("standby") == "stopping"
    server.body.fault = None
    keeping.run(15.0)
    assert keeping.phase("standby") == "stopping"


def test_a_stop_that_cannot_be_given_is_tried_again_and_told(keeping):
    server = keeping.servers["standby"]
    server.deaf = True
    keeping.mains_fails()
    keeping.run(30.0 + 45.0)
    assert 2 <= len(keeping.sent("standby")) <= 20
    assert keeping.phase("standby") == "stopping"
    server.deaf = False
    keeping.run_until(lambda: keeping.phase("standby") == "down", 90.0)
    assert server.body.stops == 1
    tried_s = [at_s for at_s, _ in server.sent]
    assert all(9.0 <= b - a <= 15.0 for a, b in pairwise(tried_s))


def test_a_stop_that_can_never_be_given_does_not_hold_up_the_plan(keeping):
    keeping.servers["standby"].deaf = True
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("office") == "down", 400.0)
    assert keeping.phase("standby") == "unconfirmed"
    assert len(keeping.sent("standby")) < 50


def test_a_host_that_reboots_instead_of_stopping_is_told_to_stop_again(keeping):
    server = keeping.servers["standby"]
    server.reboots = True
    keeping.mains_fails()
    keeping.run(260.0)
    assert keeping.phase("office") == "down"
    assert 2 <= keeping.sent("standby").count("stop") <= 10
    assert keeping.on("standby-outlet")


def test_a_host_that_comes_up_again_during_the_outage_is_told_to_stop_again(keeping):
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("standby") == "down", 100.0)
    keeping.servers["standby"].body.start()
    keeping.run_until(lambda: keeping.sent("standby") == ["stop", "stop"], 60.0)
    keeping.run_until(lambda: all_down(keeping), 300.0)
    assert all(server.body.hard_cuts == 0 for server in keeping.servers.values())


def test_a_host_that_crashes_while_it_stops_is_down_by_what_is_left_of_its_evidence(rigged):
    """Its management controller says that it runs: with three kinds asked for it is not down."""
    managed = host(
        "standby", 1, evidence=["tcp://standby.lan:22", "redfish://room@bmc.lan"], needs=3,
        password_file="bmc.secret",
    )  # fmt: skip
    rig = rigged(room(managed, OFFICE, stages=(stage(1, after="30s"), stage(2, after="3min"))))
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("standby"), 40.0)
    rig.servers["standby"].body.act("crash")
    rig.run_until(lambda: rig.phase("standby") == "unconfirmed", 70.0)
    rig.run_until(lambda: rig.phase("office") == "down", 300.0)


def test_a_late_confirmation_counts(keeping):
    keeping.servers["standby"].body.act("hang")
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("standby") == "unconfirmed", 130.0)
    keeping.servers["standby"].body.act("off")
    keeping.run_until(lambda: keeping.phase("standby") == "down", 60.0)


def test_a_person_confirms_that_a_host_is_down(keeping):
    keeping.servers["standby"].body.act("hang")
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("standby") == "unconfirmed", 130.0)
    assert (
        keeping.request("switch", output="standby-outlet", to="off", for_="1h").status
        is Status.REFUSED
    )
    keeping.servers["standby"].body.act("off")
    keeping.servers["standby"].dead_path = True
    keeping.run(6.0)
    assert keeping.phase("standby") == "unconfirmed"
    remote = keeping.request("confirm-down", host="standby", origin=Origin.NETWORK_PANEL)
    assert remote.status is Status.REFUSED
    keeping.ask("confirm-down", host="standby")
    keeping.run(2.0)
    assert keeping.phase("standby") == "down"
    keeping.ask("switch", output="standby-outlet", to="off", for_="1h")
    keeping.run(1.0)
    assert not keeping.on("standby-outlet")


def test_a_host_that_a_person_confirmed_down_and_that_comes_up_is_seen(keeping):
    """A person's word is about the moment; what answers afterwards is up."""
    server = keeping.servers["standby"]
    server.dead_path = True
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("standby") == "unconfirmed", 130.0)
    keeping.ask("confirm-down", host="standby")
    keeping.run(2.0)
    assert keeping.phase("standby") == "down"
    server.dead_path = False
    server.body.start()
    keeping.run(30.0)
    assert keeping.phase("standby") != "down"
    answer = keeping.request("switch", output="standby-outlet", to="off", for_="1h")
    assert answer.status is Status.REFUSED


def test_nobody_confirms_a_host_that_is_not_in_the_room(keeping):
    assert keeping.request("confirm-down", host="nobody").status is Status.REFUSED
    assert keeping.request("confirm-down").status is Status.REFUSED


def test_nobody_confirms_down_a_host_that_answers(keeping):
    answer = keeping.request("confirm-down", host="standby")
    assert answer.reason is not None
    assert (answer.status, answer.reason.id) == (Status.REFUSED, "refused.host-answers")
    keeping.run(2.0)
    assert keeping.phase("standby") == "running"
    keeping.servers["standby"].body.act("hang")
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("standby") == "unconfirmed", 130.0)
    answer = keeping.request("confirm-down", host="standby")
    assert answer.status is Status.REFUSED
    answer = keeping.request("switch", output="standby-outlet", to="off", for_="1h")
    assert answer.status is Status.REFUSED


def test_a_person_s_word_that_a_host_is_down_ends_once_it_was_seen_up(keeping):
    server = keeping.servers["standby"]
    server.body.act("off")
    server.dead_path = True
    keeping.run(6.0)
    keeping.ask("confirm-down", host="standby")
    keeping.run(2.0)
    assert keeping.phase("standby") == "down"
    server.body.start()
    keeping.run_until(lambda: keeping.phase("standby") == "running", 60.0)
    server.body.fault = "silent"  # it runs, and nothing tells any more
    keeping.run(120.0)
    assert keeping.phase("standby") == "running"
    answer = keeping.request("switch", output="standby-outlet", to="off", for_="1h")
    assert answer.status is Status.REFUSED


def test_a_host_that_does_not_stay_down_is_told_after_three_times_and_not_stopped_for_ever(
    keeping,
):
    server = keeping.servers["standby"]
    keeping.mains_fails()
    for _ in range(5):
        keeping.run_until(lambda: keeping.phase("standby") in ("down", "unconfirmed"), 200.0)
        keeping.run(5.0)
        server.body.start()
        keeping.run(40.0)
    keeping.run(60.0)
    assert keeping.phase("standby") == "unconfirmed"
    assert keeping.alarm("standby.stop-unconfirmed").startswith("active")
    assert keeping.sent("standby").count("stop") == 4


def test_what_was_seen_a_minute_ago_tells_nothing_of_a_host(keeping):
    """Who looks at it may hang; then nobody knows, and nothing is proved."""
    keeping.servers["standby"].looked_s = 1e9  # no look comes any more
    keeping.run(70.0)
    host = next(one for one in keeping.view()["hosts"] if one["id"] == "standby")
    assert set(host["evidence"].values()) == {"unknown"}
    keeping.ask("confirm-down", host="standby")


MANAGED = host(
    "standby", 1, evidence=["tcp://standby.lan:22", "redfish://room@bmc.lan"], needs=2,
    password_file="bmc.secret",
)  # fmt: skip


def test_a_host_of_which_one_kind_says_that_it_runs_is_not_down_however_many_are_silent(rigged):
    rig = rigged(room(MANAGED, OFFICE, stages=(stage(1, after="30s"), stage(2, after="3min"))))
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("standby"), 40.0)
    rig.servers["standby"].body.act("crash")  # its management controller says that it is on
    rig.run_until(lambda: rig.phase("standby") == "unconfirmed", 400.0)
    assert ("standby", "plan.down") not in rig.causes("plan")


PROVEN = """
[[input]]
id = "standby-power"
kind = "contact"
role = "feedback"
of = "standby-outlet"
pin = 21
contact = "no"
"""


def test_an_outlet_whose_feedback_cannot_be_read_proves_nothing(rigged):
    proven = host("standby", 1, outlet="standby-outlet", evidence=["outlet"], needs=1)
    rig = rigged(
        room(outlet("standby-outlet", 12), PROVEN, proven, stages=(stage(1, after="30s"),))
    )
    rig.wire("standby-power", None)
    rig.servers["standby"].body.act("hang")
    rig.servers["standby"].dead_path = True
    rig.servers["standby"].body.fault = "silent"
    rig.run(30.0)
    assert rig.phase("standby") == "running"
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "unconfirmed", 130.0)


def test_a_client_must_be_silent_for_ten_seconds(rigged):
    rig = rigged(room(host("bare", 1, evidence=[], needs=1), stages=(stage(1, after="30s"),)))
    rig.servers["bare"].body.fault = "silent"
    rig.run(7.0)  # a look each five seconds
    rig.servers["bare"].body.fault = None
    rig.run(10.0)
    assert [cause for id, cause in rig.causes("plan") if id == "bare"] == []


def test_a_host_that_was_started_and_did_not_get_ready_is_stopped_by_the_next_outage(keeping):
    """It was proved down before its start; it may be running now."""
    keeping.mains_fails()
    keeping.run_until(lambda: keeping.phase("standby") == "down", 200.0)
    keeping.run_until(lambda: all_down(keeping), 300.0)
    for server in keeping.servers.values():
        server.sick = True
        server.body.fault = "silent"
    keeping.mains_returns()
    keeping.run_until(lambda: keeping.phase("standby") == "failed", 500.0)
    assert keeping.request("switch", output="standby-outlet", to="off", for_="1h").status is (
        Status.REFUSED
    )
    asked = len(keeping.sent("standby"))
    keeping.mains_fails()
    keeping.run(60.0)
    assert keeping.sent("standby")[asked:] == ["stop"]
