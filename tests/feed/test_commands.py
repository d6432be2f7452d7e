"""Commands over MQTT, sent by programs that are not ours; each is answered and recorded."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
import tracemalloc
from typing import Any

import msgspec
import pytest

from controller.feed import rate
from tests.feed.central import Listener, command, moment, retained
from tests.feed.room import QUICK, ROOT, FeedRoom

pytestmark = pytest.mark.system

CLIENTS = """
[[feed.client]]
id = "central"
role = "operate"
actions = ["acknowledge", "silence", "switch", "release"]
[[feed.client]]
id = "watcher"
role = "view"
"""
LIGHT = """
[[output]]
id = "light"
kind = "relay"
role = "light"
pin = 16
"""
BUSY = msgspec.structs.replace(QUICK, rate=(1000, 1.0))
VERSIONS = ["5", "311"]


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture
def room(mosquitto, open_room, until, version) -> FeedRoom:
    """A room whose own connection is of the same version of MQTT as its client's."""
    mosquitto.start()
    room = open_room(mosquitto.url, CLIENTS, limits=BUSY, parts=LIGHT, older=version == "311")
    until(room.is_settled)
    return room


@pytest.fixture
def client(room, central, version):
    return central("central", version)


def recorded(room: FeedRoom, id: str | None) -> dict[str, Any]:
    """What the journal holds of a request."""
    assert room.journal.flush()
    for event in room.journal.events_after(0, 10_000):
        if event["kind"] == "request" and event["data"]["id"] == (id or ""):
            return event
    return {}


def is_lit(room: FeedRoom) -> bool:
    published = room.guard.published
    assert published is not None
    return bool(published.decision.memory.outputs["light"].on)


def answered(client, until, id: str | None) -> tuple[str, str | None]:
    until(lambda: client.reply(id))
    reply = client.reply(id)
    return reply["status"], (reply["why"] or {}).get("id")


def test_a_client_acknowledges_an_alarm_and_is_told_so(room, client, until):
    room.guard.tell("feed.events-lost", "a trial")
    until(lambda: room.guard.published.decision.memory.alarms.of("feed.events-lost").active)

    id = client.ask("acknowledge", {"alarm": "feed.events-lost"}, user="the night porter")

    assert answered(client, until, id) == ("done", None)
    alarms = room.guard.published.decision.memory.alarms
    assert alarms.of("feed.events-lost").acknowledged
    event = recorded(room, id)
    assert (event["subject"], event["actor"]) == ("acknowledge", "central")
    assert event["data"]["user"] == "the night porter"
    assert event["data"]["origin"] == "mqtt"
    assert list(client.reply(id)) == ["id", "status", "reason", "why"]


REFUSED: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    ("expired", {"issued": moment(-90), "expires": moment(-30)}, ("expired", "refused.expired")),
    ("early", {"issued": moment(3600), "expires": moment(7200)}, ("refused", "refused.future")),
    ("not its own", {"action": "arm"}, ("refused", "refused.origin")),
    ("never from afar", {"action": "cut"}, ("refused", "refused.origin")),
    ("no action", {"action": "reboot"}, ("refused", "refused.unknown-action")),
    ("unprepared", {"action": "switch", "args": {"output": "light", "to": "on"}},
     ("refused", "refused.not-prepared")),
    ("another state", {"expect": {"front-door": True}}, ("refused", "refused.expectation")),
    ("of nothing", {"expect": {"attic": True}}, ("refused", "refused.unknown-subject")),
    ("no such alarm", {"action": "acknowledge", "args": {"alarm": "none.such"}},
     ("refused", "refused.unknown-subject")),
    ("one key more", {"colour": "red"}, ("refused", "refused.malformed")),
    ("nested", {"args": {"a": {"b": 1}}}, ("refused", "refused.malformed")),
    ("no date", {"issued": "yesterday"}, ("refused", "refused.malformed")),
    ("no zone", {"issued": "2026-11-22T12:00:00"}, ("refused", "refused.malformed")),
    ("action of another type", {"action": 7}, ("refused", "refused.malformed")),
    ("huge number", {"args": {"for": 10**300}}, ("done", "")),
    ("many words", {"args": {"reason": "x" * 5000}}, ("refused", "refused.malformed")),
    ("control characters", {"action": "si\x07lence"}, ("refused", "refused.malformed")),
]  # fmt: skip


