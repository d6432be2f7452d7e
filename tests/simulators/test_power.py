"""Mains, UPSes, hosts and contacts of one room, without a socket."""

from __future__ import annotations

import msgspec
import pytest

from simulators.plan import CoilPart, ContactPart, Loop, Plan, ProjectorPart
from simulators.powerplan import HostPart, UpsPart
from simulators.subject import Refused
from simulators.world import World

POWER_CUT, UPS_CUT, OUTLET = 16, 13, 20
HIGH = True

ROOM = Plan(
    contacts=(
        ContactPart("mains", "mains", (Loop(23, True),)),
        ContactPart("on-battery", "ups-on-battery", (Loop(5, True),), of="main-ups"),
        ContactPart("low", "ups-battery-low", (Loop(6, True),), of="main-ups"),
        ContactPart("trouble", "ups-fault", (Loop(7, True),), of="main-ups"),
    ),
    coils=(
        CoilPart("power-cut", "cut-off", POWER_CUT, scope="room"),
        CoilPart("ups-cut", "cut-off", UPS_CUT, scope="ups"),
        CoilPart("nas-outlet", "outlet", OUTLET, on_when_energised=False),
    ),
    projectors=(ProjectorPart("hall", "hall-outlet", cooling_s=60.0, on_ups=True),),
    has_ups=True,
    upses=(UpsPart("main-ups"),),
    hosts=(
        HostPart("standby-1", mac="02:00:00:00:00:01", runs_upsmon=True),
        HostPart("nas", outlet="nas-outlet", starts_with_outlet=True),
    ),
)


@pytest.fixture
def world() -> World:
    return World(ROOM, 1000.0)


def hosts(world: World) -> dict[str, str]:
    return {id: str(host.phase) for id, host in world.power.hosts.items()}


def told(world: World) -> list[str]:
    return [id for id, contact in world.contacts.items() if contact.value and id != "mains"]


def test_an_outage_to_its_end_and_the_return_without_anybodys_help(world: World) -> None:
    seen = []
    for value, after_s in (("on", 0), ("off", 0), ("off", 1081), ("off", 1200), ("on", 1200)):
        world.advance(1000.0 + after_s)
        world.sim("mains", value)
        seen.append((world.power.upses["main-ups"].supply, told(world), hosts(world)["nas"]))
    assert seen == [
        ("mains", [], "up"),
        ("battery", ["on-battery"], "up"),
        ("battery", ["on-battery", "low"], "up"),
        ("off", [], "unpowered"),
        ("mains", [], "booting"),
    ]
    assert world.truth()["hosts"]["nas"]["hard_cuts"] == 1


def test_hosts_that_are_off_give_the_battery_time(world: World) -> None:
    ups = world.power.upses["main-ups"]
    assert (ups.load_w, ups.runtime_s) == (3000.0, pytest.approx(1200.0))
    world.sim("standby-1", "off")
    assert (ups.load_w, ups.runtime_s) == (2610.0, pytest.approx(1379.3, abs=0.1))
    assert world.air.heat_w == 2610.0


@pytest.mark.parametrize(
    ("pin", "supply", "phase"),
    [
        pytest.param(POWER_CUT, "battery", "up", id="the room's supply: the UPS carries it"),
        pytest.param(UPS_CUT, "mains", "unpowered", id="the UPS's output: it feeds nobody"),
    ],
)
def test_a_cut_takes_the_side_of_the_ups_that_it_stands_on(
    world: World, pin: int, supply: str, phase: str
) -> None:
    world.drive({pin: HIGH})
    assert world.power.upses["main-ups"].supply == supply
    assert hosts(world) == {"standby-1": phase, "nas": phase}
    lit = world.truth()["projectors"]["hall"]["power"]
    assert lit == ("standby" if phase == "up" else "unpowered")


def test_an_outlet_takes_the_power_of_its_host_alone(world: World) -> None:
    world.drive({OUTLET: HIGH})
    assert hosts(world) == {"standby-1": "up", "nas": "unpowered"}
    world.drive({OUTLET: False})
    world.advance(1020.0)
    assert hosts(world) == {"standby-1": "up", "nas": "up"}


def test_without_a_ups_the_hosts_go_with_the_mains() -> None:
    world = World(msgspec.structs.replace(ROOM, has_ups=False, upses=(), contacts=()), 0.0)
    world.sim("mains", "off")
    assert hosts(world) == {"standby-1": "unpowered", "nas": "unpowered"}


def test_a_real_ups_holds_the_simulated_hosts() -> None:
    world = World(msgspec.structs.replace(ROOM, upses=(), contacts=()), 0.0)
    world.sim("mains", "off")
    world.advance(1e6)
    assert hosts(world) == {"standby-1": "up", "nas": "up"}


