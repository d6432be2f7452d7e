"""The feed: smoke edge to the alarm at a subscriber, idle and while a backlog is replayed, and how
fast that drains; beside a bare gpiozero and paho script on the same broker.

One clock takes both stamps: the bench is the world and the alarm's subscriber. The events go to a
mosquitto_sub of their own, which notes when each came.
"""

from __future__ import annotations

import contextlib
import gc
import json
import queue
import random
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from controller.client import Door
from controller.rundir import run_dir
from tests.bench.feed_bare import ALARM, EVENT
from tests.bench.processes import BENCH, Child, running, use
from tests.bench.rooms import free_port, trip_room
from tests.bench.table import Row, percentile
from tests.bench.trips import guarded
from tests.bench.worldside import BenchFailed, WorldSide
from tests.feed.room import fill

BACKLOG = 100_000
_ROOT = "roomwarden/bench/room"
_IDLE_MS, _DRAINING_MS = 20.0, 50.0
_DRAIN_1000_MS = 500.0
"""2,000 events a second."""
_MORE_MB = 10.0
_APART_S = (0.045, 0.080)
_LONGEST_S = 10.0
_WARM_UP = 20
_STAMP_BYTES = 21
"""A line of `mosquitto_sub -F %U`: seconds with nine digits behind the point, until 2286."""
_BARE = (sys.executable, str(BENCH / "feed_bare.py"))


def rows(folder: Path, count: int, backlog: int = BACKLOG) -> list[Row]:
    """Measure `count` alarms on a quiet machine, and as many as come during a replay."""
    with broker(folder) as port:
        ours, floor = _idle(_made(folder / "idle"), port, count)
        draining, drained_s, more_mb = _replay(_made(folder / "replay"), port, backlog)
        bare_s = _bare_drain(_made(folder / "bare"), port, backlog)
    told = f"backlog of {backlog:,}"
    return [
        Row("alarm to subscriber, idle, p50", percentile(ours, 50), "ms", percentile(floor, 50)),
        Row("alarm to subscriber, idle, p99", percentile(ours, 99), "ms", target=_IDLE_MS),
        Row("alarm to subscriber, idle, max", max(ours), "ms", max(floor)),
        Row(f"alarm to subscriber, {told}, p50", percentile(draining, 50), "ms"),
        Row(
            f"alarm to subscriber, {told}, p99", percentile(draining, 99), "ms", None, _DRAINING_MS
        ),
        Row(f"alarm to subscriber, {told}, max", max(draining), "ms"),
        Row(f"{told}, alarms meanwhile", len(draining), "alarms"),
        Row(f"{told}, drained", backlog / drained_s, "events/s"),
        Row(f"{told}, 1,000 events", 1e6 * drained_s / backlog, "ms", target=_DRAIN_1000_MS),
        Row(f"{told}, drained at all", drained_s, "s", bare_s),
        Row(f"{told}, memory more", more_mb, "MB", target=_MORE_MB),
    ]


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[int]:
    """A mosquitto on a free port that keeps whatever a slow subscriber has not fetched."""
    port = free_port()
    config = folder / "mosquitto.conf"
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true"]
    lines += ["max_queued_messages 0", "max_queued_bytes 0", "user root"]
    config.write_text("\n".join(lines) + "\n", encoding="ascii")
    with running([_found("mosquitto"), "-c", config], folder / "mosquitto.log") as child:
        child.wait_until(lambda: _answers(port), "a broker")
        yield port


class AlarmSide:
    """A subscriber of one alarm: when each message of it came, and whether it is active."""

    def __init__(self, port: int, topic: str) -> None:
        self._came: queue.SimpleQueue[tuple[int, bool]] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._client = client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.on_message = self._take
        client.on_subscribe = lambda *_: self._ready.put(True)
        client.connect("127.0.0.1", port)
        client.subscribe(topic, qos=1)
        client.loop_start()
        self._ready.get(timeout=_LONGEST_S)

    def wait_for(self, *, active: bool) -> int:
        """Return when (ns) a message said so. Raises: BenchFailed."""
        until_s = time.monotonic() + _LONGEST_S
        while True:
            try:
                at_ns, is_active = self._came.get(timeout=max(until_s - time.monotonic(), 0.001))
            except queue.Empty:
                raise BenchFailed(f"no alarm that is active={active} came") from None
            if is_active is active:
                return at_ns

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        at_ns = time.perf_counter_ns()
        self._came.put((at_ns, bool(json.loads(message.payload)["active"])))


