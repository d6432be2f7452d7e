"""The ids of requests seen: a repeat is known for a day, also after a restart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from threading import Lock

KEPT_S = 86_400
LIMIT = 10_000
_LONGEST_ID = 128


class SeenRequests:
    """Bounded: past `limit` ids the oldest is forgotten."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._expires: dict[str, int] = {}
        self._lock = Lock()

    def load(self, kept: Iterable[tuple[str, int]]) -> None:
        """Take ids with their expiry (epoch seconds), soonest first."""
        with self._lock:
            self._expires.update(kept)

    def add(self, id: str, now_s: float) -> tuple[str, int] | None:
        """Return what to keep on the disk; None when the id was seen within a day."""
        id = _bounded(id)
        with self._lock:
            expires = self._expires.pop(id, None)
            if expires is not None and now_s < expires:
                self._expires[id] = expires
                return None
            while len(self._expires) >= self._limit:
                del self._expires[next(iter(self._expires))]
            self._expires[id] = int(now_s) + KEPT_S
            return id, self._expires[id]


def _bounded(id: str) -> str:
    """Return `id`, or its hash where it is too long or no proper text to keep as it is."""
    data = id.encode("utf-8", "surrogatepass")
    if len(data) <= _LONGEST_ID and id.isprintable():
        return id
    return hashlib.sha256(data).hexdigest()
