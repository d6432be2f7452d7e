from __future__ import annotations

import msgspec
import pytest

from simulators.contacts import BOUNCE_S
from simulators.plan import ClimatePart, CoilPart, ContactPart, Loop, Plan, ProjectorPart
from simulators.subjects import Refused
from simulators.world import LOG_LENGTH, World

NO, NC = 17, 18
DOOR, MAINS, PROOF = 22, 23, 24
POWER_CUT, UPS_CUT, AIRCON, OUTLET = 16, 13, 20, 21
LOW, HIGH = False, True


@pytest.fixture
def world(room: Plan) -> World:
    return World(room, 1000.0)


def with_coil(room: Plan, coil: CoilPart) -> Plan:
    others = tuple(part for part in room.coils if part.id != coil.id)
    return msgspec.structs.replace(room, coils=(*others, coil))


def test_a_healthy_room_shows_closed_loops_low_and_open_ones_high(world: World) -> None:
    assert world.levels == {NO: HIGH, NC: LOW, DOOR: LOW, MAINS: LOW, PROOF: HIGH}


@pytest.mark.parametrize(
    ("subject", "value", "levels"),
    [
        pytest.param("smoke-1", "on", {NO: LOW, NC: HIGH}, id="smoke"),
        pytest.param("smoke-1", "cut-wire", {NO: HIGH, NC: HIGH}, id="a cut wire of a pair"),
        pytest.param("smoke-1", "silent", {NO: HIGH, NC: HIGH}, id="a silent pair"),
        pytest.param("front-door", "open", {DOOR: HIGH}, id="an open door"),
        pytest.param("front-door", "on", {DOOR: HIGH}, id="an open door in other words"),
        pytest.param("front-door", "cut-wire", {DOOR: HIGH}, id="a cut wire of a door"),
        pytest.param("mains", "off", {MAINS: HIGH}, id="no mains"),
        pytest.param("mains", "silent", {MAINS: HIGH}, id="a silent mains contact"),
        pytest.param("cut-proof", "on", {PROOF: LOW}, id="a welded auxiliary contact"),
    ],
)
def test_what_sim_sets_shows_on_the_pins_until_normal(
    world: World, subject: str, value: str, levels: dict[int, bool]
) -> None:
    healthy = world.levels
    world.sim(subject, value)
    assert world.levels == healthy | levels
    world.sim(subject, "normal")
    assert world.levels == healthy


def test_a_cut_wire_stays_cut_when_the_contact_moves(world: World) -> None:
    world.sim("smoke-1", "cut-wire")
    world.sim("smoke-1", "on")
    assert (world.levels[NO], world.levels[NC]) == (HIGH, HIGH)


def test_a_bouncing_contact_chatters_and_then_stays_at_its_new_level(world: World) -> None:
    world.take_edges()
    world.sim("front-door", "bounce")
    world.advance(1000.0 + 0.5)
    edges = world.take_edges()
    assert [edge.at_s - 1000.0 for edge in edges] == pytest.approx(list(BOUNCE_S))
    assert [edge.high for edge in edges] == [HIGH, LOW, HIGH, LOW, HIGH, LOW, HIGH]
    assert world.truth()["contacts"]["front-door"]["value"] is True


def test_a_new_command_ends_a_bounce(world: World) -> None:
    world.sim("front-door", "bounce")
    world.sim("front-door", "closed")
    world.take_edges()
    world.advance(1001.0)
    assert world.take_edges() == []
    assert world.levels[DOOR] is LOW


def test_the_proof_of_a_cut_follows_its_breaker(world: World) -> None:
    world.drive({POWER_CUT: HIGH})
    assert world.levels[PROOF] is LOW
    world.drive({POWER_CUT: LOW})
    assert world.levels[PROOF] is HIGH


def test_a_stuck_breaker_ignores_its_coil_until_normal(world: World) -> None:
    world.sim("power-cut", "stuck")
    world.drive({POWER_CUT: HIGH})
    assert world.levels[PROOF] is HIGH
    world.sim("power-cut", "normal")
    assert world.levels[PROOF] is LOW


def test_a_shunt_trip_stays_open_until_somebody_recloses_it(room: Plan) -> None:
    shunt = CoilPart("power-cut", "cut-off", POWER_CUT, scope="room", shunt=True)
    world = World(with_coil(room, shunt), 0.0)
    world.drive({POWER_CUT: HIGH})
    world.drive({POWER_CUT: LOW})
    assert world.levels[PROOF] is LOW
    world.sim("power-cut", "closed")
    assert world.levels[PROOF] is HIGH


