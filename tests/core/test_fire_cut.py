"""From the countdown to the restore: hold, budget, both cuts, proof, latch, silence, reset."""

from __future__ import annotations

import pytest

from controller.core.request import Status

ROOM = """
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
[[input]]
id = "call-point"
kind = "contact"
role = "call-point"
pin = 5
contact = "no"
[[input]]
id = "emergency"
kind = "contact"
role = "emergency"
pin = 19
contact = "no"
[[input]]
id = "hold-button"
kind = "contact"
role = "hold"
pin = 25
contact = "no"
[[input]]
id = "silence-button"
kind = "contact"
role = "silence"
pin = 7
contact = "no"
[[input]]
id = "cut-proof"
kind = "contact"
role = "feedback"
of = "power-cut"
pin = 24
contact = "no"
[[input]]
id = "ups-cut-proof"
kind = "contact"
role = "feedback"
of = "ups-cut"
pin = 6
contact = "no"
[[output]]
id = "power-cut"
kind = "relay"
role = "cut-off"
scope = "room"
pin = 16
[[output]]
id = "ups-cut"
kind = "relay"
role = "cut-off"
scope = "ups"
pin = 13
[[output]]
id = "siren"
kind = "relay"
role = "siren"
pin = 12
[[output]]
id = "beacon"
kind = "relay"
role = "beacon"
pin = 8
[[output]]
id = "exit"
kind = "relay"
role = "door-release"
pin = 9
[[output]]
id = "aircon"
kind = "relay"
role = "cooling"
pin = 20
default = "on"
energised = "off"
minimum_off = "3min"
[[output]]
id = "racks"
kind = "relay"
role = "outlet"
pin = 21
default = "on"
energised = "off"
[[output]]
id = "lights"
kind = "relay"
role = "light"
pin = 10
[[output]]
id = "desk"
kind = "relay"
role = "outlet"
pin = 11
default = "on"
energised = "off"
"""
DETECTOR_RESET = """
[[output]]
id = "detector-supply"
kind = "relay"
role = "detector-reset"
pin = 14
"""
FIRE = '[fire]\nfed = "outside"\n'
CUTS = ("power-cut", "ups-cut")


@pytest.fixture
def room(rigged):
    def make(keys="", more=""):
        return rigged(ROOM + more + FIRE + keys)

    return make


def burn(rig):
    """Two detectors, one after the other."""
    rig.set("smoke-1", True)
    rig.run(1.0)
    rig.set("smoke-2", True)
    rig.run(0.3)


def burnt_out(rig):
    for id in ("smoke-1", "smoke-2"):
        rig.set(id, False)
    rig.run(1.0)


def cuts(rig):
    return [rig.on(id) for id in CUTS]


def test_a_confirmed_fire_cuts_the_room_and_the_ups_at_once(room):
    rig = room()
    before_s = rig.at_s
    burn(rig)
    assert cuts(rig) == [True, True]
    assert [rig.on(id) for id in ("siren", "beacon", "exit", "aircon")] == [
        True,
        True,
        True,
        False,
    ]
    assert all(rig.output(id).slot == 2 for id in (*CUTS, "siren", "beacon", "exit", "aircon"))
    cut_s = {move.output: move.at_s for move in rig.moves if move.output in CUTS}
    assert set(cut_s) == set(CUTS)
    assert all(at_s - before_s == pytest.approx(1.2, abs=0.01) for at_s in cut_s.values())


def test_a_budget_gives_hosts_time_and_then_every_cut_comes(room):
    rig = room('budget = "45s"\n')
    burn(rig)
    assert [rig.on(id) for id in ("siren", "beacon", "exit", "aircon")] == [
        True,
        True,
        True,
        False,
    ]
    rig.run(44.5)
    assert cuts(rig) == [False, False]
    rig.run(1.0)
    assert cuts(rig) == [True, True]


def test_smoke_clearing_during_the_budget_stops_nothing(room):
    rig = room('budget = "45s"\n')
    burn(rig)
    burnt_out(rig)
    rig.run(45.0)
    assert cuts(rig) == [True, True]


def test_the_emergency_contact_waits_for_no_budget(room):
    """It is manual life safety, and the hardware has cut already."""
    rig = room('budget = "45s"\n')
    rig.set("emergency", True)
    rig.run(0.2)
    assert cuts(rig) == [True, True]
    assert rig.output("power-cut").slot == 1


