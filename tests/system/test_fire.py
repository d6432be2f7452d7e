"""A fire from the first detector to the room supplied again, over the whole controller."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.system.house import House, wait

pytestmark = pytest.mark.system

COOLING = {'cooling = "5min"': 'cooling = "2s"', 'minimum_off = "3min"': 'minimum_off = "1s"'}


def refused(house: House, action: str, **args: str) -> str:
    """Return the reason's id of a request that must be refused."""
    reply = house.ask(action, **args)
    assert reply["status"] == "refused", reply
    return str(reply["why"]["id"])


def test_a_fire_is_cut_proven_latched_reset_and_restored(new_house: Callable[..., House]) -> None:
    house = new_house(COOLING)
    house.start_controller()
    wait(lambda: not house.is_on("hall-outlet"), what="a projector found cold")

    house.sim("smoke-1", "on")
    wait(lambda: house.is_on("siren") and not house.is_on("aircon"), what="the pre-alarm")
    state = house.state()
    assert (state["state"], state["fire"]["phase"]) == ("alarm", "prealarm")
    assert house.alarms()["smoke-1.prealarm"] == "active-unacknowledged"
    assert not house.is_on("power-cut")

    house.sim("smoke-2", "on")
    wait(house.is_cut, what="the cut")
    cuts = {id: at_s for at_s, id, on in house.moves() if on and id in ("power-cut", "ups-cut")}
    assert cuts.keys() == {"power-cut", "ups-cut"}
    wait(
        lambda: [house.output(id)["actual"] for id in cuts] == ["on", "on"],
        what="the proof of both cuts",
    )
    state = house.state()
    fire = state["fire"]
    assert state["state"] == "fire"
    assert (fire["phase"], fire["latched"], fire["cut"]) == ("confirmed", True, True)
    assert [house.output(id)["slot"] for id in cuts] == [2, 2]
    assert house.truth()["supply"] == {"mains": True, "room_cut": True, "ups_cut": True}

    assert refused(house, "reset", alarm="fire.confirmed") == "refused.detector-active"
    assert refused(house, "restore") == "refused.latched"
    assert refused(house, "switch", output="aircon", to="on") == "permissive.fire"
    assert refused(house, "switch", output="power-cut", to="off")
    assert house.ask("acknowledge", alarm="fire.confirmed")["status"] == "done"
    shelved = house.ask("shelve", alarm="fire.confirmed", reason="drill", **{"for": "2h"})
    assert shelved["status"] == "done", shelved
    house.sim("smoke-1", "normal")
    house.sim("smoke-2", "normal")
    wait(lambda: house.point("smoke-2")["value"] is False, what="clear air")
    fire = house.state()["fire"]
    assert (fire["phase"], fire["latched"]) == ("latched", True)
    assert house.is_cut()

    assert house.ask("silence")["status"] == "done"
    wait(lambda: not house.is_on("siren"), what="a silent siren")
    assert house.ask("reset", alarm="fire.confirmed")["status"] == "done"
    wait(lambda: house.state()["fire"]["latched"] is False, what="the end of the latch")
    assert house.is_cut(), "a reset un-cuts nothing"
    assert not house.is_on("aircon")

    # An outlet that somebody had on is set off before the supply comes back.
    assert house.door.request("restore", {}, wait=True, timeout_s=10.0)["status"] == "done"
    wait(lambda: not house.is_on("power-cut") and not house.is_on("ups-cut"), what="the supply")
    assert not house.is_on("hall-outlet")
    released_s = {id: at_s for at_s, id, on in house.moves() if not on and id in cuts}
    assert released_s.keys() == cuts.keys()
    wait(lambda: house.point("main-ups.supply")["value"] == "mains", what="the UPS's new word")
    assert house.ask("switch", output="aircon", to="on")["status"] == "done"
    wait(lambda: house.is_on("aircon"), what="cooling")
    causes = [event["cause"] for event in house.events()]
    for cause in ("fire.prealarm", "fire.confirmed", "cut.fire", "fire.reset", "restore.released"):
        assert cause in causes, causes


