"""An outage, a restart or a lost UPS in the middle."""

from __future__ import annotations

import pytest

from tests.core.power.outages import STANDBY, all_down
from tests.core.power.returns import OFFICE, started_s, up_again
from tests.core.powerrooms import host, room, stage

pytestmark = pytest.mark.slow


def test_a_return_ends_when_a_ups_goes_to_its_battery_though_the_mains_is_there(rigged):
    stages = (stage(1, after="10s"), stage(2, after="15s"))
    rig = rigged(room(STANDBY, host("office", 2), stages=stages))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 300.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "starting", 200.0)
    rig.ups.breaker = True
    rig.run(5.0)
    assert rig.point("power.state").value == "on-battery"
    assert ("room", "plan.return-interrupted") in rig.causes("plan")
    assert rig.phase("standby") == "down"


def test_a_second_outage_starts_nothing_more_waits_for_what_boots_and_stops_it(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "office"), 100.0)
    rig.run(5.0)
    rig.mains_fails()
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 300.0)
    assert rig.servers["office"].body.starts == 1
    assert started_s(rig, "standby") == []
    assert rig.servers["office"].body.hard_cuts == 0
    assert [a for a in rig.sent("office") if a != "initialise"] == ["stop", "start", "stop"]
    rig.run(30.0)
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 400.0)


def test_a_second_outage_ridden_through_only_delays(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "office"), 100.0)
    rig.mains_fails()
    rig.run(6.0)
    rig.mains_returns()
    again_s = rig.at_s
    rig.run_until(lambda: up_again(rig), 400.0)
    assert rig.sent("office").count("stop") == 1
    assert started_s(rig, "standby")[0] - again_s >= 30.0


def test_a_host_that_boots_while_the_controller_restarts_into_an_outage_is_initialised_too(
    fallen,
):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "office"), 100.0)
    rig.run(2.0)
    assert rig.phase("office") == "starting"
    rig.restart()
    rig.mains_fails()
    rig.run(7.0)
    assert rig.sent("office").count("start") == 1
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 400.0)
    assert rig.sent("office").count("initialise") == 1


def test_a_ups_lost_in_the_middle_holds_the_next_start_and_stops_nothing(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "office"), 100.0)
    rig.ups.silent = True
    rig.run(200.0)
    assert rig.phase("office") == "running"
    assert started_s(rig, "standby") == []
    assert rig.view()["permissive"]["ok"] is False
    rig.ups.silent = False
    rig.run_until(lambda: up_again(rig), 200.0)
    assert rig.sent("office").count("stop") == 1


MOMENTS = {
    "while the first boots": lambda rig: rig.phase("office") == "starting",
    "while it is initialised": lambda rig: rig.phase("office") in ("initialising", "running"),
    "while the second boots": lambda rig: rig.phase("standby") == "starting",
}


@pytest.mark.parametrize("same_boot", [True, False], ids=["same boot", "new boot"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_restart_of_the_controller_in_the_middle_repeats_nothing(fallen, moment, same_boot):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: MOMENTS[moment](rig), 300.0, 0.5)
    rig.restart(same_boot=same_boot, off_s=5.0)
    rig.run_until(lambda: up_again(rig), 500.0)
    for id in ("office", "standby"):
        assert rig.sent(id).count("stop") == 1
        assert rig.servers[id].body.hard_cuts == 0
        assert rig.sent(id).count("start") <= 2
    assert rig.sent("office").count("initialise") <= 2


@pytest.mark.parametrize("same_boot", [True, False], ids=["same boot", "new boot"])
@pytest.mark.parametrize(
    "moment",
    ["before the first stop", "while one stops", "between the stages", "when all is down"],
)
def test_a_restart_in_the_middle_of_the_outage_stops_what_is_left(rigged, moment, same_boot):
    rig = rigged(room(STANDBY, OFFICE, stages=(stage(1, after="30s"), stage(2, after="90s"))))
    rig.mains_fails()
    {
        "before the first stop": lambda: rig.run(25.0),
        "while one stops": lambda: rig.run_until(lambda: rig.phase("standby") == "stopping", 60.0),
        "between the stages": lambda: rig.run_until(lambda: rig.phase("standby") == "down", 100.0),
        "when all is down": lambda: rig.run_until(
            lambda: set(rig.phases().values()) == {"down"}, 300.0
        ),
    }[moment]()
    rig.restart(same_boot=same_boot, off_s=10.0, mains=False)
    began_s = rig.at_s
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 300.0)
    # An outage's time never shrinks: what went before the restart still counts.
    assert rig.at_s - began_s <= 90.0 + 60.0 + 5.0
    rig.run(40.0)
    assert all(server.body.stops == 1 for server in rig.servers.values())
    assert started_s(rig, "office") == []
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 400.0)
    assert rig.sent("office").count("start") == 1


def test_a_controller_that_was_away_over_the_whole_end_of_the_outage_starts_what_is_down(fallen):
    """The batteries ran empty meanwhile, and the mains is back."""
    rig = fallen()
    rig.mains_returns()
    rig.restart(same_boot=False, off_s=3600.0)
    rig.run_until(lambda: up_again(rig), 400.0)
    assert all(len(started_s(rig, id)) == 1 for id in ("office", "standby"))
