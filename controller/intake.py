"""Intake: the contacts' loops, looked at and settled into readings with the scan's clock."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from controller.core.contacts import UNSEEN, Contact, ContactSpec, observe, wake_s
from controller.core.parts import Contact as ContactDevice
from controller.core.parts import DeviceError
from controller.core.reading import Reading

log = logging.getLogger(__name__)


class Intake:
    """Used under the scan's lock only. `devices` None: the part could not be opened."""

    def __init__(
        self, specs: Mapping[str, ContactSpec], devices: Mapping[str, ContactDevice | None]
    ) -> None:
        self._specs = dict(specs)
        self._devices = dict(devices)
        self._contacts: dict[str, Contact] = dict.fromkeys(specs, UNSEEN)
        self._lost: set[str] = set()

    def look(self, id: str, now_s: float) -> Reading:
        """Look at one contact and return its reading as it stands now."""
        closed: tuple[bool, ...] | None = None
        device = self._devices[id]
        if device is not None:
            try:
                closed = device.closed()
            except Exception as error:
                # Whatever a driver raises, the other contacts are looked at.
                if id not in self._lost:
                    ours = not isinstance(error, DeviceError)
                    log.warning("%s cannot be read: %s", id, error, exc_info=ours)
                    self._lost.add(id)
            else:
                if self._lost and id in self._lost:
                    log.info("%s can be read again", id)
                    self._lost.discard(id)
        contact = observe(self._specs[id], self._contacts[id], closed, now_s)
        self._contacts[id] = contact
        return contact.reading

    def look_at_all(self, now_s: float) -> dict[str, Reading]:
        """Look at every contact: a missed edge is mended here."""
        return {id: self.look(id, now_s) for id in self._specs}

    def wake_s(self) -> float:
        """Return when the next level now standing will have settled."""
        return min(
            (wake_s(self._specs[id], contact) for id, contact in self._contacts.items()),
            default=float("inf"),
        )
