"""The command line's way to the simulated world: move it, ask what is so, what its wires did."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
from pathlib import Path
from typing import Any

from simulators.subjects import Refused

_TIMEOUT_S = 5.0


class NoWorld(ConnectionError):
    """No simulated world answers on the socket: the room is not running, or it is real."""


def sim(socket_path: Path, subject: str, value: str) -> None:
    """Make `subject` so; return once the world has changed.

    Raises: Refused (a ValueError, naming the subjects or values there are), NoWorld.
    """
    _ask(socket_path, {"subject": subject, "value": value})


def truth(socket_path: Path) -> dict[str, Any]:
    """Return what is so in the world; the keys stand at `simulators.truth.truth_of`.

    Raises: NoWorld.
    """
    found: dict[str, Any] = _ask(socket_path, {"ask": "truth"})["truth"]
    return found


def wire_log(socket_path: Path) -> list[tuple[float, int, bool]]:
    """Return the last 10,000 edges of all wires as (monotonic s, pin, high), oldest first.

    Raises: NoWorld.
    """
    return [(at_s, pin, high) for at_s, pin, high in _ask(socket_path, {"ask": "log"})["log"]]


def _ask(socket_path: Path, message: dict[str, Any]) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(_TIMEOUT_S)
            sock.connect(str(socket_path))
            sock.sendall(b'{"client":"sim"}\n' + json.dumps(message).encode() + b"\n")
            with sock.makefile("rb") as lines:
                line = lines.readline()
    except OSError as error:
        raise NoWorld(f"no simulated world answers on {socket_path}: {error}") from error
    if not line:
        raise NoWorld(f"the simulated world on {socket_path} ended while it was asked")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise Refused(answer["error"])
    return answer


def end(socket_path: Path) -> None:
    """End the world behind the socket, if there is one, by its own process id."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.connect(str(socket_path))
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        os.kill(struct.unpack("3i", raw)[0], signal.SIGTERM)
        # Its socket goes last; until then the next world could not take its place.
        sock.settimeout(_TIMEOUT_S)
        while sock.recv(4096):
            pass
