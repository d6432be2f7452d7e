"""A host that is started by its outlet."""

from __future__ import annotations

import pytest

from tests.core.power.outages import all_down
from tests.core.power.returns import started_s, up_again
from tests.core.powerrooms import host, outlet, room, stage

pytestmark = pytest.mark.slow


def test_the_outlet_of_a_host_that_nothing_proved_down_is_not_taken_to_start_it(rigged):
    by_outlet = host("office", 1, outlet="office-outlet", start="outlet")
    rig = rigged(room(outlet("office-outlet", 12), by_outlet, stages=(stage(1, after="10s"),)))
    rig.servers["office"].body.act("hang")
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("office") == "unconfirmed", 200.0)
    rig.servers["office"].dead_path, rig.servers["office"].body.fault = True, "silent"
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "failed", 300.0)
    assert ("office-outlet", False) not in rig.moved()
    assert rig.servers["office"].body.hard_cuts == 0
    assert rig.alarm("office.start-failed").startswith("active")


def test_a_restart_takes_no_outlet_from_a_host_that_boots_slowly(rigged):
    """It answers nothing for longer than a silence must last."""
    by_outlet = host("office", 1, outlet="office-outlet", start="outlet", start_timeout="10min")
    rig = rigged(room(outlet("office-outlet", 12), by_outlet, stages=(stage(1, after="10s"),)))
    rig.servers["office"].body._boot_s = 200.0
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.servers["office"].body.is_running, 200.0, 0.5)
    rig.restart()
    rig.run_until(lambda: rig.phase("office") == "running", 400.0)
    assert rig.servers["office"].body.hard_cuts == 0
    assert rig.moved().count(("office-outlet", False)) == 1


BY_OUTLET = room(
    outlet("office-outlet", 12),
    host("office", 1, outlet="office-outlet", start="outlet"),
    stages=(stage(1, after="10s"),),
)


def test_a_host_is_started_by_its_outlet_once_it_is_down(fallen):
    rig = fallen(BY_OUTLET)
    assert rig.on("office-outlet")
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 300.0)
    moves = [(move.at_s, move.on) for move in rig.moves if move.output == "office-outlet"]
    (off_s, off), (on_s, on) = moves
    assert (off, on) == (False, True)
    assert 10.0 <= on_s - off_s <= 60.0
    assert rig.servers["office"].body.hard_cuts == 0


def test_an_outage_in_the_middle_of_an_outlets_cycle_boots_nothing_into_it(fallen):
    rig = fallen(BY_OUTLET)
    rig.mains_returns()
    rig.run_until(lambda: not rig.on("office-outlet"), 100.0, 0.5)
    rig.mains_fails()
    rig.run(60.0)
    assert rig.servers["office"].body.starts == 0 or rig.servers["office"].body.stops == 2
    rig.run(60.0)
    assert rig.servers["office"].body.hard_cuts == 0
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 300.0)


@pytest.mark.parametrize("same_boot", [True, False], ids=["same boot", "new boot"])
def test_a_restart_in_the_middle_of_an_outlets_cycle_ends_with_the_host_up(fallen, same_boot):
    rig = fallen(BY_OUTLET)
    rig.mains_returns()
    rig.run_until(lambda: not rig.on("office-outlet"), 100.0, 0.5)
    rig.restart(same_boot=same_boot)
    rig.run_until(lambda: up_again(rig), 400.0)
    assert rig.servers["office"].body.hard_cuts == 0


def test_a_host_whose_outlet_was_cut_is_woken_only_once_its_outlet_has_been_on_for_a_while(rigged):
    """A board without standby power hears no magic packet."""
    rig = rigged(
        room(
            outlet("standby-outlet", 12),
            host("standby", 1, outlet="standby-outlet", unconfirmed="cut"),
            stages=(stage(1, after="10s"),),
        )
    )
    body = rig.servers["standby"].body
    body.act("hang")
    rig.mains_fails()
    rig.run_until(lambda: not rig.on("standby-outlet"), 120.0)
    rig.run(60.0)
    body.act("normal")
    body._ran_before_loss = False  # set to stay off
    rig.mains_returns()
    rig.run_until(lambda: body.is_up, 200.0)
    on_s = next(move.at_s for move in rig.moves if move.output == "standby-outlet" and move.on)
    assert started_s(rig, "standby")[-1] - on_s >= 5.0
