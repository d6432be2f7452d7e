from __future__ import annotations

import logging
import threading

import pytest
from gpiozero import Device

from controller.core.parts import DeviceUnreachable
from drivers import contact, contact_pair

DOOR = contact.Config(id="front-door", role="door", pin=22)
SMOKE = contact_pair.Config(id="smoke-1", role="smoke", pins=(17, 18))


def test_a_loop_closed_to_ground_reads_as_closed(bench, opened):
    door = opened(contact.open_device(DOOR, bench))
    pin = bench.pins.pin(22)
    assert (pin.function, pin.pull) == ("input", "up")
    assert door.closed() == (False,)  # the pull-up holds an open loop high
    pin.drive_low()
    assert door.closed() == (True,)


def test_a_loop_that_is_closed_before_the_start_reads_as_closed(bench, opened):
    pin = bench.pins.pin(22)
    pin.pull = "up"
    door = opened(contact.open_device(DOOR, bench))
    pin.drive_low()
    door.watch(lambda: None)
    assert door.closed() == (True,)


def test_a_pair_tells_its_two_loops_apart(bench, opened):
    smoke = opened(contact_pair.open_device(SMOKE, bench))
    bench.pins.pin(18).drive_low()
    assert smoke.closed() == (False, True)
    bench.pins.pin(18).drive_high()
    bench.pins.pin(17).drive_low()
    assert smoke.closed() == (True, False)


def test_every_edge_of_every_loop_is_told_once_on_the_thread_that_saw_it(bench, opened):
    smoke = opened(contact_pair.open_device(SMOKE, bench))
    seen = []
    smoke.watch(lambda: seen.append((smoke.closed(), threading.get_ident())))
    bench.pins.pin(17).drive_low()
    bench.pins.pin(18).drive_low()
    bench.pins.pin(18).drive_high()
    bench.pins.pin(17).drive_high()

    here = threading.get_ident()
    assert seen == [
        ((True, False), here),
        ((True, True), here),
        ((True, False), here),
        ((False, False), here),
    ]


def test_bounce_is_passed_on_as_it_comes(bench, opened):
    door = opened(contact.open_device(DOOR, bench))
    seen = []
    door.watch(lambda: seen.append(door.closed()))
    pin = bench.pins.pin(22)
    for _ in range(3):
        pin.drive_low()
        pin.drive_high()
    assert seen == [(True,), (False,)] * 3


def test_a_failing_callback_is_reported_and_the_next_edge_still_comes(bench, opened, caplog):
    door = opened(contact.open_device(DOOR, bench))
    calls = []

    def changed() -> None:
        calls.append(door.closed())
        raise ZeroDivisionError("a bug of ours")

    door.watch(changed)
    with caplog.at_level(logging.ERROR):
        bench.pins.pin(22).drive_low()
        bench.pins.pin(22).drive_high()
    assert calls == [(True,), (False,)]
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError] * 2


def test_a_pin_that_is_taken_is_named_and_the_other_one_is_let_go(bench, opened):
    opened(contact.open_device(contact.Config(id="leak", role="leak", pin=18), bench))
    with pytest.raises(DeviceUnreachable, match=r"GPIO 18: .*in use"):
        contact_pair.open_device(SMOKE, bench)
    opened(contact.open_device(contact.Config(id="leak-2", role="leak", pin=17), bench))


def test_a_closed_contact_tells_no_more_edges(bench):
    door = contact.open_device(DOOR, bench)
    seen = []
    door.watch(lambda: seen.append(True))
    door.close()
    bench.pins.pin(22).drive_low()
    assert seen == []


def test_the_library_is_never_left_to_choose_the_pins_itself(bench, opened):
    opened(contact.open_device(DOOR, bench))
    assert Device.pin_factory is None
    bench.pins = None
    with pytest.raises(AssertionError):
        contact.open_device(DOOR, bench)
