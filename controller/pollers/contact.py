"""Readings of a contact that is asked over a bus."""

from __future__ import annotations

from collections.abc import Mapping

from controller.clock import Clock
from controller.core.parts import (
    DeviceError,
    DeviceTimeout,
    DeviceUnreachable,
    PolledContact,
)
from controller.core.reading import Quality, Reading
from controller.pollers.base import Bring, Poller


class ContactPoller(Poller):
    """Reads one contact; its point has the part's own id."""

    def __init__(self, part: str, contact: PolledContact, clock: Clock, bring: Bring) -> None:
        super().__init__(part, contact, clock, bring)
        self._contact = contact

    def _ask(self) -> Mapping[str, Reading]:
        return {self.part: self._reading(bool(self._contact.read()))}

    def _without(self, error: DeviceError) -> Mapping[str, Reading]:
        if isinstance(error, DeviceTimeout | DeviceUnreachable):
            return {}
        return {self.part: self._reading(None, Quality.BAD)}
