"""What a sensor's numbers are worth: jumps, silence, freezing, twins; never a false health."""

from __future__ import annotations

import pytest

from controller.core.reading import Quality, Reading
from controller.core.trust import PointSpec, Trusted, Twins, assess

SPEC = PointSpec(
    "rack-air.temperature", "rack-air", "dht22", "climate", "°C",
    low=-40.0, high=80.0, step=0.1, stale_s=7.5, jump=5.0, frozen_s=7200.0,
)  # fmt: skip


def told(samples, spec=SPEC):
    """(value, quality) after each (seconds, number): None no reading, "bad" a garbled one."""
    trusted, image, found = Trusted(), {}, []
    for after_s, value in samples:
        at_s = 1000.0 + after_s
        if value == "bad":
            image[spec.id] = Reading(None, Quality.BAD, at_s)
        elif value is not None:
            image[spec.id] = Reading(float(value), Quality.GOOD, at_s)
        trusted, points, _ = assess((spec,), (), trusted, image, at_s)
        reading = points[spec.id]
        found.append((reading.value, reading.quality.value))
    return found


GOOD_22 = (22.0, "good")
NO_BAD, NO_STALE = (None, "bad"), (None, "stale")


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([(0, None)], [(None, "missing")], id="never read"),
        pytest.param([(0, 22)], [GOOD_22], id="read"),
        pytest.param([(0, "bad")], [NO_BAD], id="garbled from the start"),
        pytest.param(
            [(0, 22), (7.4, None), (7.6, None)], [GOOD_22, GOOD_22, NO_STALE],
            id="stale after three periods",
        ),
        pytest.param(
            [(0, 22), (2.5, "bad"), (5, 22)], [GOOD_22] * 3, id="one garbled reading is nothing"
        ),
        pytest.param(
            [(0, 22), (2.5, "bad"), (5, "bad"), (7.6, "bad")], [GOOD_22] * 3 + [NO_BAD],
            id="garbled for three periods is bad",
        ),
        pytest.param([(0, 80.1), (2, 80)], [NO_BAD, (80.0, "good")], id="out of the part's range"),
        pytest.param([(0, -41)], [NO_BAD], id="colder than the part can tell"),
        pytest.param(
            [(0, 22), (2.5, 40), (5, 40.1), (7.5, 40.2)],
            [GOOD_22, GOOD_22, GOOD_22, (40.2, "good")],
            id="a jump is believed the third time",
        ),
        pytest.param(
            [(0, 22), (2.5, 60), (5, 22.1)], [GOOD_22, GOOD_22, (22.1, "good")],
            id="one wrong number is forgotten",
        ),
        pytest.param(
            [(0, 22), (2.5, 60), (5, -10), (7.5, 50), (10, 0)], [GOOD_22] * 3 + [NO_BAD] * 2,
            id="numbers that agree in nothing are never believed",
        ),
        pytest.param(
            [(0, 22), (2.5, 27), (5, 32)], [GOOD_22, (27.0, "good"), (32.0, "good")],
            id="5 K at once is air",
        ),
        pytest.param(
            [(0, 22), (100, None), (200, 22)], [GOOD_22, NO_STALE, GOOD_22], id="back again"
        ),
    ],
)  # fmt: skip
def test_readings_are_judged(samples, expected):
    assert told(samples) == expected


def test_a_value_that_never_moves_is_frozen_and_thaws_when_it_does():
    steady = [(2.5 * n, 22.0) for n in range(2883)]
    found = told([*steady, (7210.0, 22.1)])
    assert found[2879] == GOOD_22
    assert found[2882] == (22.0, "frozen")
    assert found[-1] == (22.1, "good")


def test_no_value_is_kept_where_it_is_not_known():
    for samples in ([(0, 22), (20, None)], [(0, 22), (20, "bad")]):
        value, quality = told(samples)[-1]
        assert quality != "good"
        assert value is None


TWINS = (
    SPEC,
    PointSpec(
        "rack-air-2.temperature", "rack-air-2", "dht22", "climate", "°C",
        low=-40.0, high=80.0, step=0.1, stale_s=7.5, jump=5.0,
    ),
)  # fmt: skip
PAIR = (Twins(TWINS[0].id, TWINS[1].id, 3.0),)


def twins(samples):
    trusted, found = Trusted(), []
    for at_s, values in samples:
        image = {
            spec.id: Reading(value, Quality.GOOD, float(at_s))
            for spec, value in zip(TWINS, values, strict=True)
        }
        trusted, points, _ = assess(TWINS, PAIR, trusted, image, float(at_s))
        found.append([points[spec.id].quality.value for spec in TWINS])
    return found


def test_twins_that_differ_for_a_minute_disagree_both():
    apart = [(2 * n, (22.0 + n % 2 / 10, 26.0)) for n in range(35)]
    found = twins([*apart, (70, (22.0, 23.0))])
    assert found[29] == ["good", "good"]
    assert found[31] == ["disagreeing", "disagreeing"]
    assert found[-1] == ["good", "good"]


def test_twins_that_differ_little_agree():
    assert twins([(2 * n, (22.0, 24.9)) for n in range(40)])[-1] == ["good", "good"]


ROOM = """
[[input]]
id = "rack-air"
kind = "dht22"
pin = 4
place = "rack"
[[input]]
id = "rack-air-2"
kind = "dht22"
pin = 5
place = "rack"
"""


def test_a_silent_sensor_is_not_good_after_three_periods_and_alarmed_within_20_seconds(rigged):
    rig = rigged(ROOM)
    rig.silent.add("rack-air")
    rig.run(7.6)
    assert rig.point("rack-air.temperature").quality == "stale"
    rig.run(20.0 - 7.6)
    assert rig.alarm("rack-air.silent") == "active-unacknowledged"


def test_a_sensor_never_heard_is_alarmed_within_20_seconds_of_the_start(lakeside):
    rig = lakeside()
    rig.silent.add("rack-air")
    rig.run(20.0)
    assert rig.alarm("rack-air.silent") == "active-unacknowledged"


def test_garbage_is_alarmed(rigged):
    rig = rigged(ROOM)
    rig.garbled.add("rack-air")
    rig.run(20.0)
    assert rig.alarm("rack-air.implausible") == "active-unacknowledged"


def test_twins_that_disagree_are_alarmed(rigged):
    rig = rigged(ROOM)
    rig.air["rack-air-2.temperature"] = 26.0
    rig.run(75.0)
    told = {rig.alarm(f"{id}.disagreeing") for id in ("rack-air", "rack-air-2")}
    assert "active-unacknowledged" in told


def test_a_frozen_sensor_is_alarmed(rigged):
    rig = rigged(ROOM + '[climate]\nfrozen_after = "5min"\n')
    rig.flicker = 0.0
    rig.run(294.0)
    assert rig.alarm("rack-air.frozen") == "normal"
    rig.run(10.0)
    assert rig.alarm("rack-air.frozen") == "active-unacknowledged"


@pytest.mark.parametrize("contact", ["front-door", "mains", "cut-proof", "hold-button"])
def test_a_contact_that_cannot_be_read_is_a_fault(rig, contact):
    rig.wire(contact, None)
    rig.run(5.0)
    assert rig.alarm(f"{contact}.fault") == "active-unacknowledged"
    assert rig.point(contact).value is None


def test_a_mains_contact_that_cannot_be_read_is_no_mains_failure(rig):
    rig.wire("mains", None)
    rig.run(5.0)
    assert rig.alarm("mains.absent") == "normal"
