"""An outage and its return over whole processes: a UPS over Modbus, a server over real SSH."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.system.house import SERVERS, House, wait

pytestmark = pytest.mark.system

# The room's time runs five times faster, and its waits are those of a trial.
QUICK = {
    "real = []": "real = []\npace = 5",
    'cooling = "5min"': 'cooling = "2s"',
    '", "ping://127.0.0.1"]   # what answers while it is up': '"]',
    'after = "2min"': 'after = "15s"',
    'stable = "3min"': 'stable = "20s"',
    'initialise = ["command:/usr/local/bin/start-office-system"]': (
        'initialise = ["command:/bin/true"]'
    ),
}


def plan(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.state()["plan"]
    return found


def host(house: House) -> str:
    return str(plan(house)["hosts"][0]["phase"])


def test_a_simulated_ups_is_heard_and_the_plan_says_how_it_fits(
    new_house: Callable[..., House],
) -> None:
    house = new_house(example=SERVERS)
    house.start_controller()
    wait(lambda: house.point("main-ups.supply")["value"] == "mains", what="the UPS's word")
    wait(lambda: plan(house)["fits"] is not None, what="a runtime")
    shown = plan(house)
    assert shown["power"]["state"] == "mains"
    assert shown["phase"] == "idle"
    told = house.command("status", "CONFIG")
    assert told.returncode == 0
    assert "standby-1" in told.stdout or "备用服务器" in told.stdout
    asked = json.loads(house.command("status", "CONFIG", "--json").stdout)
    assert asked["plan"]["hosts"][0]["id"] == "standby-1"


def test_the_mains_fails_the_server_is_stopped_over_ssh_and_started_when_it_returns(
    new_house: Callable[..., House],
) -> None:
    house = new_house(QUICK, example=SERVERS)
    house.start_controller()
    wait(lambda: plan(house)["power"]["state"] == "mains", what="the mains")
    wait(lambda: plan(house)["hosts"][0]["evidence"].get("client") == "up", what="its banner")

    house.sim("mains", "off")
    wait(lambda: plan(house)["power"]["state"] == "outage", what="the outage")
    refused = house.ask("projector-on", id="hall")
    assert refused["status"] == "refused", "nothing is started in an outage"
    wait(lambda: house.point("main-ups.supply")["value"] == "battery", what="the UPS's word")
    wait(lambda: "main-ups.on-battery" in house.alarms(), what="its alarm")

    wait(lambda: host(house) == "down", what="a server that is confirmed down")
    assert house.truth()["hosts"]["standby-1"]["phase"] == "off"

    house.sim("mains", "on")
    wait(lambda: host(house) == "running", 60.0, "a server that is back")
    assert house.truth()["hosts"]["standby-1"]["phase"] == "up"
    shown = wait(lambda: plan(house)["last_run"], what="a run on record")
    assert (shown["kind"], shown["ok"]) == ("outage", True)

    causes = [one["cause"] for one in house.events() if one["kind"] == "plan"]
    order = ["plan.stage-begun", "plan.stop-asked", "plan.down", "plan.return-begun",
             "plan.start-asked", "plan.ready", "plan.initialised", "plan.finished"]  # fmt: skip
    assert [cause for cause in causes if cause in order] == order


def test_a_controller_killed_while_a_server_stops_goes_on_and_repeats_nothing_when_it_is_back(
    new_house: Callable[..., House],
) -> None:
    house = new_house(QUICK, example=SERVERS)
    process = house.start_controller()
    wait(lambda: plan(house)["hosts"][0]["evidence"].get("client") == "up", what="its banner")
    house.sim("mains", "off")
    wait(lambda: host(house) == "stopping", what="a server that was asked to stop")
    process.kill()
    process.wait(5.0)
    house.start_controller()
    wait(lambda: host(house) == "down", what="a server that is confirmed down")
    assert house.truth()["hosts"]["standby-1"]["stops"] == 1
    house.sim("mains", "on")
    wait(lambda: host(house) == "running", 60.0, "a server that is back")


def test_a_drill_tries_the_way_to_the_server_and_touches_nothing(
    new_house: Callable[..., House],
) -> None:
    house = new_house(QUICK, example=SERVERS)
    house.start_controller()
    wait(lambda: plan(house)["hosts"][0]["evidence"].get("client") == "up", what="its banner")
    done = house.command("request", "CONFIG", "drill", "plan=outage", "--wait", within_s=40.0)
    assert done.returncode == 0, (done, house.said())
    shown = plan(house)
    assert shown["last_run"]["kind"] == "drill"
    assert shown["drill"]["steps"][0]["ok"] is True
    assert house.truth()["hosts"]["standby-1"]["phase"] == "up"


def test_a_silent_ups_is_lost_and_sheds_nothing_while_the_mains_contact_is_there(
    new_house: Callable[..., House],
) -> None:
    house = new_house(example=SERVERS)
    house.start_controller()
    wait(lambda: house.point("main-ups.supply")["value"] == "mains", what="the UPS's word")
    house.sim("main-ups", "silent")
    wait(lambda: house.point("main-ups.supply")["quality"] == "stale", what="its age")
    wait(lambda: "main-ups.lost" in house.alarms(), what="the loss")
    assert plan(house)["power"]["state"] == "lost"
    assert host(house) == "running"
    house.sim("main-ups", "normal")
    wait(lambda: plan(house)["power"]["state"] == "mains", what="the UPS back")
