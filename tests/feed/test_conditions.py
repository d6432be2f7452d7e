"""What can be wrong between the room and the broker, and what the feed makes of it."""

from __future__ import annotations

import gc
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from controller.feed import link as link_file
from controller.feed import link as link_module
from controller.feed.outbox import Outbox
from firmware import broker as brokers
from tests.feed.room import QUICK, ROOT, FeedRoom, fill

pytestmark = pytest.mark.system

CONNACK_5 = bytes([0x20, 3, 0, 0, 0])
CONNACK_311 = bytes([0x20, 2, 0, 0])
ONE_AT_A_TIME = bytes([0x20, 6, 0, 0, 3, 0x21, 0, 1])
"""A CONNACK with a Receive Maximum of 1."""

_CONNECT, _PUBLISH, _PUBLISH_QOS_1, _PINGREQ = 0x10, 0x30, 0x32, 0xC0
_AT_ONCE = 10  # then it answers, though more may be coming


class Scripted:
    """A broker of MQTT 5, to which it says `connack`, and of 3.1.1.

    It answers those messages that `answers` names. `versions`: of MQTT, that were asked for, by
    connection. `most`: how many messages waited for their answer at once. `topics`: of all that
    came, in their order.
    """

    def __init__(self, connack: bytes = CONNACK_5) -> None:
        self.connack = connack
        self.answers: Callable[[int], bool] = lambda number: True
        self.after_connect: Callable[[socket.socket], object] | None = None
        self.thinks_s = 0.0
        self.versions: list[int] = []
        self.most = 0
        self.topics: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._server.accept()
                with peer, peer.makefile("rb", buffering=0) as heard, suppress(OSError):
                    self._serve(peer, heard)

    def _serve(self, peer: socket.socket, heard: BinaryIO) -> None:
        waiting: list[bytes] = []
        for kind, body in packets(heard):
            if kind == _CONNECT:
                self.versions.append(body[6])
                if self.after_connect:
                    self.after_connect(peer)
                    return
                if select.select([peer], [], [], self.thinks_s)[0]:
                    return  # the room has hung up meanwhile
                peer.sendall(self.connack if body[6] == 5 else CONNACK_311)
            elif kind & 0xF0 == _PUBLISH:
                start = 2 + int.from_bytes(body[:2], "big")
                self.topics.append(body[2:start].decode())
            if kind & 0xF6 == _PUBLISH_QOS_1:
                waiting.append(body[start : start + 2])
                self.most = max(self.most, len(waiting))
            if kind == _PINGREQ:
                peer.sendall(bytes([0xD0, 0]))
            if len(waiting) >= _AT_ONCE or not select.select([peer], [], [], 0.03)[0]:
                for number in waiting:
                    if self.answers(int.from_bytes(number, "big")):
                        peer.sendall(bytes([0x40, 2]) + number)
                waiting.clear()


