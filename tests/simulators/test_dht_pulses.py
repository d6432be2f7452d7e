"""The pulses go through the vendor's own decoder."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.air import Air
from simulators.dht_child import open_sensor
from simulators.dht_pulses import pulses
from simulators.probe import Probe


class Wire:
    """A line that carries what it was last given."""

    def __init__(self, carried: array[int]) -> None:
        self.carried = carried

    def pulses(self) -> array[int]:
        return self.carried


def decode(kind: str, carried: array[int]) -> tuple[float, float]:
    sensor: Any = open_sensor(kind, Wire(carried), pace=1.0)  # type: ignore[arg-type]
    sensor.measure()
    return sensor.temperature, sensor.humidity


@given(st.integers(-400, 800), st.integers(0, 1000))
def test_every_dht22_value_comes_through_below_zero_too(tenths_c: int, tenths_pct: int) -> None:
    said = decode("dht22", pulses("dht22", tenths_c / 10, tenths_pct / 10))
    assert said == (tenths_c / 10, tenths_pct / 10)


@given(st.integers(0, 50), st.integers(20, 90))
def test_every_dht11_value_comes_through(degrees: int, percent: int) -> None:
    assert decode("dht11", pulses("dht11", degrees, percent)) == (degrees, percent)


def test_a_measurement_is_81_pulses() -> None:
    assert len(pulses("dht22", 23.4, 51.2)) == 81


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("absent", "DHT sensor not found"),
        ("short", "A full buffer was not returned"),
        ("checksum", "Checksum did not validate"),
    ],
)
def test_the_decoder_complains_of_each_fault(fault: str, complaint: str) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        decode("dht22", pulses("dht22", 23.4, 51.2, fault))


def test_a_line_of_zeros_passes_the_checksum() -> None:
    assert decode("dht22", pulses("dht22", 23.4, 51.2, "zeros")) == (0.0, 0.0)


@pytest.mark.parametrize(("kind", "step"), [("dht22", 0.1), ("dht11", 1.0)])
@given(st.floats(-30.0, 70.0), st.floats(0.0, 100.0))
def test_a_healthy_probe_is_within_a_step_of_the_truth(
    kind: str, step: float, temperature_c: float, humidity_pct: float
) -> None:
    probe = Probe(kind, "rack-air")
    probe.held = {"temperature": temperature_c, "humidity": humidity_pct}
    said_c, said_pct = decode(kind, probe.measure(Air()))
    low_c, high_c = probe.limits("temperature")
    low_pct, high_pct = probe.limits("humidity")
    assert abs(said_c - min(max(temperature_c, low_c), high_c)) <= step + 1e-9
    assert abs(said_pct - min(max(humidity_pct, low_pct), high_pct)) <= step + 1e-9


def test_noise_never_takes_a_probe_further_than_one_step() -> None:
    probe = Probe("dht22", "rack-air")
    probe.held = {"temperature": 22.999}  # a hair below a step, where noise would reach furthest
    said = {decode("dht22", probe.measure(Air()))[0] for _ in range(2000)}
    assert said == {22.9, 23.0}


def test_the_last_digit_of_a_healthy_probe_moves_within_ten_minutes() -> None:
    probe = Probe("dht22", "rack-air")
    probe.held = {"temperature": 23.4, "humidity": 51.2}
    said = [decode("dht22", probe.measure(Air())) for _ in range(240)]
    assert len({temperature_c for temperature_c, _ in said}) > 1
    assert len({humidity_pct for _, humidity_pct in said}) > 1


def test_a_frozen_probe_repeats_itself_whatever_the_air_does() -> None:
    probe = Probe("dht22", "rack-air")
    before = probe.measure(Air(temperature_c=23.0))
    probe.set_state("frozen")
    assert all(probe.measure(Air(temperature_c=20.0 + n)) == before for n in range(50))
    probe.set_state("normal")
    assert probe.measure(Air(temperature_c=40.0)) != before


def test_the_same_probe_has_the_same_noise_each_time() -> None:
    one, other = Probe("dht22", "rack-air"), Probe("dht22", "rack-air")
    for probe in (one, other):
        probe.held = {"temperature": 23.45}
    assert [one.measure(Air()) for _ in range(50)] == [other.measure(Air()) for _ in range(50)]
