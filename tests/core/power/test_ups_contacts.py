"""Contacts are the least UPS."""

from __future__ import annotations

import pytest

from tests.core.power.judged import AFTER, HOSTS, sheds, state
from tests.core.powerrooms import CONTACT_UPS, LIGHTS, host, room, stage

pytestmark = pytest.mark.slow


@pytest.fixture
def by_contacts(rigged):
    return rigged(room(CONTACT_UPS, LIGHTS, *HOSTS, host("office", 2), ups="",
                       stages=(*AFTER, stage(2, after="5min"))))  # fmt: skip


def test_a_ups_that_only_has_contacts_runs_the_plan_by_time(by_contacts):
    by_contacts.mains_fails()
    by_contacts.run(12.0)
    assert state(by_contacts) == "outage"
    assert sheds(by_contacts, 60.0)
    assert by_contacts.sent("office") == []


def test_a_low_battery_contact_starts_every_stage(by_contacts):
    by_contacts.mains_fails()
    by_contacts.run(15.0)
    by_contacts.ups.battery.charge_pct = 5.0
    by_contacts.run(60.0)
    assert by_contacts.sent("standby") == ["stop"]
    assert by_contacts.sent("office") == ["stop"]


OWN_CONTACTS = """
[[input]]
id = "battery-on"
kind = "contact"
role = "ups-on-battery"
of = "main-ups"
pin = 5
contact = "no"
[[input]]
id = "battery-low"
kind = "contact"
role = "ups-battery-low"
of = "main-ups"
pin = 6
contact = "no"
"""


def test_the_low_battery_contact_of_a_ups_that_is_silent_starts_every_stage(rigged):
    rig = rigged(room(OWN_CONTACTS, *HOSTS, stages=(stage(1, after="20min"),)))
    rig.mains_fails()
    rig.run(20.0)
    rig.ups.silent = True
    rig.run(20.0)
    assert rig.sent("standby") == []
    rig.ups.says = {"battery-low": True}
    rig.run(10.0)
    assert rig.sent("standby") == ["stop"]


def test_one_contact_of_two_is_enough_to_say_that_the_ups_is_on_battery(rigged):
    second = CONTACT_UPS.replace('"battery-', '"other-').replace("pin = 5", "pin = 20")
    second = second.replace("pin = 6", "pin = 21")
    rig = rigged(room(CONTACT_UPS, second, *HOSTS, ups="", stages=AFTER, mains=False))
    rig.wire("battery-on", None)
    rig.run(15.0)
    assert state(rig) != "mains", "not all of them are known"
    rig.mains_fails()
    rig.run(10.0)
    assert state(rig) == "outage"
