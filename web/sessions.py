"""Who is signed in: kept in memory, so that a restart of the panel signs everybody out."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass

from web.people import Person

IDLE_S = 5 * 60.0
LONGEST_S = 8 * 3600.0
LIMIT = 64


@dataclass
class Session:
    """One sign-in. Idle for too long it still lets its person look, but do nothing."""

    person: Person
    began_s: float
    active_s: float

    def is_idle(self, now_s: float) -> bool:
        return now_s >= self.active_s + IDLE_S


class Sessions:
    """At most `LIMIT` sign-ins; the one that was longest idle makes room for a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, Session] = {}

    def begin(self, person: Person, now_s: float) -> str:
        """Sign a person in and return the token for the cookie. Only its hash is kept."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._sweep(now_s)
            while len(self._kept) >= LIMIT:
                del self._kept[min(self._kept, key=lambda key: self._kept[key].active_s)]
            self._kept[_hash(token)] = Session(person, now_s, now_s)
        return token

    def find(self, token: str, now_s: float) -> Session | None:
        with self._lock:
            self._sweep(now_s)
            return self._kept.get(_hash(token))

    def touch(self, token: str, now_s: float) -> None:
        """Say that the person is there. It does not bring back what idled away."""
        session = self.find(token, now_s)
        if session is not None and not session.is_idle(now_s):
            session.active_s = now_s

    def end(self, token: str) -> None:
        with self._lock:
            self._kept.pop(_hash(token), None)

    def _sweep(self, now_s: float) -> None:
        spent = [key for key, one in self._kept.items() if now_s >= one.began_s + LONGEST_S]
        for key in spent:
            del self._kept[key]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