def packets(heard: BinaryIO) -> Iterator[tuple[int, bytes]]:
    while head := heard.read(1):
        length = shift = 0
        while True:
            digit = heard.read(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if digit < 0x80:
                break
        body = b""
        while len(body) < length:
            body += heard.read(length - len(body))
        yield head[0], body


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    brokers: list[Scripted] = []

    def start(*args: bytes) -> Scripted:
        brokers.append(Scripted(*args))
        return brokers[-1]

    yield start
    for broker in brokers:
        broker.close()


def test_no_broker_is_an_alarm_and_its_return_ends_it(mosquitto, open_room, until):
    room = open_room(mosquitto.url)
    until(lambda: room.alarm("feed.down"))
    assert room.state()["condition"] == "down"
    assert "refused" in str(room.state()["detail"])

    mosquitto.start()

    until(lambda: room.state()["condition"] == "up")
    until(lambda: room.alarm("feed.down") is None)


def test_a_wrong_password_is_refused_and_the_right_one_is_tried_at_once(
    mosquitto, open_room, until, tmp_path
):
    secret = tmp_path / "feed.secret"
    secret.write_text("wrong\n")
    users = tmp_path / "users"
    subprocess.run(
        ["mosquitto_passwd", "-c", "-b", users, "room", "right"], check=True, capture_output=True
    )
    mosquitto.lines = ["allow_anonymous false", f"password_file {users}"]
    mosquitto.start()
    patient = msgspec.structs.replace(QUICK, back_off_s=(60.0, 60.0), refused_s=60.0)
    keys = 'username = "room"\npassword_file = "feed.secret"'
    room = open_room(mosquitto.url, keys, limits=patient)
    until(lambda: room.state()["condition"] == "refused")
    until(lambda: room.alarm("feed.down"))

    secret.write_text("right\n")

    until(lambda: room.state()["condition"] == "up")


def test_a_missing_secret_turns_the_feed_off_until_it_is_there(
    mosquitto, open_room, until, tmp_path
):
    mosquitto.start()
    room = open_room(mosquitto.url, 'username = "room"\npassword_file = "feed.secret"')
    until(lambda: room.state()["condition"] == "off")
    until(lambda: room.alarm("feed.secret-missing"))
    assert room.alarm("feed.down") is None

    (tmp_path / "feed.secret").write_text("anything")

    until(lambda: room.state()["condition"] == "up")
    until(lambda: room.alarm("feed.secret-missing") is None)


def test_a_broker_that_stands_still_is_noticed_and_found_again(
    mosquitto, open_room, consume, until
):
    mosquitto.start()
    room = open_room(mosquitto.url, limits=msgspec.structs.replace(QUICK, answer_s=8.0))
    until(room.is_settled)
    mosquitto.send(signal.SIGSTOP)

    room.guard.tell("feed.events-lost", "a trial")
    until(lambda: room.state()["condition"] == "slow")
    assert room.state()["connected"], "late, but not lost yet"
    until(lambda: not room.state()["connected"])
    assert room.state()["condition"] == "silent"
    until(lambda: room.alarm("feed.down"))
    scans = room.guard.published.number
    until(lambda: room.guard.published.number > scans + 1)
    assert room.guard.published.decision.memory.alarms.of("feed.events-lost").active

    mosquitto.send(signal.SIGCONT)
    until(lambda: room.state()["condition"] == "up")
    consumer = consume()
    until(lambda: (consumer.last("alarm/feed.events-lost") or {}).get("active"))
    until(lambda: room.state()["backlog"] == 0)


def test_a_broker_that_stands_still_is_noticed_though_nothing_happens(mosquitto, open_room, until):
    mosquitto.start()
    room = open_room(mosquitto.url, limits=msgspec.structs.replace(QUICK, keepalive_s=2))
    until(room.is_settled)
    mosquitto.send(signal.SIGSTOP)

    until(lambda: room.state()["condition"] == "silent")


def test_a_broker_that_lets_the_room_in_and_throws_it_out_again_is_down(
    mosquitto, open_room, until, monkeypatch
):
    mosquitto.lines += ["max_packet_size 3000"]  # less than a birth
    mosquitto.start()
    room = open_room(mosquitto.url)
    told, tell = [], room.guard.tell
    monkeypatch.setattr(
        room.guard, "tell", lambda fault, so: (told.append((fault, so)), tell(fault, so))
    )
    until(lambda: mosquitto.log.count("New connection") >= 6)
    until(lambda: room.alarm("feed.down"))
    assert ("feed.down", False) not in told


def test_what_takes_a_connection_for_a_broker_and_drops_it_is_no_fault_of_certificates(
    open_room, until
):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drops() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=drops, daemon=True).start()
        room = open_room(f"mqtts://127.0.0.1:{server.getsockname()[1]}")
        until(lambda: room.state()["detail"])
        assert room.state()["condition"] == "down"


def test_a_broker_that_takes_the_connection_and_says_nothing_is_silent(open_room, until):
    with socket.create_server(("127.0.0.1", 0)) as server:
        room = open_room(
            f"mqtt://127.0.0.1:{server.getsockname()[1]}",
            limits=msgspec.structs.replace(QUICK, connect_s=0.3),
        )
        until(lambda: room.state()["condition"] == "silent")
        until(lambda: room.alarm("feed.down"))


def test_a_broker_that_stands_still_behind_tls_is_silent(open_room, until):
    with socket.create_server(("127.0.0.1", 0)) as server:
        room = open_room(
            f"mqtts://127.0.0.1:{server.getsockname()[1]}",
            limits=msgspec.structs.replace(QUICK, connect_s=0.3),
        )
        until(lambda: room.state()["condition"] == "silent")


