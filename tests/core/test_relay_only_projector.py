"""A projector that tells nothing: only its outlet, and what a person confirms."""

from __future__ import annotations

import pytest

from controller.core.request import Status

ROOM = """
[[output]]
id = "hall-outlet"
kind = "relay"
role = "outlet"
pin = 21
energised = "off"
[[projector]]
id = "hall"
outlet = "hall-outlet"
kind = "relay-only"
cooling = "2min"
"""


@pytest.fixture
def rig(rigged):
    """Its outlet is off: a person has confirmed that the lamp is."""
    rig = rigged(ROOM)
    rig.ask("confirm-off", id="hall")
    rig.run(130.0)
    assert not rig.on("hall-outlet")
    return rig


def test_a_lamp_of_which_nothing_is_known_keeps_its_outlet(rigged):
    rig = rigged(ROOM)
    rig.run(1000.0)
    assert rig.on("hall-outlet")


def test_a_lamp_of_which_nothing_is_known_can_be_released_in_the_room(rigged):
    rig = rigged(ROOM)
    rig.ask("release-lamp", id="hall")
    rig.run(5.0)
    assert not rig.on("hall-outlet")


def test_switching_on_supplies_the_outlet_and_is_done(rig):
    answer = rig.ask("projector-on", id="hall")
    rig.run(10.0)
    assert rig.on("hall-outlet")
    assert rig.end_of(answer) is Status.DONE


def test_switching_off_waits_for_a_person_to_confirm_the_remote_off(rig):
    rig.ask("projector-on", id="hall")
    rig.run(60.0)
    off = rig.ask("projector-off", id="hall")
    rig.run(600.0)
    assert rig.on("hall-outlet")
    rig.ask("confirm-off", id="hall")
    rig.run(118.0)
    assert rig.on("hall-outlet")
    rig.run(4.0)
    assert not rig.on("hall-outlet")
    assert rig.end_of(off) is Status.DONE


def test_the_time_starts_with_the_confirmation_and_is_not_shortened_by_another(rig):
    rig.ask("projector-on", id="hall")
    rig.run(60.0)
    rig.request("projector-off", id="hall")
    rig.ask("confirm-off", id="hall")
    rig.run(100.0)
    rig.request("confirm-off", id="hall")
    rig.run(15.0)
    assert rig.on("hall-outlet")


def test_an_off_that_is_never_confirmed_keeps_the_outlet_and_comes_to_an_end(rig):
    rig.ask("projector-on", id="hall")
    rig.run(60.0)
    off = rig.ask("projector-off", id="hall")
    rig.run(4000.0)
    assert rig.on("hall-outlet")
    assert rig.end_of(off) in (Status.FAILED, Status.EXPIRED)


def test_it_is_never_alarmed_as_silent(rig):
    rig.run(100.0)
    assert rig.alarms() == set()
