"""Hosts, lines and contacts as they really are: late, mistaken for a moment, silent now and then.

None of it leaves a server off for ever, and none of it stops or cuts one that was not told.
"""

from __future__ import annotations

import pytest

from simulators.host import Phase
from tests.core.power.outages import all_down
from tests.core.power.returns import started_s, up_again
from tests.core.power.test_ups_contacts import OWN_CONTACTS
from tests.core.powerrooms import host, outlet, room, stage

pytestmark = pytest.mark.slow

LONG_S = 1800.0
SOON = (stage(1, after="10s"),)
LATE = (stage(1, after="5min"),)


def one(rig):
    return rig.servers["one"]


def told_to_stop(rig):
    rig.mains_fails()
    rig.run_until(lambda: rig.sent("one") == ["stop"], 60.0)


def test_a_host_that_obeys_after_its_time_comes_back_though_the_mains_was_there_first(rigged):
    rig = rigged(room(host("one", 1, stop_timeout="60s"), stages=SOON))
    one(rig).body._stop_s = 90.0
    told_to_stop(rig)
    rig.mains_returns()
    rig.run_until(lambda: one(rig).body.phase is Phase.OFF, 200.0)
    rig.run(LONG_S)
    assert up_again(rig)
    assert one(rig).body.starts == 1


def test_a_host_that_misses_a_look_while_it_halts_is_waited_for(rigged):
    rig = rigged(room(host("one", 1, stop_timeout="3min"), stages=SOON))
    one(rig).body._stop_s = 60.0
    told_to_stop(rig)
    rig.mains_returns()
    rig.run(10.0)
    one(rig).body.fault = "silent"
    rig.run(1.5)
    one(rig).body.fault = None
    rig.run(LONG_S)
    assert up_again(rig)


@pytest.mark.parametrize("boots", [False, True], ids=["guarded", "the controller boots, too"])
def test_a_host_that_its_own_agent_stops_in_the_outage_comes_back(rigged, boots):
    rig = rigged(room(host("one", 1), stages=LATE))
    rig.mains_fails()
    rig.run(30.0)
    one(rig).body.stop()
    rig.run(20.0)
    if boots:
        rig.restart(same_boot=False, off_s=60.0, mains=False)
    rig.run(100.0)
    rig.mains_returns()
    rig.run(LONG_S)
    assert up_again(rig)


@pytest.mark.parametrize("boots", [False, True], ids=["guarded", "all goes dark at once"])
def test_a_host_whose_battery_collapses_before_its_stage_comes_back(rigged, boots):
    rig = rigged(room(host("one", 1), stages=LATE))
    rig.mains_fails()
    rig.run(30.0)
    rig.ups.battery.charge_pct = 0.0
    rig.ups.untold = {"battery-low"}
    rig.run(0.05 if boots else 30.0)
    one(rig).body._ran_before_loss = False  # set to stay off
    rig.mains_returns()
    if boots:
        rig.restart(same_boot=False, off_s=60.0, mains=False)
    rig.run(LONG_S)
    assert up_again(rig)


def test_a_host_that_somebody_shuts_down_on_good_mains_is_left_alone(rigged):
    rig = rigged(room(host("one", 1), stages=SOON))
    rig.mains_fails()
    rig.run(5.0)
    rig.mains_returns()
    rig.run(300.0)
    one(rig).body.stop()
    rig.run(LONG_S)
    assert started_s(rig, "one") == []


@pytest.mark.parametrize("is_sick", [False, True], ids=["ready", "not ready"])
def test_one_look_that_finds_a_stopped_host_up_does_not_end_its_return(rigged, is_sick):
    rig = rigged(room(host("one", 1), stages=SOON, return_={"stable": "3min"}))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.mains_returns()
    rig.run(60.0)
    one(rig).sick = is_sick
    one(rig).body.phase = Phase.UP
    rig.run_until(lambda: rig.phase("one") != "down", 10.0, 0.5)
    one(rig).body.phase = Phase.OFF
    one(rig).sick = False
    rig.run(2 * LONG_S)
    assert up_again(rig)


def test_a_host_that_was_never_told_to_stop_keeps_its_outlet_over_a_new_boot(rigged):
    two = host("two", 2, outlet="o2", unconfirmed="cut")
    stages = (stage(1, after="10s"), stage(2, after="15s"))
    rig = rigged(room(outlet("o2", 12), host("one", 1, stop_timeout="2min"), two, stages=stages))
    one(rig).body.fault = "hang"
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("two") == "queued", 60.0)
    assert rig.sent("two") == []
    rig.mains_returns()
    rig.servers["two"].dead_path = True  # a switch that boots slowly
    rig.servers["two"].body.fault = "silent"
    rig.restart(same_boot=False, off_s=30.0, mains=True)
    rig.run(200.0)
    assert rig.servers["two"].body.hard_cuts == 0


def test_an_outage_goes_on_when_the_contact_that_told_of_it_falls_silent(rigged):
    rig = rigged(room(host("one", 1), stages=(stage(1, after="60s"),)))
    rig.ups.silent = True  # its network card hangs on the switch, too
    rig.mains_fails()
    rig.run(20.0)
    rig.wire("mains", None)
    rig.run_until(lambda: rig.sent("one") == ["stop"], 120.0)


