"""A host's poller: what is seen of it, and what it is told, neither waiting for the other."""

from __future__ import annotations

import threading

import pytest

from controller.clock import Clock
from controller.core.parts import DeviceError, DeviceTimeout
from controller.core.reading import Quality
from controller.core.rules.base import Command
from controller.pollers import HostPoller
from controller.threads import Supervised


class Host:
    """A host that is seen as it is set. While `hangs` is not set, what it is told hangs."""

    def __init__(self):
        self.seen = {"network": True}
        self.fault = None
        self.told = []
        self.looks = 0
        self.hangs = threading.Event()
        self.hangs.set()
        self.clock = None

    def _do(self, action):
        self.told.append(action)
        self.hangs.wait(5.0)
        if self.fault:
            raise self.fault

    def stop(self):
        self._do("stop")

    def clear(self):
        self._do("clear")

    def start(self):
        self._do("start")

    def initialise(self):
        self._do("initialise")

    def test(self):
        self._do("test")

    def test_start(self):
        self._do("test-start")

    def look(self):
        self.looks += 1
        if self.clock is not None:
            self.clock.looked()
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen

    def close(self):
        self.hangs.set()


class Leaping(Clock):
    """Time leaps over whatever is waited for. `looks`: when the host was looked at."""

    def __init__(self):
        super().__init__()
        self.now_s = 0.0
        self.looks = []
        self.takes_s = 0.0

    def mono_s(self):
        return self.now_s

    def real_s(self, paced_s):
        self.now_s += max(paced_s, 0.0)
        return 0.0

    def looked(self):
        self.looks.append(round(self.now_s, 3))
        self.now_s += self.takes_s


class Until:
    def __init__(self, clock, end_s):
        self.clock, self.end_s = clock, end_s

    def is_set(self):
        return self.clock.now_s >= self.end_s


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def brought():
    return []


def seen(brought):
    return {id: (r.value, r.quality) for id, r in brought[-1].items()}


def replies(brought):
    return [b["one.reply"].value for b in list(brought) if "one.reply" in b]


def test_each_kind_of_evidence_becomes_a_reading_and_what_proves_nothing_a_bad_one(host, brought):
    host.seen = {"network": False, "client": None, "management": True, "ready": False}
    HostPoller("one", host, Clock(), brought.append).look()
    assert seen(brought) == {
        "one.network": (False, Quality.GOOD),
        "one.client": (None, Quality.BAD),
        "one.management": (True, Quality.GOOD),
        "one.ready": (False, Quality.GOOD),
    }


def test_a_host_that_cannot_be_looked_at_brings_nothing_new(host, brought):
    poller = HostPoller("one", host, Clock(), brought.append)
    poller.look()
    host.seen = DeviceError("no ping here")
    poller.look()
    assert len(brought) == 1


def test_a_host_that_cannot_be_looked_at_is_logged_once_and_when_it_can_again(
    host, brought, caplog
):
    caplog.set_level("INFO", "controller.pollers.host")
    poller = HostPoller("one", host, Clock(), brought.append)
    fault, fine = DeviceError("no ping here"), host.seen
    for host.seen in (fine, fault, fault, fine, fine, fault):
        poller.look()
    lost = "one cannot be looked at: no ping here"
    told = [record.message for record in caplog.records]
    assert told == [lost, "one can be looked at again", lost]


def test_what_fails_because_a_host_was_closed_is_not_logged(host, brought, caplog):
    poller = HostPoller("one", host, Clock(), brought.append)
    poller.close()
    host.seen = DeviceError("ended with the controller")
    poller.look()
    assert caplog.records == []


def test_a_look_is_as_old_as_its_beginning(host, brought):
    clock = Leaping()
    clock.now_s, clock.takes_s, host.clock = 100.0, 3.0, clock
    HostPoller("one", host, clock, brought.append).look()
    assert brought[-1]["one.network"].at_s == 100.0


def watched(host, clock, poller, for_s):
    clock.looks.clear()
    poller._look_now.wait = lambda timeout: None
    poller.watch(Until(clock, clock.now_s + for_s))
    return clock.looks


def test_a_host_is_looked_at_each_five_seconds(host, brought):
    clock = host.clock = Leaping()
    clock.takes_s = 0.3
    poller = HostPoller("one", host, clock, brought.append)
    assert watched(host, clock, poller, 60.0) == [5.0 * n for n in range(12)]


