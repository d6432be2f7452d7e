"""The data line of a DHT22, edge by edge in simulated time, under the vendor's sampling loop."""

from __future__ import annotations

import adafruit_dht

from drivers.dht_child import measurement
from simulators.dht_pulses import pulses

SAMPLE_S = 4e-6  # what one turn of the vendor's loop takes here, finer than the shortest pulse


class Time:
    """The clock the vendor's loop reads; looking at it takes a moment."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        self.now_s += SAMPLE_S
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class DataLine:
    """One wire with a pull-up: the host asks by a low of 1 ms, and the sensor answers."""

    def __init__(self, time: Time, frame: list[int]) -> None:
        self._time = time
        self._frame = frame
        self._edges: list[tuple[float, bool]] = []
        self._level = True
        self._fell_s = 0.0
        self._is_output = False

    def __enter__(self) -> DataLine:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def direction(self) -> object:
        raise AssertionError("the library does not ask")

    @direction.setter
    def direction(self, way: object) -> None:
        self._is_output = way == adafruit_dht.Direction.OUTPUT
        if not self._is_output and self._time.now_s - self._fell_s >= 0.8e-3:
            self._answer()

    def _answer(self) -> None:
        """30 us of nothing, 80 us low, 80 us high, then the bits. Source: AM2302 datasheet."""
        at_s, level = self._time.now_s + 30e-6, False
        for length_us in (80, 80, *self._frame):
            self._edges.append((at_s, level))
            at_s, level = at_s + length_us * 1e-6, not level
        self._edges.append((at_s, True))
        self._edges.reverse()

    @property
    def value(self) -> bool:
        # The vendor's loop only goes forward in time, so edges that are past are dropped.
        while self._edges and self._edges[-1][0] <= self._time.now_s:
            self._level = self._edges.pop()[1]
        return self._level

    @value.setter
    def value(self, high: bool) -> None:
        assert self._is_output
        if not high:
            self._fell_s = self._time.now_s


def test_a_dht22_on_its_line_is_read_through_the_vendors_own_sampling(monkeypatch):
    time = Time()
    frame = list(pulses("dht22", -7.5, 88.8))
    monkeypatch.setattr(adafruit_dht, "time", time)
    monkeypatch.setattr(adafruit_dht, "DigitalInOut", lambda pin: DataLine(time, frame))

    sensor = adafruit_dht.DHT22(4, use_pulseio=False)
    assert measurement(sensor) == {"temperature_c": -7.5, "humidity_pct": 88.8}