def test_a_shunt_trip_cannot_be_reclosed_while_its_coil_cuts(room: Plan) -> None:
    shunt = CoilPart("power-cut", "cut-off", POWER_CUT, scope="room", shunt=True)
    world = World(with_coil(room, shunt), 0.0)
    world.drive({POWER_CUT: HIGH})
    world.sim("power-cut", "closed")
    assert world.levels[PROOF] is LOW


def test_a_breaker_opened_by_hand_shows_without_any_command(world: World) -> None:
    world.sim("power-cut", "open")
    assert world.levels[PROOF] is LOW
    world.sim("power-cut", "closed")
    assert world.levels[PROOF] is HIGH


def test_a_contactor_held_in_cuts_when_its_line_is_not_driven(room: Plan) -> None:
    held_in = CoilPart("power-cut", "cut-off", POWER_CUT, scope="room", on_when_energised=False)
    world = World(with_coil(room, held_in), 0.0)
    assert world.levels[PROOF] is LOW
    world.drive({POWER_CUT: HIGH})
    assert world.levels[PROOF] is HIGH


def test_a_low_active_relay_energises_on_a_low_level(room: Plan) -> None:
    low_active = CoilPart("power-cut", "cut-off", POWER_CUT, scope="room", active_high=False)
    world = World(with_coil(room, low_active), 0.0)
    assert world.levels[PROOF] is HIGH  # nobody drives the line yet
    world.drive({POWER_CUT: LOW})
    assert world.levels[PROOF] is LOW


@pytest.mark.parametrize("loss", ["mains off", "power-cut open", "outlet"])
def test_a_projector_loses_its_supply_with_mains_breaker_or_outlet(
    world: World, loss: str
) -> None:
    world.sim("hall", "on")
    world.advance(1060.0)
    if loss == "outlet":
        world.drive({OUTLET: HIGH})
    else:
        world.sim(*loss.split())
    hall = world.truth()["projectors"]["hall"]
    assert (hall["power"], hall["hot_cuts"]) == ("unpowered", 1)


def test_a_projector_on_the_ups_outlives_the_mains_but_not_the_ups_cut(room: Plan) -> None:
    on_ups = msgspec.structs.replace(room.projectors[0], on_ups=True)
    world = World(msgspec.structs.replace(room, projectors=(on_ups,), has_ups=True), 0.0)
    world.sim("mains", "off")
    world.drive({POWER_CUT: HIGH})
    assert world.truth()["projectors"]["hall"]["power"] == "standby"
    world.drive({UPS_CUT: HIGH})
    assert world.truth()["projectors"]["hall"]["power"] == "unpowered"


def test_the_room_warms_when_its_air_conditioner_stops_and_cools_when_it_runs(
    world: World,
) -> None:
    world.drive({AIRCON: HIGH})
    world.advance(1000.0 + 3600.0)
    warm_c = world.truth()["air"]["temperature_c"]
    assert warm_c > 40.0
    world.drive({AIRCON: LOW})
    world.advance(1000.0 + 7200.0)
    assert world.truth()["air"]["temperature_c"] < 24.0


def test_a_lit_lamp_warms_the_room(world: World) -> None:
    world.sim("hall", "on")
    world.advance(1000.0 + 36_000.0)
    assert world.truth()["air"]["temperature_c"] == pytest.approx(25.0, abs=0.05)


def test_the_racks_stop_heating_when_what_feeds_them_is_cut(room: Plan) -> None:
    without_ups = World(room, 0.0)
    without_ups.drive({POWER_CUT: HIGH})
    assert without_ups.truth()["air"]["heat_w"] == 0.0
    with_ups = World(msgspec.structs.replace(room, has_ups=True), 0.0)
    with_ups.drive({POWER_CUT: HIGH})
    assert with_ups.truth()["air"]["heat_w"] == 3000.0
    with_ups.drive({UPS_CUT: HIGH})
    assert with_ups.truth()["air"]["heat_w"] == 0.0


def test_looking_often_changes_nothing(room: Plan) -> None:
    often, once = World(room, 0.0), World(room, 0.0)
    for world in (often, once):
        world.sim("hall", "on")
    for tenth in range(1, 1000):
        often.advance(tenth / 10)
    often.advance(100.0)
    once.advance(100.0)
    assert often.truth()["projectors"]["hall"] == pytest.approx(once.truth()["projectors"]["hall"])
    assert often.truth()["air"] == pytest.approx(once.truth()["air"])