def test_the_hold_button_freezes_the_budget_while_pressed(room):
    rig = room('budget = "45s"\n')
    burn(rig)
    rig.run(20.0)
    rig.press("hold-button", 60.0)
    rig.run(24.0)
    assert cuts(rig) == [False, False]
    rig.run(2.0)
    assert cuts(rig) == [True, True]


def test_a_press_on_the_panel_holds_for_a_minute(room):
    rig = room('budget = "45s"\n')
    burn(rig)
    rig.run(20.0)
    rig.ask("hold")
    rig.run(60.0 + 24.0)
    assert cuts(rig) == [False, False]
    rig.run(1.5)
    assert cuts(rig) == [True, True]


def test_holds_last_three_minutes_in_all(room):
    rig = room('budget = "45s"\n')
    burn(rig)
    rig.run(20.0)
    for seconds in (50.0, 50.0, 50.0, 40.0):
        rig.press("hold-button", seconds)
        rig.run(1.0)
    # 190 s pressed, of which 180 s held: 20 + 4 + 10 s of the budget ran, 11 s are left.
    rig.run(10.0)
    assert cuts(rig) == [False, False]
    rig.run(2.0)
    assert cuts(rig) == [True, True]


def test_a_hold_that_is_never_let_go_ends_after_three_minutes(room):
    rig = room('budget = "45s"\n')
    burn(rig)
    rig.run(20.0)
    rig.set("hold-button", True)
    rig.run(180.0 + 24.0)
    assert cuts(rig) == [False, False]
    rig.run(2.0)
    assert cuts(rig) == [True, True]


def test_panel_and_button_share_the_three_minutes(room):
    rig = room('budget = "45s"\n')
    burn(rig)
    rig.ask("hold")
    rig.run(60.0)
    rig.ask("hold")
    rig.run(60.0)
    rig.press("hold-button", 70.0)
    # 190 s of holding, of which 180 s count: 35 s are left.
    rig.run(33.0)
    assert cuts(rig) == [False, False]
    rig.run(4.0)
    assert cuts(rig) == [True, True]


def test_hold_unconfirms_nothing(room):
    rig = room('budget = "45s"\n')
    burn(rig)
    rig.set("hold-button", True)
    rig.run(5.0)
    assert rig.alarm("fire.confirmed") == "active-unacknowledged"
    assert [rig.on(id) for id in ("siren", "beacon", "exit", "aircon")] == [
        True,
        True,
        True,
        False,
    ]


def test_there_is_nothing_to_hold_before_a_countdown(room):
    rig = room('budget = "45s"\n')
    assert rig.request("hold").reason.id == "refused.nothing-to-hold"


def test_with_no_budget_there_is_nothing_to_hold(room):
    rig = room()
    rig.set("hold-button", True)
    rig.run(1.0)
    burn(rig)
    assert cuts(rig) == [True, True]


def test_a_hold_button_active_for_three_minutes_is_a_fault_and_is_ignored(room):
    rig = room('budget = "45s"\n')
    rig.set("hold-button", True)
    rig.run(179.0)
    assert rig.alarm("hold-button.stuck") == "normal"
    rig.run(2.0)
    assert rig.alarm("hold-button.stuck") == "active-unacknowledged"
    burn(rig)
    rig.run(44.0)
    assert cuts(rig) == [False, False]
    rig.run(2.0)
    assert cuts(rig) == [True, True]


def test_a_hold_button_that_works_again_holds_again(room):
    rig = room('budget = "45s"\n')
    rig.press("hold-button", 200.0)
    rig.run(5.0)
    assert rig.alarm("hold-button.stuck") != "active-unacknowledged"
    burn(rig)
    rig.press("hold-button", 60.0)
    rig.run(40.0)
    assert cuts(rig) == [False, False]


def test_the_cut_stays_when_the_smoke_is_gone(room):
    rig = room()
    burn(rig)
    burnt_out(rig)
    rig.run(900.0)
    assert cuts(rig) == [True, True]
    assert rig.alarm("fire.confirmed").startswith("latched")


