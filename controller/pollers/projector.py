"""Readings of a projector's lamp, and the commands that it takes."""

from __future__ import annotations

from collections.abc import Mapping

from controller.clock import Clock
from controller.core.parts import BadReply, DeviceError, Projector
from controller.core.reading import Quality, Reading
from controller.pollers.base import Bring
from controller.pollers.orders import CommandedPoller, Orders


class ProjectorPoller(CommandedPoller):
    """Asks one projector for its state, and carries out the core's commands, each serial once."""

    def __init__(self, part: str, projector: Projector, clock: Clock, bring: Bring) -> None:
        super().__init__(part, projector, clock, bring)
        self._projector = projector
        self._orders = Orders()

    def _send(self, action: str) -> None:
        self._projector.send(action)

    def _ask(self) -> Mapping[str, Reading]:
        return {f"{self.part}.power": self._reading(self._projector.read())}

    def _without(self, error: DeviceError) -> Mapping[str, Reading]:
        # A projector that refuses the question is alive, and says nothing of its lamp.
        if not isinstance(error, BadReply):
            return {}
        return {f"{self.part}.power": self._reading(None, Quality.BAD)}
