"""Events asked for again by a consumer that has found a gap."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest

from tests.feed.room import QUICK, FeedRoom, fill

pytestmark = pytest.mark.system

CLIENTS = '[[feed.client]]\nid = "central"\n[[feed.client]]\nid = "other"\n'
BUSY = msgspec.structs.replace(QUICK, rate=(1000, 1.0))
COUNT = 3000


@pytest.fixture(params=["5", "311"])
def room(request, mosquitto, open_room, until) -> FeedRoom:
    fill(mosquitto.folder, 1, COUNT)
    mosquitto.start()
    room = open_room(mosquitto.url, CLIENTS, limits=BUSY, older=request.param == "311")
    until(room.is_settled, timeout_s=60)
    return room


def ends(client, until, id):
    """The replies to a resend, from the first to its end."""
    until(lambda: client.replies(id) and client.replies(id)[-1]["status"] != "accepted", 60)
    return [(r["status"], (r["why"] or {}).get("id")) for r in client.replies(id)]


def test_a_gap_is_filled_with_the_same_events(room, central, consume, until):
    client, consumer = central(), consume("event")

    id = client.ask("resend", {"from": 500, "to": 2500})

    assert ends(client, until, id) == [("accepted", None), ("done", "resend.done")]
    assert client.replies(id)[-1]["why"]["values"] == {"count": 2001}
    until(lambda: sum(seq <= COUNT for seq in consumer.seqs()) >= 2001)
    again = [event for event in consumer.of("event") if event["seq"] <= COUNT]
    assert again == room.journal.events_between(500, 2500, 5000)


def test_what_is_new_is_not_held_up_by_what_is_sent_again(room, central, consume, until):
    client, consumer = central(), consume()
    id = client.ask("resend", {"from": 1, "to": COUNT})
    until(lambda: client.replies(id))
    room.guard.tell("feed.events-lost", "a trial")
    until(lambda: (consumer.last("alarm/feed.events-lost") or {}).get("active"))
    until(lambda: any(e["subject"] == "feed.events-lost" for e in consumer.of("event")))
    told = next(
        n for n, e in enumerate(consumer.of("event")) if e["subject"] == "feed.events-lost"
    )
    until(lambda: sum(seq <= COUNT for seq in consumer.seqs()) >= COUNT, 60)

    assert told < COUNT
    assert ends(client, until, id)[-1][0] == "done"
    live = [seq for seq in consumer.seqs() if seq > COUNT]
    assert live == sorted(live)


def test_one_at_a_time_for_each_client(room, central, until):
    client, other = central(), central("other")
    first = client.ask("resend", {"from": 1, "to": COUNT})
    second = client.ask("resend", {"from": 1, "to": 2})
    third = other.ask("resend", {"from": 1, "to": 2})

    busy = ends(client, until, second)
    assert busy in ([("refused", "refused.busy")], [("accepted", None), ("done", "resend.done")])
    assert ends(other, until, third)[-1][0] == "done"
    assert ends(client, until, first)[-1][0] == "done"
    fourth = client.ask("resend", {"from": 1, "to": 2})
    assert ends(client, until, fourth)[-1][0] == "done"


def test_what_is_not_there_yet_is_named(room, central, until):
    client = central()
    id = client.ask("resend", {"from": COUNT - 1, "to": COUNT + 1000})
    assert ends(client, until, id) == [("accepted", None), ("failed", "resend.not-kept")]
    values = client.replies(id)[-1]["why"]["values"]
    assert values["first"] == 1
    assert values["count"] == values["last"] - COUNT + 2


def test_what_is_no_longer_kept_is_named_and_the_rest_is_sent(
    mosquitto, open_room, central, consume, until, tmp_path
):
    fill(tmp_path, 1, 100)
    with sqlite3.connect(tmp_path / "room.db") as con:
        (hash_,) = con.execute("SELECT hash FROM event WHERE seq = 40").fetchone()
        con.execute("DELETE FROM anchor")
        con.execute("INSERT INTO anchor (seq, hash) VALUES (40, ?)", (hash_,))
        con.execute("DELETE FROM event WHERE seq <= 40")
    con.close()
    mosquitto.start()
    room = open_room(mosquitto.url, CLIENTS)
    until(room.is_settled)
    client, consumer = central(), consume("event")

    id = client.ask("resend", {"from": 30, "to": 50})

    assert ends(client, until, id)[-1] == ("failed", "resend.not-kept")
    values = client.replies(id)[-1]["why"]["values"]
    assert (values["first"], values["count"]) == (41, 10)
    assert "41" in client.replies(id)[-1]["reason"]
    until(lambda: sum(seq <= 100 for seq in consumer.seqs()) >= 10)
    assert [seq for seq in consumer.seqs() if seq <= 100] == list(range(41, 51))


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"from": 5},
        {"from": 5, "to": 4},
        {"from": 0, "to": 4},
        {"from": -1, "to": 4},
        {"from": 1, "to": 10_001},
        {"from": "one", "to": 4},
        {"from": "١", "to": 4},
        {"from": 1.5, "to": 4},
        {"from": True, "to": 4},
        {"from": 10**400, "to": 10**401},
    ],
    ids=str,
)
def test_a_range_that_means_nothing_is_refused(mosquitto, open_room, central, until, args):
    mosquitto.start()
    room = open_room(mosquitto.url, CLIENTS)
    until(room.is_settled)
    client = central()
    assert ends(client, until, client.ask("resend", args)) == [("refused", "refused.bad-argument")]


def test_a_connection_lost_meanwhile_ends_it_and_says_so(
    mosquitto, cable, open_room, central, until
):
    fill(mosquitto.folder, 1, COUNT)
    mosquitto.start()
    room = open_room(cable.url, CLIENTS, limits=BUSY)
    until(room.is_settled, timeout_s=60)
    client = central()
    cable.delay_s = 0.05
    id = client.ask("resend", {"from": 1, "to": COUNT})
    until(lambda: client.replies(id))
    cable.cut()
    until(lambda: not room.state()["connected"])
    cable.delay_s = 0.0
    cable.mend()

    told = dict.fromkeys(ends(client, until, id))  # an answer under way comes once more
    assert list(told) == [("accepted", None), ("failed", "resend.cut-off")]
    again = client.ask("resend", {"from": 1, "to": 3})
    assert ends(client, until, again)[-1][0] == "done"