def test_cooling_stays_off_until_a_person_switches_it_on_after_the_reset(room):
    rig = room()
    burn(rig)
    rig.run(200.0)
    assert rig.request("switch", output="aircon", to="on").status is Status.REFUSED
    burnt_out(rig)
    assert rig.request("switch", output="aircon", to="on").status is Status.REFUSED
    rig.ask("reset", alarm="fire.confirmed")
    rig.run(200.0)
    assert not rig.on("aircon")
    assert rig.output("aircon").slot == 2
    rig.ask("restore")
    rig.run(200.0)
    assert not rig.on("aircon")
    rig.ask("switch", output="aircon", to="on", for_="5min")
    rig.run(5.0)
    assert rig.on("aircon")
    rig.run(301.0)
    assert rig.on("aircon"), "its default is on; the fire holds it no longer"


def test_silence_stops_the_sound_and_nothing_else(room):
    rig = room()
    burn(rig)
    before = rig.outputs
    rig.ask("silence")
    rig.run(5.0)
    assert not rig.on("siren")
    assert {**rig.outputs, "siren": True} == before
    assert rig.alarm("fire.confirmed") == "active-unacknowledged"


def test_a_new_alarm_sounds_again_after_a_silence(room):
    rig = room()
    rig.set("smoke-1", True)
    rig.run(1.0)
    rig.ask("silence")
    rig.run(10.0)
    assert not rig.on("siren")
    rig.set("smoke-2", True)
    rig.run(0.3)
    assert rig.on("siren")


def test_the_same_detector_alarming_anew_sounds_again(room):
    rig = room()
    rig.set("smoke-1", True)
    rig.run(1.0)
    rig.ask("silence")
    rig.set("smoke-1", False)
    rig.run(10.0)
    assert not rig.on("siren")
    rig.set("smoke-1", True)
    rig.run(0.3)
    assert rig.on("siren")


def test_the_call_point_sounds_again_after_a_silence(room):
    rig = room()
    burn(rig)
    rig.ask("silence")
    rig.run(5.0)
    rig.set("call-point", True)
    rig.run(0.3)
    assert rig.on("siren")


def test_the_silence_button_silences(room):
    rig = room()
    burn(rig)
    rig.press("silence-button", 0.5)
    assert not rig.on("siren")


def test_a_stuck_silence_button_silences_no_later_alarm(room):
    """Else one stuck contact would take the sound from every fire to come."""
    rig = room()
    rig.set("silence-button", True)
    rig.run(300.0)
    burn(rig)
    rig.run(1.0)
    assert rig.on("siren")


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("acknowledge", {"alarm": "fire.confirmed"}),
        ("acknowledge", {"alarm": "all"}),
        ("shelve", {"alarm": "fire.confirmed", "for_": "2h", "reason": "test"}),
        ("shelve", {"alarm": "smoke-1.prealarm", "for_": "2h", "reason": "test"}),
    ],
)
def test_acknowledging_and_shelving_move_no_output(room, action, args):
    rig = room('budget = "45s"\n')
    burn(rig)
    before = rig.outputs
    since_s = rig.at_s
    rig.request(action, **args)
    assert rig.outputs == before
    rig.run(50.0)
    assert rig.moved(since_s) == [("power-cut", True), ("ups-cut", True)]


@pytest.mark.parametrize("alarm", ["fire.confirmed", "smoke-1.prealarm", "smoke-2.prealarm"])
def test_shelving_beforehand_changes_no_later_trip(room, alarm):
    rig = room()
    rig.request("shelve", alarm=alarm, for_="2h", reason="test")
    burn(rig)
    assert cuts(rig) == [True, True]
    assert rig.on("siren")


def test_taking_the_alarm_of_a_confirmed_fire_out_of_service_changes_no_later_trip(room):
    rig = room()
    rig.request("out-of-service", alarm="fire.confirmed", reason="test")
    burn(rig)
    assert cuts(rig) == [True, True]


def test_a_reset_is_refused_while_a_detector_is_active(room):
    rig = room()
    burn(rig)
    rig.set("smoke-1", False)
    rig.run(1.0)
    assert rig.request("reset", alarm="fire.confirmed").reason.id == "refused.detector-active"
    assert rig.alarm("fire.confirmed").startswith(("active", "latched"))


@pytest.mark.parametrize("contact", ["call-point", "emergency"])
def test_a_reset_is_refused_while_the_call_point_or_the_emergency_is_pressed(room, contact):
    rig = room()
    rig.set(contact, True)
    rig.run(1.0)
    assert rig.request("reset", alarm="fire.confirmed").status is Status.REFUSED