def test_a_clock_that_steps_back_stops_nothing(world: World) -> None:
    world.advance(900.0)
    assert world.now_s == 1000.0


def test_an_unknown_subject_is_refused_with_those_there_are(world: World) -> None:
    with pytest.raises(Refused) as refusal:
        world.sim("smoke-9", "on")
    assert str(refusal.value) == (
        "'smoke-9' is not in this room's world; there are: aircon, clock, cut-proof, front-door, "
        "hall, hall-outlet, mains, power-cut, rack-air, rack-air.humidity, rack-air.temperature, "
        "smoke-1, ups-cut"
    )


@pytest.mark.parametrize(
    ("subject", "value", "complaint"),
    [
        ("smoke-1", "open", "smoke-1: 'open' is not one of on, off, normal, cut-wire,"),
        ("rack-air.temperature", "warm", "rack-air.temperature: 'warm' is not one of -40..80"),
        ("rack-air.temperature", "81", "rack-air.temperature: '81' is not one of -40..80, normal"),
        ("rack-air.temperature", "nan", "rack-air.temperature: 'nan' is not one of"),
        ("hall", "silent", "hall: 'silent' is not one of on, off, normal"),
        ("siren", "stuck", "'siren' is not in this room's world"),
    ],
)
def test_an_impossible_value_is_refused_and_changes_nothing(
    world: World, subject: str, value: str, complaint: str
) -> None:
    before = world.truth()
    with pytest.raises(Refused) as refusal:
        world.sim(subject, value)
    assert str(refusal.value).startswith(complaint)
    assert world.truth() == before


def test_a_remote_that_the_projector_does_not_take_is_refused(world: World) -> None:
    world.sim("mains", "off")
    with pytest.raises(Refused, match="hall: does not take 'on' while unpowered"):
        world.sim("hall", "on")


def test_a_room_without_a_mains_contact_still_has_mains_to_lose(room: Plan) -> None:
    others = tuple(part for part in room.contacts if part.role != "mains")
    world = World(msgspec.structs.replace(room, contacts=others), 0.0)
    world.sim("mains", "off")
    assert world.truth()["supply"]["mains"] is False
    assert world.truth()["projectors"]["hall"]["power"] == "unpowered"


def test_cutting_the_wire_of_the_mains_contact_leaves_the_mains_on(world: World) -> None:
    world.sim("mains", "cut-wire")
    assert world.truth()["supply"]["mains"] is True


def test_the_log_keeps_the_last_edges_and_forgets_the_oldest(world: World) -> None:
    for n in range(LOG_LENGTH + 100):
        world.drive({12: n % 2 == 0})
    assert len(world.log) == LOG_LENGTH
    last = world.log[-1]
    assert (last.pin, last.high) == (12, False)


def test_a_line_that_is_driven_as_it_was_makes_no_edge(world: World) -> None:
    world.drive({12: HIGH})
    edges = len(world.log)
    world.drive({12: HIGH})
    assert len(world.log) == edges


def test_held_values_stand_until_normal_gives_them_back_to_the_air(world: World) -> None:
    world.sim("rack-air.temperature", "35")
    world.sim("rack-air.humidity", "61.5")
    assert world.truth()["sensors"]["rack-air"]["held"] == {"temperature": 35.0, "humidity": 61.5}
    world.sim("rack-air.temperature", "normal")
    assert world.truth()["sensors"]["rack-air"]["held"] == {"humidity": 61.5}
    world.sim("rack-air", "normal")
    assert world.truth()["sensors"]["rack-air"]["held"] == {}


def test_a_room_of_nothing_still_has_a_world() -> None:
    world = World(Plan(), 0.0)
    world.advance(10.0)
    assert world.levels == {}


def test_a_part_that_is_not_there_has_no_feedback_and_no_outlet() -> None:
    plan = Plan(
        contacts=(ContactPart("proof", "feedback", (Loop(5, True),), of="real-cut"),),
        climates=(ClimatePart("air", "dht11"),),
        projectors=(ProjectorPart("hall", "real-outlet", cooling_s=60.0),),
    )
    world = World(plan, 0.0)
    assert world.levels == {5: HIGH}
    assert world.truth()["projectors"]["hall"]["power"] == "standby"
