"""What the door tells by itself: the state as it changes, events as they come."""

from __future__ import annotations

import time

from controller import guard as guard_module


def test_a_stream_tells_each_change_and_never_more_than_five_in_a_second(bench, line, wait):
    line.say({"ask": "stream"})
    assert line.hear()["state"]["fire"]["cut"] is False
    bench.press()
    began_s = time.monotonic()
    assert line.hear()["state"]["fire"]["cut"] is True
    for _ in range(2):
        bench.open_door(True)
        bench.open_door(False)
        line.hear()
    assert time.monotonic() - began_s >= 0.35


def test_who_follows_hears_of_new_events(bench, line):
    follower = bench.door.events(follow=True)
    assert next(follower)["cause"] == "started"
    bench.press()
    while next(follower)["cause"] != "cut.emergency":
        pass
    follower.close()


def test_the_state_says_how_old_it_is_when_scans_stop(bench, line, wait, monkeypatch):
    def scan(*given):
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(guard_module, "judge", scan)
    state = line.ask({"ask": "state"})["state"]

    def old():
        told = line.ask({"ask": "state"})["state"]
        return told if told["scan"]["age_s"] > state["scan"]["age_s"] + 0.3 else None

    assert wait(old)["scan"]["at"] == state["scan"]["at"]
