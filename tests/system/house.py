"""A room with its processes, as the system tests drive it: whole programs, real sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from controller.client import Door
from controller.rundir import run_dir
from simulators import control

ROOT = Path(__file__).parents[2]
LAKESIDE = ROOT / "tests/rooms/lakeside.toml"
SERVERS = ROOT / "tests/rooms/lakeside-servers.toml"
PROGRAM = (sys.executable, "-m", "firmware.main")

# Which level puts each output of the lakeside room on: `energised` in its room file.
PINS = {16: "power-cut", 13: "ups-cut", 12: "siren", 20: "aircon", 21: "hall-outlet"}
_ON_IS_LOW = ("aircon", "hall-outlet")

_T = TypeVar("_T")


def wait(holds: Callable[[], _T], within_s: float = 60.0, what: str = "it") -> _T:
    """Wait until `holds` gives something true, and return that; a test fails where it never
    does. Nobody answering counts as not yet. How fast the room is, is judged in virtual time and
    by the bench: here the machine may stand still for seconds."""
    end_s = time.monotonic() + within_s
    while True:
        with contextlib.suppress(ConnectionError, TimeoutError):
            found = holds()
            if found:
                return found
        assert time.monotonic() < end_s, f"{what} did not come about within {within_s:g} s"
        time.sleep(0.01)


PATIENCE_S = 30.0
"""How long a controller or a world may take to answer, which the machine may have stopped."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """One room folder: its file on ports of its own, its processes, its world.

    `edits` replace pieces of the example room's file, each of which must be there. `folder` is
    where the journal stands; sockets stand under `base`, because their paths must be short.
    """

    def __init__(
        self, folder: Path, base: Path, edits: Mapping[str, str], example: Path = LAKESIDE
    ) -> None:
        self.folder = folder
        self.config = folder / "room.toml"
        self.store = folder / "room.db"
        self.panel_port = free_port()
        self.broker_port = free_port()
        ports = {
            "127.0.0.1:4352": f"127.0.0.1:{free_port()}",
            "127.0.0.1:8080": f"127.0.0.1:{self.panel_port}",
            "127.0.0.1:1883": f"127.0.0.1:{self.broker_port}",
            "127.0.0.1:1502": f"127.0.0.1:{free_port()}",
        }
        text = example.read_text(encoding="utf-8")
        if "127.0.0.1:2222" in text:
            ports["127.0.0.1:2222"] = f"127.0.0.1:{free_port()}"
        for old, new in {**ports, **edits}.items():
            assert old in text, f"the example room has no {old!r}"
            text = text.replace(old, new)
        self.config.write_text(text, encoding="utf-8")
        (folder / "feed.secret").write_text("lakeside\n", encoding="utf-8")
        self.env = {**os.environ, "ROOMWARDEN_RUN": str(base)}
        # Compiled modules are kept, as in an installation.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ROOMWARDEN_RUN", str(base))
            self.run = run_dir(self.store)
        self.world = self.run / "world.sock"
        self.log = folder / "processes.log"
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.panel_port}"

    @property
    def door(self) -> Door:
        return Door(self.run / "door.sock", PATIENCE_S)

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start a command that stays, and return at once."""
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [*PROGRAM, command, str(self.config)],
                cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def start_controller(self) -> subprocess.Popen[bytes]:
        """Start the controller; return once its first scan is over."""
        process = self.start("run")
        self.wait_guarded(process)
        return process

    def wait_guarded(self, process: subprocess.Popen[bytes]) -> None:
        def answers() -> bool:
            assert process.poll() is None, self.said()
            return bool(self.door.state())

        wait(answers, what="a guarded room")

    def command(self, *words: str, within_s: float = 20.0) -> subprocess.CompletedProcess[str]:
        """Run `roomwarden WORDS`; the word CONFIG stands for the room's file."""
        argv = [str(self.config) if word == "CONFIG" else word for word in words]
        return subprocess.run(
            [*PROGRAM, *argv],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=within_s, check=False,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        return self.door.state()

    def point(self, id: str) -> dict[str, Any]:
        return next(one for one in self.state()["points"] if one["id"] == id)

    def output(self, id: str) -> dict[str, Any]:
        return next(one for one in self.state()["outputs"] if one["id"] == id)

    def alarms(self) -> dict[str, str]:
        """Return the state of each alarm that is not normal."""
        return {one["id"]: one["state"] for one in self.state()["alarms"]}

    def sim(self, subject: str, value: object) -> None:
        control.sim(self.world, subject, str(value))

    def ask(self, action: str, **args: str) -> dict[str, Any]:
        return self.door.request(action, args)

    def truth(self) -> dict[str, Any]:
        return control.truth(self.world)

    def is_on(self, output: str) -> bool:
        """Whether the world's side of an output is on, whatever the controller knows."""
        return bool(self.truth()["outputs"][output]["on"])

    def is_cut(self) -> bool:
        """Whether both supplies are cut in the world."""
        return self.is_on("power-cut") and self.is_on("ups-cut")

    def moves(self) -> list[tuple[float, str, bool]]:
        """Return what the relay lines did: (instant, output, on), the first claim included."""
        return [
            (at_s, PINS[pin], high is (PINS[pin] not in _ON_IS_LOW))
            for at_s, pin, high in control.wire_log(self.world)
            if pin in PINS
        ]

    def events(self) -> list[dict[str, Any]]:
        return list(self.door.events())

    def trip(self) -> None:
        """Let both detectors see smoke; return once both supplies are cut."""
        self.sim("smoke-1", "on")
        self.sim("smoke-2", "on")
        wait(self.is_cut, what="the cut")

    def said(self) -> str:
        """Return the end of what the processes wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def close(self) -> None:
        """End everything that was started here, the world included."""
        for process in self._processes:
            process.kill()
            process.wait(10.0)
        control.end(self.world)
