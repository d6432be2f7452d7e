"""What all pollers do: ask one part, bring what it said, and log its loss and its return once."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol

from controller.clock import Clock
from controller.core.parts import DeviceError
from controller.core.reading import Quality, Reading, Value

log = logging.getLogger(__name__)

Bring = Callable[[Mapping[str, Reading]], None]

SHORTEST_WAIT_S = 0.02
"""Real time between two polls whatever the pace, so that a fast simulated room stays a guest."""


class Device(Protocol):
    """What every part that is polled has."""

    period_s: float

    def close(self) -> None: ...


class Poller(ABC):
    """Polls one part for the line that it is on. `bell` wakes that line."""

    def __init__(self, part: str, device: Device, clock: Clock, bring: Bring) -> None:
        self.part = part
        self.bell = threading.Event()
        self._device = device
        self._clock = clock
        self._bring = bring
        self._fault: str | None = None

    @property
    def period_s(self) -> float:
        return self._device.period_s

    def poll(self) -> bool:
        """Ask the part and bring what came of it; return whether it gave a usable answer."""
        try:
            readings = self._ask()
        except DeviceError as error:
            self._lost(str(error))
            readings = self._without(error)
        else:
            self._heard()
        if readings:
            self._bring(readings)
        return self._fault is None

    def obey(self) -> bool:
        """Carry out what the part was told since, if anything; return whether there was."""
        return False

    def close(self) -> None:
        """End what a read waits for; called once, from any thread, when nobody asks any more."""
        self._fault = self._fault or "ended"  # its silence from here on is no news
        self._device.close()

    @abstractmethod
    def _ask(self) -> Mapping[str, Reading]:
        """Return the readings of what the part says now. Raises: DeviceError."""

    @abstractmethod
    def _without(self, error: DeviceError) -> Mapping[str, Reading]:
        """Return the readings of a poll that failed. Silence makes none, so that the last ones
        age; a reply that cannot be right makes bad ones."""

    def _reading(self, value: Value, quality: Quality = Quality.GOOD) -> Reading:
        return Reading(value, quality, self._clock.mono_s())

    def _heard(self) -> None:
        if self._fault is not None:
            log.info("%s answers again", self.part)
            self._fault = None

    def _lost(self, fault: str) -> None:
        if self._fault is None:
            log.warning("%s gives nothing: %s", self.part, fault)
        self._fault = fault