def test_what_is_not_in_order_is_refused_with_its_reason_and_recorded(room, client, until):
    before = room.guard.published.decision.memory.outputs
    for name, keys, (status, reason) in REFUSED:
        said = command("silence") | keys
        client.send(said)
        found = answered(client, until, said["id"])
        if name == "huge number":
            assert found == ("refused", "refused.bad-argument"), "`for` is no duration"
            continue
        assert found == (status, reason), name
        event = recorded(room, said["id"])
        assert (event["data"]["status"], event["data"]["reason"]) == (status, reason), name
        assert event["actor"] == "central"
        assert client.reply(said["id"])["reason"], "a sentence for people too"
    assert room.guard.published.decision.memory.outputs == before


@pytest.mark.parametrize(
    "payload",
    [
        b"no json",
        b"[1, 2]",
        b"\xff\xfe",
        b'{"id": 5}',
        b'{"id": ""}',
        json.dumps(command("silence", id="x" * 65)).encode(),
        json.dumps(command("silence", id="a\nb")).encode(),
        b"[" * 16_000,
        b'{"a":' * 3000,
        b"1" * 5000,
    ],
    ids=["text", "list", "bytes", "number", "empty", "long", "line", "deep", "deeper", "digits"],
)
@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_what_has_no_readable_id_is_answered_with_null(room, client, until, payload):
    client.send(payload)
    assert answered(client, until, None) == ("refused", "refused.malformed")
    assert recorded(room, None)["data"]["reason"] == "refused.malformed"


def test_an_oversized_command_is_refused_and_recorded(room, client, until):
    client.send(command("silence", {"reason": "x" * 20_000}))
    assert answered(client, until, None) == ("refused", "refused.too-big")
    assert recorded(room, None)["data"]["values"]["size"] > 20_000


@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_a_retained_command_is_refused_and_taken_from_the_broker(room, client, until, mosquitto):
    said = command("silence")
    client.send(said, "-r")
    assert answered(client, until, said["id"]) == ("refused", "refused.retained")
    assert recorded(room, said["id"])["data"]["reason"] == "refused.retained"
    until(lambda: not retained(mosquitto.port, client.topic))
    assert len(client.lines) == 1


def test_a_command_retained_before_the_room_came_is_refused_and_taken_from_the_broker(
    mosquitto, open_room, central, until, version
):
    mosquitto.start()
    client = central("central", version)
    said = command("silence")
    client.send(said, "-r")
    room = open_room(mosquitto.url, CLIENTS, older=version == "311")

    assert answered(client, until, said["id"]) == ("refused", "refused.retained")
    assert recorded(room, said["id"])["data"]["reason"] == "refused.retained"
    until(lambda: not retained(mosquitto.port, client.topic))
    # Its own clearing is no command; an empty one of somebody else is answered.
    assert answered(client, until, client.ask("silence")) == ("done", None)
    assert client.replies(None) == []
    client.send(b"")
    assert answered(client, until, None) == ("refused", "refused.malformed")


@pytest.mark.parametrize("is_there_first", [True, False], ids=["retained before", "live"])
@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_a_byte_order_mark_in_a_property_does_not_cost_the_connection(
    mosquitto, open_room, central, until, version, is_there_first
):
    mosquitto.start()
    client = central("central", version)
    marked = ["-D", "publish", "user-property", "\ufeffcolour", "red\ufeff"]
    said = command("silence")
    if is_there_first:
        client.send(said, "-r", *marked)
    room = open_room(mosquitto.url, CLIENTS)
    until(room.is_settled)
    if not is_there_first:
        live = command("silence")
        client.send(live, *marked)
        assert answered(client, until, live["id"]) == ("done", None)
        client.send(said, "-r", *marked)

    assert answered(client, until, said["id"]) == ("refused", "refused.retained")
    until(lambda: not retained(mosquitto.port, client.topic))
    assert answered(client, until, client.ask("silence")) == ("done", None)
    assert mosquitto.log.count("as roomwarden-school_room-1 (p5") == 1
    assert mosquitto.log.count("as roomwarden-school_room-1 (p2") == 0


