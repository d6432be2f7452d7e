"""Contacts: from closed loops to readings, debounced with the scan's clock.

Debouncing here and not in the GPIO library: the library's mock ignores it, and a level that is
polled beside the edges mends an edge that was missed.
"""

from __future__ import annotations

import msgspec

from controller.core.reading import NEVER_READ, Quality, Reading

PAIR_FAULT_S = 0.5
"""How long both contacts of a pair may be equal while the relay inside the detector moves."""


class ContactSpec(msgspec.Struct, frozen=True):
    """One contact part.

    A plain contact has one loop; `normally_closed` says that closed means "not so". A pair has
    the detector's NO and NC contact: (open, closed) is normal, (closed, open) is alarm, and
    equal for longer than `PAIR_FAULT_S` is a detector fault.
    """

    id: str
    debounce_s: float = 0.05
    normally_closed: bool = True
    pair: bool = False

    def meaning(self, closed: tuple[bool, ...]) -> bool | None:
        """Return what these loops say: so, not so, or None where a pair contradicts itself."""
        if self.pair:
            return closed[0] if closed[0] is not closed[1] else None
        return closed[0] is not self.normally_closed


class Contact(msgspec.Struct, frozen=True):
    """What is known of one contact: the settled reading, and the level not yet settled."""

    reading: Reading = NEVER_READ
    level: bool | None = None
    since_s: float = 0.0
    seen: bool = False


UNSEEN = Contact()


def observe(
    spec: ContactSpec, was: Contact, closed: tuple[bool, ...] | None, now_s: float
) -> Contact:
    """Return the contact after its loops were looked at; `closed` None when they could not be.

    The first look is taken at once: smoke that was there before the start is acted on in the
    first scan. Later a level counts once it has stood for the debounce time. A debounce that is
    still running never moves the settled reading.
    """
    if closed is None:
        if was.reading.quality is Quality.BAD and was.level is None:
            return was
        return Contact(Reading(None, Quality.BAD, now_s), None, now_s, was.seen)
    level = spec.meaning(closed)
    if not was.seen:
        reading = NEVER_READ if level is None else Reading(level, Quality.GOOD, now_s)
        return Contact(reading, level, now_s, True)
    if level is not was.level:
        was = Contact(was.reading, level, now_s, True)
    wait_s = PAIR_FAULT_S if level is None else spec.debounce_s
    if now_s - was.since_s < wait_s:
        return was
    quality = Quality.BAD if level is None else Quality.GOOD
    if was.reading.value is level and was.reading.quality is quality:
        return was
    return Contact(Reading(level, quality, now_s), level, was.since_s, True)


def wake_s(spec: ContactSpec, contact: Contact) -> float:
    """Return when a level now standing will have settled; infinity where it has."""
    if contact.level is contact.reading.value and contact.reading.quality is not Quality.MISSING:
        return float("inf")
    if not contact.seen or (contact.level is None and contact.reading.quality is Quality.BAD):
        return float("inf")
    return contact.since_s + (PAIR_FAULT_S if contact.level is None else spec.debounce_s)
