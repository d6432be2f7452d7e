"""What can be wrong between the room and the broker, and what the feed makes of it."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import subprocess
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from firmware import broker as brokers
from tests.feed.room import QUICK

pytestmark = pytest.mark.system


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
    room = open_room(mosquitto.url, limits=msgspec.structs.replace(QUICK, keepalive_s=60))
    until(room.is_settled)
    mosquitto.send(signal.SIGSTOP)

    room.guard.tell("journal.failing", "a trial")
    until(lambda: room.state()["condition"] == "down")
    scans = room.guard.published.number
    until(lambda: room.guard.published.number > scans + 1)
    assert room.guard.published.decision.memory.alarms.of("journal.failing").active

    mosquitto.send(signal.SIGCONT)
    until(lambda: room.state()["condition"] == "up")
    consumer = consume()
    until(lambda: (consumer.last("alarm/journal.failing") or {}).get("active"))
    until(lambda: room.state()["backlog"] == 0)


def test_a_broker_that_stands_still_is_noticed_though_nothing_happens(mosquitto, open_room, until):
    mosquitto.start()
    room = open_room(mosquitto.url)
    until(room.is_settled)
    mosquitto.send(signal.SIGSTOP)

    until(lambda: room.state()["condition"] == "down", timeout_s=3 * QUICK.keepalive_s)


def test_mqtt_5_is_spoken_where_the_broker_does(mosquitto, open_room, until):
    mosquitto.start()
    room = open_room(mosquitto.url)
    until(lambda: room.state()["connected"])
    until(lambda: "as roomwarden-school-room-1 (p5," in mosquitto.log)


def test_a_broker_of_3_1_1_is_served_too(tmp_path, open_room, until, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    with brokers.open_broker(tmp_path) as broker:
        assert broker.name == "amqtt"
        room = open_room(f"mqtt://127.0.0.1:{broker.port}")
        until(lambda: room.state()["connected"])
        room.guard.tell("journal.failing", "a trial")
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
    from controller.feed import link

    before = link._send_at_once

    def after(client: object, data: object, sock: socket.socket) -> None:
        before(client, data, sock)
        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(link, "_send_at_once", after)
    mosquitto.start()
    room = open_room(mosquitto.url)
    until(lambda: room.state()["connected"])
    assert seen
    assert all(seen)


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
