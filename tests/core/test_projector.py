"""A projector that tells its lamp's state: on, off, cooling, and what is not known."""

from __future__ import annotations

import pytest

from controller.core.request import Status
from controller.core.restart import Boot
from simulators.projector import Power

ROOM = """
[[input]]
id = "mains"
kind = "contact"
role = "mains"
pin = 23
contact = "no"
[[input]]
id = "smoke-1"
kind = "contact-pair"
role = "smoke"
pins = [17, 18]
[[input]]
id = "smoke-2"
kind = "contact-pair"
role = "smoke"
pins = [27, 26]
[[output]]
id = "power-cut"
kind = "relay"
role = "cut-off"
scope = "room"
pin = 16
[[output]]
id = "hall-outlet"
kind = "relay"
role = "outlet"
pin = 21
energised = "off"
[[projector]]
id = "hall"
outlet = "hall-outlet"
kind = "pjlink"
address = "127.0.0.1:4352"
[fire]
fed = "outside"
"""
COOLING_S = 300.0


@pytest.fixture
def rig(rigged):
    """The projector is off and cold, and its outlet is off."""
    rig = rigged(ROOM)
    rig.ask("release-lamp", id="hall")
    rig.run(2.0)
    assert not rig.on("hall-outlet")
    return rig


@pytest.fixture
def lit(rig):
    """The projector is on."""
    rig.ask("projector-on", id="hall")
    rig.run(40.0)
    assert rig.lamps["hall"].body.power is Power.ON
    return rig


def body(rig):
    return rig.lamps["hall"].body


def seconds_until_the_outlet_goes(rig, limit_s=2000.0):
    return rig.run_until(lambda: not rig.on("hall-outlet"), limit_s, step_s=0.5)


def test_switching_on_supplies_the_outlet_first_and_commands_two_seconds_later(rig):
    answer = rig.ask("projector-on", id="hall")
    assert rig.on("hall-outlet")
    rig.run(1.9)
    assert rig.lamps["hall"].sent == []
    rig.run(0.5)
    assert rig.lamps["hall"].sent == ["on"]
    rig.run(40.0)
    assert body(rig).power is Power.ON
    assert rig.end_of(answer) is Status.DONE


def test_a_projector_that_was_switched_on_stays_on(lit):
    lit.run(500.0)
    assert body(lit).power is Power.ON
    assert lit.output("hall-outlet").until_s is None


def test_switched_on_for_a_time_it_is_switched_off_in_good_order_at_its_end(rig):
    rig.ask("projector-on", id="hall", for_="10min")
    rig.run(595.0)
    assert body(rig).power is Power.ON
    rig.run(10.0)
    assert rig.lamps["hall"].sent == ["on", "off"]
    assert body(rig).power is Power.COOLING
    rig.run(COOLING_S + 5.0)
    assert not rig.on("hall-outlet")
    assert body(rig).hot_cuts == 0


def test_switching_off_cools_the_lamp_before_the_outlet_goes(lit):
    answer = lit.ask("projector-off", id="hall")
    lit.run(1.0)
    assert lit.lamps["hall"].sent == ["on", "off"]
    lit.run(COOLING_S - 2.0)
    assert lit.on("hall-outlet")
    assert lit.output("hall-outlet").slot == 3
    lit.run(6.0)
    assert not lit.on("hall-outlet")
    assert lit.end_of(answer) is Status.DONE
    assert body(lit).hot_cuts == 0


def test_the_time_left_counts_down(lit):
    lit.ask("projector-off", id="hall")
    lit.run(101.0)
    left = lit.point("hall.cooling-left")
    assert left.value == pytest.approx(COOLING_S - 100.0, abs=3.0)


def test_cooling_lasts_until_the_projector_says_standby(lit):
    body(lit)._cooling_s = 420.0
    lit.ask("projector-off", id="hall")
    lit.run(415.0)
    assert lit.on("hall-outlet")
    lit.run(10.0)
    assert not lit.on("hall-outlet")
    assert body(lit).hot_cuts == 0


