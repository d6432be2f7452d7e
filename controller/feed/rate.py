"""How often a client may speak, and how little is made of one that goes on beyond it."""

from __future__ import annotations

from collections import deque

_REPLY_S = 1.0
_RECORD_S = 60.0


class Rate:
    """`most` messages in any `within_s`. Instants are monotonic seconds of a real clock."""

    def __init__(self, most: int, within_s: float) -> None:
        self._most = most
        self._within_s = within_s
        self._taken: deque[float] = deque(maxlen=most)

    def takes(self, now_s: float) -> bool:
        if len(self._taken) == self._most and now_s < self._taken[0] + self._within_s:
            return False
        self._taken.append(now_s)
        return True


class Flood:
    """What is beyond the rate: a reply a second and a record a minute, so that it costs nothing.

    `since`: how many went unrecorded until now.
    """

    def __init__(self) -> None:
        self.since = 0
        self._replied_s = self._recorded_s = float("-inf")

    def is_answered(self, now_s: float) -> bool:
        self.since += 1
        if now_s < self._replied_s + _REPLY_S:
            return False
        self._replied_s = now_s
        return True

    def is_recorded(self, now_s: float) -> bool:
        if now_s < self._recorded_s + _RECORD_S:
            return False
        self._recorded_s = now_s
        self.since = 0
        return True

    def rest(self, now_s: float) -> int:
        """How many are to be recorded though none came after them; 0 while that may wait."""
        count = self.since
        return count if count and self.is_recorded(now_s) else 0
