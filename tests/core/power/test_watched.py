"""What is told of a host before any outage: that it answers nothing, that nothing tells of it."""

from __future__ import annotations

import pytest

from tests.core.powerrooms import host, outlet, room, stage

STAGES = (stage(1, after="30s"),)
PROVEN = """
[[input]]
id = "one-power"
kind = "contact"
role = "feedback"
of = "one-outlet"
pin = 21
contact = "no"
"""


@pytest.fixture
def rig(rigged):
    return rigged(room(host("one", 1), stages=STAGES))


def test_a_running_host_that_answers_nothing_is_told_of(rig):
    rig.servers["one"].body.fault = "silent"
    rig.run(50.0)
    assert rig.alarm("one.unreachable") == "normal"
    rig.run(60.0)
    assert rig.alarm("one.unreachable") == "active-unacknowledged"
    assert rig.alarm("one.unwatched") == "normal", "silence is a word, too"


def test_a_host_that_could_not_be_confirmed_down_is_told_of_before_the_outage(rig):
    server = rig.servers["one"]
    server.dead_path, server.body.fault = True, "silent"
    rig.run(290.0)
    assert rig.alarm("one.unwatched") == "normal", "a switch may restart"
    rig.run(30.0)
    assert rig.alarm("one.unwatched") == "active-unacknowledged"
    assert rig.alarm("one.unreachable") == "normal", "nobody could hear it"
    server.dead_path, server.body.fault = False, None
    rig.run(15.0)
    assert rig.alarm("one.unwatched") == "returned-unacknowledged"


def test_a_host_that_is_watched_is_not_told_of(rig):
    rig.run(400.0)
    assert rig.alarm("one.unwatched") == "normal"


def test_that_nothing_tells_of_a_host_while_the_plan_stops_it_is_the_plans_to_say(rig):
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("one"), 60.0)
    server = rig.servers["one"]
    server.dead_path, server.body.fault = True, "silent"
    rig.run(400.0)
    assert rig.alarm("one.unwatched") == "normal"
    assert rig.alarm("one.stop-unconfirmed") == "active-unacknowledged"


@pytest.mark.parametrize(("is_read", "told"), [(True, "normal"), (False, "active-unacknowledged")])
def test_a_powered_outlet_tells_of_its_host_only_while_its_feedback_can_be_read(
    rigged, is_read, told
):
    one = host("one", 1, outlet="one-outlet", evidence=["outlet"], needs=2)
    rig = rigged(room(outlet("one-outlet", 12), PROVEN, one, stages=STAGES))
    if not is_read:
        rig.wire("one-power", None)
    rig.run(330.0)
    assert rig.alarm("one.unwatched") == told
