"""The boards: a real Pi's pins, or a simulated room's. Real pins only with an explicit kind."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from controller.config.schema import RoomFile
from controller.core.registers import RegisterMap


class PiBoard:
    """A Raspberry Pi. Raises: DeviceUnreachable when its GPIO chip is not there."""

    def __init__(self, kind: str, folder: Path) -> None:
        from drivers.gpio import open_pins

        self.kind = kind
        self._folder = folder
        self.pins: Any = open_pins(kind)

    def dht_command(self, kind: str, part: str, pin: int) -> Sequence[str]:
        return [sys.executable, "-m", "drivers.dht_child", kind, str(pin)]

    def register_map(self, name: str) -> RegisterMap:
        return _register_map(name, self._folder)

    def close(self) -> None:
        """The lines keep their levels; the kernel takes the rest back."""


class SimulatedBoard:
    """The pins of a simulated room, mirrored from the world's process, which is started where
    it does not run yet. Raises: ConnectionError when no world comes up."""

    kind = "simulated"

    def __init__(self, config: Path, socket_path: Path, pace: float) -> None:
        from simulators.control import end
        from simulators.pins import WorldPins

        self._folder = config.parent
        self._socket_path = socket_path
        self._pace = pace
        built_on = socket_path.with_suffix(".config")
        digest = hashlib.sha256(config.read_bytes()).hexdigest()
        if _answers(socket_path) and built_on.is_file() and built_on.read_text() != digest:
            # The world left by the last run is another room's by now.
            end(socket_path)
        if not _answers(socket_path):
            built_on.write_text(digest)
            start_world(config, socket_path)
        self.pins: Any = WorldPins(socket_path, wait_s=10.0)

    def dht_command(self, kind: str, part: str, pin: int) -> Sequence[str]:
        return [
            sys.executable, "-m", "simulators.dht_child",
            "--world", str(self._socket_path), "--part", part, "--kind", kind,
            "--pace", str(self._pace),
        ]  # fmt: skip

    def register_map(self, name: str) -> RegisterMap:
        return _register_map(name, self._folder)

    def close(self) -> None:
        self.pins.close()


def _register_map(name: str, folder: Path) -> RegisterMap:
    """Read the map of that name: a shipped one, or the site's, relative to the room file.

    Raises: MapFaults (a ValueError), OSError.
    """
    from hardware.upsmap import find_map, read_map

    return read_map(find_map(name, folder))


def start_world(config: Path, socket_path: Path) -> None:
    """Start the world's process in a session of its own, so that it outlives our kill -9."""
    log = socket_path.with_suffix(".log")
    with log.open("ab") as output:
        subprocess.Popen(
            [sys.executable, "-m", "firmware.main", "world", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    until_s = time.monotonic() + 10.0
    while not _answers(socket_path) and time.monotonic() < until_s:
        time.sleep(0.02)


def _answers(socket_path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        probe.connect(str(socket_path))
        return True
    return False


def open_board(file: RoomFile, config: Path, run: Path) -> PiBoard | SimulatedBoard:
    """Return the board that the room file names, never another one."""
    if file.simulated:
        return SimulatedBoard(config, run / "world.sock", file.simulation.pace)
    return PiBoard(file.board.kind, file.folder)
