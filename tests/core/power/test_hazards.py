"""What must not happen to a host in the middle of everything: each of these once could."""

from __future__ import annotations

from functools import partial

import pytest

from controller.core.request import Status
from tests.core.power import returns
from tests.core.powerrooms import CUTS, LIGHTS, SMOKE, host, outlet, room, stage

pytestmark = pytest.mark.slow

OUTLETS = (outlet("o1", 12), outlet("o2", 20))
ONE = host("one", 1, outlet="o1")
TWO = host("two", 2, outlet="o2")
QUICK = (stage(1, after="20s"), stage(2, after="40s"))
down = partial(returns.down, rest_s=0.0)


def test_a_host_never_proved_down_is_not_down_because_its_start_was_called_off(rigged):
    rig = rigged(room(*OUTLETS, ONE, TWO, LIGHTS, stages=QUICK, return_={"spacing": "5min"}))
    rig.servers["one"].deaf = True
    rig.servers["one"].dead_path = True
    rig.servers["one"].body.fault = "silent"
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("one") == "unconfirmed", 300.0)
    rig.run_until(lambda: rig.phase("two") == "down", 300.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("one") == "waiting", 200.0)
    rig.mains_fails()
    rig.run(3.0)
    assert rig.phase("one") == "unconfirmed"
    assert rig.request("switch", output="o1", to="off").reason.id == "refused.host-up"


def test_a_cut_of_the_room_leaves_hosts_on_the_ups_to_the_plan(rigged):
    only_room = CUTS.split("[[output]]")[1]
    fire = '[fire]\nfed = "outside"\naccept_risk = "keeper, today, no second cut"\n'
    rig = rigged(room("[[output]]" + only_room, *OUTLETS, ONE, stages=QUICK) + fire)
    rig.ask("cut", privileged=True)
    rig.run(5.0)
    assert rig.phase("one") == "running"
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("one") == "down", 200.0)
    assert rig.servers["one"].body.hard_cuts == 0


def hot_room(rigged, **return_):
    rig = rigged(
        room(*OUTLETS, ONE, TWO, stages=QUICK, outage={"temperature_shutdown_for": "30s"},
             return_={"charge_above": 40, "temperature_below": 28.0} | return_)
    )  # fmt: skip
    rig.air["rack-air.temperature"] = 42.0
    rig.run_until(lambda: not rig.on("o1") and not rig.on("o2"), 600.0)
    return rig


def test_outlets_taken_for_heat_stay_off_over_a_restart(rigged):
    rig = hot_room(rigged)
    before = len(rig.moves)
    rig.restart()
    rig.run(60.0)
    assert not rig.on("o1") and not rig.on("o2")
    assert rig.moves[before:] == []


def test_outlets_taken_for_heat_come_back_one_by_one_and_not_before_the_return_is_permitted(
    rigged,
):
    rig = hot_room(rigged)
    rig.ups.battery.charge_pct = 20.0
    rig.ups.says["charge"] = 20.0
    rig.air["rack-air.temperature"] = 22.0
    rig.run(300.0)
    assert not rig.on("o1") and not rig.on("o2")
    rig.ups.says.clear()
    rig.ups.battery.charge_pct = 90.0
    rig.run_until(lambda: rig.on("o2"), 200.0)
    assert not rig.on("o1"), "the last stage first"
    rig.run_until(lambda: set(rig.phases().values()) == {"running"}, 400.0)
    assert rig.on("o1")


def test_nothing_is_started_while_the_mains_contact_cannot_be_read(rigged):
    rig = down(rigged(room(ONE.replace('outlet = "o1"\n', ""), stages=QUICK)))
    rig.wire("mains", None)
    rig.mains = True
    rig.run(400.0)
    assert rig.sent("one") == ["stop"]


def test_time_in_which_nobody_listened_is_no_stable_mains(rigged):
    rig = down(rigged(room(host("one", 1), stages=QUICK, mains=False, return_={"stable": "3min"})))
    rig.mains_returns()
    rig.run(100.0)
    rig.mains_fails()
    rig.ups.silent = True
    rig.restart(off_s=100.0)
    rig.run(60.0)
    assert rig.sent("one") == ["stop"]


def test_a_board_that_rebooted_cuts_no_outlet_that_it_had_given_back(rigged):
    rig = rigged(room(*OUTLETS, host("one", 1, outlet="o1", unconfirmed="cut"), stages=QUICK))
    rig.servers["one"].body.act("hang")
    rig.mains_fails()
    rig.run_until(lambda: not rig.on("o1"), 300.0)
    rig.servers["one"].body.fault = None
    cuts = rig.servers["one"].body.hard_cuts
    rig.restart(same_boot=False, off_s=60.0, mains=True)
    rig.run(120.0)
    assert rig.servers["one"].body.hard_cuts == cuts


