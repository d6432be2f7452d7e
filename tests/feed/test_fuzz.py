"""Any bytes from a broker: a fault of the link, never of the room."""

from __future__ import annotations

import contextlib
import random
import secrets
import socket
import threading

import pytest

pytestmark = pytest.mark.system

CONNECTIONS = 60
CONNACK_5 = bytes([0x20, 3, 0, 0, 0])
CONNACK_3 = bytes([0x20, 2, 0, 0])


def packets(rng: random.Random) -> bytes:
    """Return what a broker gone mad might say: half of it begins like MQTT."""
    said = rng.choice([b"", CONNACK_5, CONNACK_3, bytes([0x20, 2, 0, rng.randrange(256)])])
    for _ in range(rng.randrange(6)):
        kind = rng.choice([0x40, 0x90, 0xB0, 0xD0, 0xE0, 0x30, 0x32, 0x34, 0x62, 0xF0])
        body = rng.randbytes(rng.randrange(40))
        length = rng.choice([bytes([len(body)]), b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff\xff"])
        said += bytes([kind]) + length + body
    return said + rng.randbytes(rng.randrange(200))


def mad_broker(listener: socket.socket, rng: random.Random, done: threading.Event) -> None:
    for _ in range(CONNECTIONS):
        client, _ = listener.accept()
        with client, contextlib.suppress(OSError):
            client.settimeout(0.3)
            client.recv(4096)
            client.sendall(packets(rng))
            if rng.random() < 0.5:
                client.recv(65536)
    done.set()


def test_a_broker_gone_mad_costs_the_room_nothing_and_a_sound_one_is_served_after_it(
    mosquitto, open_room, until
):
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    done = threading.Event()
    with socket.create_server(("127.0.0.1", mosquitto.port)) as listener:
        listener.settimeout(20.0)
        mad = threading.Thread(
            target=mad_broker, args=(listener, random.Random(seed), done), daemon=True
        )
        mad.start()
        room = open_room(mosquitto.url)
        until(done.is_set, 90.0)
        assert room.alarm("feed.down") or room.state()["condition"] != "up"
    mad.join(5.0)

    mosquitto.start()

    until(lambda: room.state()["condition"] == "up", 15.0)
    assert room.alarm("controller.thread-failed") is None
    until(room.is_settled, 15.0)