def test_standby_said_early_does_not_shorten_the_cooling(lit):
    body(lit)._cooling_s = 30.0
    lit.ask("projector-off", id="hall")
    assert seconds_until_the_outlet_goes(lit) >= COOLING_S - 1.0


def test_silence_after_a_confirmed_off_plus_the_full_time_counts_as_cooled(lit):
    lit.lamps["hall"].sleeps = True
    body(lit)._cooling_s = 60.0
    lit.ask("projector-off", id="hall")
    assert COOLING_S - 1.0 <= seconds_until_the_outlet_goes(lit) <= COOLING_S + 15.0


def test_an_off_command_that_fails_is_tried_three_times_ten_seconds_apart(lit):
    lit.lamps["hall"].deaf = True
    since_s = lit.at_s
    answer = lit.ask("projector-off", id="hall")
    lit.run(5.0)
    assert lit.lamps["hall"].sent[1:] == ["off"]
    lit.run(10.0)
    assert lit.lamps["hall"].sent[1:] == ["off"] * 2
    lit.run(10.0)
    assert lit.lamps["hall"].sent[1:] == ["off"] * 3
    lit.run(500.0)
    assert lit.lamps["hall"].sent[1:] == ["off"] * 3
    assert lit.alarm("hall.off-failed") == "active-unacknowledged"
    assert lit.end_of(answer) is Status.FAILED
    assert lit.moved(since_s) == []


def test_a_lamp_that_does_not_go_off_keeps_its_outlet_for_ever(lit):
    lit.lamps["hall"].deaf = True
    lit.ask("projector-off", id="hall")
    lit.run(700.0)
    assert lit.on("hall-outlet")


def test_an_off_command_that_can_not_be_sent_cools_nothing(lit):
    lit.lamps["hall"].mute = True
    lit.ask("projector-off", id="hall")
    lit.run(700.0)
    assert lit.on("hall-outlet")


def test_the_remote_control_starts_the_cooling_time_too(lit):
    lit.remote("hall", False)
    lit.run(COOLING_S - 5.0)
    assert lit.on("hall-outlet")
    assert lit.point("hall.cooling-left").value == pytest.approx(5.0, abs=4.0)


def test_cooling_counts_from_the_last_moment_the_lamp_may_have_been_on(lit):
    """Silent while the remote switched it off: lit perhaps until it was heard again."""
    lit.lamps["hall"].mute = True
    lit.run(100.0)
    lit.remote("hall", False)
    lit.run(200.0)
    lit.lamps["hall"].mute = False
    lit.ask("projector-off", id="hall")
    lit.run(COOLING_S - 5.0)
    assert lit.on("hall-outlet")
    lit.run(15.0)
    assert not lit.on("hall-outlet")


def test_on_during_cooling_waits_and_is_shown_as_waiting(lit):
    lit.ask("projector-off", id="hall")
    lit.run(60.0)
    answer = lit.ask("projector-on", id="hall")
    assert answer.status is Status.ACCEPTED
    lit.run(200.0)
    assert lit.lamps["hall"].sent == ["on", "off"]
    assert body(lit).power is Power.COOLING
    lit.run(100.0)
    assert lit.lamps["hall"].sent == ["on", "off", "on"]
    assert body(lit).is_lit
    lit.run(40.0)
    assert lit.end_of(answer) is Status.DONE
    assert lit.on("hall-outlet")


def test_off_while_on_is_waiting_takes_the_wish_back(lit):
    lit.ask("projector-off", id="hall")
    lit.run(60.0)
    waiting = lit.ask("projector-on", id="hall")
    lit.run(10.0)
    lit.request("projector-off", id="hall")
    lit.run(COOLING_S)
    assert lit.lamps["hall"].sent == ["on", "off"]
    assert not lit.on("hall-outlet")
    assert lit.end_of(waiting) not in (Status.ACCEPTED, Status.DONE)


def test_pressing_on_twice_changes_nothing(lit):
    moves = len(lit.moves)
    lit.request("projector-on", id="hall")
    lit.run(60.0)
    assert lit.lamps["hall"].sent == ["on"]
    assert len(lit.moves) == moves


