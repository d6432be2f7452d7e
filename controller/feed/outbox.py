"""The outbox: the journal's events that the broker has not got, strictly by number.

The journal is the store; here are only those under way. What is not acknowledged when the
connection ends, or the program, is sent again by the next one: at least once, and the first
deliveries in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from controller.feed.link import Link
from controller.feed.messages import JournalEvent, encoded
from controller.journal.journal import Journal

_READ_AT_ONCE = 200
_SENT_AT_ONCE = 50
"""Then there is a look at the present again: an alarm waits for this many events at most."""

SPARE = 0.25
"""The part of the window that events leave free for alarms."""


class Outbox:
    """One connection's events. Begins after the last one that was acknowledged."""

    def __init__(self, journal: Journal, topic: str) -> None:
        self._journal = journal
        self._topic = topic
        self._read = self._sent = journal.acked_seq
        self._waiting: deque[dict[str, Any]] = deque()
        self._under_way: deque[tuple[int, int]] = deque()  # event, message
        self._answered: set[int] = set()

    @property
    def sent_seq(self) -> int:
        """The last event that was delivered, or is under way."""
        return max(self._sent, self._journal.acked_seq)

    def send(self, link: Link) -> bool:
        """Send what there is and the link takes; True when there may be more at once."""
        for _ in range(_SENT_AT_ONCE):
            if not link.room_for(qos=1, spare=SPARE):
                return False
            if not self._waiting and not self._fetch():
                return False
            if not self._waiting:
                continue
            event = self._waiting.popleft()
            payload = encoded(JournalEvent(**event))
            message = link.publish(self._topic, payload, qos=1, retain=False)
            # Numbers come round again: an old answer under this one was no event's.
            self._answered.discard(message)
            self._sent = event["seq"]
            self._under_way.append((self._sent, message))
        return True

    def answered(self, messages: Iterable[int]) -> None:
        """Acknowledge to the journal as far as every event before has arrived too."""
        self._answered.update(messages)
        last = None
        while self._under_way and self._under_way[0][1] in self._answered:
            last, message = self._under_way.popleft()
            self._answered.discard(message)
        if last is not None:
            self._journal.acknowledge(last)
        if not self._under_way:
            self._answered.clear()  # what was no event's

    def _fetch(self) -> bool:
        # What others acknowledged or the file already holds as acknowledged is not sent again.
        self._read = max(self._read, self._journal.acked_seq)
        if self._journal.recorded_seq + self._journal.offset <= self._read:
            return False
        found = self._journal.find_after(self._read, _READ_AT_ONCE)
        if found.last is None:
            return False
        # A damaged event is passed by: the consumer sees the gap, and the journal tells of it.
        self._read = found.last
        self._waiting.extend(found.events)
        if not self._waiting:
            self._sent = self._read
        return True


def backlog(journal: Journal) -> int:
    """How many durable events are kept that the central system has not acknowledged."""
    return journal.unsent
