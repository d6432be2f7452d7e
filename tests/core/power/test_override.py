"""What a person in the room may waive, and for how long."""

from __future__ import annotations

import pytest

from controller.core.request import Origin, Role, Status
from tests.core.power.outages import STANDBY, all_down
from tests.core.power.returns import TABLES, down, item, started_s, up_again
from tests.core.powerrooms import SMOKE, host, outlet, room, stage

pytestmark = pytest.mark.slow


def test_what_was_waived_for_one_return_is_not_waived_for_a_host_let_go_later(rigged):
    rig = rigged(
        room(host("store", 2), host("mail", 1, after=["store"]),
             stages=(stage(1, after="10s"), stage(2, after="15s")), return_={"charge_above": 90})
    )  # fmt: skip
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 300.0)
    rig.run(40.0)
    rig.ups.says = {"charge": 50.0}
    rig.mains_returns()
    rig.run(40.0)
    rig.servers["store"].sick = True
    rig.ask("start-hosts", override="charge")
    rig.run_until(lambda: rig.phases() == {"store": "failed", "mail": "held"}, 200.0)
    rig.run_until(lambda: rig.plan.returning_s is None, 10.0)
    rig.servers["store"].sick = False
    rig.run_until(lambda: rig.phase("store") == "running", 30.0)
    rig.run(60.0)
    assert rig.sent("mail") == ["stop"]


def test_only_one_permissive_is_waived_at_a_time(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="10s"),), return_={"charge_above": 90}))
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 200.0)
    rig.ups.says = {"charge": 50.0}
    rig.mains_returns()
    rig.run(10.0)
    answer = rig.request("start-hosts", override="charge,stable")
    assert answer.reason is not None and answer.reason.id == "refused.bad-argument"
    rig.run(15.0)
    assert rig.sent("standby") == ["stop"]


def test_a_person_may_override_one_named_permissive(fallen):
    rig = fallen()
    rig.ups.says = {"charge": 30.0}
    rig.mains_returns()
    rig.run(60.0)
    assert rig.request("start-hosts").status is Status.REFUSED
    rig.ask("start-hosts", override="charge")
    asked = [e for _, e in rig.events if e.kind == "request" and e.subject == "start-hosts"]
    assert asked[-1].data["args"] == {"override": "charge"}
    assert asked[-1].actor == "keeper"
    rig.run_until(lambda: up_again(rig), 300.0)


def test_overriding_one_permissive_waives_no_other(fallen):
    rig = fallen()
    rig.ups.says = {"charge": 30.0}
    rig.air["rack-air.temperature"] = 31.0
    rig.mains_returns()
    rig.run(60.0)
    rig.request("start-hosts", override="charge")
    rig.run(120.0)
    assert started_s(rig, "office") == []


@pytest.mark.parametrize("air_c", [30.0, None], ids=["still warm", "sensor dead"])
def test_a_person_who_waives_the_temperature_starts_hosts_after_a_shutdown_by_heat(rigged, air_c):
    one = host("one", 1, outlet="o1")
    limits = {"temperature_below": 28}
    rig = rigged(room(outlet("o1", 11), one, stages=(stage(1, after="60s"),), return_=limits))
    rig.air["rack-air.temperature"] = 42.0
    rig.run_until(lambda: rig.phase("one") == "down", 600.0)
    if air_c is None:
        rig.silent.add("rack-air")
    else:
        rig.air["rack-air.temperature"] = air_c
    rig.run(60.0)
    assert rig.request("start-hosts").status is Status.REFUSED
    rig.ask("start-hosts", override="temperature")
    rig.run_until(lambda: rig.phase("one") == "running", 300.0)
    rig.silent.clear()
    rig.air["rack-air.temperature"] = 42.0
    rig.run_until(lambda: rig.phase("one") == "down", 600.0)


@pytest.mark.parametrize("what", ["smoke", "mains", "cut", "everything", ""])
def test_what_may_not_be_overridden_is_refused(fallen, what):
    rig = fallen()
    rig.ups.says = {"charge": 30.0}
    rig.mains_returns()
    rig.run(60.0)
    assert rig.request("start-hosts", override=what).status is Status.REFUSED
    rig.run(30.0)
    assert started_s(rig, "office") == []


