"""Pollers: one thread a part; the only place where readings are made of what drivers give."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from controller.build import quantity_of
from controller.clock import Clock
from controller.core.parts import (
    BadReply,
    DeviceError,
    DeviceTimeout,
    DeviceUnreachable,
    Projector,
    Sensor,
)
from controller.core.reading import Quality, Reading
from controller.core.rules.base import Command

log = logging.getLogger(__name__)

Bring = Callable[[Mapping[str, Reading]], None]

_SHORTEST_WAIT_S = 0.02
"""Real time between two polls whatever the pace, so that a fast simulated room stays a guest."""


class SensorPoller:
    """Reads one sensor. Silence makes no reading, so that the last one ages; a reply that
    cannot be right makes a bad one."""

    def __init__(self, part: str, sensor: Sensor, clock: Clock, bring: Bring) -> None:
        self.part = part
        self._sensor = sensor
        self._clock = clock
        self._bring = bring
        self._points = {q.key: f"{part}.{quantity_of(q.key)[0]}" for q in sensor.quantities}
        self._fault: str | None = None

    def __call__(self, stop: threading.Event) -> None:
        due_s = self._clock.mono_s()
        while not stop.is_set():
            self.poll()
            # By the clock and not by the pause, so that the period is kept; what was missed
            # is not made up for.
            now_s = self._clock.mono_s()
            due_s = max(due_s + self._sensor.period_s, now_s)
            stop.wait(max(self._clock.real_s(due_s - now_s), _SHORTEST_WAIT_S))

    def poll(self) -> None:
        try:
            values = self._sensor.read()
        except (DeviceTimeout, DeviceUnreachable) as error:
            self._lost(str(error))
            return
        except DeviceError as error:
            self._lost(str(error))
            now_s = self._clock.mono_s()
            bad = Reading(None, Quality.BAD, now_s)
            self._bring(dict.fromkeys(self._points.values(), bad))
            return
        if self._fault is not None:
            log.info("%s answers again", self.part)
            self._fault = None
        now_s = self._clock.mono_s()
        self._bring(
            {
                point: Reading(float(values[key]), Quality.GOOD, now_s)
                for key, point in self._points.items()
            }
        )

    def wake(self) -> None:
        """End what a read waits for; called once, when the poller is to stop."""
        self._fault = self._fault or "ended"  # its silence from here on is no news
        self._sensor.close()

    def _lost(self, fault: str) -> None:
        if self._fault is None:
            log.warning("%s gives nothing: %s", self.part, fault)
        self._fault = fault


class ProjectorPoller:
    """Asks one projector for its state, and carries out the core's commands, each serial once."""

    def __init__(self, part: str, projector: Projector, clock: Clock, bring: Bring) -> None:
        self.part = part
        self._projector = projector
        self._clock = clock
        self._bring = bring
        self._wanted: Command | None = None
        self._done = -1
        self._bell = threading.Event()
        self._fault: str | None = None

    def command(self, command: Command) -> None:
        """Take a command; one that was carried out is not repeated. Never waits."""
        if command.serial != self._done and command != self._wanted:
            self._wanted = command
            self._bell.set()

    def __call__(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._bell.clear()
            command = self._wanted
            if command is not None and command.serial != self._done:
                self._carry_out(command)
            self.poll()
            wait_s = self._clock.real_s(self._projector.period_s)
            self._bell.wait(max(wait_s, _SHORTEST_WAIT_S))

    def wake(self) -> None:
        self._bell.set()

    def _carry_out(self, command: Command) -> None:
        self._done = command.serial
        try:
            self._projector.send(command.action)
            end = "ok"
        except DeviceError as error:
            log.warning("%s did not take %s: %s", self.part, command.action, error)
            end = "failed"
        reply = Reading(f"{command.serial} {end}", Quality.GOOD, self._clock.mono_s())
        self._bring({f"{self.part}.reply": reply})

    def poll(self) -> None:
        try:
            power = self._projector.read()
        except BadReply as error:
            self._lost(str(error))
            bad = Reading(None, Quality.BAD, self._clock.mono_s())
            self._bring({f"{self.part}.power": bad})
            return
        except DeviceError as error:
            self._lost(str(error))
            return
        if self._fault is not None:
            log.info("%s answers again", self.part)
            self._fault = None
        self._bring({f"{self.part}.power": Reading(power, Quality.GOOD, self._clock.mono_s())})

    def _lost(self, fault: str) -> None:
        if self._fault is None:
            log.warning("%s gives nothing: %s", self.part, fault)
        self._fault = fault
