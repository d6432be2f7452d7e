"""A UPS that falls silent, or says the same for ever."""

from __future__ import annotations

import pytest

from controller.core.reading import Quality
from controller.core.restart import Boot
from tests.core.power.judged import AFTER, HOSTS, may_start, sheds, state
from tests.core.powerrooms import LIGHTS, host, room, stage

pytestmark = pytest.mark.slow


def test_a_silent_ups_is_alarmed_within_twenty_seconds(guarded):
    guarded.ups.silent = True
    guarded.run(20.0)
    assert guarded.alarm("main-ups.lost") == "active-unacknowledged"
    assert not guarded.point("main-ups.supply").is_good


def test_a_ups_lost_on_line_without_a_mains_contact_stops_and_starts_nothing(alone):
    alone.ups.silent = True
    alone.run(20.0)
    assert state(alone) == "lost"
    assert "main-ups.lost" in alone.alarms()
    assert not sheds(alone, 600.0)
    assert alone.phases() == {"standby": "running"}


def test_a_ups_lost_on_battery_keeps_the_clock_of_the_outage_running(alone):
    alone.mains_fails()
    alone.run(30.0)
    alone.ups.silent = True
    alone.run(25.0)
    assert alone.sent("standby") == []
    alone.run(15.0)
    assert alone.sent("standby") == ["stop"]


@pytest.mark.parametrize("mains", [True, False], ids=["contact says absent", "no contact"])
def test_a_ups_lost_on_battery_is_stopped_for_when_its_projected_runtime_no_longer_suffices(
    rigged, mains
):
    text = room(*HOSTS, stages=(stage(1, runtime_below="need"),), mains=mains)
    rig = rigged(text)
    rig.ups.battery.charge_pct = 30.0
    rig.mains_fails()
    rig.run(20.0)
    assert rig.ups.battery.lasts_s(3000.0) > 300.0
    rig.ups.silent = True
    # What is left needs 60 s, and the reserve is 60 s.
    left_s = rig.ups.battery.lasts_s(3000.0)
    told_s = rig.run_until(lambda: rig.sent("standby"), left_s)
    assert told_s <= left_s - 120.0 + 2.0
    rig.run_until(lambda: rig.phase("standby") == "down", 70.0)
    assert rig.servers["standby"].body.hard_cuts == 0


@pytest.mark.parametrize(
    "unknown", ["charge and runtime", "runtime only"], ids=lambda unknown: unknown
)
def test_a_ups_that_never_told_its_runtime_and_is_lost_on_battery_is_stopped_for_at_once(
    rigged, unknown
):
    """At the latest 15 s after its last word."""
    text = room(
        *HOSTS, host("office", 2),
        stages=(stage(1, after="20min"), stage(2, after="30min")), mains=False,
    )  # fmt: skip
    rig = rigged(text)
    rig.ups.untold = {"runtime", "charge"} if unknown.startswith("charge") else {"runtime"}
    rig.start(rig.room.first_memory(rig.mono_s), {}, Boot(False))
    rig.run(5.0)
    rig.mains_fails()
    rig.run(30.0)
    assert rig.sent("standby") == []
    rig.ups.silent = True
    rig.run(17.0)
    assert rig.sent("standby") == ["stop"]
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 150.0)


def test_a_silence_of_a_few_seconds_on_battery_starts_nothing(alone):
    alone.mains_fails()
    alone.run(15.0)
    alone.ups.silent = True
    alone.run(8.0)
    alone.ups.silent = False
    alone.run(10.0)
    assert alone.sent("standby") == []
    assert state(alone) == "outage"


def test_silence_after_a_low_battery_calls_nothing_off(rigged):
    rig = rigged(
        room(*HOSTS, host("office", 2), stages=(stage(1, after="5min"), stage(2, after="9min")))
    )
    rig.mains_fails()
    rig.run(20.0)
    rig.ups.says = {"battery-low": True}
    rig.run(2.0)
    rig.ups.silent = True
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 150.0)


def test_a_lost_ups_with_the_mains_absent_is_reckoned_with_half_of_its_last_runtime(guarded):
    guarded.ups.silent = True
    guarded.run(20.0)
    guarded.mains_fails()
    guarded.run(5.0)
    left_s = guarded.view()["power"]["runtime_s"]
    assert 0.5 * 1200.0 - 30.0 <= left_s <= 0.5 * 1200.0
    guarded.run(10.0)
    assert guarded.view()["power"]["runtime_s"] <= left_s - 9.0


