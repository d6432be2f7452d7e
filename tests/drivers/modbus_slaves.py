"""Modbus slaves on a test bench: one made by hand that can misbehave, and pymodbus's servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import struct
import subprocess
import threading
import time
import tty
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.core.registers import Register, RegisterMap, encode

COILS, DISCRETE, HOLDING, INPUT = 1, 2, 3, 4


def crc(frame: bytes) -> bytes:
    """The check of an RTU frame; low byte first."""
    check = 0xFFFF
    for byte in frame:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ 0xA001 if check & 1 else check >> 1
    return struct.pack("<H", check)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Unit:
    """One slave on a line: its registers, and how it misbehaves.

    `fault` names one of FAULTS; `late_s` is how long it thinks before it answers.
    """

    registers: dict[Register, int] = field(default_factory=dict)
    fault: str = ""
    late_s: float = 0.0
    asked: int = 0
    written: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)

    def reply(self, function: int, address: int, count: int, words: bytes) -> bytes:
        """The function code and the data of the answer to a request."""
        if function in (6, 16):
            self.written.append((address, struct.unpack(f">{len(words) // 2}H", words)))
            return struct.pack(">BH", function, address) + (
                words if function == 6 else struct.pack(">H", count)
            )
        places = [(function, at) for at in range(address, address + count)]
        if any(place not in self.registers for place in places):
            return bytes([function | 0x80, 2])
        values = [self.registers[place] for place in places]
        if function in (COILS, DISCRETE):
            bits = sum(bit << at for at, bit in enumerate(values))
            data = bits.to_bytes((count + 7) // 8, "little")
        else:
            data = struct.pack(f">{count}H", *values)
        return bytes([function, len(data)]) + data


FAULTS = (
    "silent", "exception", "busy", "short", "long", "wrong function", "wrong unit", "garbage",
    "half a frame", "bad check",
)  # fmt: skip


class Line:
    """A line of units that does one request after the other, as a serial line does.

    `byte_s` is how long a byte is on the way, in each direction.
    """

    def __init__(self, units: Mapping[int, Unit], rtu: bool) -> None:
        self.units = dict(units)
        self.rtu = rtu
        self.byte_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        raise NotImplementedError

    def answer(self, request: bytes) -> bytes:
        """What goes on the line in answer to one whole request."""
        head, body = (b"", request[:-2]) if self.rtu else (request[:4], request[6:])
        number, function, address, count = struct.unpack(">BBHH", body[:6])
        unit = self.units.get(number)
        if unit is None:
            return b""
        unit.asked += 1
        fault = unit.fault
        self._stop.wait(unit.late_s)
        if fault == "silent":
            return b""
        reply = unit.reply(function, address, count, body[4:6] if function == 6 else body[7:])
        if fault in ("exception", "busy"):
            reply = bytes([function | 0x80, 4 if fault == "exception" else 6])
        elif fault == "short":
            reply = bytes([function, reply[1] - 2]) + reply[2:-2]
        elif fault == "long":
            reply = bytes([function, reply[1] + 2]) + reply[2:] + b"\0\1"
        elif fault == "wrong function":
            reply = bytes([7 - function]) + reply[1:]
        elif fault == "wrong unit":
            number = number % 200 + 1
        frame = self._framed(head, number, reply)
        if fault == "garbage":
            frame = bytes(byte ^ 0x5A for byte in frame)
        elif fault == "half a frame":
            frame = frame[: len(frame) // 2]
        elif fault == "bad check":
            frame = frame[:-1] + bytes([frame[-1] ^ 1])
        return frame

    def _framed(self, head: bytes, number: int, reply: bytes) -> bytes:
        body = bytes([number]) + reply
        if self.rtu:
            return body + crc(body)
        return head + struct.pack(">H", len(body)) + body


class SerialLine(Line):
    """A line at the end of a pty; `path` is the end for a master to open."""

    def __init__(self, units: Mapping[int, Unit]) -> None:
        super().__init__(units, rtu=True)
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        self.address = f"rtu://{self.path}?baudrate=9600"

    def stop(self) -> None:
        super().stop()
        os.close(self._ours)
        os.close(self._theirs)

    def _run(self) -> None:
        pending = b""
        while not self._stop.is_set():
            ready, _, _ = select.select([self._ours], [], [], 0.02)
            if not ready:
                pending = b""  # a silence ends a frame, whole or not
                continue
            pending += os.read(self._ours, 256)
            while len(pending) >= (size := _request_bytes(pending)):
                request, pending = pending[:size], pending[size:]
                if crc(request[:-2]) == request[-2:]:
                    self._stop.wait(self.byte_s * (size + 3.5))
                    self._say(self.answer(request))

    def _say(self, frame: bytes) -> None:
        """Write a frame as fast as its bytes would go over the line."""
        began_s = time.monotonic()
        for count, byte in enumerate(frame, 1):
            self._stop.wait(max(began_s + count * self.byte_s - time.monotonic(), 0.0))
            os.write(self._ours, bytes([byte]))


class TcpLine(Line):
    """A line behind a TCP port. `hang_up` closes each connection after so many bytes of a reply;
    `connections` counts them."""

    def __init__(self, units: Mapping[int, Unit]) -> None:
        super().__init__(units, rtu=False)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.hang_up: int | None = None
        self.connections = 0
        self._open: list[socket.socket] = []
        self._dropping = threading.Event()

    def stop(self) -> None:
        super().stop()
        self._close_all()
        self._listener.close()

    def _close_all(self) -> None:
        while self._open:
            self._open.pop().close()

    def drop(self) -> None:
        """Close every connection, as one that idles for long is; return once it was done."""
        self._dropping.set()
        wait_for(lambda: not self._dropping.is_set())

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._dropping.is_set():
                self._close_all()
                self._dropping.clear()
            for ready in select.select([self._listener, *self._open], [], [], 0.02)[0]:
                try:
                    self._serve(ready)
                except OSError:  # the master has hung up
                    self._open.remove(ready)
                    ready.close()

    def _serve(self, ready: socket.socket) -> None:
        if ready is self._listener:
            self._open.append(ready.accept()[0])
            self.connections += 1
            return
        request = ready.recv(300)
        if not request:
            self._open.remove(ready)
            ready.close()
            return
        frame = self.answer(request)
        if self.hang_up is not None:
            ready.sendall(frame[: self.hang_up])
            self._open.remove(ready)
            ready.close()
        elif frame:
            ready.sendall(frame)


def _request_bytes(pending: bytes) -> int:
    """How long the RTU request is that begins with `pending`."""
    if len(pending) < 7:
        return 8
    return 9 + pending[6] if pending[1] == 16 else 8


def ups_registers(
    map: RegisterMap, today_d: float = 20000.0, **values: Any
) -> dict[Register, int]:
    """The registers of a UPS on the mains in which all is well, but for `values`."""
    well: dict[str, Any] = {
        "supply": "mains", "battery_low": False, "charge_pct": 100.0, "runtime_s": 2400.0,
        "load_pct": 40.0, "input_voltage_v": 230.0, "input_frequency_hz": 50.0,
        "battery_age_d": 365.0, "self_test": "passed", "faults": "",
    }  # fmt: skip
    return encode(map, well | values, today_d)


@contextlib.contextmanager
def running(line: Line) -> Iterator[Line]:
    line.start()
    try:
        yield line
    finally:
        line.stop()


@contextlib.contextmanager
def pty_pair(folder: Path) -> Iterator[tuple[Path, Path]]:
    """The two ends of a serial line, by socat."""
    ends = folder / "slave-end", folder / "master-end"
    process = subprocess.Popen(
        ["socat", *(f"PTY,link={end},raw,echo=0" for end in ends)], stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: all(end.exists() for end in ends))
        yield ends
    finally:
        process.terminate()
        process.wait(5)


def wait_for(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    until_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until_s, "it did not come to it in time"
        time.sleep(0.01)


@contextlib.contextmanager
def pymodbus_server(
    words: Mapping[Register, int], unit: int = 1, *, port: int = 0, device: Path | None = None
) -> Iterator[None]:
    """A pymodbus server with these registers, on a TCP port or a serial device."""
    from pymodbus import FramerType
    from pymodbus.server import ModbusSerialServer, ModbusTcpServer
    from pymodbus.simulator import SimDevice

    started, ended = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        slave = SimDevice(id=unit, simdata=_simulated(words))
        server: Any
        if device is not None:
            server = ModbusSerialServer(
                slave, framer=FramerType.RTU, port=str(device), baudrate=9600
            )
        else:
            server = ModbusTcpServer(slave, address=("127.0.0.1", port))
        await server.serve_forever(background=True)
        loops.append(asyncio.get_running_loop())
        started.set()
        await ended.wait()
        await server.shutdown()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(5)
    try:
        yield
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join(5)


def _simulated(words: Mapping[Register, int]) -> Any:
    """Registers as pymodbus's simulator takes them, its four kinds apart."""
    from pymodbus.simulator import DataType, SimData

    kinds: list[list[Any]] = []
    for function in (COILS, DISCRETE, HOLDING, INPUT):
        own = {address: word for (kind, address), word in words.items() if kind == function}
        if function in (COILS, DISCRETE):
            bits = [bool(own.get(address, 0)) for address in range(16)]
            kinds.append([SimData(0, values=bits, datatype=DataType.BITS)])
        else:
            own = own or {0: 0}
            kinds.append(
                [SimData(at, values=[own[at]], datatype=DataType.REGISTERS) for at in own]
            )
    return tuple(kinds)
