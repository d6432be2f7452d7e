"""A UPS's poller: what it makes of values, doubt, silence, standing still and commands."""

from __future__ import annotations

import pytest

from controller.clock import Clock
from controller.core.parts import (
    LIVE,
    UPS_VALUES,
    BadReply,
    DeviceError,
    DeviceTimeout,
    DeviceUnreachable,
)
from controller.core.reading import Quality
from controller.core.rules.base import Command
from controller.pollers import UpsPoller

GOOD, BAD, FROZEN = Quality.GOOD, Quality.BAD, Quality.FROZEN
ALL = {
    "supply": "mains",
    "battery_low": False,
    "charge_pct": 100,
    "runtime_s": 1200.5,
    "load_pct": 23,
    "input_voltage_v": 229.5,
    "input_frequency_hz": 50,
    "battery_age_d": 400,
    "self_test": "passed",
    "faults": "",
}


class Ups:
    period_s = 1.0

    def __init__(self):
        self.says = dict(ALL)
        self.sent = []
        self.fault = None

    def read(self):
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def send(self, command):
        self.sent.append(command)
        if self.fault:
            raise self.fault

    def close(self):
        pass


class At(Clock):
    """A clock that stands where it was set."""

    now_s = 1000.0

    def mono_s(self):
        return self.now_s


class Bench:
    """A UPS, its poller, and what it brought last and in all."""

    def __init__(self):
        self.ups, self.clock, self.brought = Ups(), At(), []
        self.poller = UpsPoller("ups", self.ups, self.clock, self.brought.append)

    def poll(self, says=None, after_s=0.0):
        if says is not None:
            self.ups.says = says
        self.clock.now_s += after_s
        self.brought.clear()
        self.poller.poll()
        return {
            id.removeprefix("ups."): (r.value, r.quality)
            for b in self.brought
            for id, r in b.items()
        }


@pytest.fixture
def bench():
    return Bench()


def test_each_value_of_the_normal_form_becomes_a_good_reading(bench):
    expected = {UPS_VALUES[key].point: (value, GOOD) for key, value in ALL.items()}
    readings = bench.poll()
    assert readings == {**expected, "link": ("ok", GOOD)}
    assert isinstance(readings["charge"][0], float)
    assert isinstance(readings["battery-low"][0], bool)


def test_what_it_does_not_tell_makes_no_reading(bench):
    assert bench.poll({"supply": "battery"}) == {"supply": ("battery", GOOD), "link": ("ok", GOOD)}


def test_what_cannot_be_right_is_bad_beside_what_is_right(bench):
    says = {"supply": None, "charge_pct": 50.0, "self_test": "perhaps", "load_pct": None}
    assert bench.poll(says) == {
        "supply": (None, BAD),
        "charge": (50.0, GOOD),
        "self-test": (None, BAD),
        "load": (None, BAD),
        "link": ("ok", GOOD),
    }


@pytest.mark.parametrize(
    ("error", "link"),
    [
        (DeviceTimeout("unit 1 says nothing"), "silent: unit 1 says nothing"),
        (DeviceUnreachable("connection refused"), "unreachable: connection refused"),
        (DeviceUnreachable("stale: no data for 20 s"), "stale: no data for 20 s"),
        (DeviceUnreachable("disconnected: usbhid-ups"), "disconnected: usbhid-ups"),
        (DeviceError("the password is refused"), "unreachable: the password is refused"),
    ],
    ids=["silent", "unreachable", "stale", "disconnected", "refused"],
)
def test_silence_makes_no_reading_but_the_links(bench, error, link):
    bench.poll()
    assert bench.poll(error) == {"link": (link, GOOD)}
    assert bench.poll(dict(ALL))["link"] == ("ok", GOOD)


def test_nonsense_makes_all_that_it_told_before_bad(bench):
    bench.poll({"supply": "mains", "charge_pct": 90.0})
    assert bench.poll(BadReply("a length of 3")) == {
        "supply": (None, BAD),
        "charge": (None, BAD),
        "link": ("nonsense: a length of 3", GOOD),
    }