def test_a_host_that_answers_is_not_cut_once_the_mains_is_back(rigged):
    rig = rigged(room(*OUTLETS, host("one", 1, outlet="o1", unconfirmed="cut"), stages=QUICK))
    rig.servers["one"].deaf = True
    rig.mains_fails()
    rig.run(25.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("one") == "running", 200.0)
    rig.run(60.0)
    assert rig.servers["one"].body.hard_cuts == 0
    assert ("o1", False) not in rig.moved()


def test_a_start_that_was_decided_is_decided_anew_when_smoke_comes_before_its_record(rigged):
    rig = down(rigged(room(SMOKE, host("one", 1), stages=QUICK)))
    rig.mains_returns()
    rig.run_until(lambda: rig.plan.returning_s is None and rig.power.mains_s is not None, 100.0)
    rig.journal_hangs = True
    rig.run_until(lambda: rig.plan.host("one").asked_s is not None, 200.0, 0.05)
    rig.set("smoke-1", True)
    rig.run(5.0)
    rig.journal_hangs = False
    rig.run(60.0)
    assert rig.sent("one") == ["stop"]


def test_a_host_that_boots_when_a_fire_gives_time_is_asked_to_stop(rigged):
    fire = '[fire]\nfed = "outside"\nbudget = "5min"\n'
    rig = rigged(room(SMOKE, CUTS, host("one", 1), stages=QUICK) + fire)
    down(rig)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("one") == "starting", 300.0)
    rig.set("call-point", True)
    rig.run_until(lambda: rig.phase("one") == "down", 280.0)
    assert rig.servers["one"].body.hard_cuts == 0


def test_a_host_that_needs_one_that_is_left_alone_is_held_and_the_return_ends(rigged):
    rig = rigged(room(host("store", 2), host("mail", 1, after=["store"]),
                      stages=(stage(1, after="20s"), stage(2, after="30min"))))  # fmt: skip
    rig.servers["store"].body.act("off")
    rig.run_until(lambda: rig.phase("store") == "down", 100.0)
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("mail") == "down", 200.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("mail") == "held", 300.0)
    rig.run(5.0)
    assert rig.plan.returning_s is None
    assert rig.plan.last_run.ok is False


def test_a_host_whose_outlet_an_operator_keeps_off_does_not_hold_the_others_for_ever(rigged):
    rig = down(rigged(room(*OUTLETS, ONE, TWO, stages=QUICK)))
    rig.ask("switch", output="o2", to="off", for_="20h")
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("one") == "running", 600.0)
    assert rig.phase("two") == "failed"
    assert rig.alarm("two.start-failed") == "active-unacknowledged"


def test_a_restart_in_the_spacing_does_not_strand_a_host_that_starts_by_its_outlet(rigged):
    by_outlet = host("one", 1, outlet="o1", start="outlet")
    rig = down(rigged(room(*OUTLETS, by_outlet, host("two", 2), stages=QUICK,
                           return_={"spacing": "40s"})))  # fmt: skip
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("two") == "running", 300.0)
    rig.restart()
    rig.run_until(lambda: rig.phase("one") == "running", 300.0)


@pytest.mark.parametrize("by", ["a cut", "an outage"])
def test_who_asked_for_a_start_is_told_when_it_comes_to_nothing(rigged, by):
    rig = down(rigged(room(CUTS, SMOKE, host("one", 1), host("two", 1), stages=QUICK,
                           return_={"stable": "1s", "spacing": "5min"})
                      + '[fire]\nfed = "outside"\n'))  # fmt: skip
    rig.servers["one"].sick = True
    rig.servers["two"].sick = True
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("one") == "failed" and rig.phase("two") == "failed", 900.0)
    asked = rig.ask("start-hosts")
    rig.run(2.0)
    if by == "a cut":
        rig.ask("cut", privileged=True)
    else:
        rig.mains_fails()
    rig.run(60.0)
    assert rig.end_of(asked) is Status.FAILED


def test_a_dip_of_a_second_while_the_ups_is_lost_stops_nobody(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK))
    rig.ups.battery.charge_pct = 15.0
    rig.run(10.0)
    rig.ups.silent = True
    rig.run(20.0)
    rig.mains_fails()
    rig.run(1.0)
    rig.mains_returns()
    rig.run(120.0)
    assert rig.sent("one") == []


def test_a_declared_self_test_is_no_outage_in_a_room_without_a_contact_either(rigged):
    rig = rigged(room(host("one", 1), stages=(stage(1, after="20s"),), mains=False))
    rig.ups.says["self-test"] = "running"
    rig.ups.breaker = True
    rig.run(120.0)
    assert rig.point("power.state").value == "on-battery"
    assert rig.sent("one") == []
    rig.ups.breaker = False
    rig.run(10.0)
    assert rig.point("power.state").value == "mains"


