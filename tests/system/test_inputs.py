"""Inputs that fail: silent sensors, cut wires, bouncing contacts, a child that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.house import House, wait

pytestmark = pytest.mark.system

PACE = 4
NOT_GOOD_S = 15.0
ALARMED_S = 20.0


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"[simulation]": f"[simulation]\npace = {PACE}"}


def quality(house: House) -> str:
    return str(house.point("rack-air.temperature")["quality"])


def test_a_sensor_that_falls_silent_is_soon_not_good_then_alarmed_and_comes_back(
    new_house: Callable[..., House], fast: dict[str, str]
) -> None:
    house = new_house(fast)
    house.start_controller()
    wait(lambda: quality(house) == "good", what="a first temperature")
    house.sim("rack-air", "silent")
    began_s = house.truth()["mono_s"]
    wait(lambda: quality(house) != "good", NOT_GOOD_S / PACE, "a temperature that is not good")
    wait(
        lambda: house.alarms().get("rack-air.silent") == "active-unacknowledged",
        ALARMED_S / PACE,
        "the alarm of the silent sensor",
    )
    assert house.truth()["mono_s"] - began_s < ALARMED_S
    point = house.point("rack-air.temperature")
    assert point["quality"] == "stale"
    assert house.point("rack-air.dew-point")["quality"] != "good"
    house.sim("rack-air", "normal")
    wait(lambda: quality(house) == "good", what="a temperature that is good again")
    wait(
        lambda: house.alarms().get("rack-air.silent") == "returned-unacknowledged",
        what="the end of the alarm",
    )


def test_a_sensor_that_was_never_heard_is_missing_and_alarmed(
    new_house: Callable[..., House], fast: dict[str, str]
) -> None:
    house = new_house(fast)
    first = house.start_controller()
    first.kill()
    first.wait(10.0)
    house.sim("rack-air", "silent")
    house.start_controller()
    assert house.point("rack-air.temperature")["value"] is None
    assert quality(house) == "missing"
    wait(lambda: "rack-air.silent" in house.alarms(), ALARMED_S / PACE + 1.0, "the alarm")
    assert house.point("rack-air.temperature")["value"] is None


@pytest.mark.parametrize("fault", ["garbage", "short", "zeros"])
def test_nonsense_on_the_sensors_line_is_never_shown_as_a_temperature(
    new_house: Callable[..., House], fast: dict[str, str], fault: str
) -> None:
    house = new_house(fast)
    house.start_controller()
    wait(lambda: quality(house) == "good", what="a first temperature")
    house.sim("rack-air", fault)
    shown = []

    def not_good() -> bool:
        point = house.point("rack-air.temperature")
        shown.append(point["value"])
        return bool(point["quality"] != "good")

    wait(not_good, NOT_GOOD_S / PACE, "a temperature that is not good")
    assert all(value is None or 20.0 < value < 26.0 for value in shown), shown


def test_a_child_that_is_killed_is_replaced_and_new_temperatures_come(
    new_house: Callable[..., House], fast: dict[str, str]
) -> None:
    house = new_house(fast)
    house.start_controller()
    wait(lambda: quality(house) == "good", what="a first temperature")
    first = child_of(house, "simulators.dht_child")
    os.kill(first, signal.SIGKILL)
    house.sim("rack-air.temperature", 26.5)
    wait(
        lambda: house.point("rack-air.temperature")["value"] == pytest.approx(26.5, abs=0.101),
        what="a temperature by the next child",
    )
    assert child_of(house, "simulators.dht_child") != first


def test_a_childs_death_leaves_no_child_behind_when_the_controller_is_killed(
    house: House,
) -> None:
    controller = house.start_controller()
    wait(lambda: quality(house) == "good", what="a first temperature")
    child = child_of(house, "simulators.dht_child")
    controller.kill()
    controller.wait(10.0)
    wait(lambda: not is_running(child), what="the end of the sensor's process")


@pytest.mark.parametrize("fault", ["silent", "garbage", "drop", "busy"])
def test_a_projector_that_fails_on_its_line_is_not_good_and_keeps_nobody_from_guarding(
    new_house: Callable[..., House], fast: dict[str, str], fault: str
) -> None:
    house = new_house(fast)
    house.start_controller()
    wait(lambda: house.point("hall.power")["value"] == "standby", what="a projector that tells")
    house.sim("hall", fault)
    wait(lambda: house.point("hall.power")["quality"] != "good", what="power that is not good")
    outlet = house.is_on("hall-outlet")
    house.trip()
    assert house.is_on("hall-outlet") is outlet
    house.sim("hall", "normal")


def test_a_cut_wire_reads_as_an_open_door(guarded: House) -> None:
    guarded.sim("front-door", "cut-wire")
    wait(lambda: guarded.point("front-door")["value"] is True, what="an open door")
    guarded.sim("front-door", "normal")
    wait(lambda: guarded.point("front-door")["value"] is False, what="a shut door")


def test_a_bouncing_contact_is_one_event_of_the_door(guarded: House) -> None:
    since = guarded.events()[-1]["seq"]
    for _ in range(2):
        guarded.sim("front-door", "bounce")
        wait(lambda: guarded.point("front-door")["value"] is True, what="an open door")
        guarded.sim("front-door", "bounce")
        wait(lambda: guarded.point("front-door")["value"] is False, what="a shut door")
    events = [
        event for event in guarded.events()
        if event["seq"] > since and event["subject"] == "front-door"
    ]  # fmt: skip
    assert [event["cause"] for event in events] == [
        "access.opened",
        "access.shut",
        "access.opened",
        "access.shut",
    ]


def test_smoke_for_less_than_its_debounce_is_no_smoke(guarded: House) -> None:
    """Each flicker is some milliseconds long; a detector's alarm counts after 200."""
    for _ in range(20):
        guarded.sim("smoke-1", "on")
        guarded.sim("smoke-1", "normal")
    state = guarded.state()
    assert state["fire"]["phase"] == "normal"
    assert [id for _, id, on in guarded.moves() if id == "siren" and on] == []


def test_a_mains_failure_is_seen_at_once_and_forbids_a_start(guarded: House) -> None:
    guarded.sim("mains", "off")
    wait(lambda: guarded.point("mains")["value"] is False, what="the mains' failure")
    reply = guarded.ask("switch", output="hall-outlet", to="on")
    assert reply["status"] == "refused", reply


def child_of(house: House, word: str) -> int:
    """Return the process of the room's sensor: the one with `word` and the room's world."""
    found: list[int] = []

    def look() -> bool:
        found[:] = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdecimal() and word in (said := command(int(entry.name)))
            and str(house.world) in said
        ]  # fmt: skip
        return len(found) == 1

    wait(look, what="the sensor's process")
    return found[0]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except OSError:
        return ""


def is_running(pid: int) -> bool:
    return bool(command(pid))