def test_an_id_serves_once_also_over_a_restart(mosquitto, open_room, central, until, version):
    mosquitto.start()
    first = open_room(mosquitto.url, CLIENTS)
    client = central("central", version)
    until(first.is_settled)
    said = command("silence")
    client.send(said)
    assert answered(client, until, said["id"])[0] == "done"
    client.send(said)
    until(lambda: len(client.lines) == 2)
    first.close()
    again = open_room(mosquitto.url, CLIENTS)
    until(again.is_settled)
    client.send(said | {"issued": moment(), "expires": moment(60)})
    until(lambda: len(client.lines) == 3)

    statuses = [reply["status"] for reply in client.replies(said["id"])]
    assert statuses == ["done", "refused", "refused"]
    assert {reply["why"]["id"] for reply in client.replies(said["id"])[1:]} == {"refused.repeated"}


@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_an_id_serves_once_in_the_room_whoever_sends_it(room, client, central, until):
    watcher = central("watcher")
    said = command("silence")
    client.send(said)
    assert answered(client, until, said["id"]) == ("done", None)

    watcher.send(command("resend", {"from": 1, "to": 1}, id=said["id"]))

    assert answered(watcher, until, said["id"]) == ("refused", "refused.repeated")
    assert len(client.replies(said["id"])) == 1


def test_an_oversized_command_that_the_broker_keeps_back_costs_the_room_nothing(
    room, client, until, version
):
    client.send(command("silence", {"reason": "x" * 1_100_000}))
    assert answered(client, until, client.ask("silence")) == ("done", None)
    # MQTT 3.1.1 cannot ask the broker to keep it back.
    assert len(client.replies(None)) == (version == "311")
    assert room.state()["condition"] == "up"


