"""Lines that cannot be driven, contacts that cannot be read, and pulses."""

from __future__ import annotations

import pytest

from controller.core.reading import Quality


def was_pulsed(bench):
    """Its pulse may be over before anybody looks at the level."""
    return any(one.on for one in bench.driven if one.output == "shunt")


@pytest.mark.parametrize("error", [OSError("I/O error"), RuntimeError("not a driver's")])
def test_a_line_that_cannot_be_driven_is_alarmed_and_tried_again(bench, wait, error):
    bench.start()
    bench.pins.broken, bench.pins.broken_pins = error, {16}
    bench.press()
    assert was_pulsed(bench)  # the others are driven all the same
    assert bench.level("power-cut") is False
    wait(lambda: "power-cut" in bench.alarm("controller.output-failed"))
    bench.pins.broken_pins = set()
    wait(lambda: bench.level("power-cut"))
    wait(lambda: not bench.alarm("controller.output-failed"))


def test_a_line_that_could_not_be_opened_is_alarmed_before_it_is_needed(bench, wait, monkeypatch):
    from drivers import relay
    from drivers.relay import DeviceUnreachable

    real = relay.open_device

    def open_device(config, board, energised):
        if config.id == "siren":
            raise DeviceUnreachable("GPIO 12: busy")
        return real(config, board, energised)

    monkeypatch.setattr(relay, "open_device", open_device)
    bench.start()
    wait(lambda: "siren" in bench.alarm("controller.output-failed"))
    bench.press()
    assert bench.level("power-cut") is True


@pytest.mark.parametrize("error", [OSError("I/O error"), RuntimeError("not a driver's")])
def test_a_contact_that_cannot_be_read_is_bad_and_the_others_are_looked_at(bench, wait, error):
    bench.start()
    bench.pins.unreadable[22] = error
    wait(lambda: bench.point("front-door").quality is Quality.BAD)
    assert bench.point("front-door").value is None
    bench.press(edge=False)
    wait(lambda: bench.level("power-cut"))
    del bench.pins.unreadable[22]
    wait(lambda: bench.point("front-door").is_good)


def test_a_pulse_ends_by_itself(bench, wait):
    bench.start()
    bench.press()
    assert was_pulsed(bench)
    wait(lambda: bench.level("shunt") is False)
    assert bench.line("shunt") is True  # the command stays
