"""Pollers of sensors, contacts and projectors: numbers, silence, garbage and commands."""

from __future__ import annotations

import pytest

from controller.clock import Clock
from controller.core.parts import (
    BadReply,
    DeviceTimeout,
    DeviceUnreachable,
    Quantity,
)
from controller.core.reading import Quality
from controller.core.rules.base import Command
from controller.pollers import ContactPoller, Line, ProjectorPoller, SensorPoller
from controller.threads import Supervised


class Sensor:
    """A sensor that answers with what it was given, the last of it for ever."""

    period_s = 0.001
    quantities = (Quantity("temperature_c", -40.0, 80.0, 0.1), Quantity("dew_point_c", 0, 99, 1))

    def __init__(self, *answers):
        self.answers = list(answers)

    def read(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        pass


class Beamer:
    period_s = 0.001

    def __init__(self):
        self.sent = []
        self.power = "standby"
        self.fault = None
        self.reads = 0

    def read(self):
        self.reads += 1
        if self.fault:
            raise self.fault
        return self.power

    def send(self, command):
        self.sent.append(command)
        if self.fault:
            raise self.fault

    def close(self):
        pass


GOOD = {"temperature_c": 21, "dew_point_c": 9.5}


@pytest.fixture
def brought():
    return []


def poller(sensor, brought):
    return SensorPoller("rack", sensor, Clock(), brought.append)


def test_numbers_become_readings_named_by_their_quantities(brought):
    poller(Sensor(GOOD), brought).poll()
    (readings,) = brought
    assert {id: (r.value, r.quality) for id, r in readings.items()} == {
        "rack.temperature": (21.0, Quality.GOOD),
        "rack.dew-point": (9.5, Quality.GOOD),
    }
    assert isinstance(readings["rack.temperature"].value, float)


@pytest.mark.parametrize("fault", [DeviceTimeout("silent"), DeviceUnreachable("no way")])
def test_silence_makes_no_reading_so_that_the_last_one_ages(brought, fault):
    poller(Sensor(fault), brought).poll()
    assert brought == []


def test_garbage_makes_a_bad_reading_without_a_value(brought):
    poller(Sensor(BadReply("checksum")), brought).poll()
    (readings,) = brought
    assert {(r.value, r.quality) for r in readings.values()} == {(None, Quality.BAD)}
    assert set(readings) == {"rack.temperature", "rack.dew-point"}


@pytest.mark.parametrize(
    ("answer", "brings"),
    [
        (True, {"leak": (True, Quality.GOOD)}),
        (False, {"leak": (False, Quality.GOOD)}),
        (BadReply("a wrong function"), {"leak": (None, Quality.BAD)}),
        (DeviceTimeout("silent"), None),
        (DeviceUnreachable("no way"), None),
    ],
    ids=["so", "not so", "garbage", "silent", "no way"],
)
def test_a_contact_on_a_bus_is_one_point_with_its_own_id(brought, answer, brings):
    one = ContactPoller("leak", Sensor(answer), Clock(), brought.append)
    assert one.poll() is isinstance(answer, bool)
    found = [{id: (r.value, r.quality) for id, r in readings.items()} for readings in brought]
    assert found == ([] if brings is None else [brings])


def test_a_lost_sensor_is_logged_once_when_lost_and_once_when_back(brought, caplog):
    caplog.set_level("INFO")
    one = poller(Sensor(DeviceTimeout("silent"), DeviceTimeout("silent"), GOOD), brought)
    for _ in range(4):
        one.poll()
    assert [r.getMessage() for r in caplog.records] == [
        "rack gives nothing: silent", "rack answers again",
    ]  # fmt: skip


def test_a_poller_that_fails_is_alarmed_and_reads_on(bench, wait):
    bench.start()
    guard = bench.controller.guard
    sensor = Sensor(RuntimeError("a fault of our own"), GOOD)
    one = SensorPoller("rack", sensor, guard.clock, guard.bring)
    line = Line("rack", [one], guard.clock, guard.thread_failed)
    thread = Supervised("poll-rack", line, guard.thread_failed)
    thread.start()
    wait(lambda: guard._image.get("rack.temperature"))
    wait(lambda: "poll-rack: RuntimeError" in bench.alarm("controller.thread-failed"))
    bench.press()
    assert bench.level("power-cut") is True
    thread.stop.set()
    line.wake()
    thread.end()


@pytest.fixture
def beamer(wait):
    """A projector's poller at work: the projector, the poller, and what it brought."""
    device, brought = Beamer(), []
    one = ProjectorPoller("hall", device, Clock(), brought.append)
    line = Line("hall", [one], one._clock, lambda *_: None)
    thread = Supervised("poll-hall", line, lambda *_: None)
    thread.start()
    yield device, one, brought
    thread.stop.set()
    line.wake()
    thread.end()


def replies(brought):
    return [r["hall.reply"].value for r in list(brought) if "hall.reply" in r]


def test_a_command_is_carried_out_once_and_answered(beamer, wait):
    device, one, brought = beamer
    for _ in range(3):
        one.command(Command("hall", 7, "on"))
        wait(lambda: replies(brought) == ["7 ok"])
    polls = len(brought)
    wait(lambda: len(brought) > polls + 2)
    assert device.sent == ["on"]


def test_a_command_that_fails_is_answered_as_failed_and_not_repeated(beamer, wait):
    device, one, brought = beamer
    device.fault = DeviceTimeout("asleep")
    one.command(Command("hall", 1, "off"))
    wait(lambda: replies(brought) == ["1 failed: asleep"])
    device.fault = None
    one.command(Command("hall", 2, "off"))
    wait(lambda: replies(brought) == ["1 failed: asleep", "2 ok"])
    assert device.sent == ["off", "off"]


def test_a_projectors_silence_makes_no_reading_and_its_garbage_a_bad_one(beamer, wait):
    device, _, brought = beamer
    wait(lambda: any("hall.power" in r for r in list(brought)))
    device.fault = DeviceTimeout("asleep")
    asked = device.reads
    wait(lambda: device.reads > asked + 1)  # none is under way from before the fault
    brought.clear()
    wait(lambda: device.reads > asked + 4)
    assert brought == []
    device.fault = BadReply("what?")
    wait(lambda: brought and brought[-1]["hall.power"].quality is Quality.BAD)
