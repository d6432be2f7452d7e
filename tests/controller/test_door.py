"""The door: what it answers, whom it lets in, and what it does with everything else."""

from __future__ import annotations

import os
import random
import stat

import pytest

from controller import door as door_module
from controller.client import DoorRefused
from controller.door import MAX_LINE, Peer
from tests.journal.test_damage import HARMS, harm


@pytest.fixture
def stranger(monkeypatch):
    """Who calls is neither root nor the controller's own user."""
    peer = Peer(4711, 4711, "visitor", in_root_group=False, is_ours=False)
    monkeypatch.setattr(door_module, "_peer", lambda client: peer)


def test_the_socket_is_its_owners_and_groups(bench):
    bench.start()
    assert stat.S_IMODE(os.stat(bench.run / "door.sock").st_mode) == 0o660
    assert stat.S_IMODE(os.stat(bench.run).st_mode) == 0o750


def test_the_kernel_says_who_calls(line, bench):
    reply = line.ask({"ask": "request", "action": "silence"})["reply"]
    assert reply["status"] == "done"
    (event,) = [e for e in bench.events() if e["kind"] == "request"]
    import pwd

    assert event["actor"] == pwd.getpwuid(os.geteuid()).pw_name
    assert event["data"]["origin"] == "door"


def test_one_line_after_the_other_is_answered_in_order(line):
    line.raw(b'{"ask":"state"}\n{"ask":"request","action":"silence"}\n{"ask":"events"}')
    assert "state" in line.hear()
    assert line.hear()["reply"]["status"] == "done"
    events = []
    while "end" not in (told := line.hear()):
        events.append(told["event"]["seq"])
    assert events == list(range(1, len(events) + 1))
    assert events


NONSENSE = [
    b"",
    b"\x00\xff\xfe",
    b"[]",
    b'"state"',
    b"{}",
    b'{"ask":1}',
    b'{"ask":"open"}',
    b'{"ask":"state","key":1}',
    b"[" * 60_000,
    b'{"ask":"request","action":"\\ud800"}',
    b'{"ask":"request","action":"' + b"a" * 65 + b'"}',
    b'{"ask":"request","action":"silence","args":{"a":1}}',
    b'{"ask":"request","action":"silence","args":{"a":"' + b"b" * 5000 + b'"}}',
    b'{"ask":"request","action":"silence","id":"' + b"i" * 65 + b'"}',
    b'{"ask":"events","since":"yesterday"}',
    b'{"ask":"events","since":' + b"9" * 30 + b"}",
    b'{"ask":"events","since":-1}',
    b'{"ask":"events","since":true}',
    b'{"ask":"request","action":"silence","as":{"role":"god"}}',
    b'{"ask":"request","action":"silence","as":{"origin":"mqtt"}}',
    b'{"ask":"request","action":"silence","as":{"origin":"rule"}}',
    b'{"ask":"request","action":"silence","as":{"origin":"button"}}',
]


def test_what_makes_no_sense_gets_an_error_and_the_line_stays_open(line):
    for raw in NONSENSE:
        line.raw(raw)
        assert list(line.hear()) == ["error"], raw[:80]
    assert "state" in line.ask({"ask": "state"})


def test_any_bytes_are_answered_line_by_line(bench, line):
    chance = random.Random(20261122)
    said = [bytes(chance.randrange(256) for _ in range(40)).replace(b"\n", b"") for _ in range(50)]
    line.sock.sendall(b"".join(one + b"\n" for one in said))
    assert [list(line.hear()) for _ in said] == [["error"]] * len(said)
    assert not bench.alarm("controller.thread-failed")


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_that_is_too_long_is_refused_and_its_client_let_go(line, end):
    line.sock.sendall(b'"' + b"x" * MAX_LINE + end)
    assert line.hear() == {"error": f"a line has {MAX_LINE} bytes at most"}
    assert line.hear() is None


def test_a_line_of_64_kib_is_taken(line):
    line.raw(b'{"ask":"state"}'.ljust(MAX_LINE))
    assert "state" in line.hear()