def test_a_detector_that_cannot_be_read_is_not_clear(room):
    rig = room()
    burn(rig)
    rig.set("smoke-1", False)
    rig.wire("smoke-2", None)
    rig.run(1.0)
    assert rig.request("reset", alarm="fire.confirmed").status is Status.REFUSED


def test_a_reset_ends_the_latch_and_uncuts_nothing(room):
    rig = room()
    burn(rig)
    burnt_out(rig)
    rig.ask("reset", alarm="fire.confirmed")
    rig.run(10.0)
    assert rig.alarm("fire.confirmed") == "normal"
    assert cuts(rig) == [True, True]
    assert [rig.on(id) for id in ("siren", "beacon", "exit")] == [False, False, False]


def test_there_is_nothing_to_reset_without_a_fire(room):
    assert room().request("reset", alarm="fire.confirmed").status is Status.REFUSED


def test_a_restore_is_refused_before_the_reset(room):
    rig = room()
    burn(rig)
    assert rig.request("restore").status is Status.REFUSED
    burnt_out(rig)
    assert rig.request("restore").status is Status.REFUSED
    assert cuts(rig) == [True, True]


def test_there_is_nothing_to_restore_where_nothing_is_cut(room):
    assert room().request("restore").status is Status.REFUSED


def test_a_restore_sets_outlets_off_then_releases_then_starts_one_by_one(room):
    rig = room()
    burn(rig)
    burnt_out(rig)
    rig.ask("reset", alarm="fire.confirmed")
    rig.run(10.0)
    since_s = rig.at_s
    answer = rig.ask("restore")
    rig.run(60.0)
    assert rig.end_of(answer) is Status.DONE
    assert cuts(rig) == [False, False]
    moves = [move for move in rig.moves if move.at_s >= since_s]
    off_s = {move.output: move.at_s for move in moves if not move.on and move.output not in CUTS}
    released_s = [move.at_s for move in moves if move.output in CUTS]
    started_s = {move.output: move.at_s for move in moves if move.on}
    assert set(off_s) == set(started_s) == {"racks", "desk"}
    order = [move.output for move in moves]
    assert max(map(order.index, off_s)) < min(map(order.index, CUTS))
    assert min(started_s.values()) > max(released_s)
    assert abs(started_s["racks"] - started_s["desk"]) == pytest.approx(10.0, abs=0.1)


def test_outlets_stay_off_while_a_restored_cut_is_not_seen_to_be_gone(room):
    rig = room()
    burn(rig)
    burnt_out(rig)
    rig.ask("reset", alarm="fire.confirmed")
    rig.ask("restore")
    rig.broken_feedback.add("power-cut")
    rig.run(60.0)
    assert rig.alarms() & {"power-cut.still-cut", "power-cut.unexpected"}


def test_a_new_fire_after_the_restore_cuts_again(room):
    rig = room()
    burn(rig)
    burnt_out(rig)
    rig.ask("reset", alarm="fire.confirmed")
    rig.ask("restore")
    rig.run(120.0)
    burn(rig)
    assert cuts(rig) == [True, True]


def test_a_new_fire_during_the_restore_cuts_again(room):
    rig = room()
    burn(rig)
    burnt_out(rig)
    rig.ask("reset", alarm="fire.confirmed")
    rig.ask("restore")
    rig.run(2.0)
    burn(rig)
    assert cuts(rig) == [True, True]
    rig.run(120.0)
    assert cuts(rig) == [True, True]


def test_the_reset_interrupts_the_detectors_supply_and_they_do_not_vote_meanwhile(room):
    rig = room(more=DETECTOR_RESET)
    burn(rig)
    burnt_out(rig)
    answer = rig.ask("reset", alarm="fire.confirmed")
    rig.run(0.1)
    assert rig.on("detector-supply")
    # Without supply a detector's relay falls, and what its contacts show means nothing.
    rig.set("smoke-1", True)
    rig.set("smoke-2", True)
    rig.run(0.5)
    rig.set("smoke-1", False)
    rig.set("smoke-2", False)
    rig.run(60.0)
    assert not rig.on("detector-supply")
    assert rig.end_of(answer) is Status.DONE
    assert rig.alarm("fire.confirmed") == "normal"
    assert [rig.on(id) for id in ("siren", "beacon", "exit")] == [False, False, False]


