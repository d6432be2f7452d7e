"""Estimates that jump, words that contradict."""

from __future__ import annotations

import pytest

from controller.core.reading import Quality, Reading
from controller.core.rules.runtime import Runtime
from tests.core.power.judged import AFTER, HOSTS, may_start, sheds, state
from tests.core.powerrooms import LIGHTS, room, stage

pytestmark = pytest.mark.slow

NEED = (stage(1, runtime_below="need"),)  # 60 s to stop, 60 s reserve


@pytest.fixture
def needy(rigged):
    return rigged(room(LIGHTS, *HOSTS, stages=NEED))


@pytest.mark.parametrize("runtime", [0.0, 60.0, 65535.0, None], ids=str)
def test_a_wrong_runtime_on_line_stops_nothing(needy, runtime):
    needy.ups.says = {"runtime": runtime}
    assert not sheds(needy, 120.0)
    assert state(needy) == "mains"


def test_one_runtime_of_nought_on_battery_stops_nothing(needy):
    needy.mains_fails()
    needy.run(15.0)
    needy.ups.says = {"runtime": 0.0}
    needy.run(1.0)
    needy.ups.says = {}
    assert not sheds(needy, 60.0)


def test_a_runtime_that_stays_at_nought_on_battery_is_believed(needy):
    needy.mains_fails()
    needy.run(15.0)
    needy.ups.says = {"runtime": 0.0}
    assert sheds(needy, 15.0)


def test_one_huge_runtime_postpones_nothing(needy):
    needy.ups.battery.charge_pct = 14.0  # 168 s
    needy.ups.low_pct = 1.0
    needy.mains_fails()
    for _ in range(6):
        needy.ups.says = {"runtime": 65535.0}
        needy.run(1.0)
        needy.ups.says = {}
        needy.run(9.0)
    assert needy.sent("standby") == ["stop"]


def test_a_runtime_that_grows_on_battery_calls_nothing_off(needy):
    needy.ups.battery.charge_pct = 14.0
    needy.ups.low_pct = 1.0
    needy.mains_fails()
    needy.run_until(lambda: needy.sent("standby"), 80.0)
    needy.ups.says = {"runtime": 5000.0}
    needy.run_until(lambda: needy.phase("standby") == "down", 80.0)


@pytest.mark.parametrize("bogus", [{"runtime": None}, {"runtime": 65535.0}], ids=str)
def test_a_runtime_that_means_nothing_leaves_the_stage_to_its_time(rigged, bogus):
    rig = rigged(room(*HOSTS, stages=(stage(1, runtime_below="need", after="2min"),)))
    rig.ups.says = bogus
    rig.run(10.0)
    rig.mains_fails()
    rig.run(110.0)
    assert rig.sent("standby") == []
    rig.run(15.0)
    assert rig.sent("standby") == ["stop"]


def test_the_least_of_the_last_three_runtimes_is_reckoned_with(needy):
    needy.mains_fails()
    needy.run(15.0)
    needy.ups.says = {"runtime": 400.0}
    needy.run(4.0)
    needy.ups.says = {"runtime": 900.0}
    needy.run(1.05)
    assert needy.view()["power"]["runtime_s"] <= 400.0


def test_a_low_battery_on_line_stops_nothing(guarded):
    guarded.ups.says = {"battery-low": True}
    assert not sheds(guarded, 300.0)
    assert guarded.phases() == {"standby": "running"}


def test_a_low_battery_that_blinks_on_line_stops_nothing(guarded):
    for _ in range(10):
        guarded.ups.says = {"battery-low": True}
        guarded.run(1.0)
        guarded.ups.says = {}
        guarded.run(4.0)
    assert guarded.sent("standby") == []


def test_a_supply_that_flaps_adds_up_to_an_outage(guarded):
    """Five seconds on battery, five on line: the battery is not charged by that."""
    for _ in range(8):
        guarded.ups.breaker = True
        guarded.run(5.0)
        assert not may_start(guarded)
        guarded.ups.breaker = False
        guarded.run(5.0)
    assert guarded.sent("standby") == []
    for _ in range(8):
        guarded.ups.breaker = True
        guarded.run(5.0)
        guarded.ups.breaker = False
        guarded.run(5.0)
    assert guarded.sent("standby") == ["stop"]


