"""Everything between the room and the central system fails, again and again: nothing is lost.

Room and broker are killed at random moments, the network is cut on both sides of the broker, the
broker stands still. The broker keeps its queues on disk now and then, so that a kill makes it
lose what it had acknowledged: the central system sees the gap and asks for those events again.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from controller.journal import verify_chain
from controller.journal.capture import verify_capture
from tests.feed.busyroom import CLIENT, KEYS
from tests.feed.conftest import Cable
from tests.feed.room import ROOT
from tests.feed.validate import all_valid

REPO = Path(__file__).parents[2]

ASK_AGAIN_S = 2.0
AT_ONCE = 5_000
"""Events that are asked for at once."""


class Central:
    """The central system: follows the numbers, asks for what is missing, writes all of it down."""

    def __init__(self, url: str, capture: Path) -> None:
        self.firsts = 0
        self.newest = 0
        self.missing: set[int] = set()
        self.asked: set[int] = set()
        self.out_of_order: list[int] = []
        self.duplicates = 0
        self.replies: list[dict[str, object]] = []
        self._capture = capture.open("wb")
        self._lock = threading.Lock()
        self._asked_s = 0.0
        self._number = 0
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=CLIENT, protocol=mqtt.MQTTv5
        )
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._subscribe
        client.on_message = self._take
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        address = urlsplit(url)
        client.connect_async(
            address.hostname or "", address.port or 0, 2, clean_start=False, properties=properties
        )
        client.loop_start()

    def has_all(self, last: int) -> bool:
        """Whether every event up to `last` came; asks for what did not."""
        with self._lock:
            if self.newest < last or self.missing:
                self._ask()
                return False
            return True

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._capture.close()

    def _subscribe(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe([(f"{ROOT}/event", 1), (f"{ROOT}/reply/{CLIENT}", 1)])

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        told = json.loads(message.payload)
        if not message.topic.endswith("/event"):
            self.replies.append(told)
            if told["status"] != "accepted":
                self._asked_s = 0.0
            return
        self._capture.write(message.payload + b"\n")
        seq = told["seq"]
        with self._lock:
            if seq > self.newest:
                self.missing.update(range(self.newest + 1, seq))
                self.newest = seq
                self.firsts += 1
            elif seq in self.missing:
                self.missing.discard(seq)
                self.firsts += 1
                if seq not in self.asked:
                    self.out_of_order.append(seq)
            else:
                self.duplicates += 1
            if self.missing:
                self._ask()

    def _ask(self) -> None:
        if not self.missing or time.monotonic() - self._asked_s < ASK_AGAIN_S:
            return
        self._asked_s = time.monotonic()
        self._number += 1
        first = last = min(self.missing)
        while last + 1 in self.missing and last - first < AT_ONCE:
            last += 1
        self.asked.update(range(first, last + 1))
        now = datetime.now(UTC)
        command = {
            "id": f"resend-{os.getpid()}-{self._number}",
            "action": "resend",
            "args": {"from": first, "to": last},
            "issued": now.isoformat(),
            "expires": (now + timedelta(seconds=10)).isoformat(),
        }
        self._client.publish(f"{ROOT}/cmd/{CLIENT}", json.dumps(command), qos=0)


class Room:
    """The busy room, alive but for moments."""

    def __init__(self, folder: Path, url: str) -> None:
        self._command = [sys.executable, "-m", "tests.feed.busyroom", str(folder), url]
        self._log = folder / "busyroom.log"
        self._child = self._started()

    def kill(self) -> None:
        self.end()
        self._child = self._started()

    def end(self) -> None:
        self._child.kill()
        self._child.wait()

    def check(self) -> None:
        assert self._child.poll() is None, self._log.read_text()[-2000:]

    def _started(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, cwd=REPO, stderr=log)


@contextmanager
def stopped(mosquitto) -> Iterator[None]:
    mosquitto.send(signal.SIGSTOP)
    try:
        yield
    finally:
        mosquitto.send(signal.SIGCONT)


class SlackCable(Cable):
    """A cable that can also hang: what is put in does not come out, and a cut then loses it."""

    def __init__(self, to_port: int) -> None:
        self.flowing = threading.Event()
        self.flowing.set()
        super().__init__(to_port)

    def _carry(self, one: socket.socket, other: socket.socket) -> None:  # type: ignore[override]
        with suppress(OSError):
            while data := one.recv(65536):
                self.flowing.wait(10)
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def hanging(cable: SlackCable) -> Iterator[None]:
    cable.flowing.clear()
    try:
        yield
        cable.cut()
    finally:
        cable.flowing.set()
        cable.mend()


@contextmanager
def cut(cable: Cable) -> Iterator[None]:
    cable.cut()
    try:
        yield
    finally:
        cable.mend()


@pytest.fixture
def cables(mosquitto) -> Iterator[list[SlackCable]]:
    """From the room to the broker, and from the central system."""
    cables = [SlackCable(mosquitto.port) for _ in range(2)]
    yield cables
    for cable in cables:
        cable.close()


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(60, marks=pytest.mark.system, id="a-minute"),
        pytest.param(600, marks=pytest.mark.long, id="ten-minutes"),
    ],
)
def test_through_kills_cuts_and_a_forgetful_broker_every_event_arrives_in_order(
    mosquitto, cables, open_room, until, tmp_path, seconds
):
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")
    near, far = cables
    mosquitto.lines += ["persistence true", f"persistence_location {tmp_path}/"]
    mosquitto.lines += ["autosave_interval 2", "max_inflight_messages 0"]
    mosquitto.start()
    capture = tmp_path / "capture"
    central = Central(far.url, capture)
    room = Room(tmp_path, near.url)

    def broker_killed() -> None:
        mosquitto.end(signal.SIGKILL)
        time.sleep(chance.uniform(0, 0.5))
        mosquitto.start()

    def for_a_while(blow: Callable[[], object]) -> None:
        with blow():
            time.sleep(chance.uniform(0.05, 2.0))

    def broker_forgets() -> None:
        """What it holds for the central system is gone, and it had said that it has it."""
        with cut(far):
            time.sleep(chance.uniform(0.5, 2.0))
            broker_killed()

    blows: dict[str, Callable[[], None]] = {
        "room killed": room.kill,
        "broker killed": broker_killed,
        "broker killed with events in it": broker_forgets,
        "broker stopped": lambda: for_a_while(lambda: stopped(mosquitto)),
        "room cut off": lambda: for_a_while(lambda: cut(near)),
        "room's line hangs": lambda: for_a_while(lambda: hanging(near)),
        "central's line hangs": lambda: for_a_while(lambda: hanging(far)),
        "central cut off": lambda: for_a_while(lambda: cut(far)),
    }
    struck: Counter[str] = Counter()

    def strike(names: list[str], for_s: float) -> None:
        turn: list[str] = []
        end_s = time.monotonic() + for_s
        while time.monotonic() < end_s:
            time.sleep(chance.uniform(0.2, 2.5))
            room.check()
            # Each in turn, in an order that is another one each time.
            turn = turn or chance.sample(names, len(names))
            name = turn.pop()
            blows[name]()
            struck[name] += 1

    try:
        strike([name for name in blows if not name.startswith("broker killed")], seconds / 3)
        assert central.asked == set(), "something was lost though the broker forgot nothing"
        strike(list(blows), seconds * 2 / 3)
        room.end()
        quiet = open_room(near.url, KEYS)
        until(quiet.is_settled, timeout_s=60)
        last = quiet.journal.acked_seq
        with suppress(AssertionError):  # what is missing then is said below
            until(lambda: central.has_all(last), timeout_s=60)
    finally:
        room.end()
        central.close()

    print(f"{dict(struck)}; {last} events, {central.duplicates} duplicates, ", end="")
    print(f"{len(central.asked)} asked for again, {len(central.replies)} replies")
    assert set(struck) == set(blows)
    assert central.missing == set()
    assert central.firsts == central.newest >= last > 20 * seconds
    assert central.out_of_order == []
    assert central.asked, "the broker never lost what it had acknowledged"
    quiet.close()
    assert verify_chain(tmp_path / "room.db").faults == ()
    with capture.open("rb") as lines:
        report = verify_capture(lines, tmp_path / "room.db")
        lines.seek(0)
        all_valid(("event", json.loads(line)) for line in lines)
    all_valid((f"reply/{CLIENT}", reply) for reply in central.replies)
    assert report.faults == ()
    assert (report.first, report.events) == (1, report.last)
    assert report.duplicates == central.duplicates
    assert report.restarts == 0 or struck["room killed"]
