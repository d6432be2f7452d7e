"""A small room with a real guard, journal and feed; and run as a program, one to be killed.

`python -m tests.feed.room FOLDER URL`: guards, feeds, and records events until it is killed.
`python -m tests.feed.room FOLDER URL KEYS`: guards, with KEYS in its `[feed]` table and any rate
allowed, until its input ends; then it says how long a change at its door took to be acted on.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from pathlib import Path

from controller.build import Measures, build, contact_specs
from controller.clock import Clock, boot_id
from controller.config.read import read_room
from controller.core.event import Event, Recorded
from controller.core.reading import Quality, Reading
from controller.feed import Feed, Limits
from controller.guard import Guard
from controller.intake import Intake
from controller.journal.codec import PointStore
from controller.journal.journal import Journal
from controller.lines import LineFile
from controller.snapshot import About
from drivers.dht22 import Dht22
from firmware.kinds import kinds
from tests.feed.elder import Elder

ROOT = "roomwarden/school/room-1"

ROOM = """
[room]
site = "school"
id = "room-1"
name = "Room 1"
locale = "en"
timezone = "Europe/Paris"
[board]
kind = "simulated"
[[input]]
id = "rack-air"
kind = "dht22"
pin = 4
place = "rack inlet"
[[input]]
id = "front-door"
kind = "contact"
role = "door"
pin = 22
contact = "nc"
debounce = "0s"
[[input]]
id = "leak-1"
kind = "contact"
role = "leak"
pin = 23
contact = "no"
debounce = "0s"
[[output]]
id = "siren"
kind = "relay"
role = "siren"
pin = 12
"""

QUICK = Limits(
    connect_s=20.0, keepalive_s=60, answer_s=30.0, slow_s=0.5, back_off_s=(0.1, 0.4), refused_s=0.5
)
"""Soon there again, and patient: a machine may stand still for seconds."""


class Loop:
    """A loop of wire."""

    def __init__(self, is_closed: bool) -> None:
        self.is_closed = is_closed

    def closed(self) -> tuple[bool, ...]:
        return (self.is_closed,)


class Coil:
    def drive(self, energised: bool, intermittent: bool = False) -> None:
        pass

    def close(self) -> None:
        pass


class FeedRoom:
    """Guards and feeds from `folder`; `feed_keys` are lines of its `[feed]` table.

    `parts`: more of the room's tables. `older`: its broker is of MQTT 3.1.1. `ids`: the site's and
    the room's.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        feed_keys: str = "",
        limits: Limits = QUICK,
        parts: str = "",
        older: bool = False,
        ids: tuple[str, str] = ("school", "room-1"),
    ) -> None:
        site, id = ids
        self._elder = Elder(url) if older else None
        url = self._elder.url if self._elder else url
        config = folder / "room.toml"
        config.write_text(f'{ROOM}{parts}\n[feed]\nurl = "{url}"\n{feed_keys}', encoding="utf-8")
        file = read_room(config, kinds())
        assert file.feed is not None
        self.clock = Clock()
        room = build(file, {"rack-air": Measures(Dht22.quantities, 2.5)})
        self.loops = {"front-door": Loop(True), "leak-1": Loop(False)}
        self.journal = Journal(
            folder / "room.db",
            10**9,
            self.clock,
            lambda fault: None,
            points={"rack-air.temperature": PointStore(0.1, "°C")},
            on_recorded=self._recorded,
        )
        self.feed: Feed | None = None
        self.seq = self.journal.open().last_seq
        memory = room.first_memory(self.clock.mono_s())
        self.guard = Guard(
            room,
            self.clock,
            memory,
            Intake(contact_specs(file), self.loops),
            {id: Coil() for id in room.outputs},
            LineFile(folder / "lines", boot_id(), dict.fromkeys(room.outputs, False)),
            self.journal,
            "boot-of-the-test",
            self.seq,
        )
        about = About(site, id, "Room 1", "en", "Europe/Paris", True, "1.2.3", self.guard.boot, "")
        self.feed = Feed(
            file.feed, file.resolve, self.guard, self.journal, about, file.board.kind, limits
        )

    def start(self) -> FeedRoom:
        assert self.feed is not None
        self.guard.start([Event("system", "controller", "started")])
        self.feed.start()
        return self

    def close(self) -> None:
        assert self.feed is not None
        self.feed.close()
        self.guard.close()
        self.journal.close()
        if self._elder is not None:
            self._elder.close()

    def state(self) -> dict[str, object]:
        assert self.feed is not None
        return self.feed.state()

    def is_settled(self) -> bool:
        """Everything that there was is with the broker."""
        state, published = self.state(), self.guard.published
        recorded = self.journal.recorded_seq
        is_recorded = bool(published and recorded and recorded >= published.seq)
        return bool(state["connected"]) and is_recorded and state["backlog"] == 0

    def temperature(self, value_c: float) -> None:
        at_s = self.clock.mono_s()
        self.guard.bring({"rack-air.temperature": Reading(value_c, Quality.GOOD, at_s)})

    def door(self, *, is_open: bool) -> None:
        self.loops["front-door"].is_closed = not is_open
        self.guard.edge("front-door")

    def leak(self, *, is_there: bool) -> None:
        self.loops["leak-1"].is_closed = is_there
        self.guard.edge("leak-1")

    def alarm(self, id: str) -> object:
        published = self.guard.published
        assert published is not None
        alarm = published.decision.memory.alarms.of(id)
        return alarm.values.get("fault", True) if alarm.active or alarm.pending_s else None

    def _recorded(self, seq: int) -> None:
        if self.feed is not None:
            self.feed.recorded(seq)


def fill(folder: Path, first: int, last: int) -> None:
    """Record events as an earlier run of the program did."""
    journal = Journal(folder / "room.db", 10**9, Clock(), lambda fault: None)
    journal.open()
    for start in range(first, last + 1, 1000):
        journal.record(
            [
                Recorded(seq, "boot-before", time.time(), _something(seq))
                for seq in range(start, min(start + 1000, last + 1))
            ]
        )
        assert journal.flush(20.0)
    journal.close()


def _something(seq: int) -> Event:
    return Event("quality", "rack-air.temperature", "stale", data={"n": seq, "value": 23.4})


def main(folder: Path, url: str) -> None:
    room = FeedRoom(folder, url).start()
    is_open = False
    while threading.current_thread().is_alive():
        is_open = not is_open
        room.door(is_open=is_open)
        room.guard.tell("feed.events-lost", "a trial" if is_open else False)
        time.sleep(0.002)


def besieged(folder: Path, url: str, keys: str) -> None:
    limits = Limits(rate=(1_000_000, 1.0))
    room = FeedRoom(folder, url, keys, limits).start()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    took_s: deque[float] = deque(maxlen=10_000)
    is_open = False
    while not ended.wait(0.02):
        is_open = not is_open
        began_s = time.perf_counter()
        room.door(is_open=is_open)
        took_s.append(time.perf_counter() - began_s)
    failed = room.alarm("controller.thread-failed")
    room.close()
    ordered = sorted(took_s)
    told = {
        "median_ms": 1000 * ordered[len(ordered) // 2],
        "p99_ms": 1000 * ordered[len(ordered) * 99 // 100],
        "failed": failed,
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        besieged(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    else:
        main(Path(sys.argv[1]), sys.argv[2])
