"""Server-sent events: one thread per viewer, so their number is bounded.

A viewer leaves when its client is gone, when the panel stops, and after five minutes in any
case; browsers come back by themselves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from web.hub import Hub
from web.problem import Problem

LONGEST_S = 300.0
HEARTBEAT_S = 5.0
_TICK_S = 1.0


class Slots:
    """Lets in so many viewers and no more."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    def viewer(self, hub: Hub, gone: Callable[[], bool]) -> Viewer:
        """Return a viewer holding a slot. Raises: Problem when all are taken."""
        if not self._free.acquire(blocking=False):
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many viewers; try again later")
        return Viewer(hub, gone, self._free.release)


class Viewer:
    """The body of one stream: an iterator of frames, closed by the server in every case.

    A class and not a generator: a generator that was never started runs no `finally`, and its
    slot would be lost.
    """

    def __init__(self, hub: Hub, gone: Callable[[], bool], leave: Callable[[], None]) -> None:
        self._hub = hub
        self._gone = gone
        self._leave: Callable[[], None] | None = leave
        self._seen: int | None = None
        self._until_s = time.monotonic() + LONGEST_S
        self._sent_s = 0.0

    def __iter__(self) -> Viewer:
        return self

    def __next__(self) -> bytes:
        if self._seen is None:
            view = self._hub.view()
            return self._send(view.version, b"retry: 1000\n\n" + view.frame)
        while not self._hub.stopped and not self._gone() and time.monotonic() < self._until_s:
            view = self._hub.wait(self._seen, _TICK_S)
            if view.version != self._seen:
                return self._send(view.version, view.frame)
            if time.monotonic() > self._sent_s + HEARTBEAT_S:
                return self._send(view.version, b": still here\n\n")
        raise StopIteration

    def _send(self, version: int, frame: bytes) -> bytes:
        self._seen = version
        self._sent_s = time.monotonic()
        return frame

    def close(self) -> None:
        """Give the slot back, once."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