def test_huge_messages_cost_the_room_no_memory(
    mosquitto, open_room, central, until, version, tmp_path
):
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(60_000_000)
    mosquitto.start()
    client = central("central", version)
    publish = ["mosquitto_pub", "-p", str(mosquitto.port), "-t", client.topic]
    publish += ["-q", "1", "-f", str(huge)]
    subprocess.run([*publish, "-r"], check=True)
    tracemalloc.start()

    room = open_room(mosquitto.url, CLIENTS, older=version == "311")
    until(room.is_settled)
    if version == "311":  # of MQTT 5 the broker keeps them back
        until(lambda: not retained(mosquitto.port, client.topic))
    subprocess.run(publish, check=True)

    assert answered(client, until, client.ask("silence")) == ("done", None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
    refusals = [reply["why"]["id"] for reply in client.replies(None)]
    assert refusals == (["refused.retained", "refused.too-big"] if version == "311" else [])
    assert room.state()["condition"] == "up"


def test_a_command_sent_while_the_room_was_away_is_never_carried_out(
    mosquitto, open_room, central, until, version
):
    mosquitto.start()
    client = central("central", version)
    first = open_room(mosquitto.url, CLIENTS)
    until(first.is_settled)
    first.close()
    missed = client.ask("silence")
    again = open_room(mosquitto.url, CLIENTS)
    until(again.is_settled)
    heard = client.ask("silence")

    assert answered(client, until, heard)[0] == "done"
    assert client.replies(missed) == []
    assert recorded(again, missed) == {}


def test_beyond_its_rate_a_client_is_refused_and_others_are_not(
    mosquitto, open_room, central, until
):
    mosquitto.start()
    slow = msgspec.structs.replace(QUICK, rate=(5, 600.0))
    room = open_room(mosquitto.url, CLIENTS, limits=slow)
    until(room.is_settled)
    client, watcher = central(), central("watcher")
    ids = [client.ask("silence") for _ in range(4)]
    client.send(b"a malformed one counts too")
    over = client.ask("silence")
    assert answered(client, until, over) == ("refused", "refused.rate")
    flood = b"\n".join(json.dumps(command("silence")).encode() for _ in range(200))
    publish = ["mosquitto_pub", "-p", str(mosquitto.port), "-q", "1", "-t", client.topic, "-l"]
    subprocess.run(publish, input=flood, check=True)
    other = watcher.ask("resend", {"from": 1, "to": 1})
    until(lambda: watcher.replies(other)[-1:] and watcher.replies(other)[-1]["status"] == "done")

    until(lambda: all(client.reply(id).get("status") == "done" for id in ids))
    for each in room.feed._commands._clients.values():
        each.rate._taken.clear()  # ten minutes later
    assert answered(client, until, client.ask("silence")) == ("done", None)
    assert room.journal.flush()
    events = [e for e in room.journal.events_after(0, 10_000) if e["kind"] == "request"]
    over_rate = [e for e in events if e["data"].get("reason") == "refused.rate"]
    assert [e["data"]["id"] for e in over_rate] == [over], "one record a minute"
    refusals = [line for line in client.lines if "refused.rate" in line]
    assert 1 <= len(refusals) <= 6, "one reply a second"


def test_how_many_were_over_the_rate_is_recorded_though_none_follow(
    mosquitto, open_room, central, until, monkeypatch
):
    monkeypatch.setattr(rate, "_RECORD_S", 3600.0)
    monkeypatch.setattr(rate, "_REPLY_S", 3600.0)
    mosquitto.start()
    room = open_room(mosquitto.url, CLIENTS, limits=msgspec.structs.replace(QUICK, rate=(2, 60.0)))
    until(room.is_settled)
    client = central()
    burst = b"\n".join(json.dumps(command("silence")).encode() for _ in range(9))
    publish = ["mosquitto_pub", "-p", str(mosquitto.port), "-q", "1", "-t", client.topic, "-l"]
    subprocess.run(publish, input=burst, check=True)

    def counts() -> list[int]:
        assert room.journal.flush()
        events = room.journal.events_after(0, 10_000)
        over = [e["data"] for e in events if e["data"].get("reason") == "refused.rate"]
        return [data["values"]["count"] for data in over]

    commands = room.feed._commands._clients[f"{ROOT}/cmd/central"]
    until(lambda: commands.flood.since == 6)
    assert counts() == [1]
    monkeypatch.setattr(rate, "_RECORD_S", 0.0)
    room.guard.tell("feed.events-lost", "a trial")  # something that turns the feed's thread
    until(lambda: len(counts()) == 2)
    assert counts() == [1, 6]
    assert len([line for line in client.lines if "refused.rate" in line]) == 1


def test_a_switch_takes_two_steps(room, client, until):
    args = {"output": "light", "to": "on", "for": "10min"}
    asked = client.ask("prepare", {"action": "switch", **args})
    assert answered(client, until, asked) == ("done", None)
    nonce = client.reply(asked)["nonce"]
    assert len(bytes.fromhex(nonce)) == 16
    assert not is_lit(room)

    done = client.ask("switch", args, nonce=nonce)

    assert answered(client, until, done) == ("done", None)
    until(lambda: is_lit(room))
    event = recorded(room, done)
    assert (event["subject"], event["data"]["args"]) == ("switch", args)
    again = client.ask("switch", args, nonce=nonce)
    assert answered(client, until, again) == ("refused", "refused.not-prepared")


def test_what_was_prepared_is_that_client_s_and_that_action_only(room, client, central, until):
    args = {"output": "light", "to": "on"}

    def nonce() -> str:
        asked = client.ask("prepare", {"action": "switch", **args})
        until(lambda: client.reply(asked))
        return str(client.reply(asked)["nonce"])

    unprepared = ("refused", "refused.not-prepared")
    other = client.ask("switch", args | {"to": "off"}, nonce=nonce())
    assert answered(client, until, other) == unprepared
    guessed = client.ask("switch", args, nonce="0" * 32)
    assert answered(client, until, guessed) == unprepared
    used = nonce()
    release = client.ask("release", {"output": "light"}, nonce=used)
    assert answered(client, until, release) == unprepared
    burnt = client.ask("switch", args, nonce=used)
    assert answered(client, until, burnt) == unprepared
    watcher = central("watcher")
    stolen = watcher.ask("switch", args, nonce=nonce())
    assert answered(watcher, until, stolen) == ("refused", "refused.origin")
    assert not is_lit(room)


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"action": "silence"}, "refused.nothing-to-prepare"),
        ({"action": "arm"}, "refused.origin"),
        ({"action": "restore"}, "refused.origin"),
        ({}, "refused.unknown-action"),
    ],
    ids=["needs none", "not its own", "never from afar", "nothing"],
)
@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_only_what_needs_it_and_is_the_client_s_is_prepared(room, client, until, args, reason):
    asked = client.ask("prepare", args)
    assert answered(client, until, asked) == ("refused", reason)
    assert "nonce" not in client.reply(asked)


def test_a_command_is_carried_out_only_in_the_room_that_its_sender_saw(room, client, until):
    room.temperature(23.4)
    seen = {"rack-air.temperature": 23.4, "front-door": False, "light": "off"}
    assert answered(client, until, client.ask("silence", expect=seen)) == ("done", None)
    room.door(is_open=True)
    late = client.ask("silence", expect=seen)
    assert answered(client, until, late) == ("refused", "refused.expectation")
    assert client.reply(late)["why"]["values"]["point"] == "front-door"


