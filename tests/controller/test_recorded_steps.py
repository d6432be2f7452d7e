"""A plan's step is told to the rules once its event is on the disk, and not before."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing

import pytest

from controller import guard as guard_module
from controller.core.event import Event
from controller.guard import PLAN_RECORDED
from controller.journal import journal as journal_module
from controller.journal import writer as writer_module
from controller.journal.store import Store


class Disk:
    """The real disk, which can be made to hang and to fail."""

    def __init__(self, write):
        self.write_now = write
        self.free = threading.Event()
        self.free.set()
        self.full = False
        self.waits = threading.Event()

    def write(self, store, batch):
        if not self.free.is_set():
            self.waits.set()
        assert self.free.wait(10.0)
        if self.full:
            raise OSError(28, "No space left on device")
        self.write_now(store, batch)


@pytest.fixture
def disk(monkeypatch):
    disk = Disk(Store.write)
    monkeypatch.setattr(Store, "write", lambda store, batch: disk.write(store, batch))
    monkeypatch.setattr(writer_module, "_RETRY_S", (0.05, 0.05))
    yield disk
    disk.free.set()
    disk.full = False


class Plan:
    """A plan that takes `steps` when the door opens. `saw`: what its scans saw, each change with
    the steps that were on the disk at that moment."""

    def __init__(self, bench, steps, kind="plan"):
        self.bench, self.left, self.kind = bench, list(steps), kind
        self.saw = []
        access = bench.controller.room.rules["access"]
        self._real = access.step
        access.step = self.step

    def step(self, was, seen):
        told = seen[PLAN_RECORDED].value
        if told != (self.saw[-1][0] if self.saw else None):
            self.saw.append((told, self.on_disk()))
        decided = self._real(was, seen)
        if seen["front-door"].is_true and self.left:
            step = self.left.pop(0)
            decided.events = [*decided.events, Event(self.kind, "outage", data={"step": step})]
        return decided

    def on_disk(self):
        """The steps that another connection finds in the file."""
        with closing(sqlite3.connect(f"file:{self.bench.store}?mode=ro", uri=True)) as file:
            rows = file.execute("SELECT data FROM event ORDER BY seq").fetchall()
        return [data["step"] for (text,) in rows if "step" in (data := json.loads(text))]

    def told(self):
        return [value for value, _ in self.saw]


@pytest.fixture
def plan(bench):
    bench.start()
    return lambda *steps, **how: Plan(bench, steps, **how)


def test_a_step_is_told_when_it_is_on_the_disk_and_one_more_scan_follows_at_once(
    bench, disk, plan, wait, monkeypatch
):
    monkeypatch.setattr(guard_module, "LOOK_S", 5.0)
    outage = plan(1)
    disk.free.clear()
    bench.open_door()
    assert disk.waits.wait(30.0)
    bench.settle()
    number = bench.controller.guard.published.number
    wait(lambda: bench.controller.guard.published.number > number)  # the next one is a second off
    assert outage.told() == []
    guard, rung = bench.controller.guard, []
    ring = guard._bell.set
    monkeypatch.setattr(guard._bell, "set", lambda: (rung.append(guard._durable_seq), ring()))
    disk.free.set()
    wait(outage.told)
    ((step, on_disk),) = outage.saw
    assert (step, on_disk) == (1.0, [1])
    assert guard._durable_seq in rung, "the timer is woken by the record"


def test_protection_does_not_wait_for_the_record(bench, disk, plan):
    outage = plan(1)
    disk.free.clear()
    bench.open_door()
    assert disk.waits.wait(30.0)
    bench.press()
    assert bench.level("power-cut") is True
    assert outage.told() == []


def test_nothing_is_told_while_the_disk_fails_and_the_last_step_when_it_is_back(
    bench, disk, plan, wait
):
    outage = plan(1, 2)
    disk.full = True
    bench.open_door()
    wait(lambda: bench.alarm("journal.failing"))
    wait(lambda: outage.left == [])
    assert outage.told() == []
    disk.full = False
    wait(outage.told)
    assert outage.saw[-1][0] == 2.0
    assert outage.saw[-1][1] == [1, 2]


def test_other_events_tell_nothing(bench, plan, wait):
    outage = plan(1, kind="system")
    bench.open_door()
    wait(lambda: outage.on_disk() == [1])
    bench.open_door(False)
    bench.settle()
    assert outage.told() == []


def test_steps_that_wait_for_the_disk_are_bounded_and_the_last_one_is_told(
    bench, disk, wait, monkeypatch
):
    monkeypatch.setattr(guard_module, "_RESCAN_S", 0.0)
    monkeypatch.setattr(guard_module, "_PAUSE_S", 0.0)
    monkeypatch.setattr(guard_module, "_STEPS_HELD", 20)
    bench.start()
    outage = Plan(bench, range(1, 50))
    disk.free.clear()
    bench.open_door()
    wait(lambda: outage.left == [])
    bench.settle()
    assert len(bench.controller.guard._steps) == 20
    disk.free.set()
    wait(lambda: outage.told()[-1:] == [49.0])
    assert len(bench.controller.guard._steps) == 0


def test_the_journals_thread_never_waits_for_a_scan(bench, plan):
    plan()
    guard = bench.controller.guard
    with guard._lock:
        told = threading.Thread(target=guard.recorded, args=(10**6,), daemon=True)
        told.start()
        told.join(2.0)
        assert not told.is_alive()


def test_a_step_of_before_the_start_is_not_told_again(bench, plan, wait):
    outage = plan(1)
    bench.open_door()
    wait(outage.told)
    bench.restart()
    again = Plan(bench, [])
    bench.open_door(False)
    bench.settle()
    assert again.told() == []


def test_a_disk_that_hangs_is_told_and_one_that_answers_again_ends_it(
    bench, disk, wait, monkeypatch
):
    monkeypatch.setattr(journal_module, "HANG_S", 0.3)
    bench.start()
    disk.free.clear()
    bench.press()
    assert disk.waits.wait(30.0)
    wait(lambda: bench.alarm("journal.failing") == journal_module.HANGS, 30.0)
    assert bench.state()["journal"]["fault"] == journal_module.HANGS
    monkeypatch.setattr(journal_module, "HANG_S", 60.0)  # this disk is slow at its best
    disk.free.set()
    wait(lambda: bench.alarm("journal.failing") == "", 30.0)
    assert bench.state()["journal"]["ok"]


def test_a_disk_that_answered_late_once_is_well_after_a_while_in_which_nothing_happens(
    bench, disk, wait, monkeypatch
):
    monkeypatch.setattr(journal_module, "HANG_S", 0.2)
    monkeypatch.setattr(journal_module, "QUIET_S", 600.0)
    journal = bench.start().journal
    disk.free.clear()
    bench.press()
    wait(lambda: journal.fault == journal_module.HANGS, 30.0)
    monkeypatch.setattr(journal_module, "HANG_S", 0.0)  # whatever comes is late
    disk.free.set()
    wait(lambda: journal.recorded_seq >= journal._asked_seq, 30.0)
    assert journal.fault == journal_module.HANGS
    monkeypatch.setattr(journal_module, "HANG_S", 60.0)
    monkeypatch.setattr(journal_module, "QUIET_S", 0.6)
    wait(lambda: journal.fault is None, 30.0)