def test_a_message_that_is_never_answered_is_noticed_though_others_are(scripted, open_room, until):
    broker = scripted()
    first: list[int] = []

    def all_but_the_first(number: int) -> bool:
        first.append(number)
        return number != first[0]

    broker.answers = all_but_the_first
    room = open_room(broker.url, limits=msgspec.structs.replace(QUICK, answer_s=1.5))
    until(lambda: room.state()["connected"])
    is_open = [False]

    def goes_on() -> bool:
        is_open[0] = not is_open[0]
        room.door(is_open=is_open[0])
        return room.state()["condition"] == "silent"

    until(goes_on)
    assert len(first) > 10


def test_a_broker_is_never_sent_more_at_once_than_it_takes(scripted, open_room, until):
    broker = scripted(ONE_AT_A_TIME)
    room = open_room(broker.url)
    until(room.is_settled)
    assert broker.most == 1


def test_what_happened_waits_for_what_is_though_the_first_scan_is_late(scripted, tmp_path, until):
    broker = scripted()
    fill(tmp_path, 1, 20)
    room = FeedRoom(tmp_path, broker.url)
    assert room.feed is not None
    room.feed.start()
    until(lambda: broker.topics)
    room.guard.start()
    until(room.is_settled)
    room.close()

    names = [topic.removeprefix(f"{ROOT}/") for topic in broker.topics]
    present = {f"alarm/{id}" for id in room.guard.room.alarms}
    present |= {f"state/{id}" for id in (*room.guard.room.points, "siren")}
    assert {"birth", "availability"} | present <= set(names[: names.index("event")])


@pytest.mark.parametrize("hiccup", ["silence", "hang-up"])
def test_a_hiccup_of_a_broker_of_mqtt_5_is_not_taken_for_its_age(
    scripted, open_room, until, hiccup
):
    broker = scripted()
    room = open_room(
        broker.url, limits=msgspec.structs.replace(QUICK, connect_s=1.0, answer_s=1.5)
    )
    until(lambda: room.state()["connected"])

    silent = hiccup == "silence"
    broker.after_connect = lambda peer: peer.recv(1) if silent else None
    broker.answers = lambda number: False
    room.guard.tell("feed.events-lost", "a trial")
    until(lambda: len(broker.versions) >= 5)

    broker.after_connect = None
    broker.answers = lambda number: True
    until(lambda: room.state()["connected"])
    assert broker.versions[-1] == 5


@pytest.mark.parametrize("hiccup", ["silence", "hang-up"])
def test_a_broker_that_is_slow_to_start_is_not_taken_for_an_older_one(
    scripted, open_room, until, hiccup
):
    broker = scripted()

    def at_first(peer: socket.socket) -> None:
        broker.after_connect = None
        if hiccup == "silence":
            peer.recv(1)  # until the room hangs up

    broker.after_connect = at_first
    room = open_room(broker.url, limits=msgspec.structs.replace(QUICK, connect_s=3.0))
    until(lambda: room.state()["connected"])

    assert broker.versions == [5, 4, 5]


def test_a_broker_that_thinks_long_over_each_connection_is_not_taken_for_an_older_one(
    scripted, open_room, until, monkeypatch
):
    monkeypatch.setattr(link_module, "_SOON_S", 0.1)
    broker = scripted()
    broker.thinks_s = 2.0

    def at_first(peer: socket.socket) -> None:
        broker.after_connect = None

    broker.after_connect = at_first
    room = open_room(broker.url)
    until(lambda: room.state()["connected"])

    assert broker.versions == [5, 4, 5]


def test_another_broker_on_the_same_address_is_spoken_to_in_its_own_version(
    mosquitto, open_room, until, tmp_path, monkeypatch
):
    mosquitto.start()
    room = open_room(mosquitto.url, limits=msgspec.structs.replace(QUICK, connect_s=1.0))
    until(room.is_settled)
    mosquitto.end()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "which", lambda *args, **kwargs: None)
        with brokers.open_broker(tmp_path, mosquitto.port) as older:
            assert older.name == "amqtt"
            until(lambda: room.state()["connected"], timeout_s=60)
        until(lambda: not room.state()["connected"], timeout_s=60)

    mosquitto.start()

    until(lambda: room.state()["connected"], timeout_s=60)
    assert mosquitto.log.count("as roomwarden-school_room-1 (p5") == 2


