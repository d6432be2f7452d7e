"""A broker that is too old for MQTT 5, and says so; all else is the broker's behind it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

_TOO_NEW = bytes([0x20, 2, 0, 1])
"""CONNACK of MQTT 3.1.1: unacceptable protocol version."""


class Elder:
    """Stands before the broker at `url`; ends with the process, or by `close`."""

    def __init__(self, url: str) -> None:
        self._far = urlsplit(url).port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            said = near.recv(65536)
            if said[said.index(b"MQTT") + 4] > 4:
                near.sendall(_TOO_NEW)
                return
            with socket.create_connection(("127.0.0.1", self._far or 0)) as far:
                far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                far.sendall(said)
                threading.Thread(target=_carry, args=(far, near), daemon=True).start()
                _carry(near, far)


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
