"""What Modbus frames travel on: a TCP connection or a serial line.

Times are monotonic seconds of the real world: a wire is as fast as it is, whatever the pace of
the room, and no step of the wall clock makes a wait longer.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import Any, Protocol

_CHUNK = 1024
_STALE_BYTES = 65536  # what may have come unasked since the last exchange


class Wire(Protocol):
    """Bytes to and from a line. Raises: OSError, from each but `close`."""

    gap_s: float
    """The silence before a frame by which its receiver knows that it begins."""

    def open(self, until_s: float) -> None:
        """Open it unless it is open, and throw away what came unasked."""
        ...

    def send(self, frame: bytes, until_s: float) -> None: ...

    def receive(self, until_s: float) -> bytes:
        """Return what has come as soon as something has, or nothing when the time is over."""
        ...

    def takes_s(self, count: int) -> float:
        """How long so many bytes are on the way."""
        ...

    def close(self) -> None: ...


class TcpWire:
    """A TCP connection, kept open between exchanges; opened again where the other end, as
    gateways and network cards do, has closed it meanwhile."""

    gap_s = 0.0

    def __init__(self, host: str, port: int) -> None:
        self._peer = (host, port)
        self._line: socket.socket | None = None

    def open(self, until_s: float) -> None:
        if self._line is not None and not self._drained(self._line):
            self.close()
        if self._line is None:
            try:
                self._line = socket.create_connection(self._peer, _left(until_s))
            except TimeoutError as error:
                raise ConnectionError("no connection within the time") from error
            except UnicodeError as error:
                raise ConnectionError(f"no such host: {error}") from error

    def send(self, frame: bytes, until_s: float) -> None:
        assert self._line is not None
        self._line.settimeout(_left(until_s))
        self._line.sendall(frame)

    def receive(self, until_s: float) -> bytes:
        assert self._line is not None
        self._line.settimeout(_left(until_s))
        try:
            received = self._line.recv(_CHUNK)
        except TimeoutError:
            return b""
        if not received:
            raise ConnectionError("the connection was closed before the whole reply was there")
        return received

    def takes_s(self, count: int) -> float:
        return 0.0

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    @staticmethod
    def _drained(line: socket.socket) -> bool:
        """Throw away what came unasked; return whether the connection is still usable."""
        line.setblocking(False)
        for _ in range(_STALE_BYTES // _CHUNK):
            try:
                if not line.recv(_CHUNK):
                    return False
            except BlockingIOError:
                return True
            except OSError:
                return False
        return False


class SerialWire:
    """A serial line with 8 data bits, held for ourselves alone."""

    def __init__(self, path: str, baudrate: int, parity: str, stopbits: int) -> None:
        self._path = path
        self._settings = {"baudrate": baudrate, "parity": parity, "stopbits": stopbits}
        # The start bit, 8 data bits, perhaps parity, and the stop bits.
        self._byte_s = (9 + (parity != "N") + stopbits) / baudrate
        # 3.5 characters, a fixed time above 19200 baud.
        # Source: Modbus over serial line 1.02, 2.5.1.1.
        self.gap_s = 3.5 * self._byte_s if baudrate <= 19200 else 0.00175
        self._line: Any = None

    def open(self, until_s: float) -> None:
        import termios

        try:
            if self._line is None:
                import serial  # type: ignore[import-untyped]

                self._line = serial.Serial(self._path, timeout=0, exclusive=True, **self._settings)
            self._line.reset_input_buffer()
        except (ValueError, termios.error) as error:
            raise OSError(
                f"{self._path} is no serial line with these settings: {error}"
            ) from error

    def send(self, frame: bytes, until_s: float) -> None:
        self._line.write_timeout = _left(until_s)
        self._line.write(frame)

    def receive(self, until_s: float) -> bytes:
        ready, _, _ = select.select([self._line.fileno()], [], [], _left(until_s))
        if not ready:
            return b""
        received = os.read(self._line.fileno(), _CHUNK)
        if not received:
            raise ConnectionError("the serial line is gone")
        return received

    def takes_s(self, count: int) -> float:
        return count * self._byte_s

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _left(until_s: float) -> float:
    """The time that is left; never 0, which to a socket means not to wait at all."""
    return max(until_s - time.monotonic(), 0.001)
