"""Threads that fail are replaced, say so, and end when they are told to."""

from __future__ import annotations

import threading

from controller import threads
from controller.threads import Supervised


def test_a_thread_that_fails_is_replaced_and_says_so(wait, monkeypatch):
    monkeypatch.setattr(threads, "_BACK_OFF_S", (0.001, 0.002))
    told, runs = [], []

    def work(stop: threading.Event) -> None:
        runs.append(1)
        if len(runs) < 4:
            raise ValueError(f"run {len(runs)}")
        stop.wait()

    thread = Supervised("pump", work, lambda name, fault: told.append((name, fault)))
    thread.start()
    wait(lambda: len(runs) == 4)
    thread.end()
    assert told == [("pump", f"ValueError: run {n}") for n in (1, 2, 3)]


class Stop(threading.Event):
    """An event that notes how long it was waited for, and does not wait."""

    def __init__(self, tries):
        super().__init__()
        self.waits = []
        self._tries = tries

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return len(self.waits) >= self._tries


def waits(monkeypatch, tries, lasted_s, **keys):
    """The pauses of a thread whose every run fails after `lasted_s`."""
    now = [0.0]
    monkeypatch.setattr(threads.time, "monotonic", lambda: now[0])

    def work(stop):
        now[0] += lasted_s(len(thread.stop.waits))
        raise ValueError

    thread = Supervised("pump", work, lambda *_: None, **keys)
    thread.stop = Stop(tries)
    thread._run()
    return thread.stop.waits


def test_the_pause_doubles_up_to_its_bound(monkeypatch):
    pauses = waits(monkeypatch, 10, lambda n: 0.0)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


def test_a_failure_after_a_run_that_lasted_is_a_new_one(monkeypatch):
    pauses = waits(monkeypatch, 6, lambda n: 3600.0 if n == 4 else 0.0)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 0.2, 0.4]


def test_what_guards_is_away_for_a_second_at_most(monkeypatch):
    assert max(waits(monkeypatch, 10, lambda n: 0.0, longest_pause_s=1.0)) == 1.0


def test_a_thread_that_waits_to_be_replaced_ends_at_once(wait):
    failed = threading.Event()

    def work(stop):
        raise ValueError

    thread = Supervised("pump", work, lambda *_: failed.set())
    thread.start()
    assert failed.wait(2.0)
    thread.end()
    wait(lambda: not thread._thread.is_alive())


def test_a_thread_that_was_never_started_can_be_ended():
    Supervised("pump", lambda stop: None, lambda *_: None).end()