def test_outlets_are_off_before_the_supply_comes_back(new_house: Callable[..., House]) -> None:
    house = new_house({**COOLING, "[simulation]": "[simulation]\npace = 4"})
    house.start_controller()
    assert house.ask("projector-on", id="hall")["status"] == "accepted"
    wait(lambda: house.truth()["projectors"]["hall"]["lit"], what="a lit lamp")
    house.trip()
    assert house.truth()["projectors"]["hall"]["hot_cuts"] == 1  # only life safety does this
    wait(lambda: house.alarms().get("hall.hot-cut"), what="the alarm of the hot cut")
    house.sim("smoke-1", "normal")
    house.sim("smoke-2", "normal")
    wait(lambda: house.ask("reset", alarm="fire.confirmed")["status"] == "done", what="the reset")
    mark = len(house.moves())
    house.ask("restore")
    wait(lambda: not house.is_on("power-cut"), what="the supply")
    moved = [(id, on) for _, id, on in house.moves()[mark:]]
    # The hot lamp's outlet stays: its fan needs it as soon as there is power. Nothing goes on.
    assert set(moved) <= {("hall-outlet", False), ("power-cut", False), ("ups-cut", False)}
    wait(lambda: not house.is_on("hall-outlet"), what="the outlet off, the lamp cold")
    assert house.truth()["projectors"]["hall"] | {"lamp_c": 0} == {
        "power": "unpowered",
        "lit": False,
        "lamp_c": 0,
        "hot_cuts": 1,
        "fault": None,
    }


def test_smoke_that_was_there_before_the_start_is_acted_on_in_the_first_scan(
    house: House,
) -> None:
    """A world with smoke in it waits for the controller."""
    first = house.start_controller()
    first.kill()
    first.wait(10.0)
    house.sim("smoke-1", "on")
    mark = len(house.moves())
    second = house.start("run")
    house.wait_guarded(second)
    # The door answers after the first scan: by then the siren has been told.
    assert house.is_on("siren")
    assert not house.is_on("aircon")
    assert [(id, on) for _, id, on in house.moves()[mark:]] == [("siren", True), ("aircon", False)]
    assert house.state()["fire"]["phase"] == "prealarm"
    assert first_scan(house)[:2] == ["started", "fire.prealarm"]


def test_two_detectors_that_saw_smoke_before_the_start_cut_the_room_at_once(
    house: House,
) -> None:
    first = house.start_controller()
    first.kill()
    first.wait(10.0)
    house.sim("smoke-1", "on")
    house.sim("smoke-2", "on")
    second = house.start("run")
    house.wait_guarded(second)
    assert house.is_cut()
    assert house.is_on("siren")
    assert house.state()["fire"]["latched"] is True
    assert {"started", "fire.confirmed", "cut.fire"} <= set(first_scan(house))


def first_scan(house: House) -> list[str]:
    """Return the causes of what this run's first scan recorded: one scan has one time."""
    boot = house.state()["room"]["boot"]
    events = [event for event in house.events() if event["boot"] == boot]
    return [event["cause"] for event in events if event["at"] == events[0]["at"]]


def test_a_detector_with_a_cut_wire_is_a_fault_and_no_fire(house: House) -> None:
    house.start_controller()
    house.sim("smoke-1", "cut-wire")
    wait(lambda: "smoke-1.fault" in house.alarms(), what="the detector's fault")
    assert house.point("smoke-1")["quality"] != "good"
    assert not house.is_on("siren")
    # The other one is the last voter: its alarm is a countdown now, not a cut at once.
    house.sim("smoke-2", "on")
    wait(lambda: house.state()["fire"]["phase"] == "countdown", what="the countdown")
    assert not house.is_on("power-cut")
    assert 50.0 < house.state()["fire"]["seconds_left"] <= 60.0
    assert house.ask("hold")["status"] == "done"
    wait(lambda: house.state()["fire"]["held"], what="a held countdown")
    house.sim("smoke-1", "normal")
    wait(lambda: "smoke-1.fault" not in house.alarms() or not active(house), what="a whole wire")
    house.sim("smoke-1", "on")
    wait(lambda: house.is_on("power-cut"), what="the cut by two detectors")


def active(house: House) -> bool:
    return house.alarms().get("smoke-1.fault", "").startswith("active")


def test_a_cut_that_does_not_show_is_said_to_be_unproven(house: House) -> None:
    house.start_controller()
    house.sim("power-cut", "stuck")
    house.sim("smoke-1", "on")
    house.sim("smoke-2", "on")
    wait(lambda: house.is_on("ups-cut"), what="the cut that works")
    wait(lambda: "power-cut.not-proven" in house.alarms(), what="the alarm of the stuck breaker")
    output = house.output("power-cut")
    assert (output["commanded"], output["actual"]) == ("on", "off")
