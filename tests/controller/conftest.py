"""A controller on a bench: the whole of it but for its processes, on pins that are recorded.

The room file, the drivers, the journal, the line file and the door are the real ones; below the
drivers stand mock pins that remember every level ever given to a line, and what the line file
said at that moment. A kill is a copy of the files as they stand, on which the next one starts.
"""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from controller.client import Door
from controller.config.read import read_room
from controller.core.reading import Reading
from controller.core.registers import RegisterMap
from controller.lines import LineFile
from controller.rundir import run_dir
from firmware import assembly
from firmware.assembly import Controller
from firmware.kinds import kinds
from hardware.upsmap import find_map, read_map

ROOM = """
[room]
site = "school"
id = "room-1"
name = "Room 1"
locale = "en"
timezone = "Europe/Paris"
[board]
kind = "simulated"
[store]
path = "room.db"
[fire]
fed = "outside"

[[input]]
id = "emergency"
kind = "contact"
role = "emergency"
pin = 5
contact = "no"
debounce = "0s"
[[input]]
id = "front-door"
kind = "contact"
role = "door"
pin = 22
debounce = "0s"
[[input]]
id = "smoke-1"
kind = "contact-pair"
role = "smoke"
pins = [17, 18]
debounce = "0s"
[[input]]
id = "smoke-2"
kind = "contact-pair"
role = "smoke"
pins = [27, 26]
debounce = "0s"

[[output]]
id = "power-cut"
kind = "relay"
role = "cut-off"
scope = "room"
pin = 16
[[output]]
id = "shunt"
kind = "relay"
role = "cut-off"
scope = "room"
pin = 13
pulse = "200ms"
[[output]]
id = "siren"
kind = "relay"
role = "siren"
pin = 12
[[output]]
id = "lamp"
kind = "relay"
role = "light"
pin = 20
[[output]]
id = "fan"
kind = "relay"
role = "light"
pin = 21
energised = "off"
"""

LINES = {16: "power-cut", 13: "shunt", 12: "siren", 20: "lamp", 21: "fan", 19: "standby-outlet"}
_ON_IS_LOW = ("fan",)
T = TypeVar("T")


def wait(holds: Callable[[], T], within_s: float = 10.0) -> T:
    """Wait until `holds` gives something true, and return that."""
    end_s = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end_s, "it did not come about"
        time.sleep(0.002)
    return found


class Driven(NamedTuple):
    """One level given to a line; `kept`: what the line file said of it at that moment."""

    output: str
    on: bool
    kept: bool | None
    claimed: bool


class BenchPin(MockPin):
    """A pin whose line keeps its level when nobody drives it, as the kernel's do."""

    def output_with_state(self, state: bool) -> None:
        self._function = "output"
        self._state = bool(state)
        self.factory.drove(self._number, self._state, claimed=True)

    def _set_state(self, value: bool) -> None:
        if self.factory.broken is not None and self._number in self.factory.broken_pins:
            raise self.factory.broken
        super()._set_state(value)
        self.factory.drove(self._number, self._state)

    def _get_state(self) -> bool:
        if self._function == "input" and self._number in self.factory.unreadable:
            raise self.factory.unreadable[self._number]
        return bool(self._state)


class BenchPins(MockFactory):
    def __init__(self, bench: Bench) -> None:
        super().__init__(pin_class=BenchPin)
        self._bench = bench
        self.broken: Exception | None = None
        self.broken_pins: set[int] = set()
        self.unreadable: dict[int, Exception] = {}

    def drove(self, pin: int, high: bool, claimed: bool = False) -> None:
        output = LINES[pin]
        on = high is (output not in _ON_IS_LOW)
        self._bench.driven.append(Driven(output, on, self._bench.line(output), claimed))


class Board:
    kind = "simulated"

    def __init__(self, pins: BenchPins) -> None:
        self.pins = pins

    def dht_command(self, kind: str, part: str, pin: int) -> Sequence[str]:
        raise AssertionError("there is no DHT on the bench")

    def register_map(self, name: str) -> RegisterMap:
        return read_map(find_map(name, Path("/nowhere")))

    def close(self) -> None:
        """The lines keep their levels."""


