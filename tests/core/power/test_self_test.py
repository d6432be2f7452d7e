"""A self-test or a calibration is no outage."""

from __future__ import annotations

import pytest

from tests.core.power.judged import sheds, state

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("word", ["running", "calibrating"])
def test_a_declared_self_test_under_five_minutes_starts_nothing(guarded, word):
    guarded.ups.breaker = True
    guarded.ups.says = {"self-test": word}
    guarded.run(290.0)
    assert guarded.sent("standby") == []
    guarded.ups.breaker = False
    guarded.ups.says = {"self-test": "passed"}
    guarded.run(60.0)
    assert guarded.sent("standby") == []
    assert state(guarded) == "mains"


def test_a_self_test_without_end_is_an_outage(guarded):
    guarded.ups.breaker = True
    guarded.ups.says = {"self-test": "running"}
    guarded.run(290.0)
    assert guarded.sent("standby") == []
    assert sheds(guarded, 100.0)


def test_a_mains_failure_during_a_self_test_is_an_outage(guarded):
    guarded.ups.breaker = True
    guarded.ups.says = {"self-test": "running"}
    guarded.run(30.0)
    guarded.mains_fails()
    guarded.run(12.0)
    assert state(guarded) == "outage"
    assert sheds(guarded)


@pytest.mark.parametrize("test", ["running", "calibrating"])
def test_a_battery_that_a_declared_test_drains_stops_nothing_while_the_mains_is_there(
    guarded, test
):
    guarded.ups.breaker = True
    guarded.ups.says = {"self-test": test}
    guarded.run(30.0)
    guarded.ups.says = {"self-test": test, "battery-low": True}
    assert not sheds(guarded, 60.0)
    assert guarded.alarm("main-ups.battery-low") == "active-unacknowledged"
    guarded.mains_fails()
    assert sheds(guarded, 12.0), "now it is low in an outage"


def test_a_battery_that_is_low_after_its_test_is_low(guarded):
    guarded.ups.breaker = True
    guarded.ups.says = {"self-test": "running"}
    guarded.run(30.0)
    guarded.ups.says = {"battery-low": True}
    assert sheds(guarded, 20.0)