def test_smoke_that_is_still_there_after_the_pulse_counts(room):
    rig = room(more=DETECTOR_RESET)
    burn(rig)
    burnt_out(rig)
    rig.ask("reset", alarm="fire.confirmed")
    rig.run(0.1)
    rig.set("smoke-1", True)
    rig.set("smoke-2", True)
    rig.run(60.0)
    assert rig.on("siren")
    assert rig.alarm("fire.confirmed") == "active-unacknowledged"


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_that_is_not_seen_within_two_seconds_is_not_proven(room, cut):
    rig = room()
    rig.broken_feedback.add(cut)
    burn(rig)
    rig.run(1.5)
    assert rig.alarm(f"{cut}.not-proven") == "normal"
    rig.run(0.5)
    assert rig.alarm(f"{cut}.not-proven") == "active-unacknowledged"


def test_a_cut_that_is_not_proven_is_told_again_until_it_is(room):
    rig = room()
    rig.broken_feedback.add("power-cut")
    burn(rig)
    rig.run(5.0)
    rig.ask("acknowledge", alarm="power-cut.not-proven")
    assert rig.alarm("power-cut.not-proven") == "active-acknowledged"
    rig.run(120.0)
    assert rig.alarm("power-cut.not-proven") == "active-unacknowledged"
    rig.broken_feedback.clear()
    rig.run(5.0)
    assert "active" not in rig.alarm("power-cut.not-proven")


def test_a_proven_cut_is_no_alarm_of_its_own(room):
    rig = room()
    burn(rig)
    rig.run(10.0)
    assert rig.alarm("power-cut.not-proven") == "normal"
    assert rig.alarm("power-cut.unexpected") == "normal"


def test_a_feedback_that_cannot_be_read_proves_nothing(room):
    rig = room()
    rig.broken_feedback.add("power-cut")
    rig.wire("cut-proof", None)
    rig.run(5.0)
    burn(rig)
    rig.run(5.0)
    assert rig.alarm("power-cut.not-proven") == "active-unacknowledged"


@pytest.mark.parametrize("cut", [("cut-proof", "power-cut"), ("ups-cut-proof", "ups-cut")])
def test_a_cut_that_nobody_commanded_is_unexpected(room, cut):
    proof, output = cut
    rig = room()
    rig.broken_feedback.add(output)
    rig.set(proof, True)
    rig.run(3.0)
    assert rig.alarm(f"{output}.unexpected") == "active-unacknowledged"
    assert not rig.on(output)


def test_a_pulsed_shunt_coil_is_energised_briefly_while_the_command_stays(rigged):
    tables = ROOM.replace("pin = 16\n", 'pin = 16\npulse = "500ms"\n') + FIRE
    rig = rigged(tables)
    burn(rig)
    assert rig.energised("power-cut")
    rig.run(0.6)
    assert not rig.energised("power-cut")
    assert rig.on("power-cut")
    rig.run(200.0)
    assert rig.on("power-cut")
    assert not rig.energised("power-cut")


def test_a_cut_by_a_person_is_held_at_the_first_slot_and_restored_in_the_room(room):
    rig = room()
    rig.ask("cut")
    assert cuts(rig) == [True, True]
    assert rig.output("power-cut").slot == 1
    rig.run(200.0)
    assert cuts(rig) == [True, True]
    rig.ask("restore")
    rig.run(60.0)
    assert cuts(rig) == [False, False]


def test_life_safety_never_holds_a_cut_off_against_a_later_trip(room):
    rig = room()
    rig.ask("cut")
    rig.run(5.0)
    rig.ask("restore")
    rig.run(0.5)
    rig.set("call-point", True)
    rig.run(0.2)
    assert cuts(rig) == [True, True]
    rig.run(120.0)
    assert cuts(rig) == [True, True]


def test_nothing_starts_while_a_fire_is_on(room):
    rig = room()
    rig.set("smoke-1", True)
    rig.run(1.0)
    assert rig.request("switch", output="lights", to="on").status is Status.REFUSED


def test_nothing_starts_while_the_room_is_cut(room):
    rig = room()
    rig.ask("cut")
    rig.run(1.0)
    assert rig.request("switch", output="lights", to="on").status is Status.REFUSED


@pytest.mark.parametrize("output", ["power-cut", "ups-cut", "siren", "beacon"])
def test_cuts_and_sounders_can_never_be_switched(room, output):
    rig = room()
    for to in ("on", "off"):
        assert rig.request("switch", output=output, to=to).status is Status.REFUSED
