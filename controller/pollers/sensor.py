"""Readings of a sensor's numbers."""

from __future__ import annotations

from collections.abc import Mapping

from controller.build import quantity_of
from controller.clock import Clock
from controller.core.parts import DeviceError, DeviceTimeout, DeviceUnreachable, Sensor
from controller.core.reading import Quality, Reading
from controller.pollers.base import Bring, Poller


class SensorPoller(Poller):
    """Reads one sensor; its points are named by its quantities."""

    def __init__(self, part: str, sensor: Sensor, clock: Clock, bring: Bring) -> None:
        super().__init__(part, sensor, clock, bring)
        self._sensor = sensor
        self._points = {q.key: f"{part}.{quantity_of(q.key)[0]}" for q in sensor.quantities}

    def _ask(self) -> Mapping[str, Reading]:
        values = self._sensor.read()
        return {point: self._reading(float(values[key])) for key, point in self._points.items()}

    def _without(self, error: DeviceError) -> Mapping[str, Reading]:
        if isinstance(error, DeviceTimeout | DeviceUnreachable):
            return {}
        return dict.fromkeys(self._points.values(), self._reading(None, Quality.BAD))