def test_a_ups_lost_on_battery_beside_an_absent_contact_is_reckoned_with_by_half(guarded):
    guarded.run(10.0)
    guarded.mains_fails()
    guarded.run(20.0)
    before_s = guarded.view()["power"]["runtime_s"]
    guarded.ups.silent = True
    guarded.run(15.0)
    left_s = guarded.view()["power"]["runtime_s"]
    assert before_s / 2 - 20.0 <= left_s <= before_s / 2


def test_the_runtime_of_a_lost_ups_does_not_grow_by_a_new_boot(alone):
    alone.run(10.0)
    alone.mains_fails()
    alone.run(20.0)
    alone.ups.silent = True
    alone.run(15.0)
    left_s = alone.view()["power"]["runtime_s"]
    alone.restart(same_boot=False, off_s=100.0)
    alone.run(5.0)
    assert alone.view()["power"]["runtime_s"] <= left_s - 100.0


def test_a_lost_ups_is_believed_again_after_two_good_replies(guarded):
    guarded.ups.silent = True
    guarded.run(20.0)
    guarded.ups.silent = False
    guarded.run_until(lambda: guarded.image["main-ups.link"].value == "ok", 2.0, 0.1)
    guarded.ups.silent = True
    for _ in range(5):
        assert state(guarded) == "lost"
        guarded.run(1.0)
    guarded.ups.silent = False
    guarded.run(4.0)
    assert state(guarded) == "mains"
    guarded.run(35.0)
    assert may_start(guarded)


def test_a_frozen_ups_is_lost(guarded):
    guarded.ups.frozen = True
    guarded.run(25.0)
    assert "main-ups.frozen" in guarded.alarms()
    assert guarded.point("main-ups.supply").quality is Quality.FROZEN
    assert state(guarded) == "lost"
    assert not may_start(guarded)
    assert not sheds(guarded, 300.0)


def test_a_ups_frozen_on_line_hides_no_outage_from_the_mains_contact(guarded):
    guarded.ups.frozen = True
    guarded.ups.says = {
        "supply": "mains",
        "battery-low": False,
        "charge": 100.0,
        "runtime": 1200.0,
    }
    guarded.run(25.0)
    guarded.mains_fails()
    guarded.run(12.0)
    assert state(guarded) == "outage"
    assert sheds(guarded)


def test_a_ups_that_freezes_on_battery_stops_no_plan(alone):
    alone.mains_fails()
    alone.run(30.0)
    alone.ups.frozen = True
    assert sheds(alone)


NOT_BACKED = {
    "on bypass": {"supply": "bypass"},
    "overloaded": {"faults": "overload"},
    "faulty": {"faults": "internal"},
    "calibrating": {"self-test": "calibrating"},
}


@pytest.mark.parametrize("says", NOT_BACKED.values(), ids=NOT_BACKED)
def test_a_ups_that_falls_silent_while_its_battery_may_not_hold_is_a_critical_alarm(alone, says):
    alone.ups.says = says
    alone.run(10.0)
    alone.ups.silent = True
    alone.run_until(lambda: "main-ups.lost-exposed" in alone.alarms(), 20.0)
    assert not sheds(alone, 300.0)
    alone.ups.silent = False
    alone.ups.says = {}
    alone.run(10.0)
    assert alone.alarm("main-ups.lost-exposed") == "returned-unacknowledged"


@pytest.mark.parametrize("says", [{}, {"faults": "replace-battery"}], ids=["well", "old battery"])
def test_a_ups_that_falls_silent_on_line_is_lost_and_no_more(alone, says):
    alone.ups.says = says
    alone.run(10.0)
    alone.ups.silent = True
    alone.run(60.0)
    assert "main-ups.lost" in alone.alarms()
    assert alone.alarm("main-ups.lost-exposed") == "normal"


