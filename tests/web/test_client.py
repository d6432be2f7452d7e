"""The door's client against a real Unix socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from controller.client import Door, DoorClosed, DoorRefused
from tests.web import scenes
from tests.web.fakedoor import FakeDoor


@pytest.fixture
def door(folder: Path) -> Iterator[FakeDoor]:
    door = FakeDoor(folder / "door.sock", scenes.normal())
    yield door
    door.close()


def test_the_state_is_the_snapshot(door: FakeDoor) -> None:
    assert Door(door.path).state()["state"] == "normal"


def test_the_run_directory_leads_to_the_socket(door: FakeDoor) -> None:
    assert Door(door.path.parent).state()["room"]["id"] == "server-room"


def test_a_request_says_for_whom_it_is_made(door: FakeDoor) -> None:
    Door(door.path).request(
        "acknowledge", {"alarm": "a.b"}, actor="chen", role="operate", origin="local-screen"
    )
    assert door.requests == [
        {
            "ask": "request",
            "action": "acknowledge",
            "args": {"alarm": "a.b"},
            "wait": False,
            "as": {"actor": "chen", "role": "operate", "origin": "local-screen"},
        }
    ]


def test_nobody_at_the_door_is_said_at_once(folder: Path) -> None:
    with pytest.raises(DoorClosed, match=r"door\.sock"):
        Door(folder / "door.sock").state()


def test_a_door_that_hangs_up_ends_the_stream(door: FakeDoor) -> None:
    states = Door(door.path).stream()
    next(states)
    door.close()
    with pytest.raises(DoorClosed):
        list(states)


def test_a_question_that_the_door_refuses_names_why(folder: Path) -> None:
    with pytest.raises(DoorRefused, match="not for you"):
        answering(folder, b'{"error": "not for you"}\n', timeout_s=30.0).state()


SILENT_S = 120.0


def answering(folder: Path, raw: bytes | None, timeout_s: float = 0.2) -> Door:
    """A door that answers every question with these bytes, or not for `SILENT_S`."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "odd.sock"))
    listener.listen()

    def serve() -> None:
        line, _ = listener.accept()
        with listener, line, suppress(TimeoutError):
            line.settimeout(SILENT_S)
            line.recv(4096)
            if raw is not None:
                line.sendall(raw)
            line.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    return Door(folder / "odd.sock", timeout_s)


@pytest.mark.parametrize(
    "raw",
    [b"garbage\n", b"[1]\n", b"{}\n", b'{"state": 3}\n', b'{"state": {}', b"\xff\xfe\n", None],
    ids=["garbage", "array", "empty", "number", "torn", "not-utf8", "silence"],
)
def test_whatever_a_broken_door_answers_is_a_closed_door(folder: Path, raw: bytes | None) -> None:
    began_s = time.monotonic()
    with pytest.raises(DoorClosed):
        answering(folder, raw).state()
    # Long before the door would hang up; how long exactly is the machine's affair.
    assert time.monotonic() < began_s + SILENT_S / 2
