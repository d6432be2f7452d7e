"""What other threads, and signals, have done on the world's loop."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections import deque
from collections.abc import Callable

_MOST = 1000


class Bell:
    """Calls from any thread or signal handler, carried out on the loop's; the oldest are forgotten
    where there are too many."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._calls: deque[Callable[[], object]] = deque(maxlen=_MOST)
        self._inner, self._outer = socket.socketpair()
        for end in (self._inner, self._outer):
            end.setblocking(False)
        selector.register(self._inner, selectors.EVENT_READ, self._rung)

    def call(self, work: Callable[[], object]) -> None:
        self._calls.append(work)
        # A full line will be heard; one that is closed, by nobody.
        with contextlib.suppress(OSError):
            self._outer.send(b"!")

    def close(self) -> None:
        self._selector.unregister(self._inner)
        self._inner.close()
        self._outer.close()

    def _rung(self, _mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._inner.recv(4096)
        while self._calls:
            self._calls.popleft()()