def test_only_a_person_in_the_room_overrides(fallen):
    rig = fallen(TABLES + "[panel]\nremote_operate = true\n")
    rig.ups.says = {"charge": 30.0}
    rig.mains_returns()
    rig.run(60.0)
    unwaived = rig.request("start-hosts", origin=Origin.NETWORK_PANEL)
    assert unwaived.reason.id == "permit.charge", "that panel may start hosts"
    for keys in (
        {"origin": Origin.NETWORK_PANEL},
        {"origin": Origin.MQTT},
        {"role": Role.ACKNOWLEDGE},
        {"origin": Origin.BUTTON},
    ):
        answer = rig.request("start-hosts", override="charge", **keys)
        assert answer.reason.id in ("refused.origin", "refused.role")
    rig.run(30.0)
    assert started_s(rig, "office") == []


def test_an_override_ends_with_its_return(fallen):
    rig = fallen()
    rig.ups.says = {"charge": 30.0}
    rig.mains_returns()
    rig.run(60.0)
    rig.ask("start-hosts", override="charge")
    rig.run_until(lambda: up_again(rig), 300.0)
    rig.run(60.0)
    rig.mains_fails()
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 400.0)
    rig.run(40.0)
    rig.mains_returns()
    rig.run(150.0)
    assert len(started_s(rig, "office")) == 1


def test_hosts_are_not_started_by_a_person_on_battery(fallen):
    rig = fallen()
    for keys in ({}, {"override": "charge"}, {"override": "stable"}):
        assert rig.request("start-hosts", **keys).status is Status.REFUSED
    rig.run(30.0)
    assert started_s(rig, "office") == []


@pytest.mark.parametrize(("hertz", "volts", "waived"), [(47.0, 230.0, "frequency"),
                                                        (50.0, 250.0, "voltage")])  # fmt: skip
def test_of_voltage_and_frequency_the_one_that_is_out_can_be_waived(fallen, hertz, volts, waived):
    rig = fallen()
    rig.ups.volts, rig.ups.hertz = volts, hertz
    rig.mains_returns()
    rig.run(100.0)
    other = "voltage" if waived == "frequency" else "frequency"
    assert (item(rig, waived)["ok"], item(rig, other)["ok"]) == (False, True)
    rig.ask("start-hosts", override=waived)
    rig.run_until(lambda: started_s(rig, "office"), 100.0)


def test_a_permissive_that_fails_in_the_middle_of_a_return_can_be_waived(fallen):
    rig = fallen()
    rig.mains_returns()
    rig.run_until(lambda: rig.phase("office") == "starting", 300.0)
    rig.ups.says = {"charge": 30.0}
    rig.run(60.0)
    assert rig.phase("standby") == "waiting"
    rig.ask("start-hosts", override="charge")
    rig.run_until(lambda: up_again(rig), 300.0)


def test_a_waived_stable_waits_for_no_voltage_to_be_stable_either(rigged):
    limits = {"stable": "10min", "voltage": [198, 242]}
    rig = down(rigged(room(STANDBY, stages=(stage(1, after="10s"),), return_=limits)))
    rig.mains_returns()
    rig.run(60.0)
    rig.ask("start-hosts", override="stable")
    rig.run_until(lambda: rig.phase("standby") == "running", 100.0)


def test_a_host_that_starts_by_its_outlet_is_given_it_at_a_voltage_that_a_person_waives(rigged):
    one = host("one", 1, outlet="o1", start="outlet")
    limits = {"voltage": [198, 242]}
    rig = down(
        rigged(room(outlet("o1", 11), one, stages=(stage(1, after="10s"),), return_=limits))
    )
    rig.ups.volts = 250.0
    rig.mains_returns()
    rig.run(60.0)
    rig.ask("start-hosts", override="voltage")
    rig.run_until(lambda: rig.phase("one") == "running", 200.0)


def test_a_waived_voltage_gives_no_power_in_a_room_that_smokes(rigged):
    one = host("one", 1, outlet="o1", start="outlet")
    tables = room(outlet("o1", 11), one, SMOKE, stages=(stage(1, after="10s"),),
                  return_={"voltage": [198, 242]})  # fmt: skip
    rig = down(rigged(tables))
    rig.ups.volts = 250.0
    rig.mains_returns()
    rig.run(60.0)
    rig.ask("start-hosts", override="voltage")
    rig.run_until(lambda: not rig.on("o1"), 30.0)
    rig.set("smoke-1", True)
    rig.run(60.0)
    assert not rig.on("o1")
