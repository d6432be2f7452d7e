"""One connection on the world's loop: lines or frames in, bytes out, both bounded."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable

_READ = selectors.EVENT_READ
_WRITE = selectors.EVENT_WRITE


Cut = Callable[[bytes], tuple[list[bytes], bytes]]
"""Splits what was received into whole frames and the beginning of the next."""


def lines(end: bytes) -> Cut:
    """Cut into lines, without their `end`."""

    def cut(received: bytes) -> tuple[list[bytes], bytes]:
        *whole, rest = received.split(end)
        return whole, rest

    return cut


class Peer:
    """Calls `took` with each line (without its `end`), or each frame that `cut` makes, from the
    loop's thread.

    A peer that sends an endless line or does not take what it is sent is closed.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        sock: socket.socket,
        took: Callable[[Peer, bytes], None],
        *,
        end: bytes = b"\n",
        cut: Cut | None = None,
        line_limit: int = 65_536,
        backlog_limit: int = 4_194_304,
    ) -> None:
        self.is_closed = False
        self.heard_s = time.monotonic()
        self._selector = selector
        self._sock = sock
        self._took = took
        self._cut = cut or lines(end)
        self._line_limit = line_limit
        self._backlog_limit = backlog_limit
        self._in = bytearray()
        self._out = bytearray()
        sock.setblocking(False)
        selector.register(sock, _READ, self._ready)

    def send(self, data: bytes) -> None:
        """Send at once what the connection takes, the rest as soon as it takes more."""
        if self.is_closed:
            return
        if not self._out:
            try:
                data = data[self._sock.send(data) :]
            except BlockingIOError:
                pass
            except OSError:
                self.close()
                return
        if len(self._out) + len(data) > self._backlog_limit:
            self.close()
        elif data:
            self._out += data
            self._selector.modify(self._sock, _READ | _WRITE, self._ready)

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._selector.unregister(self._sock)
            self._sock.close()

    def _ready(self, mask: int) -> None:
        if mask & _WRITE:
            self._flush()
        if mask & _READ and not self.is_closed:
            self._receive()

    def _flush(self) -> None:
        try:
            del self._out[: self._sock.send(self._out)]
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if not self._out:
            self._selector.modify(self._sock, _READ, self._ready)

    def _receive(self) -> None:
        try:
            data = self._sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self.heard_s = time.monotonic()
        self._in += data
        whole, rest = self._cut(bytes(self._in))
        self._in = bytearray(rest)
        for line in whole:
            if self.is_closed:
                return
            if len(line) > self._line_limit:
                self.close()
                return
            self._took(self, line)
        if len(self._in) > self._line_limit:
            self.close()


def listen(
    selector: selectors.BaseSelector,
    listener: socket.socket,
    accepted: Callable[[socket.socket], None],
) -> None:
    """Call `accepted` with each new connection on `listener`."""

    def ready(_mask: int) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:  # gone again before we took it, or no descriptor left
            return
        accepted(sock)

    listener.setblocking(False)
    selector.register(listener, _READ, ready)