def test_an_unknown_action_is_refused_by_the_gate(line):
    reply = line.ask({"ask": "request", "action": "explode"})["reply"]
    assert (reply["status"], reply["why"]["id"]) == ("refused", "refused.unknown-action")
    assert reply["reason"]


def test_only_the_panels_process_speaks_for_somebody_else(bench, line, stranger, dial):
    other = dial()
    who = {"actor": "keeper", "role": "operate", "origin": "local-screen"}
    asked = {"ask": "request", "action": "arm", "as": who}
    assert other.ask(asked) == {"error": "only the panel speaks for somebody else"}
    assert bench.recorded("request") == []


def test_the_panel_speaks_for_a_person_with_that_persons_role(bench, line):
    who = {"actor": "keeper", "role": "view", "origin": "local-screen"}
    refused = line.ask({"ask": "request", "action": "arm", "as": who})["reply"]
    assert (refused["status"], refused["why"]["id"]) == ("refused", "refused.role")
    assert line.ask({"ask": "request", "action": "arm", "as": who | {"role": "operate"}})["reply"][
        "status"
    ] in ("done", "accepted")
    assert [e["actor"] for e in bench.events() if e["kind"] == "request"] == ["keeper"] * 2


def test_who_is_not_of_the_root_group_may_not_cut(bench, line, stranger, dial):
    other = dial()
    reply = other.ask({"ask": "request", "action": "cut"})["reply"]
    assert (reply["status"], reply["why"]["id"]) == ("refused", "refused.role")
    assert other.ask({"ask": "request", "action": "silence"})["reply"]["status"] == "done"
    assert bench.level("power-cut") is False


def test_a_person_through_the_panel_has_not_the_rights_of_the_panels_user(bench, line):
    who = {"actor": "keeper", "role": "configure", "origin": "door"}
    reply = line.ask({"ask": "request", "action": "cut", "as": who})["reply"]
    assert reply["status"] == "refused"


def test_an_id_is_taken_once(bench, line):
    asked = {"ask": "request", "action": "silence", "id": "press-1"}
    assert line.ask(asked)["reply"]["status"] == "done"
    again = line.ask(asked)["reply"]
    assert (again["status"], again["why"]["id"]) == ("refused", "refused.repeated")
    empty = asked | {"id": ""}
    assert [line.ask(empty)["reply"]["status"] for _ in "12"] == ["done", "done"]


def test_who_waits_hears_of_the_end(bench, line):
    bench.cut()
    line.say({"ask": "request", "action": "restore", "wait": True, "id": "r-1"})
    assert line.hear()["reply"]["status"] == "accepted"
    assert line.hear()["reply"]["status"] == "done"
    assert "state" in line.ask({"ask": "state"})


def test_events_are_given_from_a_number_or_a_time_on(bench, line):
    line.ask({"ask": "request", "action": "silence"})
    events = bench.events()
    last = events[-1]
    assert list(bench.door.events(since=last["seq"])) == [last]
    assert list(bench.door.events(since=last["seq"] + 1)) == []
    assert list(bench.door.events(since=events[0]["at"])) == events
    assert list(bench.door.events(since="2100-01-01T00:00:00Z")) == []


@pytest.mark.parametrize("page", [1, 100], ids=["a page of its own", "a page with others"])
def test_a_damaged_event_hides_none_of_those_behind_it(bench, line, monkeypatch, page):
    monkeypatch.setattr(door_module, "_PAGE", page)
    for n in range(250):
        bench.door.request("silence", id=f"press-{n}")
    events = bench.events()
    assert len(events) > 250
    harm(bench.store, HARMS["no json"])

    # What is damaged is told, and that is recorded, too.
    found = [event for event in bench.events() if event["seq"] <= len(events)]
    assert found == [event for event in events if event["seq"] != 150]


def test_the_newest_event_belongs_to_the_answer_also_while_it_is_being_written(bench, line):
    for n in range(10):
        bench.door.request("silence", id=f"press-{n}")
        assert bench.events()[-1]["data"]["id"] == f"press-{n}"


def test_a_question_that_is_refused_says_why(bench):
    bench.start()
    with pytest.raises(DoorRefused, match="too long"):
        bench.door.request("silence", {"why": "x" * 5000})
