"""One line for several devices: whose turn it is, and what a misbehaving one costs the others."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from controller.core.parts import BadReply, DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.bus import Address, Bus, open_bus
from drivers.frames import WRITE_ONE, Refused
from tests.drivers.modbus_slaves import (
    COILS,
    DISCRETE,
    FAULTS,
    HOLDING,
    INPUT,
    Line,
    SerialLine,
    TcpLine,
    Unit,
    running,
)

pytestmark = pytest.mark.slow

SHORT_S = 0.2  # the time for a reply that these tests give: theirs come within milliseconds
LOAD_S = 1.0  # by how much a busy machine may be late


def unit(first: int = 100) -> Unit:
    """A slave whose registers hold their own addresses, and `first` more."""
    words = {(function, at): first + at for function in (HOLDING, INPUT) for at in range(20)}
    bits = {(function, at): at % 3 % 2 for function in (COILS, DISCRETE) for at in range(20)}
    return Unit(words | bits)


@pytest.fixture
def lines() -> Iterator[Callable[..., Any]]:
    with ExitStack() as stack:

        def lines(kind: type[Line], *units: Unit) -> Any:
            return stack.enter_context(running(kind(dict(enumerate(units, 1)))))  # type: ignore[call-arg,arg-type]

        yield lines


each_line = pytest.mark.parametrize("kind", [TcpLine, SerialLine], ids=["tcp", "rtu"])


@each_line
def test_registers_and_bits_are_read_and_written(kind, lines):
    slave = unit()
    bus = open_bus(lines(kind, slave).address)
    assert bus.read(1, HOLDING, 2, 3) == (102, 103, 104)
    assert bus.read(1, INPUT, 19, 1) == (119,)
    assert bus.read(1, COILS, 0, 9) == (0, 1, 0, 0, 1, 0, 0, 1, 0)
    assert bus.read(1, DISCRETE, 1, 1) == (1,)
    bus.write(1, 1538, [0, 0x188])
    bus.write(1, 40, [7], WRITE_ONE)
    assert slave.written == [(1538, (0, 0x188)), (40, (7,))]


@pytest.mark.system
@pytest.mark.parametrize(
    ("kind", "fault"),
    [(SerialLine, fault) for fault in FAULTS]
    # Frames over TCP have no check of their own.
    + [(TcpLine, fault) for fault in FAULTS if fault != "bad check"],
)
def test_a_faulty_reply_is_an_error_that_names_line_and_unit_and_never_a_value(kind, fault, lines):
    slave = unit()
    bus = open_bus(lines(kind, slave).address)
    assert bus.read(1, HOLDING, 0, 4) == (100, 101, 102, 103)

    slave.fault = fault
    expected = DeviceTimeout if fault == "silent" else BadReply
    began_s = time.monotonic()
    with pytest.raises(expected, match=f"{bus.line} unit 1: ") as told:
        bus.read(1, HOLDING, 0, 4, SHORT_S)
    assert time.monotonic() - began_s < SHORT_S + LOAD_S
    assert isinstance(told.value, Refused) == (fault in ("exception", "busy"))

    slave.fault = ""
    values = answered(lambda: bus.read(1, HOLDING, 0, 4, SHORT_S))
    assert values == (100, 101, 102, 103)


def answered(read: Callable[[], tuple[int, ...]], within_s: float = 3.0) -> tuple[int, ...]:
    """Ask until there is an answer."""
    until_s = time.monotonic() + within_s
    while True:
        try:
            return read()
        except DeviceError:
            assert time.monotonic() < until_s, "it is not heard again"
            time.sleep(0.02)


@pytest.mark.system
def test_a_late_reply_on_a_serial_line_is_never_taken_for_the_reply_to_a_later_request(lines):
    slave = unit()
    bus = open_bus(lines(SerialLine, slave).address)
    assert bus.read(1, HOLDING, 0, 1) == (100,)

    slave.late_s = 1.5 * SHORT_S
    with pytest.raises(DeviceTimeout):
        bus.read(1, HOLDING, 0, 1, SHORT_S)
    slave.late_s = 0.0
    for at in (5, 6, 7):
        assert answered(lambda at=at: bus.read(1, HOLDING, at, 1, SHORT_S)) == (100 + at,)


def test_while_its_late_reply_may_come_a_device_is_left_alone_and_the_others_are_asked(lines):
    late, other = unit(), unit(500)
    bus = open_bus(lines(SerialLine, late, other).address)
    late.fault = "silent"
    with pytest.raises(DeviceTimeout):
        bus.read(1, HOLDING, 0, 1, SHORT_S)
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout):
        bus.read(1, HOLDING, 0, 1, SHORT_S)
    assert bus.read(2, HOLDING, 0, 1) == (500,)
    assert time.monotonic() - began_s < LOAD_S
    assert late.asked == 1


@pytest.mark.system
def test_a_late_reply_of_one_device_is_not_taken_for_that_of_another(lines):
    late, other = unit(), unit(500)
    bus = open_bus(lines(SerialLine, late, other).address)
    late.late_s = SHORT_S * 1.2
    with pytest.raises(DeviceTimeout):
        bus.read(1, HOLDING, 0, 1, SHORT_S)
    assert answered(lambda: bus.read(2, HOLDING, 0, 1, SHORT_S)) == (500,)


@pytest.mark.system
def test_a_late_reply_over_tcp_is_thrown_away_with_its_connection(lines):
    slave = unit()
    line = lines(TcpLine, slave)
    bus = open_bus(line.address)
    slave.late_s = 1.5 * SHORT_S
    with pytest.raises(DeviceTimeout):
        bus.read(1, HOLDING, 0, 1, SHORT_S)
    slave.late_s = 0.0
    assert answered(lambda: bus.read(1, HOLDING, 5, 1)) == (105,)
    # On a connection of its own, whatever a gateway still sends on the old one.
    assert line.connections == 2


@pytest.mark.system
def test_bytes_that_trickle_in_do_not_stretch_the_time_for_a_reply(lines):
    slave = unit()
    line = lines(SerialLine, slave)
    bus = open_bus(line.address)
    line.byte_s = 0.08
    began_s = time.monotonic()
    with pytest.raises(BadReply):
        # The request takes 0.9 s, the 45 bytes of the reply 3.6 s.
        bus.read(1, HOLDING, 0, 20, 2.0)
    assert 2.0 <= time.monotonic() - began_s < 4.0


def test_a_connection_that_was_closed_while_it_idled_is_opened_again_unnoticed(lines):
    line = lines(TcpLine, unit())
    bus = open_bus(line.address)
    assert bus.read(1, HOLDING, 0, 1) == (100,)
    assert bus.read(1, HOLDING, 0, 1) == (100,)
    assert line.connections == 1
    line.drop()
    assert bus.read(1, HOLDING, 0, 1) == (100,)
    assert line.connections == 2


def test_a_connection_closed_in_the_middle_of_a_reply_is_unreachable_and_opened_again(lines):
    line = lines(TcpLine, unit())
    bus = open_bus(line.address)
    line.hang_up = 5
    with pytest.raises(DeviceUnreachable, match="closed before the whole reply"):
        bus.read(1, HOLDING, 0, 1)
    line.hang_up = None
    assert bus.read(1, HOLDING, 0, 1) == (100,)


def test_a_refused_connection_and_a_missing_serial_device_are_unreachable():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        bus = open_bus(f"tcp://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(DeviceUnreachable, match="Connection refused"):
            bus.read(1, HOLDING, 0, 1)
    with pytest.raises(DeviceUnreachable, match="/dev/no-such-line"):
        open_bus("rtu:///dev/no-such-line").read(1, HOLDING, 0, 1)


def test_what_is_no_serial_line_is_unreachable():
    with pytest.raises(DeviceUnreachable, match="/dev/null"):
        open_bus("rtu:///dev/null").read(1, HOLDING, 0, 1)


def test_a_serial_device_that_is_pulled_out_is_unreachable(lines):
    ours, theirs = os.openpty()
    bus = open_bus(f"rtu://{os.ttyname(theirs)}")
    with pytest.raises(DeviceTimeout):
        bus.read(1, HOLDING, 0, 1, SHORT_S)
    threading.Timer(0.05, lambda: (os.close(ours), os.close(theirs))).start()
    with pytest.raises(DeviceUnreachable):
        bus.read(2, HOLDING, 0, 1, 2.0)


def test_a_gateway_that_hears_nothing_of_the_device_tells_of_silence(lines):
    slave = unit()
    bus = open_bus(lines(TcpLine, slave).address)
    slave.reply = lambda *_: bytes([0x83, 11])  # type: ignore[method-assign]
    with pytest.raises(DeviceTimeout, match="gateway"):
        bus.read(1, HOLDING, 0, 1)


def test_two_devices_with_one_address_share_one_line_which_ends_with_them(lines):
    line = lines(TcpLine, unit(), unit(500))
    first, second = open_bus(line.address), open_bus(line.address)
    assert first is second
    first.close()
    assert second.read(2, HOLDING, 0, 1) == (500,)
    name = first.line
    del first, second
    gc.collect()
    from drivers import bus

    assert name not in bus._buses


def test_one_line_cannot_have_two_settings():
    one = open_bus("rtu:///dev/no-such-line?baudrate=9600")
    with pytest.raises(DeviceError, match="other settings"):
        open_bus("rtu:///dev/no-such-line?baudrate=19200")
    assert one.line == "/dev/no-such-line"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://10.0.0.7", Address(host="10.0.0.7", port=502)),
        ("tcp://ups.example:1502", Address(host="ups.example", port=1502)),
        ("tcp://[::1]:1502", Address(host="::1", port=1502)),
        ("rtu:///dev/ttyUSB0", Address(path="/dev/ttyUSB0")),
        (
            "rtu:///dev/ttyS1?baudrate=115200&parity=E&stopbits=2",
            Address(path="/dev/ttyS1", baudrate=115200, parity="E", stopbits=2),
        ),
    ],
)
def test_an_address_is_read(text, address):
    assert Address.parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "tcp://", "tcp://:502", "tcp://host:0x5", "tcp://host:70000", "tcp://host/path",
        "udp://host", "rtu://ttyUSB0", "rtu://host/dev/ttyUSB0", "rtu:///dev/x?baudrate=fast",
        "rtu:///dev/x?baudrate=0", "rtu:///dev/x?parity=M", "rtu:///dev/x?stopbits=3",
        "rtu:///dev/x?speed=9600", "rtu:///dev/x?baudrate",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_named(text):
    with pytest.raises(DeviceError, match="address: "):
        open_bus(text)


def test_requests_of_several_threads_never_meet_on_the_line(lines):
    slaves = [unit(1000 * number) for number in range(1, 5)]
    bus = open_bus(lines(SerialLine, *slaves).address)
    wrong: list[object] = []

    def ask(number: int) -> None:
        for at in range(10):
            try:
                values: object = bus.read(number, HOLDING, at, 2)
            except DeviceError as error:
                values = error
            if values != (1000 * number + at, 1000 * number + at + 1):
                wrong.append(values)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert wrong == []
    assert [slave.asked for slave in slaves] == [10] * 4


def test_a_step_of_the_wall_clock_does_not_hold_the_line(lines, monkeypatch):
    slave = unit()
    bus = open_bus(lines(SerialLine, slave).address)
    slave.fault = "silent"
    began_s = time.monotonic()
    monkeypatch.setattr(time, "time", lambda: 1e9 - time.monotonic())  # it runs backwards
    with pytest.raises(DeviceTimeout):
        bus.read(1, HOLDING, 0, 1, SHORT_S)
    assert time.monotonic() - began_s < SHORT_S + LOAD_S


def test_the_gap_that_a_device_asks_for_is_kept(lines):
    bus: Bus = open_bus(lines(SerialLine, unit()).address)
    bus.read(1, HOLDING, 0, 1)
    began_s = time.monotonic()
    for _ in range(3):
        bus.read(1, HOLDING, 0, 1, gap_s=0.05)
    assert time.monotonic() - began_s >= 3 * 0.05