def test_a_ups_that_only_ever_talked_nonsense_has_a_bad_supply(bench):
    assert bench.poll(BadReply("?"))["supply"] == (None, BAD)


def test_a_ups_in_which_nothing_moves_for_ten_minutes_is_frozen(bench):
    still = {"supply": "mains", "charge_pct": 80.0, "load_pct": None, LIVE: "229.5 50.0"}
    bench.poll(still)
    for _ in range(599):
        assert bench.poll(after_s=1.0)["supply"] == ("mains", GOOD)
    assert bench.poll(after_s=1.0) == {
        "supply": ("mains", FROZEN),
        "charge": (80.0, FROZEN),
        "load": (None, FROZEN),
        "link": ("ok", GOOD),
    }
    moved = bench.poll({**still, LIVE: "229.6 50.0"}, after_s=1.0)
    assert moved["supply"] == ("mains", GOOD)


def test_a_ups_that_has_nothing_live_is_never_frozen(bench):
    bench.poll({"supply": "mains"})
    assert bench.poll(after_s=7200.0)["supply"] == ("mains", GOOD)


def test_silence_is_not_standing_still(bench):
    still = {"supply": "mains", LIVE: "229.5"}
    bench.poll(still)
    bench.poll(after_s=300.0)
    bench.poll(DeviceTimeout("nothing"), after_s=1.0)
    bench.poll(DeviceTimeout("nothing"), after_s=400.0)
    assert bench.poll(still, after_s=1.0)["supply"] == ("mains", GOOD)
    assert bench.poll(after_s=299.0)["supply"] == ("mains", GOOD)
    assert bench.poll(after_s=1.0)["supply"] == ("mains", FROZEN)


def test_a_command_is_carried_out_once_and_answered(bench):
    for _ in range(3):
        bench.poller.command(Command("ups", 4, "off"))
        bench.poller.obey()
    assert bench.ups.sent == ["off"]
    assert [b["ups.reply"].value for b in bench.brought] == ["4 ok"]


def test_a_command_that_it_cannot_carry_out_is_answered_with_the_reason(bench):
    bench.ups.fault = DeviceError("this map has no off")
    bench.poller.command(Command("ups", 1, "off"))
    assert bench.poller.obey() is True
    assert bench.poller.obey() is False
    assert [b["ups.reply"].value for b in bench.brought] == ["1 failed: this map has no off"]


def test_a_command_that_ends_in_an_error_of_our_own_is_answered_too(bench):
    bench.ups.fault = RuntimeError("a fault of our own")
    bench.poller.command(Command("ups", 1, "restart-driver"))
    with pytest.raises(RuntimeError):
        bench.poller.obey()
    assert [b["ups.reply"].value for b in bench.brought] == [
        "1 failed: an error of the controller's own"
    ]


def test_of_two_commands_that_wait_the_newer_one_is_carried_out(bench):
    bench.poller.command(Command("ups", 1, "restart-driver"))
    bench.poller.command(Command("ups", 2, "off"))
    bench.poller.command(Command("ups", 1, "restart-driver"))
    assert [bench.poller.obey(), bench.poller.obey()] == [True, False]
    assert bench.ups.sent == ["off"]


def test_a_time_in_which_nothing_live_was_told_is_not_standing_still(bench):
    still = {"supply": "mains", LIVE: "229.5"}
    bench.poll(still)
    bench.poll({"supply": "mains"}, after_s=300.0)
    assert bench.poll(still, after_s=301.0)["supply"] == ("mains", GOOD)


def test_a_command_with_a_lower_number_than_the_last_is_a_new_one(bench):
    """Rules count for themselves: that of the plan for a UPS goes downwards."""
    for command in (Command("ups", 3, "restart-driver"), Command("ups", -7, "off")):
        bench.poller.command(command)
        bench.poller.obey()
    assert bench.ups.sent == ["restart-driver", "off"]
