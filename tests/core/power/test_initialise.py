"""A host is initialised once, when it is ready."""

from __future__ import annotations

import pytest

from tests.core.power.returns import started_s
from tests.core.powerrooms import host, room, stage

pytestmark = pytest.mark.slow


def test_an_initialisation_that_fails_is_told_and_holds_what_depends_on_it(fallen):
    tables = room(
        host("store", 1, initialise=["command:/bin/mount"]), host("mail", 1, after=["store"]),
        stages=(stage(1, after="10s"),),
    )  # fmt: skip
    rig = fallen(tables)
    rig.servers["store"].initialise_fails = True
    rig.mains_returns()
    rig.run_until(lambda: rig.alarm("store.initialise-failed").startswith("active"), 250.0)
    rig.run(200.0)
    assert rig.sent("store").count("initialise") == 1
    assert started_s(rig, "mail") == []
    assert rig.phase("mail") == "held"


def test_an_initialisation_without_end_is_given_up_and_holds_nobody_else_up(fallen):
    rig = fallen()
    rig.servers["office"].initialise_hangs = True
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "initialising", 150.0)
    rig.run_until(lambda: rig.alarm("office.initialise-failed").startswith("active"), 700.0, 5.0)
    rig.run_until(lambda: rig.phase("standby") == "running", 100.0)
    assert rig.sent("office").count("initialise") == 1


@pytest.mark.parametrize("same_boot", [True, False], ids=["same boot", "new boot"])
def test_an_initialisation_that_a_restart_interrupts_is_told_and_not_run_again(fallen, same_boot):
    """Whether it ran nobody knows; once more might be once too often."""
    rig = fallen()
    rig.servers["office"].initialise_hangs = True
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "initialising", 150.0)
    rig.restart(same_boot=same_boot)
    rig.servers["office"].initialise_hangs = False
    rig.run(150.0)
    assert rig.sent("office").count("initialise") == 1
    assert rig.alarm("office.initialise-failed").startswith("active")


def test_an_initialisation_waits_for_its_record(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "starting", 200.0)
    rig.journal_hangs = True
    rig.run_until(lambda: rig.phase("office") == "initialising", 200.0)
    rig.run(30.0)
    assert "initialise" not in rig.sent("office")
    rig.journal_hangs = False
    rig.run_until(lambda: rig.phase("office") == "running", 30.0)
    assert rig.sent("office").count("initialise") == 1


def test_an_initialisation_that_was_not_given_yet_is_given_after_a_restart(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "starting", 200.0)
    rig.run_until(lambda: rig.phase("office") == "initialising", 200.0, 0.01)
    assert "initialise" not in rig.sent("office")
    host = rig.plan.host("office")
    if host.asked_s is None:
        rig.restart()
        rig.run_until(lambda: rig.phase("office") == "running", 30.0)
    assert rig.sent("office").count("initialise") <= 1


def test_a_host_that_gets_ready_too_late_is_initialised_all_the_same(fallen):
    rig = fallen()
    rig.servers["office"].sick = True
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "failed", 300.0)
    rig.servers["office"].sick = False
    rig.run_until(lambda: rig.phase("office") == "running", 60.0)
    assert rig.sent("office")[-1] == "initialise"


def test_a_host_that_boots_before_its_turn_is_initialised_all_the_same(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run(5.0)
    rig.servers["office"].body.start()
    rig.run_until(lambda: rig.phase("office") == "running", 200.0)
    assert rig.sent("office")[-1] == "initialise"
    assert started_s(rig, "office") == []
