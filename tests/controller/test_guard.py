"""Guarding goes on: missed edges, rules, drivers, listeners and threads that fail."""

from __future__ import annotations

import threading
import time

import pytest

from controller import guard as guard_module
from controller.core.reading import Quality, Reading
from controller.core.request import Origin, Request, Status
from controller.guard import LOOK_S


def asked(id, action, **args):
    return Request(id, action, args, "keeper", origin=Origin.DOOR)


def test_an_edge_is_acted_on_by_the_thread_that_brings_it(bench):
    bench.start()
    bench.press()
    assert bench.level("power-cut") is True


def test_what_was_there_before_the_start_is_acted_on_in_the_first_scan(bench):
    bench.wired[5] = False
    controller = bench.open()
    assert bench.level("power-cut") is False
    controller.start()
    assert bench.level("power-cut") is True


def test_an_edge_before_the_first_look_waits_for_it(bench):
    controller = bench.open()
    controller.guard.edge("emergency")
    controller.guard.bring({"nothing": Reading(None, Quality.BAD, 1.0)})
    bench.press()
    assert bench.level("power-cut") is False
    controller.start()
    assert bench.level("power-cut") is True
    assert bench.events()[0]["cause"] == "started"


def test_a_missed_edge_is_mended_by_the_next_look(bench, wait, monkeypatch):
    monkeypatch.setattr(guard_module, "LOOK_S", LOOK_S)
    bench.start()
    intake = bench.controller.guard._intake
    look, looks = intake.look_at_all, []

    def look_at_all(now_s):
        looks.append(now_s)
        return look(now_s)

    monkeypatch.setattr(intake, "look_at_all", look_at_all)
    wait(lambda: looks)
    # On a slow machine this is late as well.
    too_late = threading.Event()
    timer = threading.Timer(2 * LOOK_S, too_late.set)
    timer.start()
    bench.press(edge=False)
    wait(lambda: bench.level("power-cut") or too_late.is_set())
    assert not too_late.is_set()
    timer.cancel()


def test_a_rule_that_fails_is_alarmed_and_the_others_go_on(bench, wait, monkeypatch):
    bench.start()
    access = bench.controller.room.rules["access"]

    def step(was, seen):
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(access, "step", step)
    bench.open_door()
    wait(lambda: bench.alarm("controller.rule-failed"))
    bench.press()
    assert bench.level("power-cut") is True


def test_a_scan_that_fails_on_an_edge_is_alarmed_and_the_next_one_acts(bench, wait, monkeypatch):
    bench.start()
    real = guard_module.judge
    left = [1]

    def scan(*given):
        # The timer scans too, and may be at it just now.
        if left and threading.current_thread().name != "timer":
            left.pop()
            raise RuntimeError("a fault of our own")
        return real(*given)

    monkeypatch.setattr(guard_module, "judge", scan)
    bench.press()
    wait(lambda: bench.level("power-cut"))
    wait(lambda: "edge of emergency" in bench.alarm("controller.thread-failed"))


def test_a_timer_that_fails_is_replaced_and_alarmed(bench, wait, monkeypatch):
    bench.start()
    intake = bench.controller.guard._intake
    real = intake.look_at_all
    left = [1]

    def look_at_all(now_s):
        if left:
            left.pop()
            raise RuntimeError("a fault of our own")
        return real(now_s)

    monkeypatch.setattr(intake, "look_at_all", look_at_all)
    wait(lambda: "timer: RuntimeError" in bench.alarm("controller.thread-failed"))
    bench.press(edge=False)
    wait(lambda: bench.level("power-cut"))


def test_a_listener_that_fails_costs_the_others_nothing(bench, wait):
    bench.start()
    guard = bench.controller.guard
    told = []

    def broken(published):
        raise RuntimeError("a fault of our own")

    guard.listen(broken)
    guard.listen(lambda published: told.append(published.number))
    assert bench.door.request("silence")["status"] == "done"
    wait(lambda: "broken: RuntimeError" in bench.alarm("controller.thread-failed"))
    first = guard.published.number
    bench.press()
    assert bench.level("power-cut") is True
    wait(lambda: told[-1] > first)
    assert told == sorted(set(told))
    # It fails at each scan, and yet does not bring on one scan after the other.
    number = guard.published.number
    assert not threading.Event().wait(0.1)
    assert guard.published.number - number < 20


