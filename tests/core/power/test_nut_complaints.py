"""What users of NUT complain of, as scenarios: each says which complaint, and what ours does.

NUT is networkupstools/nut; its issues are named by their numbers there.
"""

from __future__ import annotations

import pytest

from tests.core.power.outages import OFFICE, STANDBY, all_down, asked_s
from tests.core.power.returns import up_again
from tests.core.powerrooms import host, outlet, room, stage

pytestmark = pytest.mark.slow

DATABASE = host("database", 3, initialise=["command:/usr/local/bin/start-office-system"])
STAGES = (
    stage(1, after="1min"),
    stage(2, after="4min"),
    stage(3, runtime_below="need"),
)


def test_nut_3574_hosts_are_shed_by_stages_and_not_all_at_once(rigged):
    """Issue 3574: a primary can only tell every secondary at once, when the battery is critical;
    a staged shutdown for the whole room is asked for, and the worry is voiced there that what was
    shed early then waits for somebody to press its button.

    Ours sheds by stages, keeps the last stage for as long as the battery allows, and starts what
    was shed when the mains comes back, though the last stage never stopped.
    """
    rig = rigged(room(STANDBY, OFFICE, DATABASE, stages=STAGES))
    rig.mains_fails()
    began_s = rig.at_s
    rig.run(300.0)
    assert rig.phases() == {"standby": "down", "office": "down", "database": "running"}
    assert asked_s(rig, "standby") - began_s == pytest.approx(60.0, abs=3.0)
    assert asked_s(rig, "office") - began_s == pytest.approx(240.0, abs=3.0)
    rig.mains_returns()
    rig.run_until(lambda: up_again(rig), 400.0, 5.0)
    assert rig.sent("database") == []
    office, standby = (
        next(at_s for at_s, what in rig.servers[id].sent if what == "start")
        for id in ("office", "standby")
    )
    assert office < standby


def test_nut_3574_everything_at_once_is_left_for_a_battery_that_is_low(rigged):
    """Issue 3574, the other side: when there is no time for stages there are none."""
    rig = rigged(room(STANDBY, OFFICE, DATABASE, stages=STAGES))
    rig.mains_fails()
    rig.run(20.0)
    rig.ups.says = {"battery-low": True}
    rig.run_until(lambda: all_down(rig), 120.0)
    asked = [asked_s(rig, id) for id in rig.servers]
    assert max(asked) - min(asked) < 3.0


@pytest.mark.parametrize("contact", ["with a mains contact", "without one"])
def test_nut_2454_a_glitch_of_the_network_on_battery_forgets_no_timer(rigged, contact):
    """Issue 2454: a secondary lost its server for four seconds during an outage and shut down at
    once, though DEADTIME said to wait for two minutes.

    Ours goes on counting through the silence and stops each stage at its own time.
    """
    rig = rigged(room(STANDBY, OFFICE, stages=STAGES[:2], mains=contact.startswith("with ")))
    rig.mains_fails()
    began_s = rig.at_s
    for _ in range(4):
        rig.run(8.0)
        rig.ups.silent = True
        rig.run(5.0)
        rig.ups.silent = False
    assert rig.sent("standby") == []
    rig.run(60.0)
    assert asked_s(rig, "standby") - began_s == pytest.approx(60.0, abs=3.0)
    assert rig.sent("office") == []
    rig.run(150.0)
    assert asked_s(rig, "office") - began_s == pytest.approx(240.0, abs=3.0)


@pytest.mark.parametrize("same_boot", [True, False], ids=["same boot", "new boot"])
def test_nut_2454_a_restart_on_battery_forgets_no_timer(rigged, same_boot):
    """The same complaint by another way: whoever counts is restarted in the middle.

    Ours keeps the instants, not the countdowns: the time on battery never shrinks.
    """
    rig = rigged(room(STANDBY, OFFICE, stages=STAGES[:2]))
    rig.mains_fails()
    began_s = rig.at_s
    for _ in range(3):
        rig.run(12.0)
        rig.restart(same_boot=same_boot, off_s=3.0, mains=False)
    assert rig.sent("standby") == []
    rig.run(40.0)
    assert 45.0 <= asked_s(rig, "standby") - began_s <= 66.0


