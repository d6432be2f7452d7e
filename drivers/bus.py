"""The bus: one Modbus line, and the turns that the devices on it take.

All devices with one address share one `Bus`, so that never two requests are on a line at once.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Sequence
from functools import cached_property
from urllib.parse import parse_qsl, urlsplit

import msgspec

from controller.core.parts import BadReply, DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.frames import WRITE_ONE, WRITE_SEVERAL, Frames, Question, Refused
from drivers.wire import SerialWire, TcpWire, Wire

# How long a reply may take; facts of the field: UPSes answer within 0.5 s on a serial line and,
# through their network cards, within 2 s.
_RTU_REPLY_S = 1.0
_TCP_REPLY_S = 2.0
# A reply that has not come by this many times the time for it comes no more (a guess).
_LATEST = 2.0
# Source: APC application note 176: the time after a write before what was written can be read.
_AFTER_WRITE_S = 0.1
_TCP_PORT = 502


class Address(msgspec.Struct, frozen=True):
    """Where a line is. `path` is a serial line's device, else it is `host`:`port`."""

    path: str = ""
    baudrate: int = 9600
    parity: str = "N"
    stopbits: int = 1
    host: str = ""
    port: int = _TCP_PORT

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read "tcp://host:port" or "rtu:///dev/ttyUSB0?baudrate=9600&parity=N&stopbits=1".

        Raises: ValueError.
        """
        try:
            url = urlsplit(text)
            if url.scheme == "tcp" and url.hostname and not (url.path or url.query):
                return cls(host=url.hostname, port=url.port or _TCP_PORT)
            if url.scheme == "rtu" and url.path.startswith("/") and not url.netloc:
                settings = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
                if settings.keys() <= {"baudrate", "parity", "stopbits"}:
                    return cls._serial(url.path, **settings)
        except ValueError:
            pass
        raise ValueError(
            f'"tcp://host:port" or "rtu:///dev/ttyUSB0?baudrate=9600&parity=N&stopbits=1", '
            f'not "{text}"'
        )

    @classmethod
    def _serial(
        cls, path: str, baudrate: str = "9600", parity: str = "N", stopbits: str = "1"
    ) -> Address:
        if parity not in ("N", "E", "O") or stopbits not in ("1", "2") or int(baudrate) <= 0:
            raise ValueError
        return cls(path=path, baudrate=int(baudrate), parity=parity, stopbits=int(stopbits))

    @property
    def line(self) -> str:
        """The name of the line: all that devices on it have in common."""
        return self.path or f"{self.host}:{self.port}"


class Bus:
    """One line. Each method is one exchange, or several that nobody comes between."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.line = address.line
        self._rtu = bool(address.path)
        self._reply_s = _RTU_REPLY_S if self._rtu else _TCP_REPLY_S
        self._wire: Wire = (
            SerialWire(address.path, address.baudrate, address.parity, address.stopbits)
            if self._rtu
            else TcpWire(address.host, address.port)
        )
        self._lock = threading.Lock()
        self._quiet_from_s = 0.0
        # By unit: until when, and what it is told of meanwhile.
        self._left_alone: dict[int, tuple[float, type[DeviceError], str]] = {}

    @cached_property
    def _frames(self) -> Frames:
        """Made by the first exchange, on the thread that polls: guarding does not wait for it."""
        return Frames(self._rtu)

    def read(
        self,
        unit: int,
        function: int,
        address: int,
        count: int,
        reply_s: float | None = None,
        gap_s: float = 0.0,
    ) -> tuple[int, ...]:
        """Return `count` registers (0..65535), or bits (0, 1), from `address` on.

        `function`: 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers. `reply_s`
        is how long the reply may take beside its time on the wire, `gap_s` the silence that the
        device needs before a request. Raises: DeviceTimeout, DeviceUnreachable, BadReply, Refused.
        """
        return self._exchange(unit, Question(function, address, count), reply_s, gap_s)

    def write(
        self,
        unit: int,
        address: int,
        words: Sequence[int],
        function: int = WRITE_SEVERAL,
        reply_s: float | None = None,
        gap_s: float = 0.0,
    ) -> None:
        """Write registers from `address` on; return once it was acknowledged. Never repeated by
        itself. Raises: as read."""
        assert function == WRITE_SEVERAL or (function == WRITE_ONE and len(words) == 1)
        question = Question(function, address, len(words), tuple(words))
        self._exchange(unit, question, reply_s, gap_s)

    def close(self) -> None:
        """Close the line; who still uses it opens it again."""
        with self._lock:
            self._wire.close()

    def _exchange(
        self, unit: int, question: Question, reply_s: float | None, gap_s: float
    ) -> tuple[int, ...]:
        with self._lock:
            self._see_that_it_may_be_asked(unit)
            allowed_s = self._reply_s if reply_s is None else reply_s
            began_s = time.monotonic()
            try:
                return self._asked(unit, question, allowed_s, gap_s)
            except DeviceError as error:
                text = f"{self.line} unit {unit}: {error}"
                if not isinstance(error, Refused):
                    self._rest(unit, type(error), text, began_s + _LATEST * allowed_s)
                raise _told(error, text) from error
            except OSError as error:
                self._wire.close()
                raise DeviceUnreachable(f"{self.line}: {error.strerror or error}") from error
            finally:
                self._quiet_from_s = time.monotonic()
                if question.words:
                    self._quiet_from_s += _AFTER_WRITE_S

    def _asked(
        self, unit: int, question: Question, allowed_s: float, gap_s: float
    ) -> tuple[int, ...]:
        frame = self._frames.ask(unit, question)
        until_s = time.monotonic() + allowed_s
        if self._rtu:
            until_s += self._wait_for_silence(max(gap_s, self._wire.gap_s))
            until_s += self._wire.takes_s(len(frame) + question.reply_bytes)
        self._wire.open(until_s)
        self._wire.send(frame, until_s)
        received, heard = bytearray(), 0
        while chunk := self._wire.receive(until_s):
            heard += len(chunk)
            received += chunk
            values = self._frames.take(received, unit, question)
            if values is not None:
                return values
            if time.monotonic() >= until_s:
                break
        if heard:
            raise BadReply(f"{heard} bytes that are no reply of it")
        raise DeviceTimeout("no answer")

    def _wait_for_silence(self, gap_s: float) -> float:
        """Wait until the line has been silent for `gap_s`; return for how long that was."""
        wait_s = max(self._quiet_from_s + gap_s - time.monotonic(), 0.0)
        time.sleep(wait_s)
        return wait_s

    def _rest(self, unit: int, kind: type[DeviceError], text: str, until_s: float) -> None:
        """Close the line after a reply that did not come or was none, and on a serial one, where
        nothing tells the reply to one request from the reply to the next, leave the device alone
        until the slowest reply must have passed. The others are asked meanwhile."""
        self._wire.close()
        if self._rtu:
            self._left_alone[unit] = (until_s, kind, text)

    def _see_that_it_may_be_asked(self, unit: int) -> None:
        if unit not in self._left_alone:
            return
        until_s, kind, text = self._left_alone[unit]
        if time.monotonic() < until_s:
            raise kind(text)
        del self._left_alone[unit]


def _told(error: DeviceError, text: str) -> DeviceError:
    """The same error with another text."""
    return Refused(error.code, text) if isinstance(error, Refused) else type(error)(text)


_buses: weakref.WeakValueDictionary[str, Bus] = weakref.WeakValueDictionary()
_opening = threading.Lock()


def open_bus(text: str) -> Bus:
    """Return the bus at an address, the one that there is or a new one; touch no line yet.

    Raises: DeviceError for an address that is none, or other settings than the line has already.
    """
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise DeviceError(f"address: {error}") from error
    with _opening:
        bus = _buses.get(address.line)
        if bus is None:
            bus = _buses[address.line] = Bus(address)
        elif bus.address != address:
            raise DeviceError(f"address: {text} is open with other settings: {bus.address}")
        return bus
