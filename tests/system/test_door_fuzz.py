"""Any bytes at the door: answered or refused, and the room stays guarded."""

from __future__ import annotations

import json
import random
import secrets
import socket
from pathlib import Path
from typing import Any

import pytest

from controller.door import MAX_CLIENTS, MAX_LINE
from tests.system.house import House, wait

pytestmark = pytest.mark.system

LINES = 2_000
A_CONNECTION = 20
FLAT_KB = 8_192
"""What the controller may take more at the end than after the first quarter."""

# Not among them: `cut`, which root may, and what takes detectors out of service.
ACTIONS = (
    "silence", "acknowledge", "reset", "restore", "hold", "shelve", "unshelve", "switch",
    "release", "projector-on", "projector-off", "release-lamp", "confirm-off", "arm", "disarm",
    "configure", "prepare", "resend", "", "网络", "x" * 64, "x" * 65,
)  # fmt: skip
WORDS = (
    "", "all", "hall", "siren", "power-cut", "on", "off", "2h", "-2h", "1e400h", "nan", "0s",
    "99999999999999999999h", "smoke-1.prealarm", "no.such", "\u202e", "\x00", "火" * 50, "🔥",
    "x" * 5000, "fire.confirmed", "../../etc/passwd", "' OR 1=1 --", "{}",
)  # fmt: skip
KEYS = ("id", "alarm", "output", "to", "for", "reason", "", "x" * 300, "\ud7ff", "火")
MOMENTS: tuple[Any, ...] = (
    10**9, -1, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, "yesterday", "", "0001-01-01",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z", "\x00", 1.5,
    True, [], {},
)  # fmt: skip


def some_json(rng: random.Random, depth: int = 0) -> Any:
    """Return something JSON can say."""
    match rng.randrange(9 if depth < 4 else 7):
        case 0:
            return None
        case 1:
            return rng.choice((True, False))
        case 2:
            return rng.choice((0, -1, 2**63, 10**30, rng.randrange(10**6)))
        case 3:
            return rng.choice((0.5, -1e308, 1e-300))
        case 4 | 5 | 6:
            return rng.choice(WORDS)
        case 7:
            return [some_json(rng, depth + 1) for _ in range(rng.randrange(4))]
        case _:
            return {rng.choice(KEYS): some_json(rng, depth + 1) for _ in range(rng.randrange(4))}


def asked(rng: random.Random) -> dict[str, Any]:
    """Return a question that is nearly right."""
    match rng.randrange(4):
        case 0:
            question: dict[str, Any] = {"ask": "state"}
        case 1:
            question = {"ask": "events", "since": rng.choice(MOMENTS), "follow": False}
        case _:
            args = {rng.choice(KEYS): rng.choice(WORDS) for _ in range(rng.randrange(4))}
            question = {"ask": "request", "action": rng.choice(ACTIONS), "args": args}
            if rng.random() < 0.3:
                question["as"] = {
                    "actor": rng.choice(WORDS),
                    "role": rng.choice(("view", "operate", "king", "")),
                    "origin": rng.choice(("local-screen", "network-panel", "mqtt", "button", "")),
                }
            if rng.random() < 0.2:
                question["id"] = rng.choice(WORDS)
    if rng.random() < 0.3:
        question[rng.choice(("ask", "args", "wait", "since", "id", "as", "more"))] = some_json(rng)
    return question


def line_of(rng: random.Random) -> bytes:
    """Return one line without its end, of any kind."""
    match rng.randrange(10):
        case 0:
            return rng.randbytes(rng.randrange(200)).replace(b"\n", b" ")
        case 1:
            return rng.choice((b"[", b'{"a":')) * rng.choice((10, 1000, 10_000))
        case 2:
            return b'{"ask":"' + b"x" * rng.choice((1000, MAX_LINE - 100)) + b'"}'
        case 3:
            whole = json.dumps(asked(rng)).encode()
            return whole[: rng.randrange(len(whole))]
        case 4:
            broken = bytearray(json.dumps(asked(rng), ensure_ascii=False).encode())
            broken[rng.randrange(len(broken))] = rng.choice(b'\x00\xff"\\{}[],:')
            return bytes(broken)
        case 5:
            return json.dumps(some_json(rng)).encode()
        case _:
            return json.dumps(asked(rng), ensure_ascii=rng.random() < 0.5).encode()


class Visitor:
    """One connection to the door."""

    def __init__(self, house: House) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10.0)
        self.sock.connect(str(house.run / "door.sock"))
        self.answers = self.sock.makefile("rb")

    def ask(self, line: bytes) -> dict[str, Any] | None:
        """Say a line and return the answer's last object; None where the door hung up."""
        self.sock.sendall(line + b"\n")
        while True:
            raw = self.answers.readline()
            if not raw:
                return None
            answer: dict[str, Any] = json.loads(raw)
            if "event" not in answer:
                return answer

    def leave(self) -> None:
        self.answers.close()
        self.sock.close()


def rss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no memory")


def never_asks_to_stay(line: bytes) -> bool:
    """A stream and a follower are answered without an end."""
    return b"stream" not in line and b'follow": true' not in line and b'"wait": true' not in line


def test_two_thousand_lines_of_nonsense_are_each_answered_and_the_room_stays_guarded(
    house: House,
) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    controller = house.start_controller()
    unanswered: list[bytes] = []
    early_kb = 0
    said = 0
    visitor = Visitor(house)
    while said < LINES:
        line = line_of(rng)
        if not never_asks_to_stay(line):
            continue
        said += 1
        answer = visitor.ask(line)
        if answer is None:
            unanswered.append(line)
        else:
            assert answer.keys() & {"state", "reply", "error", "end"}, (line, answer)
        if said % A_CONNECTION == 0 or answer is None:
            if answer is not None and rng.random() < 0.3:  # gone in the middle of a line
                visitor.sock.sendall(line_of(rng)[:50])
            visitor.leave()
            visitor = Visitor(house)
        if said == LINES // 4:
            early_kb = rss_kb(controller.pid)
    visitor.leave()
    assert controller.poll() is None, house.said()
    assert rss_kb(controller.pid) - early_kb < FLAT_KB
    assert {line[:200] for line in unanswered} == set(), house.said()
    scan = house.state()["scan"]["number"]
    wait(lambda: house.state()["scan"]["number"] > scan, what="a further scan")
    house.trip()


def test_an_endless_line_is_let_go_with_a_word(guarded: House) -> None:
    visitor = Visitor(guarded)
    visitor.sock.sendall(b"x" * (MAX_LINE + 1))
    assert str(MAX_LINE) in json.loads(visitor.answers.readline())["error"]
    assert visitor.answers.readline() == b""
    visitor.leave()
    assert guarded.state()


def test_more_visitors_than_the_door_has_room_for_are_told_so(guarded: House) -> None:
    visitors = []
    for _ in range(MAX_CLIENTS):
        visitors.append(Visitor(guarded))
        assert visitors[-1].ask(b'{"ask":"state"}')
    late = Visitor(guarded)
    assert json.loads(late.answers.readline()) == {"error": "too many clients"}
    late.leave()
    for visitor in visitors:
        visitor.leave()
    wait(lambda: guarded.state(), what="room at the door again")
    guarded.trip()