def test_a_supply_that_flaps_is_shed_for_by_its_charge(rigged):
    rig = rigged(room(*HOSTS, stages=(stage(1, charge_below=99.0),)))
    for _ in range(20):
        rig.ups.breaker = True
        rig.run(5.0)
        rig.ups.breaker = False
        rig.run(5.0)
    assert rig.ups.battery.charge_pct < 95.0
    assert rig.sent("standby") == ["stop"]


@pytest.mark.parametrize("mains", [True, False], ids=["with a mains contact", "without one"])
def test_a_supply_that_cannot_be_right_is_no_health_and_stops_nothing(rigged, mains):
    """Such as OL and OB in one status."""
    rig = rigged(room(LIGHTS, *HOSTS, stages=AFTER, mains=mains))
    rig.ups.says = {"supply": None}
    rig.run(25.0)
    assert state(rig) not in ("mains", "outage", "on-battery")
    assert not rig.point("main-ups.supply").is_good
    assert "main-ups.lost" in rig.alarms()
    assert not may_start(rig)
    assert not sheds(rig, 200.0)


def test_a_supply_that_cannot_be_right_with_the_mains_absent_is_an_outage(guarded):
    guarded.ups.says = {"supply": None}
    guarded.run(25.0)
    guarded.mains_fails()
    guarded.run(12.0)
    assert state(guarded) == "outage"
    assert sheds(guarded)


@pytest.mark.parametrize(
    ("faults", "alarm"),
    [("overload", "main-ups.overload"), ("replace-battery", "main-ups.replace-battery"),
     ("charger fan", "main-ups.fault")],
)  # fmt: skip
def test_what_a_ups_complains_of_is_an_alarm(guarded, faults, alarm):
    guarded.ups.says = {"faults": faults}
    guarded.run(15.0)
    assert alarm in guarded.alarms()


def test_a_failed_self_test_is_an_alarm(guarded):
    guarded.ups.says = {"self-test": "failed"}
    guarded.run(15.0)
    assert "main-ups.self-test-failed" in guarded.alarms()


def test_a_battery_that_was_low_is_not_well_because_the_board_rebooted(rigged):
    rig = rigged(room(*HOSTS, stages=(stage(1, after="20min"),), mains=False))
    rig.mains_fails()
    rig.run(10.0)
    rig.ups.says = {"battery-low": True}
    rig.run(5.0)
    rig.ups.silent = True
    rig.restart(same_boot=False, off_s=5.0)
    rig.run(20.0)
    assert rig.alarm("main-ups.battery-low").startswith("active")


def test_a_battery_that_was_low_in_the_last_outage_is_not_low_in_the_next(rigged):
    rig = rigged(room(*HOSTS, stages=(stage(1, after="5min"),)))
    rig.mains_fails()
    rig.run(15.0)
    rig.ups.says = {"battery-low": True}
    rig.run_until(lambda: rig.phase("standby") == "down", 90.0)
    rig.ups.says = {}
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("standby") == "running", 300.0)
    rig.mains_fails()
    rig.run(60.0)
    assert rig.sent("standby") == ["stop", "start"]


def test_two_runtimes_are_no_estimate_yet():
    """One of them might be nonsense, and nobody can say which."""
    runtime = Runtime()
    for at_s, value in ((1.0, 65535.0), (2.0, 300.0)):
        runtime = runtime.taken(Reading(value, Quality.GOOD, at_s))
        assert runtime.left_s(False, at_s) is None
    assert runtime.taken(Reading(290.0, Quality.GOOD, 3.0)).left_s(False, 3.0) == 300.0


def test_a_charge_that_was_told_stands_while_the_next_one_cannot_be_right(rigged):
    rig = rigged(room(*HOSTS, stages=(stage(1, charge_below=70, after="20min"),)))
    rig.mains_fails()
    rig.ups.says = {"charge": 65.0}
    rig.run(6.0)
    rig.ups.says = {"charge": None}
    rig.run(15.0)
    assert rig.sent("standby") == ["stop"]


def test_one_low_bit_on_battery_stops_nothing(guarded):
    guarded.mains_fails()
    guarded.run(15.0)
    guarded.ups.says = {"battery-low": True}
    guarded.run(1.5)
    guarded.ups.says = {}
    guarded.run(20.0)
    assert guarded.sent("standby") == []
