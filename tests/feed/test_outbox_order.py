"""The outbox alone, between a journal and a link that are made up."""

from __future__ import annotations

from itertools import count

import pytest

from controller.feed.outbox import Outbox
from controller.journal.readonly import Found
from tests.journal.test_verify import events


class Kept:
    """A journal with its first `recorded_seq` events. `acked`: what was acknowledged to it."""

    fault = None
    offset = 0

    def __init__(self, recorded):
        self._events = events(9)
        self.recorded_seq, self.acked_seq, self.acked = recorded, 0, []

    def find_after(self, seq, most):
        found = [one for one in self._events if seq < one["seq"] <= self.recorded_seq]
        return Found(found[:most], [])

    def acknowledge(self, seq):
        self.acked.append(seq)
        self.acked_seq = seq


class Wire:
    """A link that takes everything and numbers it."""

    def __init__(self):
        self._numbers = count(1)

    def room_for(self, **_):
        return True

    def publish(self, *_, **__):
        return next(self._numbers)


@pytest.fixture
def kept():
    return Kept(3)


@pytest.fixture
def outbox(kept):
    outbox = Outbox(kept, "event")
    assert outbox.send(Wire()) is False
    return outbox


def test_an_event_is_acknowledged_only_when_all_before_it_have_arrived(outbox, kept):
    outbox.answered([2])
    outbox.answered([3])
    assert kept.acked == []
    outbox.answered([1])
    assert kept.acked == [3]


def test_an_answer_to_something_else_is_not_taken_for_one_to_a_later_event(outbox, kept):
    """Numbers come round again."""
    outbox.answered([4])  # a reply's, under the number that the next event gets
    kept.recorded_seq = 4
    link = Wire()
    for _ in range(3):
        link.publish()
    outbox.send(link)
    outbox.answered([1, 2, 3])
    assert kept.acked == [3]
    outbox.answered([4])
    assert kept.acked == [3, 4]