def test_a_ups_that_falls_silent_as_the_mains_goes_is_not_said_to_disagree(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK))
    rig.ups.silent = True
    rig.mains_fails()
    rig.run(15.0)
    states = [e.cause for _, e in rig.events if e.kind == "power"]
    assert "power.disagreement" not in states
    assert rig.point("power.state").value == "outage"


def test_two_hot_readings_with_silence_between_are_not_five_hot_minutes(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK))
    rig.air["rack-air.temperature"] = 40.5
    rig.run(12.0)
    rig.silent.add("rack-air")
    rig.run(300.0)
    rig.silent.clear()
    rig.run(10.0)
    assert rig.sent("one") == []


def test_only_the_ups_that_is_drained_is_switched_off(rigged):
    second = ('[[ups]]\nid = "second-ups"\nkind = "modbus"\nmap = "huawei-ups2000"\n'
              'address = "tcp://127.0.0.1:1503"\n')  # fmt: skip
    rig = rigged(room(second, host("one", 1), stages=(stage(1, after="20s"),), mains=False,
                      outage={"ups_off": True}))  # fmt: skip
    rig.upses["main-ups"].breaker = True
    rig.run_until(lambda: rig.upses["main-ups"].sent == ["off"], 300.0)
    rig.run(5.0)
    assert rig.upses["second-ups"].sent == []


def test_a_low_battery_of_before_the_ups_was_lost_stops_nothing_beside_a_present_contact(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK))
    rig.ups.says = {"supply": "bypass", "battery-low": True}
    rig.run(20.0)
    rig.ups.silent = True
    rig.run(120.0)
    assert rig.point("power.state").value == "lost"
    assert rig.sent("one") == []


def test_a_server_that_a_person_switches_on_beside_a_lost_ups_is_left_running(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK))
    rig.mains_fails()
    rig.run(5.0)
    rig.ups.says = {"battery-low": True}
    rig.run(5.0)
    rig.ups.silent = True
    rig.run_until(lambda: rig.phase("one") == "down", 300.0)
    rig.mains_returns()
    rig.run(300.0)
    rig.servers["one"].body.start()
    rig.run(120.0)
    assert rig.sent("one") == ["stop"]


def test_a_waived_voltage_is_not_undone_by_its_being_unstable(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK, outage={"unstable_sheds": True},
                      return_={"voltage": [198, 242]}))  # fmt: skip
    rig.run(10.0)
    for volts in (150.0, 230.0) * 4:
        rig.ups.volts = volts
        rig.run(3.0)
    rig.run_until(lambda: rig.phase("one") == "down", 200.0)
    rig.run(60.0)
    rig.ask("start-hosts", override="voltage")
    rig.run_until(lambda: rig.phase("one") == "running", 200.0)


def test_a_run_in_which_a_host_lost_its_power_unstopped_has_not_gone_well(rigged):
    one = host("one", 1, outlet="o1", unconfirmed="cut")
    rig = rigged(room(OUTLETS[0], one, stages=QUICK))
    rig.servers["one"].deaf = True
    rig.mains_fails()
    rig.run_until(lambda: ("o1", False) in rig.moved(), 300.0)
    rig.run_until(lambda: rig.phase("one") == "down", 100.0)
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("one") == "running", 400.0)
    rig.run(5.0)
    assert rig.plan.last_run is not None
    assert not rig.plan.last_run.ok


def test_a_look_of_long_ago_is_no_evidence(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK))
    asked = rig.request("confirm-down", host="one", privileged=True)
    assert asked.reason.id == "refused.host-answers"
    rig.servers["one"].looked_s = float("inf")  # nobody looks any more
    rig.run(120.0)
    assert rig.request("confirm-down", host="one", privileged=True).status is Status.DONE


def test_silence_of_before_a_restart_must_be_seen_again(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK))
    rig.servers["one"].body.fault = "silent"
    rig.run(25.0)
    assert rig.plan.host("one").silent_s
    rig.restart(off_s=60.0)
    rig.run(15.0)
    assert rig.phase("one") == "running", "30 s of silence were not seen in one life"


def test_a_battery_that_was_low_is_low_after_a_new_boot(rigged):
    rig = rigged(room(host("one", 1), stages=(stage(1, after="60min"),)))
    rig.mains_fails()
    rig.run(12.0)
    rig.ups.says = {"battery-low": True}
    rig.run(5.0)
    rig.ups.silent = True
    rig.restart(same_boot=False, off_s=20.0)
    rig.run_until(lambda: rig.phase("one") == "down", 120.0)


def test_a_host_that_comes_up_again_and_again_is_given_up_after_three_times(rigged):
    rig = rigged(room(host("one", 1), stages=QUICK))
    rig.mains_fails()
    for _ in range(6):
        rig.run_until(lambda: rig.phase("one") in ("down", "unconfirmed"), 300.0)
        if rig.phase("one") == "unconfirmed":
            break
        rig.servers["one"].body.start()
        rig.run(30.0)
    assert rig.sent("one").count("stop") == 4
