"""Readings of a UPS's normal form, what its link is worth, and the commands that it takes."""

from __future__ import annotations

from collections.abc import Mapping

from controller.clock import Clock
from controller.core.parts import (
    LIVE,
    UPS_VALUES,
    BadReply,
    DeviceError,
    DeviceTimeout,
    Ups,
    UpsValue,
)
from controller.core.reading import Quality, Reading
from controller.pollers.base import Bring
from controller.pollers.orders import CommandedPoller, Orders

FROZEN_S = 600.0
"""A UPS that lives moves in some voltage, load or temperature within ten minutes (behaviour 7)."""

_LINK_WORDS = ("silent", "unreachable", "stale", "disconnected", "nonsense")


class UpsPoller(CommandedPoller):
    """Asks one UPS, and carries out the core's commands, each serial once, between two polls.

    What it does not tell makes no reading; what cannot be right makes a bad one. While all that
    is live in it stands still, everything it tells is frozen: a gateway that repeats its last
    words, or a driver that is stuck, looks healthy otherwise.
    """

    def __init__(self, part: str, ups: Ups, clock: Clock, bring: Bring) -> None:
        super().__init__(part, ups, clock, bring)
        self._ups = ups
        self._orders = Orders()
        self._told = {UPS_VALUES["supply"].point}
        self._live: object = None
        self._moved_s = 0.0
        self._heard_s = 0.0

    def _send(self, action: str) -> None:
        self._ups.send(action)

    def _ask(self) -> Mapping[str, Reading]:
        values = self._ups.read()
        frozen = self._stands_still(values.get(LIVE))
        readings = {f"{self.part}.link": self._reading("ok")}
        for key, spec in UPS_VALUES.items():
            if key in values:
                self._told.add(spec.point)
                readings[f"{self.part}.{spec.point}"] = self._valued(spec, values[key], frozen)
        return readings

    def _without(self, error: DeviceError) -> Mapping[str, Reading]:
        readings = {f"{self.part}.link": self._reading(link_fault(error))}
        if isinstance(error, BadReply):
            bad = self._reading(None, Quality.BAD)
            readings |= {f"{self.part}.{point}": bad for point in self._told}
        return readings

    def _valued(self, spec: UpsValue, value: bool | float | str | None, frozen: bool) -> Reading:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = float(value)
        if frozen:
            return self._reading(value, Quality.FROZEN)
        if value is None or (spec.words and value not in spec.words):
            return self._reading(None, Quality.BAD)
        return self._reading(value)

    def _stands_still(self, live: object) -> bool:
        """Whether the live values have been the same for too long, as far as it was heard."""
        now_s = self._clock.mono_s()
        if live is None or live != self._live:
            self._live, self._moved_s = live, now_s
        elif self._fault is not None:
            # What was not heard proves nothing: silence is not standing still.
            self._moved_s += now_s - self._heard_s
        self._heard_s = now_s
        return live is not None and now_s - self._moved_s >= FROZEN_S


def link_fault(error: DeviceError) -> str:
    """Say what is wrong with the way to a UPS: one of five words, and details."""
    text = str(error)
    if text.partition(":")[0] in _LINK_WORDS:
        return text
    if isinstance(error, DeviceTimeout):
        return f"silent: {text}"
    if isinstance(error, BadReply):
        return f"nonsense: {text}"
    return f"unreachable: {text}"
