"""A real mosquitto on a free port of loopback, and consumers of its topics."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from controller.feed.link import Link
from tests.feed.central import Central
from tests.feed.room import ROOT, FeedRoom
from tests.feed.validate import all_valid

Until = Callable[..., None]


def _until(is_so: Callable[[], object], timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, "it did not come to be so"
        time.sleep(0.005)


_HELD = 2_000
"""So many messages of a test are looked at, the last ones; a long one sends the same sorts."""


@pytest.fixture(autouse=True)
def every_message_is_as_described(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever listens: all that a room of this test sends is what the documents say."""
    sent: deque[tuple[str, bytes]] = deque(maxlen=_HELD)
    publish = Link.publish

    def heard(link: Link, topic: str, payload: bytes, **how: Any) -> int:
        sent.append((topic, payload))
        return publish(link, topic, payload, **how)

    monkeypatch.setattr(Link, "publish", heard)
    yield
    described = [
        # An asker may want its reply below its own reply topic.
        (re.sub("(reply/[^/]+)/.*", r"\1", topic.removeprefix(f"{ROOT}/")), json.loads(payload))
        for topic, payload in sent
        # An empty payload takes back what is retained; `availability` is a word.
        if topic.startswith(f"{ROOT}/") and payload and not topic.endswith("/availability")
    ]
    all_valid(described)


@pytest.fixture
def until() -> Until:
    return _until


class Mosquitto:
    """Starts, kills and stops one mosquitto on one port. `lines`: of its configuration."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert found, "mosquitto is not installed"
        self._program = found
        self.folder = folder
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.lines = ["allow_anonymous true"]
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        conf = self.folder / "mosquitto.conf"
        head = [f"listener {self.port} 127.0.0.1", "user root", "log_type all"]
        # What a slow consumer has not fetched yet is kept for it.
        head += ["max_queued_messages 0", "max_queued_bytes 0"]
        conf.write_text("\n".join([*head, *self.lines]) + "\n", encoding="utf-8")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._child = subprocess.Popen([self._program, "-c", conf], stdout=log, stderr=log)
        _until(self._accepts)
        return self

    def send(self, number: signal.Signals) -> None:
        assert self._child
        self._child.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._child is not None:
            self._child.send_signal(signal.SIGCONT)
            self._child.send_signal(number)
            self._child.wait(20)
            self._child = None

    @property
    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text(errors="replace")

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    yield broker
    broker.end()


class Cable:
    """The network between room and broker: a TCP proxy that can be cut, and be slow."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._server.getsockname()[1]}"
        self._lock = threading.Lock()
        self._is_cut = False
        self.delay_s = 0.0
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            self._hang_up()

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self._server.close()
        self.cut()

    def _hang_up(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            with self._lock:
                try:
                    assert not self._is_cut
                    far = socket.create_connection(("127.0.0.1", self._to_port), timeout=2)
                except (OSError, AssertionError):
                    near.close()
                    continue
                far.settimeout(None)
                self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                time.sleep(self.delay_s)
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def cable(mosquitto: Mosquitto) -> Iterator[Cable]:
    cable = Cable(mosquitto.port)
    yield cable
    cable.close()


class Consumer:
    """Keeps what came, as (topic below the root, payload, retained). Comes back by itself."""

    def __init__(self, port: int, topics: str = "#") -> None:
        self._topics = f"{ROOT}/{topics}"
        self.came: list[tuple[str, Any, bool]] = []
        self.at_s: list[float] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(5)

    def of(self, topic: str) -> list[Any]:
        return [payload for name, payload, _ in list(self.came) if name == topic]

    def last(self, topic: str) -> Any:
        return next(iter(reversed(self.of(topic))), None)

    def seqs(self) -> list[int]:
        """The events as they came."""
        return [event["seq"] for event in self.of("event")]

    def first_deliveries(self) -> list[int]:
        return list(dict.fromkeys(self.seqs()))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        all_valid((topic, payload) for topic, payload, _ in self.came)

    def _subscribe(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(self._topics, qos=1)

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        topic = message.topic.removeprefix(f"{ROOT}/")
        plain = topic == "availability"
        payload = message.payload.decode() if plain else json.loads(message.payload)
        self.at_s.append(time.monotonic())
        self.came.append((topic, payload, message.retain))


@pytest.fixture
def consume(mosquitto: Mosquitto) -> Iterator[Callable[..., Consumer]]:
    consumers: list[Consumer] = []

    def consume(topics: str = "#") -> Consumer:
        consumers.append(Consumer(mosquitto.port, topics))
        return consumers[-1]

    yield consume
    for consumer in consumers:
        consumer.close()


@pytest.fixture
def open_room(tmp_path: Path) -> Iterator[Callable[..., FeedRoom]]:
    rooms: list[FeedRoom] = []

    def open_room(url: str, feed_keys: str = "", **more: Any) -> FeedRoom:
        rooms.append(FeedRoom(tmp_path, url, feed_keys, **more).start())
        return rooms[-1]

    yield open_room
    for room in rooms:
        room.close()


@pytest.fixture
def central(mosquitto: Mosquitto) -> Iterator[Callable[..., Central]]:
    """A client that is not ours: mosquitto_pub and mosquitto_sub."""
    clients: list[Central] = []

    def central(id: str = "central", version: str = "5") -> Central:
        clients.append(Central(mosquitto.port, id, version))
        _until(lambda: f"{clients[-1].name} 1 {clients[-1].reply_topic}" in mosquitto.log)
        return clients[-1]

    yield central
    for client in clients:
        client.close()
