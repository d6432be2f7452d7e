"""Contacts: loops of wire settle into readings; what is not settled moves nothing."""

from __future__ import annotations

import pytest

from controller.core.contacts import UNSEEN, ContactSpec, observe, wake_s
from controller.core.reading import Quality

DOOR = ContactSpec("front-door", 0.05, normally_closed=True)
BUTTON = ContactSpec("hold-button", 0.05, normally_closed=False)
PAIR = ContactSpec("smoke-1", 0.2, pair=True)


def told(spec, samples):
    """(value, quality) after each of the samples (seconds, loops)."""
    contact = UNSEEN
    found = []
    for at_s, closed in samples:
        contact = observe(spec, contact, closed, at_s)
        found.append((contact.reading.value, contact.reading.quality.value))
    return found


SO, NOT_SO, FAULT = (True, "good"), (False, "good"), (None, "bad")
MISSING = (None, "missing")


@pytest.mark.parametrize(
    ("spec", "samples", "expected"),
    [
        pytest.param(DOOR, [(0, (True,))], [NOT_SO], id="closed loop: shut"),
        pytest.param(DOOR, [(0, (False,))], [SO], id="a cut wire reads as open at once"),
        pytest.param(BUTTON, [(0, (True,))], [SO], id="a normally open contact closes"),
        pytest.param(BUTTON, [(0, (False,))], [NOT_SO], id="a normally open contact is open"),
        pytest.param(PAIR, [(0, (False, True))], [NOT_SO], id="pair: normal"),
        pytest.param(PAIR, [(0, (True, False))], [SO], id="pair: alarm, there before the start"),
        pytest.param(
            PAIR,
            [(0, (True, True)), (0.49, (True, True)), (0.51, (True, True))],
            [MISSING, MISSING, FAULT],
            id="pair: equal at the start is a fault after 500 ms",
        ),
        pytest.param(
            PAIR,
            [(0, (False, True)), (1, (False, False)), (1.2, (True, False)), (1.41, (True, False))],
            [NOT_SO, NOT_SO, NOT_SO, SO],
            id="pair: equal in passing is the relay moving",
        ),
        pytest.param(
            PAIR,
            [(0, (False, True)), (1, (False, False)), (1.6, (False, False)), (2, (False, True)),
             (2.21, (False, True))],
            [NOT_SO, NOT_SO, FAULT, FAULT, NOT_SO],
            id="pair: well again after the fault",
        ),
        pytest.param(
            PAIR,
            [(0, (False, True)), (1, (True, True)), (1.4, (False, False)), (1.55, (True, True))],
            [NOT_SO, NOT_SO, NOT_SO, FAULT],
            id="pair: both ways of being equal are one fault",
        ),
        pytest.param(
            DOOR,
            [(0, (True,)), (1, (False,)), (1.04, (False,)), (1.051, (False,))],
            [NOT_SO, NOT_SO, NOT_SO, SO],
            id="waits out the debounce",
        ),
        pytest.param(
            DOOR,
            [(0, (True,)), (1, (False,)), (1.03, (True,)), (1.06, (False,)), (1.1, (False,)),
             (1.111, (False,))],
            [NOT_SO, NOT_SO, NOT_SO, NOT_SO, NOT_SO, SO],
            id="bouncing begins the debounce anew",
        ),
        pytest.param(
            DOOR,
            [(0, (True,)), (1, None), (2, (True,)), (2.06, (True,))],
            [NOT_SO, FAULT, FAULT, NOT_SO],
            id="what cannot be read is bad at once, and good once it has settled",
        ),
        pytest.param(DOOR, [(0, None)], [FAULT], id="never readable"),
    ],
)  # fmt: skip
def test_loops_settle_into_readings(spec, samples, expected):
    assert told(spec, samples) == expected


@pytest.mark.parametrize("spec", [DOOR, BUTTON, PAIR], ids=lambda spec: spec.id)
def test_it_says_when_a_standing_level_will_have_settled(spec):
    def loops(so):
        return (so, not so) if spec.pair else (so is not spec.normally_closed,)

    contact = observe(spec, UNSEEN, loops(False), 10.0)
    assert wake_s(spec, contact) == float("inf")
    contact = observe(spec, contact, loops(True), 11.0)
    assert contact.reading.value is False
    due_s = wake_s(spec, contact)
    assert due_s == pytest.approx(11.0 + spec.debounce_s)
    contact = observe(spec, contact, loops(True), due_s + 1e-6)
    assert contact.reading.is_true
    assert wake_s(spec, contact) == float("inf")


def test_an_unchanged_contact_is_the_same_object():
    contact = observe(DOOR, UNSEEN, (True,), 0.0)
    assert observe(DOOR, contact, (True,), 1.0) is contact
    lost = observe(DOOR, contact, None, 2.0)
    assert observe(DOOR, lost, None, 3.0) is lost


def test_a_reading_that_is_not_good_is_neither_so_nor_not_so():
    reading = observe(DOOR, UNSEEN, None, 0.0).reading
    assert reading.quality is Quality.BAD
    assert not reading.is_true
    assert not reading.is_false
    assert reading.number is None