def test_who_fails_to_take_an_answer_costs_nobody_else_theirs(bench, wait):
    bench.start()
    answers = []

    def broken(answer):
        raise RuntimeError("a fault of our own")

    bench.controller.guard.ask(asked("1", "silence"), broken)
    bench.controller.guard.ask(asked("2", "silence"), answers.append)
    wait(lambda: answers)
    assert [(answer.id, answer.status) for answer in answers] == [("2", Status.DONE)]
    wait(lambda: bench.alarm("controller.thread-failed"))


def test_a_request_that_makes_the_scan_fail_is_answered_with_an_error(bench, wait, monkeypatch):
    bench.start()
    real = guard_module.judge

    def scan(room, memory, image, requests, now):
        if requests:
            raise RuntimeError("a fault of our own")
        return real(room, memory, image, requests, now)

    monkeypatch.setattr(guard_module, "judge", scan)
    with pytest.raises(ValueError, match="could not be answered"):
        bench.door.request("silence")
    wait(lambda: "door-client" in bench.alarm("controller.thread-failed"))
    bench.press()
    assert bench.level("power-cut") is True


def test_the_watchdog_is_fed_by_scans_that_succeed_only(bench, wait, monkeypatch):
    bench.start()
    guard = bench.controller.guard
    beats, tries = [], []
    guard.beat = lambda: beats.append(1)
    wait(lambda: beats)

    def scan(*given):
        tries.append(1)
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(guard_module, "judge", scan)
    guard.thread_failed("a test", "so that a scan is due")
    wait(lambda: tries)
    del beats[:]
    wait(lambda: len(tries) > 2)
    assert beats == []


def test_who_repeats_anothers_id_takes_none_of_that_others_answers(bench, wait):
    bench.start()
    bench.cut()
    guard = bench.controller.guard
    first, second = [], []
    guard.ask(asked("same", "restore"), first.append)
    guard.ask(Request("same", "restore", {}, "keeper", repeated=True), second.append)
    guard.forget("same", second.append)
    wait(lambda: second and len(first) == 2)
    assert [answer.status for answer in first] == [Status.ACCEPTED, Status.DONE]
    assert [answer.status for answer in second] == [Status.REFUSED]


def test_many_ask_at_once_and_each_gets_its_own_answers(bench):
    bench.start()
    replies: dict[str, dict] = {}

    def ask(name):
        args = {"output": "lamp", "to": name} if name in ("on", "off") else {"output": name}
        action = "switch" if name in ("on", "off") else "release"
        replies[name] = bench.door.request(action, args, id=name)

    names = ["on", "off", *(f"nothing-{n}" for n in range(10))]
    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5.0)
    assert {name: reply["id"] for name, reply in replies.items()} == {n: n for n in names}
    assert all(replies[name]["status"] == "done" for name in ("on", "off"))
    subjects = {n: r["why"]["values"]["subject"] for n, r in replies.items() if r["why"]}
    assert subjects == {name: name for name in names[2:]}


def test_everything_decided_before_the_end_is_recorded(bench):
    bench.start()
    for to in ("on", "off", "on"):
        bench.controller.guard.ask(asked(to, "switch", output="lamp", to=to), lambda _: None)
    bench.close()
    bench.start()
    moves = [
        e["data"]["to"] for e in bench.events() if e["subject"] == "lamp" and "to" in e["data"]
    ]
    assert moves == ["on", "off", "on"]


def test_a_rule_that_always_wants_the_next_scan_at_once_does_not_take_the_machine(
    bench, wait, monkeypatch
):
    bench.start()
    access = bench.controller.room.rules["access"]
    real = access.step
    scans = []

    def step(was, seen):
        scans.append(1)
        decided = real(was, seen)
        decided.wake_s = 0.0
        return decided

    monkeypatch.setattr(access, "step", step)
    bench.open_door()
    began_s = time.monotonic()
    wait(lambda: len(scans) > 40)
    assert time.monotonic() - began_s > 40 * 0.0015


def test_what_is_asked_while_the_controller_ends_is_refused_and_moves_nothing(bench):
    controller = bench.start()
    controller.guard.close()
    answers = []
    controller.guard.ask(asked("late", "cut"), answers.append)
    assert [(a.id, a.status, a.reason.id) for a in answers] == [
        ("late", Status.REFUSED, "refused.ending")
    ]
    assert bench.level("power-cut") is False
