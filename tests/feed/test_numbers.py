"""The numbers of messages and of events: which answer, and which event, belongs to which."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.clock import Clock
from controller.core.event import Event, Recorded
from controller.feed.outbox import Outbox
from controller.feed.resend import Resend
from controller.journal.journal import Journal
from tests.feed.room import fill


class Numbered:
    """A connection of which only the numbers of its messages matter."""

    def __init__(self, most: int = 3) -> None:
        self.next = 1
        self.most = most
        self.sent: list[int] = []

    def room_for(self, *, qos: int, spare: float = 0.0) -> bool:
        return self.next <= self.most

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> int:
        self.next += 1
        self.sent.append(json.loads(payload)["seq"])
        return self.next - 1


@pytest.mark.parametrize("stray", [(), (2,), (2, 3)])
def test_an_old_answer_under_an_event_s_number_acknowledges_nothing(tmp_path: Path, stray):
    fill(tmp_path, 1, 3)
    journal = Journal(tmp_path / "room.db", 10**9, Clock(), lambda fault: None)
    journal.open()
    link = Numbered()
    outbox = Outbox(journal, "event")
    outbox._under_way.append((0, 65_000))  # so that what is answered is kept
    outbox.answered(stray)
    outbox.send(link)
    outbox._under_way.popleft()

    outbox.answered([1])
    assert journal.acked_seq == 1
    outbox.answered([2, 3])
    assert journal.acked_seq == 3
    journal.close()


def test_nothing_is_sent_again_before_it_was_sent(tmp_path: Path):
    fill(tmp_path, 1, 5)
    journal = Journal(tmp_path / "room.db", 10**9, Clock(), lambda fault: None)
    journal.open()
    link = Numbered(most=2)
    outbox, resend = Outbox(journal, "event"), Resend(journal, "event")
    told: list[tuple[str, bool]] = []
    resend.begin("central", range(1, 6), lambda reason, whole: told.append((reason.id, whole)))

    assert not resend.send(link, outbox.sent_seq)
    assert link.sent == []
    outbox.send(link)
    link.most = 100
    resend.send(link, outbox.sent_seq)
    assert link.sent == [1, 2, 1, 2]
    assert not resend.send(link, outbox.sent_seq)
    assert not told, "it waits for the rest"

    outbox.send(link)
    resend.send(link, outbox.sent_seq)
    assert link.sent == [1, 2, 1, 2, 3, 4, 5, 3, 4, 5]
    resend.answered(range(1, 100))
    resend.send(link, outbox.sent_seq)
    assert told == [("resend.done", True)]
    journal.close()


@pytest.mark.parametrize("wanted", [range(3, 7), range(4, 7), range(1, 7)], ids=str)
def test_a_range_of_which_the_room_itself_has_lost_some_is_sent_with_the_mark_of_that(
    tmp_path: Path, wanted: range
):
    fill(tmp_path, 1, 2)
    journal = Journal(tmp_path / "room.db", 10**9, Clock(), lambda fault: None)
    journal.open()
    journal.record([Recorded(6, "boot", 1.8e9, Event("quality", "rack-air", "stale"))])
    assert journal.flush()
    link = Numbered(most=100)
    resend = Resend(journal, "event")
    outcome: list[tuple[str, bool]] = []
    resend.begin("central", wanted, lambda reason, whole: outcome.append((reason.id, whole)))

    resend.send(link, 6)
    resend.answered(range(1, 100))
    resend.send(link, 6)

    assert link.sent == [seq for seq in (1, 2, 5, 6) if seq in wanted]
    assert outcome == [("resend.done", True)]
    journal.close()