def test_pressing_off_twice_changes_nothing(lit):
    lit.ask("projector-off", id="hall")
    lit.run(100.0)
    lit.request("projector-off", id="hall")
    assert lit.lamps["hall"].sent == ["on", "off"]
    took_s = seconds_until_the_outlet_goes(lit)
    assert took_s == pytest.approx(COOLING_S - 100.0, abs=4.0)
    assert lit.lamps["hall"].sent == ["on", "off"]


def test_every_request_comes_to_an_end_when_on_is_followed_by_off(rig):
    on = rig.ask("projector-on", id="hall")
    rig.run(1.0)
    off = rig.ask("projector-off", id="hall")
    rig.run(500.0)
    assert rig.end_of(on) in (Status.DONE, Status.FAILED, Status.EXPIRED)
    assert rig.end_of(off) is Status.DONE
    assert not rig.on("hall-outlet")
    assert body(rig).hot_cuts == 0


def test_a_projector_that_never_lights_fails_the_request(rig):
    rig.lamps["hall"].mute = True
    answer = rig.ask("projector-on", id="hall")
    rig.run(900.0)
    assert rig.end_of(answer) in (Status.FAILED, Status.EXPIRED)


def test_a_projector_of_another_name_is_refused(rig):
    assert rig.request("projector-on", id="attic").status is Status.REFUSED


def test_a_start_needs_the_mains(rig):
    rig.mains_fails()
    rig.run(1.0)
    answer = rig.request("projector-on", id="hall")
    assert answer.status is Status.REFUSED
    assert answer.reason.id.startswith("permissive.mains")
    assert not rig.on("hall-outlet")


def test_a_start_needs_a_mains_contact_that_is_good(rig):
    rig.wire("mains", None)
    rig.run(1.0)
    assert rig.request("projector-on", id="hall").status is Status.REFUSED


def test_loss_of_the_mains_of_a_lit_lamp_is_a_hot_cut(lit):
    lit.mains_fails()
    lit.run(5.0)
    assert lit.alarm("hall.hot-cut") == "active-unacknowledged" or lit.alarm(
        "hall.hot-cut"
    ).startswith("latched")


def test_time_without_power_does_not_count_as_cooling(lit):
    lit.ask("projector-off", id="hall")
    lit.run(100.0)
    lit.mains_fails()
    lit.run(400.0)
    assert lit.on("hall-outlet")
    lit.mains_returns()
    lit.run(195.0)
    assert lit.on("hall-outlet")
    lit.run(COOLING_S)
    assert not lit.on("hall-outlet")


def test_after_a_hot_cut_the_fan_gets_the_full_time(lit):
    lit.mains_fails()
    lit.run(60.0)
    lit.mains_returns()
    lit.run(5.0)
    lit.request("projector-off", id="hall")
    lit.run(COOLING_S - 10.0)
    assert lit.on("hall-outlet")


def test_a_fire_cuts_a_lit_lamp_and_says_so(lit):
    lit.set("smoke-1", True)
    lit.run(1.0)
    lit.set("smoke-2", True)
    lit.run(5.0)
    assert lit.on("power-cut")
    assert body(lit).hot_cuts == 1
    assert lit.alarm("hall.hot-cut") != "normal"
    assert lit.memory.rules["projector.hall"].hot_cuts == 1


def test_the_fire_leaves_the_lamps_outlet_on_for_it_is_the_supply_that_is_cut(lit):
    lit.set("smoke-1", True)
    lit.run(10.0)
    assert lit.on("hall-outlet")
    assert body(lit).power is Power.ON


def test_on_is_refused_during_a_fire(rig):
    rig.set("smoke-1", True)
    rig.run(1.0)
    assert rig.request("projector-on", id="hall").status is Status.REFUSED


def test_a_lamp_never_heard_of_is_hot(rigged):
    rig = rigged(ROOM)
    rig.lamps["hall"].mute = True
    rig.start(rig.room.first_memory(rig.mono_s), {}, Boot(same=False))
    rig.run(700.0)
    assert rig.on("hall-outlet")


