"""systemd's readiness and watchdog protocol: one datagram. Source: sd_notify(3)."""

from __future__ import annotations

import contextlib
import os
import socket
import time


def notify(state: str) -> None:
    """Tell systemd; without systemd, nobody."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.sendto(state.encode(), address)


class Watchdog:
    """Kicks systemd's watchdog from the scan's own timer: it stops when the scan does."""

    def __init__(self) -> None:
        self._every_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6 / 3
        self._last_s = 0.0

    def beat(self) -> None:
        now_s = time.monotonic()
        if self._every_s and now_s - self._last_s >= self._every_s:
            self._last_s = now_s
            notify("WATCHDOG=1")