def test_a_slow_network_is_told_and_loses_nothing(mosquitto, cable, open_room, consume, until):
    mosquitto.start()
    consumer = consume()
    room = open_room(cable.url, limits=QUICK)
    until(room.is_settled)
    assert room.state()["condition"] == "up"

    cable.delay_s = 0.6
    room.guard.tell("feed.events-lost", "a trial")
    until(lambda: room.state()["condition"] == "slow")
    assert room.state()["connected"]
    assert room.alarm("feed.down") is None
    until(lambda: (consumer.last("alarm/feed.events-lost") or {}).get("active"))
    scans = room.guard.published.number
    until(lambda: room.guard.published.number > scans + 1)

    cable.delay_s = 0.0
    until(lambda: room.state()["backlog"] == 0)
    room.guard.tell("feed.events-lost", False)
    until(lambda: room.state()["condition"] == "up", timeout_s=60)
    assert consumer.first_deliveries() == sorted(consumer.first_deliveries())


def test_a_room_that_may_not_hear_its_clients_says_so(mosquitto, open_room, until, monkeypatch):
    def deaf(link: object, *args: object) -> None:
        codes = [ReasonCode(PacketTypes.SUBACK, "Not authorized")]
        before(link, *args[:3], codes, None)

    before = link_file.Link._on_subscribe
    monkeypatch.setattr(link_file.Link, "_on_subscribe", deaf)
    mosquitto.start()
    room = open_room(mosquitto.url, '[[feed.client]]\nid = "central"')
    until(lambda: "cmd/central" in str(room.state()["detail"]))
    assert room.state()["connected"]


def test_mqtt_5_is_spoken_where_the_broker_does(mosquitto, open_room, until):
    mosquitto.start()
    room = open_room(mosquitto.url)
    until(lambda: room.state()["connected"])
    until(lambda: "as roomwarden-school_room-1 (p5," in mosquitto.log)


def test_a_broker_of_3_1_1_is_served_too(tmp_path, open_room, until, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    with brokers.open_broker(tmp_path) as broker:
        assert broker.name == "amqtt"
        room = open_room(f"mqtt://127.0.0.1:{broker.port}")
        until(lambda: room.state()["connected"])
        room.guard.tell("feed.events-lost", "a trial")
        until(lambda: room.journal.recorded_seq > 1 and room.state()["backlog"] == 0)


def test_the_demo_gets_a_mosquitto_that_ends_with_it(tmp_path):
    with brokers.open_broker(tmp_path) as broker:
        assert broker.name == "mosquitto"
        socket.create_connection(("127.0.0.1", broker.port), timeout=2).close()
    assert not Path(f"/proc/{broker.pid}").exists()


def test_a_port_in_use_is_no_broker_of_ours(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(brokers.BrokerFailed, match="mosquitto"):
            brokers.open_broker(tmp_path, port)


def test_noise_instead_of_mqtt_is_a_fault_of_the_link_only(open_room, until):
    with socket.create_server(("127.0.0.1", 0)) as server:
        room = open_room(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        for _ in range(3):
            peer, _ = server.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(os.urandom(100))
        until(lambda: room.state()["condition"] == "down")
        assert room.alarm("controller.thread-failed") is None


def test_messages_are_sent_at_once(mosquitto, open_room, until, monkeypatch):
    seen = []
    before = link_file._send_at_once

    def after(client: object, data: object, sock: socket.socket) -> None:
        before(client, data, sock)
        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(link_file, "_send_at_once", after)
    mosquitto.start()
    room = open_room(mosquitto.url)
    until(lambda: room.state()["connected"])
    assert seen
    assert all(seen)


def test_a_feed_that_fails_by_itself_is_not_said_to_be_up(
    mosquitto, open_room, until, monkeypatch
):
    mosquitto.start()
    room = open_room(mosquitto.url)
    until(lambda: room.state()["connected"])

    def fails(*_: object) -> bool:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(Outbox, "send", fails)
    room.feed.ring()

    until(lambda: not room.state()["connected"])
    assert room.state()["condition"] == "down"
    until(lambda: room.alarm("feed.down"))
    # Raised after the feed's thread has ended, so later than what the feed itself tells.
    until(lambda: "a mistake of ours" in str(room.alarm("controller.thread-failed")))


def test_a_long_cut_costs_no_memory(mosquitto, open_room, until):
    room = open_room(mosquitto.url)
    until(lambda: room.alarm("feed.down"))

    def much() -> None:
        for n in range(100):
            room.door(is_open=n % 2 == 0)
            room.temperature(20 + n % 50 / 10)
        assert room.journal.flush()

    for _ in range(3):
        much()  # everything that is allocated once
    gc.collect()
    tracemalloc.start()
    much()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(10):
        much()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert room.state()["backlog"] > 500
    assert after - before < 300_000
