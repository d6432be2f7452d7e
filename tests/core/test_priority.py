"""The priority array: the highest slot wins, ties go by the role, rest is kept."""

from __future__ import annotations

from itertools import permutations

import pytest

from controller.core.priority import (
    Demand,
    OutputSpec,
    OutputState,
    Slot,
    coil,
    commanded,
    pulse_end_s,
    winner,
)
from controller.core.reason import why
from controller.core.request import Status
from controller.core.roles import output_role

# Of the specification: which wins when one slot asks for both, and slot 16.
TIES = {
    ("cut-off", None, False): (True, False),
    ("siren", None, False): (True, False),
    ("beacon", None, False): (True, False),
    ("cooling", None, False): (False, False),
    ("cooling", None, True): (False, True),
    ("outlet", "projector", False): (True, False),
    ("outlet", "host", False): (True, True),
    ("outlet", None, False): (False, False),
    ("light", None, False): (False, False),
    ("door-release", None, False): (True, False),
    ("detector-reset", None, False): (False, False),
}


def spec_of(role, feeds, standing):
    about = output_role(role, feeds, standing)
    return OutputSpec("x", role, default=about.default == "on", on_wins=about.on_wins)


@pytest.mark.parametrize("key", TIES, ids=lambda key: "-".join(map(str, key)))
def test_a_tie_goes_by_the_role_whatever_the_order(key):
    on_wins, default = TIES[key]
    spec = spec_of(*key)
    demands = [Demand("x", Slot.OPERATOR, on, why(f"wants {on}")) for on in (True, False)]
    for order in permutations([*demands, Demand("x", Slot.AUTOMATIC, not on_wins, why("low"))]):
        assert winner(spec, order).on is on_wins
    assert winner(spec, []).on is default
    assert winner(spec, []).slot is Slot.DEFAULT


@pytest.mark.parametrize("on", [True, False])
def test_the_highest_slot_wins_whatever_the_role(on):
    for key in TIES:
        spec = spec_of(*key)
        demands = [Demand("x", slot, (slot is Slot.INTERLOCK) is on, why("x")) for slot in Slot]
        for skipped in range(3):
            best = min(demand.slot for demand in demands[skipped:])
            assert winner(spec, demands[skipped:]).slot is best
        assert winner(spec, demands[2:]).on is on


def test_the_slots_are_those_of_the_specification():
    assert [int(slot) for slot in Slot] == [1, 2, 3, 5, 7, 8, 10, 12, 16]


def test_a_held_output_says_who_holds_it_why_and_until_when():
    spec = OutputSpec("x", "light")
    was = OutputState(False, Slot.DEFAULT, why("default"), 0.0)
    demand = Demand("x", Slot.OPERATOR, True, why("operator", by="keeper"), 100.0)
    now = commanded(spec, was, [demand], 5.0)
    assert now == OutputState(True, Slot.OPERATOR, demand.reason, 5.0, 100.0)
    assert commanded(spec, now, [demand], 6.0) is now
    higher = Demand("x", Slot.LIFE_SAFETY, True, why("fire.confirmed"))
    taken = commanded(spec, now, [demand, higher], 7.0)
    assert (taken.slot, taken.since_s) == (Slot.LIFE_SAFETY, 5.0)


@pytest.mark.parametrize(
    ("energised_on", "on", "energised"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, True)],
)
def test_the_coil_follows_the_wiring(energised_on, on, energised):
    spec = OutputSpec("x", "outlet", energised_on=energised_on)
    assert coil(spec, OutputState(on, Slot.DEFAULT, why("x"), 0.0), 1.0) is energised
    assert spec.unpowered is not energised_on


def test_a_pulsed_coil_is_energised_for_its_pulse_only():
    spec = OutputSpec("x", "cut-off", pulse_s=0.5)
    was = OutputState(False, Slot.DEFAULT, why("default"), 0.0)
    cut = commanded(spec, was, [Demand("x", Slot.LIFE_SAFETY, True, why("cut.fire"))], 10.0)
    assert pulse_end_s(spec, cut, 10.0) == 10.5
    assert [coil(spec, cut, s) for s in (10.0, 10.49, 10.5, 1000.0)] == [True, True, False, False]
    assert cut.on
    back = commanded(spec, cut, [], 20.0)
    assert not coil(spec, back, 20.0)


ROOM = """
[[output]]
id = "lights"
kind = "relay"
role = "light"
pin = 10
[[output]]
id = "aircon"
kind = "relay"
role = "cooling"
pin = 20
minimum_off = "3min"
"""


@pytest.mark.parametrize(("keys", "seconds"), [({}, 7200.0), ({"for_": "10min"}, 600.0)])
def test_an_operators_switch_always_has_an_end(rigged, keys, seconds):
    rig = rigged(ROOM)
    rig.ask("switch", output="lights", to="on", **keys)
    state = rig.output("lights")
    assert state.on
    assert state.slot is Slot.OPERATOR
    assert state.until_s == rig.mono_s + seconds
    rig.leap(seconds - 1.0)
    rig.run(0.5)
    assert rig.on("lights")
    rig.run(0.6)
    assert not rig.on("lights")
    assert rig.output("lights").slot is Slot.DEFAULT


def test_a_second_switch_takes_the_place_of_the_first(rigged):
    rig = rigged(ROOM)
    rig.ask("switch", output="lights", to="on", for_="10min")
    rig.run(10.0)
    rig.ask("switch", output="lights", to="off", for_="1min")
    assert not rig.on("lights")
    rig.run(120.0)
    assert not rig.on("lights")


def test_release_gives_the_output_back(rigged):
    rig = rigged(ROOM)
    rig.ask("switch", output="lights", to="on")
    rig.run(1.0)
    rig.ask("release", output="lights")
    assert not rig.on("lights")
    assert rig.request("release", output="lights").status is Status.REFUSED


def test_who_switched_is_told_and_recorded(rigged):
    rig = rigged(ROOM)
    rig.ask("switch", output="lights", to="on", actor="anna")
    assert rig.output("lights").reason.values["by"] == "anna"
    asked = [event for _, event in rig.events if event.kind == "request"]
    assert [event.actor for event in asked] == ["anna"]


def test_a_compressor_rests_before_it_starts_again(rigged):
    rig = rigged(ROOM)
    rig.ask("switch", output="aircon", to="on")
    rig.run(200.0)
    assert rig.on("aircon")
    rig.ask("switch", output="aircon", to="off")
    rig.run(10.0)
    since_s = rig.at_s
    rig.ask("switch", output="aircon", to="on")
    rig.run(1.0)
    assert not rig.on("aircon")
    assert rig.output("aircon").slot is Slot.INTERLOCK
    rig.run(168.0)
    assert not rig.on("aircon")
    rig.run(3.0)
    assert rig.on("aircon")
    assert [move.at_s - since_s for move in rig.moves if move.at_s >= since_s] == [
        pytest.approx(170.0, abs=1.0)
    ]


def test_switching_back_and_forth_quickly_starts_no_compressor_early(rigged):
    rig = rigged(ROOM)
    rig.ask("switch", output="aircon", to="on")
    rig.run(200.0)
    rig.ask("switch", output="aircon", to="off")
    for _ in range(10):
        rig.ask("switch", output="aircon", to="on")
        rig.run(5.0)
        rig.ask("switch", output="aircon", to="off")
        rig.run(5.0)
    assert not rig.on("aircon")
    changes = [move.on for move in rig.moves if move.output == "aircon"]
    assert changes == [True, False]
