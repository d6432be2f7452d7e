"""A room too hot: its hosts stop, and then lose their outlets."""

from __future__ import annotations

import pytest

from tests.core.power.outages import STANDBY, WITH_OUTLETS, all_down
from tests.core.powerrooms import host, room, stage

pytestmark = pytest.mark.slow


def test_a_room_too_hot_for_five_minutes_stops_every_host_and_then_takes_their_outlets(keeping):
    keeping.air["rack-air.temperature"] = 41.0
    keeping.run(280.0)
    assert keeping.sent("standby") == keeping.sent("office") == []
    keeping.run(40.0)
    assert keeping.sent("standby") == ["stop"]
    keeping.run_until(lambda: all_down(keeping), 120.0)
    keeping.run(60.0)
    for id in ("standby-outlet", "office-outlet"):
        assert not keeping.on(id)
        assert int(keeping.output(id).slot) == 5
    assert all(server.body.hard_cuts == 0 for server in keeping.servers.values())


def test_a_host_in_a_room_too_hot_keeps_its_outlet_until_it_is_confirmed_down(keeping):
    keeping.servers["standby"].body.act("hang")
    keeping.air["rack-air.temperature"] = 41.0
    keeping.run(600.0)
    assert keeping.phase("standby") == "unconfirmed"
    assert keeping.on("standby-outlet")
    assert not keeping.on("office-outlet")


@pytest.mark.parametrize("how", ["cools in time", "is garbled", "is silent"])
def test_heat_that_is_not_certain_for_five_minutes_stops_nothing(keeping, how):
    keeping.air["rack-air.temperature"] = 41.0
    keeping.run(200.0)
    if how == "cools in time":
        keeping.air["rack-air.temperature"] = 25.0
    elif how == "is garbled":
        keeping.garbled.add("rack-air")
    else:
        keeping.silent.add("rack-air")
    keeping.run(400.0)
    assert keeping.sent("standby") == keeping.sent("office") == []


def test_hosts_stopped_by_heat_come_back_when_the_room_is_cool(rigged):
    rig = rigged(
        room(
            *WITH_OUTLETS,
            host("standby", 1, outlet="standby-outlet"),
            stages=(stage(1, after="30s"),),
            return_={"temperature_below": 28.0},
        )
    )
    rig.air["rack-air.temperature"] = 41.0
    rig.run_until(lambda: not rig.on("standby-outlet"), 500.0)
    rig.run(120.0)
    assert not rig.on("standby-outlet")
    rig.air["rack-air.temperature"] = 24.0
    rig.run_until(lambda: rig.phase("standby") == "running", 400.0, 5.0)
    assert rig.servers["standby"].body.is_up


def test_a_room_too_hot_over_a_new_boot_is_stopped_after_five_minutes_all_the_same(rigged):
    rig = rigged(room(STANDBY, stages=(stage(1, after="20min"),)))
    rig.air["rack-air.temperature"] = 42.0
    rig.run(60.0)
    rig.restart(same_boot=False, off_s=10.0)
    rig.run(280.0)
    assert rig.sent("standby") == []
    rig.run(40.0)
    assert rig.sent("standby") == ["stop"]


def too_hot(rigged):
    """Stopped by heat, in a room whose return states no limit of its own."""
    rig = rigged(
        room(STANDBY, stages=(stage(1, after="20min"),),
             outage={"temperature_shutdown_for": "30s"})
    )  # fmt: skip
    rig.air["rack-air.temperature"] = 42.0
    rig.run_until(lambda: all_down(rig), 200.0)
    return rig


def test_a_room_that_was_too_hot_and_is_no_longer_seen_is_not_cool(rigged):
    rig = too_hot(rigged)
    rig.silent.add("rack-air")
    rig.run(600.0)
    assert rig.sent("standby") == ["stop"]


def test_hosts_stopped_by_heat_wait_for_five_degrees_below_the_limit(rigged):
    rig = too_hot(rigged)
    rig.air["rack-air.temperature"] = 37.0
    rig.run(600.0)
    assert rig.sent("standby") == ["stop"]
    rig.air["rack-air.temperature"] = 34.0
    rig.run_until(lambda: rig.phase("standby") == "running", 200.0)


def hot_and_going(keeping):
    """Too hot, and the record hangs while its hosts go down."""
    keeping.air["rack-air.temperature"] = 42.0
    keeping.run_until(lambda: keeping.phase("standby") == "stopping", 400.0, 0.2)
    keeping.run(1.0)
    keeping.journal_hangs = True
    keeping.run_until(lambda: all_down(keeping), 200.0)
    keeping.run(30.0)
    return keeping


def test_an_outlet_is_taken_for_heat_only_after_the_hosts_end_is_in_the_record(keeping):
    rig = hot_and_going(keeping)
    assert rig.on("standby-outlet") and rig.on("office-outlet")
    rig.journal_hangs = False
    rig.run(5.0)
    assert not rig.on("standby-outlet") and not rig.on("office-outlet")


def test_after_a_new_boot_no_outlet_is_taken_for_heat_from_a_host_that_may_be_up_again(keeping):
    rig = hot_and_going(keeping)
    rig.servers["standby"].body.start()
    rig.journal_hangs = False
    rig.restart(same_boot=False, off_s=1.0)
    rig.run(20.0)
    assert rig.on("standby-outlet")
    assert rig.servers["standby"].body.hard_cuts == 0