def test_two_upses_share_the_load_and_either_carries_it_alone() -> None:
    world = World(
        msgspec.structs.replace(ROOM, upses=(UpsPart("main-ups"), UpsPart("other"))), 0.0
    )
    one, other = world.power.upses.values()
    assert (one.load_w, other.load_w) == (1500.0, 1500.0)
    world.sim("other.supply", "off")
    assert (one.load_w, other.load_w, hosts(world)["nas"]) == (3000.0, 0.0, "up")


def test_a_magic_packet_starts_its_host_once_it_is_down(world: World) -> None:
    world.stop_host("standby-1")
    world.wake("02:00:00:00:00:01")  # too early: nobody listens for it yet
    world.advance(1015.0)
    assert hosts(world)["standby-1"] == "off"
    world.wake("02:00:00:00:00:02")
    assert hosts(world)["standby-1"] == "off"
    world.wake("02:00:00:00:00:01")
    assert hosts(world)["standby-1"] == "booting"


def test_upsmon_stops_its_host_at_the_shutdown_and_again_until_it_is_cleared(
    world: World,
) -> None:
    world.set_nut_status("standby-1", "OB")
    assert hosts(world)["standby-1"] == "up"
    world.set_nut_status("standby-1", "FSD OB LB")
    assert hosts(world)["standby-1"] == "stopping"
    world.advance(1015.0)
    world.wake("02:00:00:00:00:01")
    world.advance(1035.0)
    assert hosts(world)["standby-1"] == "stopping"
    world.set_nut_status("standby-1", "OL")
    world.advance(1050.0)
    world.wake("02:00:00:00:00:01")
    world.advance(1070.0)
    assert hosts(world)["standby-1"] == "up"


@pytest.mark.parametrize(
    ("subject", "value", "supply", "contacts"),
    [
        ("main-ups", "self-test", "battery", ["on-battery"]),
        ("main-ups", "calibrate", "battery", ["on-battery"]),
        ("main-ups", "overload", "mains", ["trouble"]),
        ("main-ups", "replace-battery", "mains", ["trouble"]),
        ("main-ups.supply", "battery", "battery", ["on-battery"]),
        ("main-ups.supply", "off", "off", []),
        ("main-ups.input-voltage", "100", "battery", ["on-battery"]),
    ],
)
def test_what_sim_does_to_a_ups_shows_on_its_contacts_until_normal(
    world: World, subject: str, value: str, supply: str, contacts: list[str]
) -> None:
    world.sim(subject, value)
    assert (world.power.upses["main-ups"].supply, told(world)) == (supply, contacts)
    world.sim("main-ups", "normal")
    assert (world.power.upses["main-ups"].supply, told(world)) == ("mains", [])


def test_a_ups_of_contacts_is_silent_when_its_wires_are(world: World) -> None:
    world.sim("main-ups", "silent")
    assert [world.contacts[id].closed() for id in ("on-battery", "low")] == [(False,), (False,)]
    world.sim("mains", "off")
    assert world.contacts["on-battery"].closed() == (False,)
    world.sim("main-ups", "normal")
    assert world.contacts["on-battery"].closed() == (True,)


def test_a_self_test_during_an_outage_is_refused(world: World) -> None:
    world.sim("mains", "off")
    with pytest.raises(Refused, match="main-ups: no self-test while on battery"):
        world.sim("main-ups", "self-test")


@pytest.mark.parametrize(
    ("subject", "value", "complaint"),
    [
        ("main-ups", "garbage", "main-ups: 'garbage' is not one of silent, self-test"),
        ("main-ups.charge", "101", "main-ups.charge: '101' is not one of 0..100, normal"),
        ("main-ups.supply", "OB", "main-ups.supply: 'OB' is not one of battery, bypass, off"),
        ("nas", "stuck", "nas: 'stuck' is not one of silent, hang, no-boot, crash"),
    ],
)
def test_an_impossible_value_is_refused(
    world: World, subject: str, value: str, complaint: str
) -> None:
    with pytest.raises(Refused) as refusal:
        world.sim(subject, value)
    assert str(refusal.value).startswith(complaint)


def test_looking_often_changes_nothing_in_an_outage() -> None:
    often, once = World(ROOM, 0.0), World(ROOM, 0.0)
    for world in (often, once):
        world.sim("mains", "off")
        world.stop_host("standby-1")
    for step in range(1, 1500):
        often.advance(float(step))
    often.advance(1500.0)
    once.advance(1500.0)
    assert often.truth()["hosts"] == once.truth()["hosts"]
    assert often.truth()["upses"] == once.truth()["upses"]
    assert [edge.pin for edge in often.log] == [edge.pin for edge in once.log]
