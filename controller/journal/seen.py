"""The ids of requests seen: a repeat is known for a day, also after a restart."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from threading import Lock

from controller.core.gate import SKEW_S

KEPT_S = 86_400
LIMIT = 10_000
_LONGEST_ID = 128


class SeenRequests:
    """Bounded: past `limit` ids the oldest is forgotten, before its day is over.

    What was issued before the newest of these was seen may be one of them, and counts as a
    repeat.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._expires: dict[str, int] = {}
        self._forgotten_s = float("-inf")  # nothing forgotten was issued later
        self._unread_s: float | None = None  # monotonic
        self._lock = Lock()

    def unread(self) -> None:
        """The file cannot be read: until `load`, what was issued by now may be one of its ids."""
        with self._lock:
            self._unread_s = time.monotonic()

    def load(self, kept: Sequence[tuple[str, int]]) -> None:
        """Take ids with their expiry (epoch seconds), soonest first, all seen before those here.

        The file keeps no more than `limit` either: where it holds as many, there were older ones.
        """
        with self._lock:
            self._unread_s = None
            self._expires = {**dict(kept), **self._expires}
            if len(kept) >= self._limit:
                self._note(next(iter(self._expires.values())))
            while len(self._expires) > self._limit:
                self._forget()

    def held(self) -> list[tuple[str, int]]:
        """Return the ids with their expiry, for a file that is begun anew."""
        with self._lock:
            return list(self._expires.items())

    def add(self, id: str, now_s: float, issued_s: float | None = None) -> tuple[str, int] | None:
        """Return what to keep on the disk; None when the id was seen within a day.

        `issued_s`: when its sender says that it asked, where that is known (epoch seconds).
        """
        id = _bounded(id)
        with self._lock:
            expires = self._expires.pop(id, None)
            if expires is not None and now_s < expires:
                self._expires[id] = expires
                return None
            if issued_s is not None and issued_s <= max(self._forgotten_s, self._since_s(now_s)):
                return None
            while len(self._expires) >= self._limit:
                self._forget(now_s)
            self._expires[id] = int(now_s) + KEPT_S
            return id, self._expires[id]

    def _since_s(self, now_s: float) -> float:
        """Since when, by the clock as it is now, all ids are known: it may have been set since."""
        if self._unread_s is None:
            return float("-inf")
        return now_s - (time.monotonic() - self._unread_s) + SKEW_S

    def _forget(self, now_s: float = float("-inf")) -> None:
        expires = self._expires.pop(next(iter(self._expires)))
        if now_s < expires:
            # One noted by a clock that ran ahead is not held to be of then.
            self._note(min(expires, int(now_s) + KEPT_S) if now_s > 0 else expires)

    def _note(self, expires: int) -> None:
        # Seen within the second after `expires` less a day, by a clock that may be behind.
        self._forgotten_s = max(self._forgotten_s, expires - KEPT_S + 1 + SKEW_S)


def _bounded(id: str) -> str:
    """Return `id`, or its hash where it is too long or no proper text to keep as it is."""
    data = id.encode("utf-8", "surrogatepass")
    if len(data) <= _LONGEST_ID and id.isprintable():
        return id
    return hashlib.sha256(data).hexdigest()
