"""The child process that measures a simulated DHT.

    python -m simulators.dht_child --world SOCKET --part rack-air --kind dht22

It is the real child's own loop around the vendor's own decoder; only the line is another: the
pulses come from the simulated world. This is the one place where a simulator imports a driver,
because here it is the driver's program that runs. `--period` is in the room's time, which runs
`--pace` times faster than real time.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import socket
import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drivers.dht_child import LEAST_PERIOD_S, serve

_TIMEOUT_S = 2.0


class Line:
    """The sensor's line in the simulated world. Nobody answers on it while there is no world."""

    def __init__(self, socket_path: Path, part: str) -> None:
        self._path = socket_path
        self._part = part
        self._sock: socket.socket | None = None

    def pulses(self) -> array[int]:
        """Return the pulses of one measurement. Raises: RuntimeError, as the library does."""
        try:
            answer = self._ask()
        except (OSError, ValueError):
            self.close()
            return array("H")
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return array("H", answer["pulses"])

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _ask(self) -> dict[str, Any]:
        if self._sock is None:
            self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._sock.settimeout(_TIMEOUT_S)
            self._sock.connect(str(self._path))
            self._send({"client": "sensor", "id": self._part})
        self._send({"ask": "pulses"})
        received = b""
        while not received.endswith(b"\n"):
            chunk = self._sock.recv(65_536)
            if not chunk:
                raise ConnectionError("the world has ended")
            received += chunk
        answer: dict[str, Any] = json.loads(received)
        return answer

    def _send(self, message: dict[str, str]) -> None:
        assert self._sock is not None
        self._sock.sendall(json.dumps(message).encode() + b"\n")


class PacedTime:
    """What the vendor's module gets for `time`: seconds of the room."""

    def __init__(self, pace: float) -> None:
        self._pace = pace

    def monotonic(self) -> float:
        return time.monotonic() * self._pace


def open_sensor(kind: str, line: Line, pace: float) -> Any:
    """Return the vendor's object, reading from `line`. Raises: ImportError without the library."""
    # Away from its boards, Blinka prints a warning on either stream.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        import adafruit_dht
    adafruit_dht.time = PacedTime(pace)
    sensor = getattr(adafruit_dht, kind.upper())(None, use_pulseio=False)
    sensor._get_pulses_bitbang = line.pulses
    return sensor


def main(argv: Sequence[str]) -> int:
    """Serve a simulated sensor; `argv` is without the program's name."""
    parser = argparse.ArgumentParser(prog="simulators.dht_child")
    parser.add_argument("--world", type=Path, required=True, help="the world's socket")
    parser.add_argument("--part", required=True, help="the sensor's id in the room file")
    parser.add_argument("--kind", choices=("dht11", "dht22"), required=True)
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--period", type=float, default=LEAST_PERIOD_S)
    asked = parser.parse_args(argv)

    line = Line(asked.world, asked.part)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    try:
        serve(
            lambda: open_sensor(asked.kind, line, asked.pace),
            time.monotonic,
            asked.period / asked.pace,
            out,
            sys.stdin.buffer,
        )
    except ImportError as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=out, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
