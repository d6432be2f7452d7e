"""Doors: open, held open, opened while armed, the delays, disarming."""

from __future__ import annotations

import pytest

from controller.core.request import Origin, Status

ROOM = """
[[input]]
id = "front-door"
kind = "contact"
role = "door"
pin = 22
[[input]]
id = "yard-window"
kind = "contact"
role = "window"
pin = 23
[[output]]
id = "siren"
kind = "relay"
role = "siren"
pin = 12
[access]
held_open = "2min"
entry_delay = "30s"
exit_delay = "30s"
"""
INTRUSION, HELD = "front-door.intrusion", "front-door.held-open"


@pytest.fixture
def rig(rigged):
    return rigged(ROOM)


@pytest.fixture
def armed(rig):
    rig.ask("arm")
    rig.run(31.0)
    return rig


def test_a_door_held_open_is_told_after_its_time(rig):
    rig.set("front-door", True)
    rig.run(119.0)
    assert rig.alarm(HELD) == "normal"
    rig.run(2.0)
    assert rig.alarm(HELD) == "active-unacknowledged"
    rig.set("front-door", False)
    rig.run(1.0)
    assert rig.alarm(HELD) == "returned-unacknowledged"


def test_a_door_that_is_used_is_not_held_open(rig):
    for _ in range(5):
        rig.set("front-door", True)
        rig.run(60.0)
        rig.set("front-door", False)
        rig.run(1.0)
    assert rig.alarms() == set()


def test_a_cut_wire_reads_as_open(rig):
    rig.wire("front-door", (False,))
    rig.run(121.0)
    assert rig.alarm(HELD) == "active-unacknowledged"


def test_opening_a_disarmed_room_is_no_intrusion(rig):
    rig.set("front-door", True)
    rig.run(60.0)
    assert rig.alarm(INTRUSION) == "normal"


def test_opening_an_armed_room_is_an_intrusion_after_the_entry_delay(armed):
    armed.set("front-door", True)
    armed.run(29.5)
    assert armed.alarm(INTRUSION) == "normal"
    armed.run(1.0)
    assert armed.alarm(INTRUSION) == "active-unacknowledged"
    assert armed.on("siren")


def test_shutting_the_door_again_does_not_call_the_entry_off(armed):
    armed.set("front-door", True)
    armed.run(3.0)
    armed.set("front-door", False)
    armed.run(30.0)
    assert armed.alarm(INTRUSION) != "normal"


def test_disarming_within_the_entry_delay_is_no_intrusion(armed):
    armed.set("front-door", True)
    armed.run(25.0)
    armed.ask("disarm")
    armed.run(60.0)
    assert armed.alarm(INTRUSION) == "normal"


def test_disarming_later_leaves_the_intrusion_to_be_seen(armed):
    armed.set("front-door", True)
    armed.run(35.0)
    armed.ask("disarm")
    armed.run(5.0)
    assert armed.alarm(INTRUSION) != "normal"


def test_leaving_within_the_exit_delay_is_no_intrusion(rig):
    rig.ask("arm")
    rig.run(5.0)
    rig.set("front-door", True)
    rig.run(10.0)
    rig.set("front-door", False)
    rig.run(60.0)
    assert rig.alarm(INTRUSION) == "normal"


def test_a_door_left_open_after_the_exit_delay_is_told(rig):
    rig.ask("arm")
    rig.run(5.0)
    rig.set("front-door", True)
    rig.run(120.0)
    assert rig.alarms() & {INTRUSION, HELD}


def test_a_window_of_an_armed_room_is_told(armed):
    armed.set("yard-window", True)
    armed.run(31.0)
    assert any(id.startswith("yard-window.") for id in armed.alarms())


def test_arming_comes_from_afar_and_disarming_does_not(rig):
    afar = Origin.NETWORK_PANEL
    assert rig.request("arm", origin=afar).status in (Status.DONE, Status.ACCEPTED)
    assert rig.request("disarm", origin=afar).status is Status.REFUSED
    assert rig.memory.rules["access"].armed


def test_a_door_contact_that_cannot_be_read_while_armed_is_told(armed):
    armed.wire("front-door", None)
    armed.run(31.0)
    assert armed.alarms() & {"front-door.fault", INTRUSION}


def test_an_intrusion_stays_until_a_person_resets_it(armed):
    armed.set("front-door", True)
    armed.run(31.0)
    armed.set("front-door", False)
    armed.run(60.0)
    armed.ask("disarm")
    armed.ask("acknowledge", alarm=INTRUSION)
    assert armed.alarm(INTRUSION) == "latched-acknowledged"
    armed.ask("reset", alarm=INTRUSION)
    assert armed.alarm(INTRUSION) == "normal"
