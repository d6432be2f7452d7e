"""A UPS's driver that is stuck: told, and restarted where the site allows."""

from __future__ import annotations

import pytest

NUT = """
[[ups]]
id = "usb-ups"
kind = "nut"
address = "nut://127.0.0.1:3493/ups"
"""
RESTART = 'restart = "command:/usr/bin/systemctl restart nut-driver@ups"\n'


@pytest.fixture
def stuck(rigged):
    def make(tables):
        rig = rigged(tables)
        rig.ups.silent, rig.ups.link = True, "stale: upsd has no fresh data of ups"
        return rig

    return make


def test_a_driver_that_stays_stale_for_a_minute_is_told_and_restarted_once(stuck):
    rig = stuck(NUT + RESTART)
    rig.run(58.0)
    assert rig.ups.sent == []
    rig.run(4.0)
    assert rig.ups.sent == ["restart-driver"]
    assert rig.alarm("usb-ups.driver-stale") == "active-unacknowledged"
    assert ("usb-ups", "ups.driver-restarted") in rig.causes("ups")
    rig.run(230.0)
    assert rig.ups.sent == ["restart-driver"]


def test_a_driver_that_stays_stale_is_restarted_again_after_five_minutes(stuck):
    rig = stuck(NUT + RESTART)
    rig.run(700.0)
    assert rig.ups.sent == ["restart-driver"] * 3


def test_a_restart_of_the_controller_does_not_restart_the_driver_at_once(stuck):
    rig = stuck(NUT + RESTART)
    rig.run(70.0)
    rig.restart()
    rig.run(100.0)
    assert rig.ups.sent == ["restart-driver"]


def test_a_driver_that_may_not_be_restarted_is_only_told(stuck):
    rig = stuck(NUT)
    rig.run(400.0)
    assert rig.ups.sent == []
    assert rig.alarm("usb-ups.driver-stale") == "active-unacknowledged"


def test_a_ups_that_is_merely_silent_keeps_its_driver(stuck):
    rig = stuck(NUT + RESTART)
    rig.ups.link = "unreachable: connection refused"
    rig.run(400.0)
    assert rig.ups.sent == []


def test_a_driver_that_comes_back_is_no_news_any_more(stuck):
    rig = stuck(NUT + RESTART)
    rig.run(70.0)
    rig.ups.silent = False
    rig.run(5.0)
    assert rig.alarm("usb-ups.driver-stale") == "returned-unacknowledged"