def _idle(folder: Path, port: int, count: int) -> tuple[list[float], list[float]]:
    """Return how long (ms) the alarms of ours and of the bare script took, each in turn."""
    config = _fed_room(folder, port)
    with (
        guarded(folder, config) as (ours, controller),
        _bare(folder, port) as floor,
        contextlib.closing(AlarmSide(port, f"{_ROOT}/alarm/smoke-1.prealarm")) as our_alarms,
        contextlib.closing(AlarmSide(port, ALARM)) as bare_alarms,
    ):
        controller.wait_until(lambda: _is_fed(folder), "a feed that is up")
        taken: tuple[list[float], list[float]] = ([], [])
        apart = random.Random(1)
        gc.disable()
        try:
            for number in range(_WARM_UP + count):
                for side, alarms, took in zip(
                    (ours, floor), (our_alarms, bare_alarms), taken, strict=True
                ):
                    took_ms = _alarm(side, alarms, apart.uniform(*_APART_S) / 4)
                    if number >= _WARM_UP:
                        took.append(took_ms)
        finally:
            gc.enable()
        return taken


def _replay(folder: Path, port: int, backlog: int) -> tuple[list[float], float, float]:
    """Return the alarms' ms during a replay, how long that took (s), and what memory grew (MB)."""
    config = _fed_room(folder, port)
    fill(folder, 1, backlog)
    with (
        _listener(folder, port, f"{_ROOT}/event", backlog) as (listening, came),
        contextlib.closing(AlarmSide(port, f"{_ROOT}/alarm/smoke-1.prealarm")) as alarms,
        guarded(folder, config) as (ours, controller),
    ):
        listening.wait_until(lambda: came.stat().st_size > 0, "the first event")
        taken: list[float] = []
        apart = random.Random(1)
        before_mb = most_mb = use(controller.pid).rss_mb
        while came.stat().st_size < _STAMP_BYTES * backlog:
            taken.append(_alarm(ours, alarms, apart.uniform(*_APART_S) / 4))
            most_mb = max(most_mb, use(controller.pid).rss_mb)
        return taken, _span_s(came), most_mb - before_mb


def _bare_drain(folder: Path, port: int, backlog: int) -> float:
    """Return how long the same number of messages takes that paho has in its memory."""
    with (
        _listener(folder, port, EVENT, backlog) as (listening, came),
        running([*_BARE, "drain", port, backlog], folder / "drain.log"),
    ):
        listening.wait_until(
            lambda: came.stat().st_size >= _STAMP_BYTES * backlog,
            "the last event",
            timeout_s=120.0,
        )
        return _span_s(came)


def _alarm(side: WorldSide, alarms: AlarmSide, pause_s: float) -> float:
    """Let smoke in and out; return the milliseconds until the subscriber knew of it."""
    began_ns = time.perf_counter_ns()
    side.trip()
    took_ms = (alarms.wait_for(active=True) - began_ns) / 1e6
    time.sleep(pause_s)
    side.clear()
    alarms.wait_for(active=False)
    time.sleep(pause_s)
    return took_ms


@contextlib.contextmanager
def _listener(folder: Path, port: int, topic: str, count: int) -> Iterator[tuple[Child, Path]]:
    """A mosquitto_sub that notes the time of each of `count` messages in a file."""
    came = folder / "came"
    words = ["-p", port, "-q", "1", "-t", topic, "-C", count, "-F", "%U", "-V", "mqttv5"]
    with running([_found("mosquitto_sub"), *words], came) as child:
        time.sleep(0.3)  # it does not say when it is subscribed
        child.check()
        yield child, came


def _span_s(came: Path) -> float:
    times = came.read_text(encoding="ascii").split()
    return float(times[-1]) - float(times[0])


@contextlib.contextmanager
def _bare(folder: Path, port: int) -> Iterator[WorldSide]:
    world = WorldSide(folder / "bare.sock")
    try:
        with running([*_BARE, world.path, port], folder / "bare.log"):
            world.wait_for_client()
            world.wait_for_relay(False)
            time.sleep(0.2)  # its button is claimed after its relay, and says nothing of it
            yield world
    finally:
        world.close()


def _fed_room(folder: Path, port: int) -> Path:
    path = trip_room(folder)
    with path.open("a", encoding="utf-8") as file:
        file.write(f'[feed]\nurl = "mqtt://127.0.0.1:{port}"\n')
    return path


def _is_fed(folder: Path) -> bool:
    feed = Door(run_dir(folder / "room.db")).state()["feed"]
    return bool(feed["connected"] and feed["backlog"] == 0)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _found(program: str) -> str:
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found is None:
        raise BenchFailed(f"{program} is not installed")
    return found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