class Bench:
    """One room in `folder`. `boot` is the machine's boot; `driven` all that lines were given;
    `more` the tables that its room has beside `ROOM`."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.boot = "boot-1"
        self.driven: list[Driven] = []
        self.wired: dict[int, bool] = {18: False, 26: False, 22: False}
        self.faults: dict[str, Any] = {}
        self._patch = patch
        self._alive: list[Controller] = []
        self.more = ""
        self._build(folder)
        patch.setattr("controller.guard.LOOK_S", 0.05)  # nobody wants to wait for them ten times
        patch.setattr("controller.threads._BACK_OFF_S", (0.01, 30.0))
        patch.setattr(assembly, "boot_id", lambda: self.boot)
        patch.setattr("controller.journal.writer.boot_id", lambda: self.boot)
        patch.setattr(assembly, "open_board", lambda *_: Board(self.pins))

    def _build(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.config = folder / "room.toml"
        self.config.write_text(ROOM + self.more, encoding="utf-8")
        self.store = folder / "room.db"
        self.run = run_dir(self.store)

    def add(self, tables: str) -> None:
        """Add tables to the room file, before the start."""
        self.more += tables
        self._build(self.folder)

    def open(self) -> Controller:
        """Build the controller without starting it."""
        self.pins = BenchPins(self)
        for pin, high in self.wired.items():
            self.pins.pin(pin)._pull = "up"
            self.pins.pin(pin)._state = high
        for pin in (5, 17, 27):
            self.pins.pin(pin)._pull = "up"
            self.pins.pin(pin)._state = self.wired.get(pin, True)
        # gpiozero drives an input to its pull when it is claimed; here the wire says otherwise.
        self._patch.setattr(BenchPin, "_set_pull", _set_pull)
        self.controller = Controller(read_room(self.config, kinds()), self.config)
        self._alive.append(self.controller)
        return self.controller

    def start(self) -> Controller:
        controller = self.open()
        controller.start()
        wait(lambda: controller.guard.published)
        return controller

    def close(self) -> None:
        for controller in self._alive:
            controller.close()
        self._alive.clear()

    def restart(self) -> Controller:
        self.close()
        return self.start()

    def copy(self, name: str) -> Path:
        """Copy the journal as it stands now on the disk."""
        folder = self.folder / name
        folder.mkdir()
        for file in self.store.parent.glob("room.db*"):
            shutil.copy(file, folder / file.name)
        return folder

    def kill(self, journal: Path | None = None, lines: bool = True) -> None:
        """The program is gone at this moment; the next start finds the files as they were.

        `journal`: an earlier copy of the journal, where the last of it did not reach the disk.
        `lines`: whether the run directory is still there.
        """
        if journal is None:
            self.events()
        folder = journal or self.copy(f"killed-{len(list(self.folder.iterdir()))}")
        kept = (self.run / "lines").read_bytes()
        self.close()
        self._build(folder)
        if lines:
            self.run.mkdir(parents=True, exist_ok=True)
            (self.run / "lines").write_bytes(kept)
        self.driven.clear()

    # What happens in the room.

    def wire(self, pin: int, high: bool, edge: bool = True) -> None:
        """Set an input's level; without `edge`, nobody is told of it."""
        self.wired[pin] = high
        if not edge:
            self.pins.pin(pin)._state = high
        elif high:
            self.pins.pin(pin).drive_high()
        else:
            self.pins.pin(pin).drive_low()

    def press(self, pressed: bool = True, edge: bool = True) -> None:
        self.wire(5, not pressed, edge)

    def cut(self) -> None:
        """A person cuts the room on its screen: no detector and no contact stands in the way
        of its restoring."""
        person = {"actor": "keeper", "role": "operate", "origin": "local-screen"}
        assert self.door.request("cut", **person)["status"] == "done"

    def open_door(self, is_open: bool = True) -> None:
        self.wire(22, is_open)

    # What is seen.

    @property
    def door(self) -> Door:
        return Door(self.run / "door.sock", timeout_s=30.0)

    def line(self, output: str) -> bool | None:
        """What the line file on the disk says of an output."""
        try:
            content = (self.run / "lines").read_bytes()
        except OSError:
            return None
        at = content.find(output.encode() + b"\0")
        return None if at < 0 else content[at + 63 : at + 64] == b"1"

    def level(self, output: str) -> bool | None:
        """What the line was last given."""
        given = [driven.on for driven in self.driven if driven.output == output]
        return given[-1] if given else None

    def point(self, id: str) -> Reading:
        published = self.controller.guard.published
        assert published is not None
        return published.decision.points[id]

    def alarm(self, id: str) -> str:
        """An alarm's fault where it is active, else nothing."""
        published = self.controller.guard.published
        assert published is not None
        alarm = published.decision.memory.alarms.of(id)
        return str(alarm.values.get("fault", "active")) if alarm.active else ""

    def settle(self) -> None:
        """Wait until what was decided so far is published."""
        guard = self.controller.guard
        number = guard._number
        wait(lambda: guard.published is not None and guard.published.number >= number)

    def state(self) -> dict[str, Any]:
        """The snapshot, by the door, of all that was decided so far."""
        self.settle()
        return self.door.state()

    def events(self) -> list[dict[str, Any]]:
        """All events so far, once they are on the disk."""
        self.settle()
        return list(self.door.events())

    def recorded(self, kind: str) -> list[tuple[str, str]]:
        return [(e["subject"], e["cause"]) for e in self.events() if e["kind"] == kind]


class Line:
    """A client that says anything at all."""

    def __init__(self, bench: Bench, receive_bytes: int | None) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        if receive_bytes is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.sock.settimeout(30.0)
        self.sock.connect(str(bench.run / "door.sock"))
        self.file = self.sock.makefile("rb")

    def say(self, asked: dict[str, Any]) -> None:
        self.raw(json.dumps(asked).encode())

    def raw(self, line: bytes) -> None:
        self.sock.sendall(line + b"\n")

    def hear(self) -> Any:
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, asked: dict[str, Any]) -> Any:
        self.say(asked)
        return self.hear()

    def close(self) -> None:
        self.file.close()
        self.sock.close()


def _set_pull(self: BenchPin, value: str) -> None:
    self._pull = value


@pytest.fixture(name="wait")
def _wait() -> Callable[..., Any]:
    return wait


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("ROOMWARDEN_RUN", str(tmp_path / "run"))
    bench = Bench(tmp_path / "room", monkeypatch)
    yield bench
    bench.close()


@pytest.fixture
def line_file(tmp_path: Path) -> Callable[..., LineFile]:
    def make(boot: str = "boot-1", **first: bool) -> LineFile:
        return LineFile(tmp_path / "lines", boot, first)

    return make


@pytest.fixture
def dial(bench: Bench) -> Iterator[Callable[..., Line]]:
    """Open lines to the door; they are closed in the end."""
    lines: list[Line] = []

    def dial(receive_bytes: int | None = None) -> Line:
        lines.append(Line(bench, receive_bytes))
        return lines[-1]

    yield dial
    for line in lines:
        line.close()


@pytest.fixture
def line(bench: Bench, dial: Callable[..., Line]) -> Line:
    """A line to the door of a room that is guarded."""
    bench.start()
    return dial()
