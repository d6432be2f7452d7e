"""A UPS that was never heard."""

from __future__ import annotations

import pytest

from controller.core.request import Origin, Status
from controller.core.restart import Boot
from tests.core.power.judged import GUARDED, NO_CONTACT, may_start, sheds, state

pytestmark = pytest.mark.slow


@pytest.fixture
def unheard(rigged):
    def make(tables):
        rig = rigged(tables)
        rig.ups.silent = True
        rig.start(rig.room.first_memory(rig.mono_s), {}, Boot(False))
        rig.run(25.0)
        return rig

    return make


def test_a_ups_never_heard_is_alarmed_and_is_never_shown_as_well(unheard):
    rig = unheard(NO_CONTACT)
    assert "main-ups.lost" in rig.alarms()
    assert state(rig) == "unknown"
    assert not rig.point("main-ups.supply").is_good
    assert not sheds(rig, 600.0)


def test_with_the_mains_contact_present_a_ups_never_heard_forbids_no_start(unheard):
    rig = unheard(GUARDED)
    rig.run(40.0)
    assert "main-ups.lost" in rig.alarms()
    assert not rig.point("main-ups.supply").is_good
    assert may_start(rig)
    assert not sheds(rig, 300.0)


def test_with_the_mains_absent_a_ups_never_heard_is_an_outage(unheard):
    rig = unheard(GUARDED)
    rig.mains_fails()
    rig.run(12.0)
    assert state(rig) == "outage"
    assert sheds(rig)


def test_with_nothing_that_tells_of_the_mains_hosts_are_started_only_after_a_person_confirms_it(
    unheard,
):
    rig = unheard(NO_CONTACT)
    rig.servers["standby"].body.act("off")
    rig.run(60.0)
    rig.request("start-hosts")
    rig.run(120.0)
    assert "start" not in rig.sent("standby")
    item = next(item for item in rig.view()["permissive"]["items"] if item["id"] == "mains")
    assert item["ok"] is not True
    assert item["text"]
    assert rig.request("confirm-mains", origin=Origin.NETWORK_PANEL).status is Status.REFUSED
    rig.ask("confirm-mains")
    rig.run(31.0)
    rig.request("start-hosts")
    rig.run_until(lambda: rig.servers["standby"].body.is_up, 120.0)


def test_a_person_who_confirms_the_mains_does_not_talk_a_ups_off_its_battery(guarded):
    guarded.mains_fails()
    guarded.run(15.0)
    guarded.request("confirm-mains")
    assert not may_start(guarded)
    assert sheds(guarded)


def test_a_confirmed_mains_is_forgotten_when_the_next_outage_comes(unheard):
    """A confirmation is about the mains as it was, not about any to come."""
    rig = unheard(NO_CONTACT)
    rig.ask("confirm-mains")
    rig.run(40.0)
    rig.ups.silent = False
    rig.mains_fails()
    rig.run(80.0)
    rig.run_until(lambda: rig.phase("standby") == "down", 120.0)
    rig.ups.silent = True
    rig.mains_returns()
    rig.run(200.0)
    assert "start" not in rig.sent("standby")


def test_a_word_for_the_mains_is_over_once_the_ups_tells_of_an_outage(unheard):
    rig = unheard(NO_CONTACT)
    rig.ask("confirm-mains")
    rig.run(2.0)
    assert rig.power.vouched
    rig.mains_fails()
    rig.ups.silent = False
    rig.run(5.0)
    assert state(rig) == "outage"
    assert not rig.power.vouched
    assert not may_start(rig)


def test_nobody_vouches_for_a_mains_whose_own_contact_cannot_be_read(unheard):
    rig = unheard(GUARDED)
    rig.wire("mains", None)
    rig.servers["standby"].body.act("off")
    rig.run_until(lambda: rig.phase("standby") == "down", 90.0)
    rig.ask("confirm-mains")
    rig.run(60.0)
    answer = rig.request("start-hosts")
    assert answer.reason is not None and answer.reason.id.startswith("permit.power")
    item = next(item for item in rig.view()["permissive"]["items"] if item["id"] == "mains")
    assert item["ok"] is not True