@pytest.mark.parametrize("contact", [False, True], ids=["without a contact", "contact present"])
def test_the_site_may_have_hosts_stopped_for_a_ups_lost_on_bypass(rigged, contact):
    policy = {"lost_sheds": True}
    rig = rigged(room(LIGHTS, *HOSTS, stages=AFTER, mains=contact, outage=policy))
    rig.ups.says = {"supply": "bypass"}
    rig.run(30.0)
    assert not sheds(rig, 60.0)
    rig.ups.silent = True
    silent_s = rig.at_s
    assert sheds(rig, 60.0) is not contact
    if not contact:
        asked_s = next(at_s for at_s, action in rig.servers["standby"].sent if action == "stop")
        assert 14.0 <= asked_s - silent_s <= 17.0
        rig.ups.silent = False
        rig.ups.says = {}
        rig.run_until(lambda: rig.phase("standby") == "running", 900.0)


def test_a_ups_that_is_lost_a_second_time_must_again_give_two_good_replies(guarded):
    for _ in range(2):
        guarded.ups.silent = True
        guarded.run(20.0)
        guarded.ups.silent = False
        guarded.run_until(lambda: guarded.image["main-ups.link"].value == "ok", 2.0, 0.1)
        assert state(guarded) == "lost"
        guarded.run(4.0)
        assert state(guarded) == "mains"


def test_a_restart_on_battery_is_no_silence_of_the_ups(rigged):
    """Of a UPS that tells no runtime the worst would be feared at once."""
    rig = rigged(room(*HOSTS, stages=(stage(1, after="20min"),), mains=False))
    rig.ups.untold = {"runtime"}
    rig.start(rig.room.first_memory(rig.mono_s), {}, Boot(False))
    rig.run(5.0)
    rig.mains_fails()
    rig.run(30.0)
    rig.restart(off_s=30.0)
    rig.run(10.0)
    assert rig.sent("standby") == []
    assert rig.causes("power", since_s=rig.at_s - 10.0) == []


def test_a_ups_lost_on_bypass_is_so_over_a_new_boot_too(rigged):
    policy = {"lost_sheds": True}
    rig = rigged(room(*HOSTS, stages=AFTER, mains=False, outage=policy))
    rig.ups.says = {"supply": "bypass"}
    rig.run(10.0)
    rig.ups.silent = True
    rig.restart(same_boot=False, off_s=20.0)
    rig.run(30.0)
    assert "main-ups.lost-exposed" in rig.alarms()
    assert rig.sent("standby") == ["stop"]


def test_a_board_that_reboots_on_battery_goes_on_with_the_last_runtime_of_a_silent_ups(rigged):
    """With none it would have to fear the worst, and stop every host at once."""
    rig = rigged(room(*HOSTS, stages=(stage(1, after="20min"),), mains=False))
    rig.mains_fails()
    rig.run(30.0)
    rig.ups.silent = True
    rig.restart(same_boot=False, off_s=5.0)
    rig.run(30.0)
    assert rig.view()["power"]["runtime_s"] > 600.0
    assert rig.sent("standby") == []


def test_a_ups_lost_before_the_outage_is_stopped_for_when_half_of_its_last_word_is_spent(rigged):
    rig = rigged(room(*HOSTS, stages=(stage(1, after="20min"),)))
    rig.ups.battery.charge_pct = 30.0
    rig.run(10.0)
    rig.ups.silent = True
    rig.run(20.0)
    rig.mains_fails()
    # Half of six minutes; what is left needs 60 s, and the reserve is 60 s.
    rig.run(20.0)
    assert rig.sent("standby") == []
    rig.run_until(lambda: rig.sent("standby") == ["stop"], 80.0)


def test_a_ups_that_falls_silent_on_line_with_a_low_battery_stops_nothing(guarded):
    guarded.ups.says = {"battery-low": True}
    guarded.run(10.0)
    guarded.ups.silent = True
    guarded.run(60.0)
    assert state(guarded) == "lost"
    assert guarded.sent("standby") == []


def test_a_runtime_told_on_battery_is_not_halved_by_silence(alone):
    alone.mains_fails()
    alone.run(30.0)
    before_s = alone.view()["power"]["runtime_s"]
    alone.ups.silent = True
    alone.run(20.0)
    assert alone.view()["power"]["runtime_s"] >= before_s - 40.0


def test_with_a_word_for_the_mains_a_lost_ups_forbids_no_start(alone):
    alone.ups.silent = True
    alone.run(20.0)
    assert state(alone) == "lost"
    assert not may_start(alone)
    alone.ask("confirm-mains")
    alone.run(2.0)
    assert may_start(alone)