@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_a_reply_goes_where_its_asker_wants_it_with_what_it_sent(room, client, until, mosquitto):
    inbox = Listener(mosquitto.port, "central/inbox", "%t|%D|%q|%r|%p", "5")
    try:
        until(lambda: f"{inbox.name} 1 central/inbox" in mosquitto.log)
        said = command("silence")
        wanted = ("response-topic", "central/inbox"), ("correlation-data", "call 7")
        client.send(said, *flags(*wanted))
        until(lambda: inbox.lines)
    finally:
        inbox.close()
    topic, correlation, qos, retained, payload = inbox.lines[0].split("|", 4)
    assert (topic, correlation, qos, retained) == ("central/inbox", "call 7", "1", "0")
    assert json.loads(payload)["status"] == "done"
    assert client.replies(said["id"]) == []


@pytest.mark.parametrize(
    "topic",
    [
        f"{ROOT}/state/light",
        f"{ROOT}/cmd/central",
        f"{ROOT}/availability",
        "roomwarden/school/room-2/cmd/central",
        "homeassistant/sensor/x/config",
        "$SYS/broker",
    ],
)
@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_a_reply_never_goes_to_a_topic_that_means_something_else(room, client, until, topic):
    said = command("silence")
    client.send(said, *flags(("response-topic", topic)))
    assert answered(client, until, said["id"])[0] == "done"


@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_a_reply_that_the_broker_does_not_let_through_costs_the_feed_nothing(
    mosquitto, open_room, central, until, tmp_path, version
):
    rules = ["topic read secret/#", f"topic readwrite {ROOT}/#", "topic readwrite central/#"]
    (tmp_path / "acl").write_text("\n".join(rules) + "\n")
    # mosquitto 2.0.11 hangs up over a message that it denies where this is 0.
    mosquitto.lines += [f"acl_file {tmp_path}/acl", "max_queued_messages 1000"]
    mosquitto.start()
    room = open_room(mosquitto.url, CLIENTS)
    until(room.is_settled)
    client = central()
    connections = mosquitto.log.count("as roomwarden-school_room-1 (")

    client.send(command("silence"), *flags(("response-topic", "secret/topic")))
    id = client.ask("silence")

    assert answered(client, until, id)[0] == "done"
    assert "Denied PUBLISH from roomwarden-school_room-1" in mosquitto.log
    assert mosquitto.log.count("as roomwarden-school_room-1 (") == connections
    assert room.state()["condition"] == "up"


@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_who_is_not_named_is_not_heard(room, client, central, until, mosquitto):
    stranger = central("stranger")
    unheard = stranger.ask("silence")
    heard = client.ask("silence")
    assert answered(client, until, heard)[0] == "done"
    assert recorded(room, unheard) == {}
    assert f"roomwarden-school_room-1 1 {ROOT}/cmd/central" in mosquitto.log
    assert f"roomwarden-school_room-1 1 {ROOT}/cmd/stranger" not in mosquitto.log


@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_no_payload_that_comes_by_a_command_moves_an_output_twice(room, client, until):
    """The same prepared switch, sent three times as a network may repeat it."""
    args = {"output": "light", "to": "on"}
    asked = client.ask("prepare", {"action": "switch", **args})
    until(lambda: client.reply(asked))
    said = command("switch", args, nonce=client.reply(asked)["nonce"])
    for _ in range(3):
        client.send(said)
    until(lambda: len(client.replies(said["id"])) == 3)
    replies = [(r["status"], (r["why"] or {}).get("id")) for r in client.replies(said["id"])]
    assert replies == [("done", None), *[("refused", "refused.repeated")] * 2]


def flags(*properties: tuple[str, str]) -> list[str]:
    every = (["-D", "publish", name, value] for name, value in properties)
    return list(itertools.chain.from_iterable(every))


@pytest.mark.parametrize("version", ["5"], indirect=True)
def test_what_was_issued_before_ids_were_forgotten_counts_as_repeated(room, client, until):
    """The sender's own instant is what tells of it, and must reach the journal."""
    told = []
    seen = room.journal.seen_request

    def seen_request(id, issued_s=None):
        told.append(issued_s)
        return seen(id, issued_s)

    room.journal.seen_request = seen_request
    id = client.ask("silence")
    until(lambda: client.reply(id))
    assert told == [pytest.approx(time.time(), abs=10.0)]
