"""Damaged events of the journal: the stream goes on behind them, and an alarm names them."""

from __future__ import annotations

import pytest

from tests.feed.room import fill
from tests.journal.test_damage import HARMS, break_a_page, harm

pytestmark = pytest.mark.system

CLIENTS = '[[feed.client]]\nid = "central"\n'


@pytest.mark.parametrize("what", ["no json", "no text"])
def test_the_stream_goes_on_behind_a_damaged_event(mosquitto, open_room, consume, until, what):
    fill(mosquitto.folder, 1, 300)
    harm(mosquitto.folder / "room.db", HARMS[what])
    mosquitto.start()
    consumer = consume()
    room = open_room(mosquitto.url)

    until(lambda: 300 in consumer.seqs() and room.is_settled(), 30)
    assert [seq for seq in consumer.seqs() if seq <= 300] == [*range(1, 150), *range(151, 301)]
    until(lambda: (consumer.last("alarm/journal.failing") or {}).get("active"))
    assert room.alarm("journal.failing") == "event 150 of the journal cannot be read"
    assert room.alarm("controller.thread-failed") is None


def test_the_stream_goes_on_behind_a_damaged_page(mosquitto, open_room, consume, until):
    fill(mosquitto.folder, 1, 2000)
    break_a_page(mosquitto.folder / "room.db")
    mosquitto.start()
    consumer = consume("event")
    room = open_room(mosquitto.url)

    until(lambda: 2000 in consumer.seqs(), 30)
    lost = set(range(1, 2001)) - set(consumer.seqs())
    assert 1000 in lost and len(lost) < 50
    until(lambda: room.alarm("journal.failing"))


@pytest.mark.parametrize(
    ("first", "last", "count"), [(100, 300, 200), (150, 150, 0), (140, 150, 10)]
)
def test_a_resend_sends_what_can_be_read_and_says_that_it_is_not_all(
    mosquitto, open_room, central, consume, until, first, last, count
):
    fill(mosquitto.folder, 1, 300)
    mosquitto.start()
    room = open_room(mosquitto.url, CLIENTS)
    until(room.is_settled, 30)
    client, consumer = central(), consume("event")
    harm(mosquitto.folder / "room.db", HARMS["no json"])

    id = client.ask("resend", {"from": first, "to": last})
    until(lambda: len(client.replies(id)) == 2, 30)

    end = client.replies(id)[-1]
    assert (end["status"], end["why"]["id"]) == ("failed", "resend.unreadable")
    assert end["why"]["values"] == {"count": count}
    again = [seq for seq in range(first, last + 1) if seq != 150]
    until(lambda: [seq for seq in consumer.seqs() if seq <= 300] == again)
    assert room.alarm("controller.thread-failed") is None

    id = client.ask("resend", {"from": 1, "to": 100})
    until(lambda: len(client.replies(id)) == 2, 30)
    assert client.replies(id)[-1]["why"]["id"] == "resend.done", "the rest is still to be had"