@pytest.mark.parametrize(
    "says",
    [
        pytest.param({}, id="on line"),
        pytest.param({"self-test": "calibrating"}, id="calibrating"),
        pytest.param({"self-test": "running"}, id="testing itself"),
        pytest.param({"supply": "bypass"}, id="on bypass"),
    ],
)
def test_nut_2794_a_ups_that_falls_silent_is_not_taken_for_dead(rigged, says):
    """Issue 2794: the data went stale while the UPS was last known to be calibrating; it was
    assumed dead and everything was shut down, though the mains was there all the time.

    Ours asks a second witness, the mains contact: the loss is an alarm, nothing is stopped, and
    nothing is started.
    """
    rig = rigged(room(STANDBY, OFFICE, stages=STAGES[:2]))
    rig.ups.says = dict(says)
    rig.run(20.0)
    rig.ups.silent = True
    rig.run(900.0)
    assert rig.sent("standby") == rig.sent("office") == []
    assert rig.alarm("main-ups.lost").startswith("active")
    assert rig.point("power.state").value == "lost"


def test_nut_2794_a_silent_ups_is_not_trusted_either(rigged):
    """The opposite mistake: its last word was "on line", and nobody hears that the mains has
    gone. Ours hears it by the contact, and reckons with half of the runtime it was told last."""
    rig = rigged(
        room(STANDBY, OFFICE, stages=(stage(1, after="1min"), stage(2, runtime_below="need")))
    )
    rig.ups.silent = True
    rig.run(120.0)
    assert rig.point("power.state").value == "lost"
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 620.0, 2.0)
    assert rig.ups.battery.charge_pct > 50.0 - 10.0
    assert all(server.body.hard_cuts == 0 for server in rig.servers.values())


@pytest.mark.parametrize(
    "moment",
    ["when the first is told", "while it stops", "when the last is told", "when all is down"],
)
def test_nut_3229_hosts_are_not_left_off_when_the_mains_returns_in_the_middle(rigged, moment):
    """Issue 3229: the mains came back while the shutdown was in progress; the UPS was never
    power-cycled, so that the machine stayed off for ever, and the command to cut the load on line
    left the UPS without its battery behind it.

    Ours finishes what has begun, never switches a UPS off that is on line, and starts every host
    that it stopped, whatever the moment.
    """
    rig = rigged(
        room(
            STANDBY, OFFICE, stages=(stage(1, after="20s"), stage(2, after="50s")),
            outage={"ups_off": True},
        )
    )  # fmt: skip
    rig.mains_fails()
    rig.run_until(
        {
            "when the first is told": lambda: rig.sent("standby"),
            "while it stops": lambda: rig.servers["standby"].body.phase == "stopping",
            "when the last is told": lambda: rig.sent("office"),
            "when all is down": lambda: all_down(rig),
        }[moment],
        300.0,
        0.2,
    )
    rig.mains_returns()
    switched = list(rig.ups.sent)
    rig.run_until(lambda: up_again(rig), 600.0, 2.0)
    rig.run(120.0)
    assert up_again(rig)
    assert rig.ups.sent == switched


def test_nut_1533_a_host_that_halts_just_as_the_mains_returns_comes_back_by_its_outlet(rigged):
    """Issue 1533, the power race as the project's own notes describe it: mains returns while
    servers halt, the output never drops, and halted servers stay halted.

    Ours takes the outlet from a host that is confirmed down, and gives it back: power returns to
    it in any case.
    """
    rig = rigged(
        room(
            outlet("office-outlet", 12),
            host("office", 1, outlet="office-outlet", start="outlet"),
            stages=(stage(1, after="20s"),),
        )
    )
    rig.mains_fails()
    rig.run_until(lambda: rig.servers["office"].body.phase == "stopping", 60.0, 0.5)
    rig.mains_returns()
    rig.run_until(lambda: rig.servers["office"].body.phase == "off", 60.0, 0.5)
    assert rig.on("office-outlet")
    rig.run_until(lambda: up_again(rig), 400.0, 2.0)
    assert [move.on for move in rig.moves if move.output == "office-outlet"] == [False, True]
    assert rig.servers["office"].body.hard_cuts == 0


def test_nut_1533_a_magic_packet_that_is_lost_is_told_and_not_for_ever(rigged):
    """A start that has no effect ends as a named alarm, and a person's next try starts it."""
    rig = rigged(room(STANDBY, stages=(stage(1, after="20s"),)))
    server = rig.servers["standby"]
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.mains_returns()
    boots = server.body.start
    server.body.start = lambda: False
    rig.run_until(lambda: rig.alarm("standby.start-failed").startswith("active"), 300.0)
    server.body.start = boots
    rig.ask("start-hosts")
    rig.run_until(lambda: up_again(rig), 200.0)
    assert not rig.alarm("standby.start-failed").startswith("active")