def test_a_mains_contact_that_cannot_be_read_now_and_then_only_delays_a_return(rigged):
    rig = rigged(room(host("one", 1), ups="", stages=SOON, return_={"stable": "3min"}))
    rig.mains_fails()
    rig.run(5.0)
    rig.run_until(lambda: all_down(rig), 200.0)
    one(rig).body._ran_before_loss = False
    rig.mains_returns()
    back_s = rig.at_s
    for _ in range(6):
        rig.wire("mains", None)
        rig.run(1.0)
        rig.wire("mains", (True,))
        rig.run(99.0)
    assert started_s(rig, "one")[0] - back_s >= 180.0
    assert up_again(rig)


def test_a_contact_of_a_silent_ups_that_could_not_be_read_is_believed_again(rigged):
    rig = rigged(room(OWN_CONTACTS, host("one", 1), stages=SOON))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.ups.silent = True
    rig.run(30.0)
    rig.mains_returns()
    rig.run(3.0)
    rig.wire("battery-on", None)
    rig.run(12.0)
    rig.wire("battery-on", rig._loop("battery-on", False))
    rig.run(LONG_S)
    assert up_again(rig)


def test_a_start_by_outlet_that_waited_for_a_slow_switch_comes_about_when_it_is_there(rigged):
    keys = {"outlet": "o1", "start": "outlet"}
    rig = rigged(room(outlet("o1", 12), host("one", 1, **keys), stages=SOON))
    rig.mains_fails()
    rig.run_until(lambda: one(rig).body.phase is Phase.OFF, 200.0)
    one(rig).dead_path = True
    rig.mains_returns()
    rig.run(200.0)
    assert one(rig).body.hard_cuts == 0
    one(rig).dead_path = False
    rig.run(LONG_S)
    assert up_again(rig)


@pytest.mark.parametrize("start", ["packet", "outlet"])
def test_a_neighbour_that_misses_a_ping_now_and_then_does_not_hide_that_a_host_is_down(
    rigged, start
):
    keys = {"outlet": "o1", "start": "outlet"} if start == "outlet" else {}
    rig = rigged(room(outlet("o1", 12), host("one", 1, **keys), stages=SOON))

    def runs(seconds):
        for _ in range(int(seconds / 25)):
            rig.run(23.8)
            one(rig).dead_path = True
            rig.run(1.2)
            one(rig).dead_path = False

    rig.mains_fails()
    runs(400.0)
    assert rig.phase("one") == "down"
    rig.mains_returns()
    runs(LONG_S)
    assert up_again(rig)


def test_a_host_that_boots_into_an_outage_that_takes_its_power_comes_back(rigged):
    rig = rigged(room(host("one", 1), stages=(stage(1, after="2min"),), return_={"stable": "10s"}))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 400.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("one") == "starting", 200.0)
    rig.mains_fails()
    rig.ups.battery.charge_pct = 0.0  # nothing is left of it
    rig.ups.low_pct = -1.0
    rig.run(80.0)
    one(rig).body._ran_before_loss = False
    rig.mains_returns()
    rig.run(2 * LONG_S)
    assert up_again(rig)


def test_nothing_starts_under_a_ups_that_may_yet_obey_and_switch_off(rigged):
    rig = rigged(
        room(host("one", 1), stages=SOON, outage={"ups_off": True}, return_={"stable": "10s"})
    )
    rig.ups.deaf = True  # it waits a minute before it is off
    rig.mains_fails()
    rig.run_until(lambda: "off" in rig.ups.sent, 300.0)
    off_s = rig.at_s
    rig.run(5.0)
    rig.mains_returns()
    rig.run_until(lambda: started_s(rig, "one"), 300.0)
    assert started_s(rig, "one")[0] - off_s >= 118.0


@pytest.mark.parametrize("untold", [("charge",), ("charge", "runtime", "battery-low")])
def test_a_stage_of_charge_begins_when_the_charge_is_told_no_more_on_battery(rigged, untold):
    rig = rigged(room(host("one", 1), stages=(stage(1, charge_below=50),)))
    rig.run(30.0)
    rig.mains_fails()
    rig.run(20.0)
    rig.ups.says = dict.fromkeys(untold)
    rig.run_until(lambda: rig.sent("one") == ["stop"], 60.0)


def test_a_charge_that_is_missed_for_a_moment_begins_no_stage(rigged):
    rig = rigged(room(host("one", 1), stages=(stage(1, charge_below=50),)))
    rig.run(30.0)
    rig.mains_fails()
    rig.run(20.0)
    rig.ups.says = {"charge": None}
    rig.run(12.0)
    rig.ups.says = {}
    rig.run(20.0)
    assert rig.sent("one") == []


def test_why_a_host_could_not_be_told_to_stop_stays_on_record_and_in_its_alarm(rigged):
    rig = rigged(room(host("one", 1), stages=SOON))
    one(rig).deaf = True
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("one") == "unconfirmed", 200.0)
    told = [event.data["fault"] for _, event in rig.events if event.cause == "plan.stop-again"]
    assert set(told) == {"it cannot be reached"}
    assert "it cannot be reached" in rig.view()["hosts"][0]["reason"]


def test_a_host_that_cannot_be_told_in_its_time_is_told_when_the_way_is_back(rigged):
    rig = rigged(room(host("one", 1), stages=SOON))
    one(rig).deaf = True
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("one") == "unconfirmed", 200.0)
    rig.run(150.0)
    assert rig.phase("one") == "unconfirmed"
    tries = len(rig.sent("one"))
    one(rig).deaf = False
    rig.run_until(lambda: rig.phase("one") == "down", 150.0)
    assert len(rig.sent("one")) == tries + 1
    rig.run(120.0)
    assert len(rig.sent("one")) == tries + 1
