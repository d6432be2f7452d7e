"""In which order commands and their answers may come, and what holds whatever the order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from controller.clock import Clock
from controller.config.feed import FeedClient
from controller.core.reason import why
from controller.core.request import Answer, Request, Status
from controller.feed.broker import Limits, Received
from controller.feed.commands import Commands
from controller.feed.link import Link
from controller.guard import Answered, Guard
from controller.journal.journal import Journal
from controller.journal.seen import SeenRequests
from tests.feed.central import command, moment
from tests.feed.room import ROOT, fill

COUNT = 5


class Gate:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[Request, Answered]] = []

    def ask(self, request: Request, answered: Answered) -> None:
        self.asked.append((request, answered))

    def forget(self, request_id: str, answered: Answered) -> None:
        pass

    def answer(self, number: int, status: Status) -> None:
        request, answered = self.asked[number]
        answered(Answer(request.id, status, request.flaw or why("refused.expired")))


class Wire:
    """A connection that takes everything. `sent`: topic below the root, and payload."""

    is_older = False

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    def room_for(self, *, qos: int, spare: float = 0.0) -> bool:
        return True

    def publish(self, topic: str, payload: bytes, **_: object) -> int:
        self.sent.append((topic.removeprefix(f"{ROOT}/"), json.loads(payload)))
        return len(self.sent)


class Desk:
    """What a feed does with the commands of one client."""

    def __init__(self, journal: Journal) -> None:
        self.gate = Gate()
        self.commands = Commands(
            [FeedClient(id="desk")],
            ROOT,
            cast(Guard, self.gate),
            journal,
            "en",
            Limits(),
            lambda: None,
        )
        self.wire = Wire()

    def say(self, action: str, args: dict[str, Any], **keys: Any) -> None:
        self.hear(json.dumps(command(action, args, **keys)).encode())

    def hear(self, payload: bytes, *, retained: bool = False) -> None:
        self.commands.take(Received(f"{ROOT}/cmd/desk", payload, retained), self.link)

    def turn(self) -> None:
        while self.commands.send(self.link, COUNT):
            pass

    @property
    def link(self) -> Link:
        return cast(Link, self.wire)

    def flaws(self) -> list[str]:
        return [request.flaw.id if request.flaw else "" for request, _ in self.gate.asked]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    fill(tmp_path, 1, COUNT)
    journal = Journal(tmp_path / "room.db", 10**9, Clock(), lambda fault: None)
    journal.open()
    yield Desk(journal)
    journal.close()


def test_one_resend_s_refusal_lets_no_third_one_beside_the_second(desk: Desk):
    desk.say("resend", {"from": 5, "to": 1})
    desk.say("resend", {"from": 1, "to": 3})
    desk.gate.answer(0, Status.REFUSED)
    desk.turn()

    desk.say("resend", {"from": 1, "to": 2})

    assert desk.flaws() == ["refused.bad-argument", "", "refused.busy"]
    desk.gate.answer(1, Status.ACCEPTED)
    desk.gate.answer(2, Status.REFUSED)
    desk.turn()
    desk.commands.arrived(range(1, 100))
    desk.turn()
    assert [event["seq"] for topic, event in desk.wire.sent if topic == "event"] == [1, 2, 3]
    desk.say("resend", {"from": 1, "to": 2})
    assert desk.flaws()[-1] == "", "the one before has ended"


def test_a_resend_that_the_gate_refuses_leaves_room_for_the_next(desk: Desk):
    desk.say("resend", {"from": 1, "to": 3})
    desk.gate.answer(0, Status.EXPIRED)
    desk.turn()

    desk.say("resend", {"from": 1, "to": 3})

    assert desk.flaws() == ["", ""]


def test_a_reply_under_way_when_the_connection_ends_is_sent_by_the_next(desk: Desk):
    desk.say("silence", {})
    desk.say("silence", {})
    desk.gate.answer(0, Status.DONE)
    desk.turn()
    desk.commands.arrived([1])
    desk.gate.answer(1, Status.DONE)
    desk.turn()
    desk.commands.lost()
    first, second = (request.id for request, _ in desk.gate.asked)

    desk.turn()

    replies = [reply["id"] for topic, reply in desk.wire.sent if topic == "reply/desk"]
    assert replies == [first, second, second]


def test_a_reply_over_which_the_broker_hangs_up_is_given_up(desk: Desk):
    desk.say("silence", {})
    desk.gate.answer(0, Status.DONE)
    for _ in range(10):
        desk.turn()
        desk.commands.lost()

    assert len(desk.wire.sent) == 3


def test_an_id_that_others_pushed_out_of_the_memory_does_not_serve_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(desk.commands._journal, "_seen", SeenRequests(limit=2))
    early = json.dumps(command("silence", issued=moment(-60.0))).encode()
    desk.hear(early)
    desk.say("silence", {})
    desk.say("silence", {})

    desk.hear(early)

    assert desk.flaws() == ["", "", "", "refused.repeated"]


def test_somebody_s_clearing_of_a_retained_command_is_no_command(desk: Desk):
    desk.hear(b"", retained=True)
    assert desk.gate.asked == []
    desk.hear(b"{}", retained=True)
    assert desk.flaws() == ["refused.retained"]