def test_a_lamp_never_heard_of_is_released_by_a_person_in_the_room(rigged):
    rig = rigged(ROOM)
    rig.lamps["hall"].mute = True
    rig.restart(same_boot=False)
    rig.run(320.0)
    rig.ask("release-lamp", id="hall")
    rig.run(5.0)
    assert not rig.on("hall-outlet")


def test_a_lamp_never_heard_of_cools_for_its_full_time_after_an_off_that_was_sent(rigged):
    rig = rigged(ROOM)
    rig.lamps["hall"].mute = True
    rig.restart(same_boot=False)
    rig.run(100.0)
    rig.lamps["hall"].mute = False
    rig.ask("projector-off", id="hall")
    rig.run(5.0)
    rig.run(COOLING_S - 10.0)
    assert rig.on("hall-outlet")
    rig.run(20.0)
    assert not rig.on("hall-outlet")


def test_an_unknown_word_of_the_projector_is_never_standby(lit):
    lit.lamps["hall"].says = "unknown"
    lit.ask("projector-off", id="hall")
    lit.run(700.0)
    assert lit.on("hall-outlet")


def test_a_projector_switched_on_by_its_remote_is_taken_as_lit(rigged):
    rig = rigged(ROOM)
    rig.run(10.0)
    rig.remote("hall", True)
    rig.run(320.0)
    assert rig.on("hall-outlet")
    assert body(rig).power is Power.ON


def test_a_projector_whose_outlet_is_off_is_not_alarmed_as_silent(rig):
    """Without its supply it cannot answer: that is no fault, and no alarm of a quiet night."""
    rig.run(60.0)
    assert rig.alarms() == set()


def test_after_a_fire_cut_a_hot_lamp_and_the_restore_its_fan_gets_the_full_time(lit):
    lit.set("smoke-1", True)
    lit.run(1.0)
    lit.set("smoke-2", True)
    lit.run(600.0)
    lit.set("smoke-1", False)
    lit.set("smoke-2", False)
    lit.run(1.0)
    lit.ask("reset", alarm="fire.confirmed")
    lit.ask("restore")
    lit.run(15.0)
    assert lit.on("hall-outlet")
    lit.run(COOLING_S - 20.0)
    assert lit.on("hall-outlet")
    lit.run(30.0)
    assert not lit.on("hall-outlet")
    assert lit.lamps["hall"].sent == ["on"], "nobody asked for the lamp after the fire"


def test_a_year_on_the_wall_clock_neither_shortens_nor_lengthens_the_cooling(lit):
    lit.ask("projector-off", id="hall")
    lit.run(100.0)
    lit.wall_jumps(365 * 86400.0)
    lit.run(100.0)
    lit.wall_jumps(-730 * 86400.0)
    lit.run(95.0)
    assert lit.on("hall-outlet")
    lit.run(15.0)
    assert not lit.on("hall-outlet")


def test_a_lamp_lit_by_hand_since_its_last_word_is_not_cut_by_an_off(rig):
    rig.ask("projector-on", id="hall")
    rig.run(1.0)  # the outlet is on, the lamp not yet told
    rig.remote("hall", True)
    rig.ask("projector-off", id="hall")
    assert rig.on("hall-outlet")
    rig.run(60.0)
    assert rig.on("hall-outlet"), "it is lit or cooling: its outlet stays"


@pytest.mark.parametrize("how", ["it falls silent", "the controller restarts"])
def test_a_lamp_lit_by_hand_and_not_heard_since_an_off_keeps_its_outlet(rig, how):
    """Its last word was of before somebody lit it; silence proves nothing after that."""
    rig.ask("projector-on", id="hall")
    rig.run(0.6)
    rig.remote("hall", True)
    rig.ask("projector-off", id="hall")
    rig.lamps["hall"].mute = True
    if how == "the controller restarts":
        rig.restart(same_boot=True)
    rig.run(60.0)
    assert rig.on("hall-outlet")
    assert rig.lamps["hall"].body.is_lit
    rig.lamps["hall"].mute = False
    rig.remote("hall", False)
    rig.run(400.0)
    assert rig.causes("projector")[-1] == ("hall", "projector.cooled")
