"""What the room makes of its UPS's word and of the mains contact."""

from __future__ import annotations

import pytest

from controller.core.restart import Boot
from tests.core.power.judged import HOSTS, NO_CONTACT, may_start, sheds, state
from tests.core.powerrooms import room, stage

pytestmark = pytest.mark.slow


def nothing(rig):
    pass


def only_the_contact_says_absent(rig):
    rig.set("mains", False)


def mains_fails(rig):
    rig.mains_fails()


def breaker_opens(rig):
    rig.ups.breaker = True


def ups_falls_silent(rig):
    rig.ups.silent = True


def silent_and_absent(rig):
    rig.ups.silent = True
    rig.run(20.0)
    rig.mains_fails()


JUDGED = [
    pytest.param(nothing, "mains", set(), False, True, id="on line, mains present"),
    pytest.param(
        only_the_contact_says_absent, "disagreement", {"power.disagreement"}, False, False,
        id="on line, mains absent",
    ),
    pytest.param(
        mains_fails, "outage", {"power.outage", "main-ups.on-battery"}, True, False,
        id="on battery, mains absent",
    ),
    pytest.param(
        breaker_opens, "on-battery", {"main-ups.on-battery"}, True, False,
        id="on battery, mains present",
    ),
    pytest.param(
        ups_falls_silent, "lost", {"main-ups.lost"}, False, False, id="lost, mains present"
    ),
    pytest.param(
        silent_and_absent, "outage", {"power.outage", "main-ups.lost"}, True, False,
        id="lost, mains absent",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("happens", "judged", "alarms", "plan_runs", "starts"), JUDGED)
def test_the_ups_and_the_mains_contact_together_are_judged(
    guarded, happens, judged, alarms, plan_runs, starts
):
    happens(guarded)
    guarded.run(25.0)
    assert state(guarded) == judged
    assert guarded.view()["power"]["state"] == judged
    assert guarded.view()["power"]["reason"]
    told = {"power.disagreement", "power.outage", "main-ups.on-battery", "main-ups.lost"}
    assert {id for id in told if guarded.alarm(id).startswith("active")} == alarms
    assert may_start(guarded) is starts
    assert sheds(guarded, 300.0 if not plan_runs else 100.0) is plan_runs


def test_a_mains_failure_is_judged_by_the_contact_at_once_and_by_the_ups_within_two_seconds(
    guarded, alone
):
    guarded.mains_fails()
    guarded.run(0.1)
    assert state(guarded) == "outage"
    assert not may_start(guarded)
    alone.mains_fails()
    alone.run(2.0)
    assert state(alone) == "outage"
    alone.run(3.0)
    assert "main-ups.on-battery" in alone.alarms()


@pytest.mark.parametrize("supply", ["bypass", "off"])
def test_a_ups_on_bypass_or_off_is_told_and_is_not_shown_as_mains_behind_a_battery(
    guarded, supply
):
    guarded.ups.says = {"supply": supply}
    guarded.run(25.0)
    told = {"main-ups.on-bypass", "main-ups.output-off", "main-ups.lost"}
    assert guarded.alarms() & told
    assert not sheds(guarded, 200.0)


def test_the_rooms_power_is_one_point(guarded):
    assert state(guarded) == "mains"
    assert guarded.point("power.state").is_good
    guarded.mains_fails()
    guarded.run(12.0)
    assert state(guarded) == "outage"
    guarded.mains_returns()
    guarded.run(3.0)
    assert state(guarded) == "mains"
    told = [(e.data["was"], e.cause) for _, e in guarded.events if e.kind == "power"]
    assert told[0] == ("unknown", "power.mains")
    assert ("outage", "power.mains") in told or told[-1] == ("disagreement", "power.mains")
    assert len(told) <= 5


def test_before_anything_was_read_the_rooms_power_is_not_known(rigged):
    rig = rigged(NO_CONTACT)
    rig.start(rig.room.first_memory(rig.mono_s), {}, Boot(False))
    assert state(rig) in (None, "unknown")


def test_a_ups_heard_again_on_line_has_its_time_before_it_contradicts_the_contact(guarded):
    silent_and_absent_only(guarded)
    guarded.ups.silent = False
    guarded.run(4.0)
    assert state(guarded) == "outage"
    guarded.run(6.0)
    assert state(guarded) == "disagreement"


def silent_and_absent_only(rig):
    rig.ups.silent = True
    rig.run(20.0)
    rig.set("mains", False)
    rig.run(10.0)
    assert state(rig) == "outage"


def test_a_mains_contact_that_cannot_be_read_does_not_speak_for_the_mains(guarded):
    """It is not present: a UPS that falls silent on battery is an outage."""
    guarded.wire("mains", None)
    guarded.mains = False
    guarded.run(20.0)
    assert state(guarded) == "outage"
    guarded.ups.silent = True
    guarded.run(20.0)
    assert state(guarded) == "outage"
    assert sheds(guarded, 60.0)


def test_a_ups_that_switched_its_output_off_in_an_outage_does_not_contradict_the_contact(guarded):
    guarded.mains_fails()
    guarded.run(10.0)
    guarded.ups.says = {"supply": "off"}
    guarded.run(30.0)
    assert state(guarded) == "outage"


def test_a_ups_that_goes_back_on_line_before_the_contact_has_its_time(guarded):
    guarded.mains_fails()
    guarded.run(30.0)
    guarded.ups.says = {"supply": "mains"}
    guarded.run(4.0)
    assert state(guarded) == "outage"
    guarded.run(5.0)
    assert state(guarded) == "disagreement"


def test_a_mains_contact_is_stable_from_the_restart_on(rigged):
    """While nobody listened the mains may have failed."""
    rig = rigged(room(*HOSTS, stages=(stage(1, after="20s"),), return_={"stable": "3min"}))
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)
    rig.mains_returns()
    rig.run(100.0)
    rig.restart(off_s=100.0)
    rig.run(120.0)
    assert rig.sent("standby") == ["stop"]
    rig.run(70.0)
    assert rig.sent("standby") == ["stop", "start"]