def test_after_a_command_it_is_looked_at_each_second_for_ten_minutes(host, brought):
    clock = host.clock = Leaping()
    poller = HostPoller("one", host, clock, brought.append)
    poller._carry_out(Command("one", 1, "stop"))
    assert watched(host, clock, poller, 630.0) == [
        *(float(n) for n in range(600)),
        *(600.0 + 5.0 * n for n in range(6)),
    ]


@pytest.fixture
def at_work(host, brought):
    """The poller with both its threads."""
    poller = HostPoller("one", host, Clock(pace=100.0), brought.append)
    failed = []
    threads = [
        Supervised("host-one", poller.obey, lambda *told: failed.append(told)),
        Supervised("look-one", poller.watch, lambda *told: failed.append(told)),
    ]
    for thread in threads:
        thread.start()
    yield poller, failed
    for thread in threads:
        thread.stop.set()
    poller.wake()
    poller.close()
    for thread in threads:
        thread.end()
        assert not thread._thread.is_alive()


def test_it_is_looked_at_while_what_it_was_told_hangs(host, brought, at_work, wait):
    poller, _ = at_work
    host.hangs.clear()
    poller.command(Command("one", 1, "stop"))
    wait(lambda: host.told)
    looks = host.looks
    wait(lambda: host.looks > looks + 3)
    assert replies(brought) == []
    host.hangs.set()
    wait(lambda: replies(brought) == ["1 ok"])


@pytest.mark.parametrize("action", ["stop", "clear", "start", "initialise", "test", "test-start"])
def test_a_command_is_carried_out_once(host, brought, at_work, wait, action):
    poller, _ = at_work
    for _ in range(3):
        poller.command(Command("one", 7, action))
        wait(lambda: replies(brought) == ["7 ok"])
    assert host.told == [action]


def test_a_command_that_fails_is_answered_with_the_reason(host, brought, at_work, wait):
    poller, _ = at_work
    host.fault = DeviceTimeout("ssh: no answer within 30 s")
    poller.command(Command("one", 1, "stop"))
    wait(lambda: replies(brought) == ["1 failed: ssh: no answer within 30 s"])
    host.fault = None
    poller.command(Command("one", 2, "stop"))
    wait(lambda: len(replies(brought)) == 2)
    assert replies(brought)[1] == "2 ok"


def test_a_command_that_no_host_knows_is_answered_as_failed(host, brought, at_work, wait):
    poller, _ = at_work
    poller.command(Command("one", 1, "dance"))
    wait(lambda: replies(brought) == ["1 failed: a host knows no 'dance'"])
    assert host.told == []


def test_an_error_of_our_own_is_answered_and_told_and_the_next_command_is_carried_out(
    host, brought, at_work, wait
):
    poller, failed = at_work
    host.fault = RuntimeError("a fault of our own")
    poller.command(Command("one", 1, "stop"))
    wait(lambda: replies(brought) == ["1 failed: an error of the controller's own"])
    wait(lambda: failed == [("host-one", "RuntimeError: a fault of our own")])
    host.fault = None
    poller.command(Command("one", 2, "stop"))
    wait(lambda: len(replies(brought)) == 2)


def test_the_newest_command_takes_the_place_of_one_not_yet_begun(host, brought, at_work, wait):
    poller, _ = at_work
    host.hangs.clear()
    poller.command(Command("one", 1, "initialise"))
    wait(lambda: host.told)
    poller.command(Command("one", 2, "start"))
    poller.command(Command("one", 3, "stop"))
    poller.command(Command("one", 2, "start"))
    host.hangs.set()
    wait(lambda: replies(brought) == ["1 ok", "3 ok"])
    assert host.told == ["initialise", "stop"]


def test_a_command_given_while_the_thread_looks_for_one_is_not_overlooked(
    host, brought, at_work, wait
):
    poller, _ = at_work
    take, late = poller._orders.take, [Command("one", 2, "stop")]

    def take_before_it_comes():
        found = take()
        if found is None and late:
            poller.command(late.pop())
        return found

    poller._orders.take = take_before_it_comes
    poller.command(Command("one", 1, "start"))
    wait(lambda: replies(brought) == ["1 ok", "2 ok"])


def test_a_host_is_looked_at_closely_from_the_command_on_and_for_ten_minutes_after_it(
    host, brought
):
    clock = Leaping()
    poller = HostPoller("one", host, clock, brought.append)
    close = []

    def takes_its_time():
        close.append(clock.now_s < poller._close_until_s)
        clock.now_s += 300.0

    poller._actions["stop"] = takes_its_time
    poller._carry_out(Command("one", 1, "stop"))
    assert close == [True]
    host.clock = clock
    looks = watched(host, clock, poller, 600.0)
    assert looks[-1] - looks[-2] == 1.0
