"""The door's client: one short connection for a question, one long one for the stream.

It waits a stated time and no longer, takes lines of bounded length, and never reconnects: who
calls it knows better whether to try again.
"""

from __future__ import annotations

import socket
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from controller.core.request import Origin, Role

__all__ = ["Door", "DoorClosed", "DoorRefused", "Origin", "Role"]

Json = dict[str, Any]

ANSWER_S = 8.0  # the door itself says after five seconds that the gate did not answer
LINE_LIMIT = 1 << 20  # a snapshot of some hundred points; the door's own questions stay far below
_FINAL = ("refused", "done", "failed", "expired")


class DoorClosed(ConnectionError):
    """Nobody answers at the door: no controller, or one that went silent."""


class DoorRefused(ValueError):
    """The door did not take the question; its message says why."""


class Door:
    """Asks a running controller through its socket.

    `where` is the run directory or the socket itself. `timeout_s` bounds every wait for the
    next line, except where a method takes its own.
    """

    def __init__(self, where: Path, timeout_s: float = 3.0) -> None:
        self._path = where / "door.sock" if where.is_dir() else where
        self._timeout_s = timeout_s

    def state(self) -> Json:
        """Return the snapshot. Raises: DoorClosed, DoorRefused."""
        with closing(self._ask({"ask": "state"}, self._timeout_s)) as lines:
            return _member(next(lines), "state")

    def stream(self) -> Iterator[Json]:
        """Yield the snapshot now and again after each change, at least each second.

        Ends only by an error. Raises: DoorClosed, also when no snapshot came for `timeout_s`.
        """
        with closing(self._ask({"ask": "stream"}, self._timeout_s)) as lines:
            for line in lines:
                yield _member(line, "state")

    def events(self, since: int | str | None = None, follow: bool = False) -> Iterator[Json]:
        """Yield events, oldest first, from sequence number or RFC 3339 time `since` on.

        With `follow` it waits for new ones without end. Raises: DoorClosed, DoorRefused.
        """
        question: Json = {"ask": "events", "since": since, "follow": follow}
        with closing(self._ask(question, None if follow else self._timeout_s)) as lines:
            for line in lines:
                if line.get("end"):
                    return
                yield _member(line, "event")

    def request(
        self,
        action: str,
        args: Mapping[str, str] | None = None,
        wait: bool = False,
        *,
        id: str | None = None,
        actor: str = "",
        role: str = "",
        origin: str = "",
        timeout_s: float | None = None,
    ) -> Json:
        """Put a request to the gate and return its reply: id, status, reason, why.

        With `wait` the reply is the final one. `actor`, `role` and `origin` say for whom a
        trusted process asks; without them the caller's own user counts. `timeout_s` bounds the
        wait for each reply. Raises: DoorClosed, DoorRefused.
        """
        question: Json = {"ask": "request", "action": action, "args": dict(args or {})}
        question["wait"] = wait
        if id is not None:
            question["id"] = id
        if origin:
            question["as"] = {"actor": actor, "role": role, "origin": origin}
        with closing(self._ask(question, timeout_s or ANSWER_S)) as lines:
            reply = _member(next(lines), "reply")
            while wait and reply.get("status") not in _FINAL:
                reply = _member(next(lines), "reply")
            return reply

    def _ask(self, question: Json, timeout_s: float | None) -> Generator[Json, None, None]:
        """Yield the objects that the door answers, one a line; a connection that ends raises."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(self._timeout_s)
                line.connect(str(self._path))
                line.sendall(msgspec.json.encode(question) + b"\n")
                line.settimeout(timeout_s)
                with line.makefile("rb") as answers:
                    while True:
                        yield _read(answers.readline(LINE_LIMIT))
        except OSError as error:
            if isinstance(error, DoorClosed):
                raise
            raise DoorClosed(f"no controller answers at {self._path}: {error}") from error


def _read(raw: bytes) -> Json:
    if not raw.endswith(b"\n"):
        raise DoorClosed("the controller hung up" if len(raw) < LINE_LIMIT else "line too long")
    try:
        return msgspec.json.decode(raw, type=Json)
    except msgspec.DecodeError as error:
        raise DoorClosed(f"the door answered with something else than JSON: {error}") from error


def _member(answer: Json, name: str) -> Json:
    if "error" in answer:
        raise DoorRefused(str(answer["error"]))
    found = answer.get(name)
    if not isinstance(found, dict):
        raise DoorClosed(f"the door answered without {name!r}")
    return found
