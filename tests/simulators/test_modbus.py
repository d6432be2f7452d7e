"""The simulated Modbus UPS: its frames, its socket read by pymodbus, and the real driver on it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient

from controller.core.parts import LIVE
from drivers import modbus as driver
from hardware.upsmap import find_map, read_map
from simulators import control, modbus
from simulators.pins import WorldPins
from simulators.plan import Plan
from simulators.powerplan import Address, ModbusEnd, UpsPart

MAPS = {
    name: read_map(find_map(name, Path()))
    for name in ("apc-smart-ups", "huawei-ups2000", "socomec-jbus", "phoenix-quint4")
}
APC = MAPS["apc-smart-ups"]


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_no_bytes_upset_the_cutting_of_frames(chunks: list[bytes]) -> None:
    rest = b""
    for chunk in chunks:
        frames, rest = modbus.cut(rest + chunk)
        assert len(rest) < 260
        for frame in frames:
            if frame != modbus.NO_FRAME:
                modbus.parse(frame)


def test_frames_are_found_however_they_arrive() -> None:
    read = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 128, 44)
    write = struct.pack(">HHHBBHHBHH", 8, 0, 11, 1, 16, 1538, 2, 4, 0, 0x188)
    assert modbus.cut(read + write[:9]) == ([read], write[:9])
    assert modbus.cut(write) == ([write], b"")
    assert modbus.parse(read) == modbus.Frame(7, 1, 3, 128, 44)
    assert modbus.parse(write) == modbus.Frame(8, 1, 16, 1538, 0, (0, 0x188))
    assert modbus.cut(b"GET / HTTP/1.1\r\n") == ([modbus.NO_FRAME], b"")


def test_coils_are_packed_as_the_protocol_says() -> None:
    # The example of Modbus Application Protocol V1.1b3, 6.1: coils 20 to 38.
    coils = [int(bit) for bit in "1011001111010110101"]
    answer = modbus.bits(modbus.Frame(1, 1, 1), coils)
    assert answer[8:] == b"\x03\xcd\x6b\x05"


@pytest.fixture
def bus(
    start_world: Callable[..., Path], room: Plan, free_address: Callable[[], Address]
) -> Iterator[tuple[Path, Address]]:
    """A bus with a UPS of each family, the first of them an APC."""
    address = free_address()
    upses = tuple(
        UpsPart(f"{name}-unit", ModbusEnd(address, unit, map))
        for unit, (name, map) in enumerate(MAPS.items(), 1)
    )
    path = start_world(msgspec.structs.replace(room, has_ups=True, upses=upses), pace=20.0)
    pins = WorldPins(path)
    yield path, address
    pins.close()


@pytest.fixture
def client(bus: tuple[Path, Address]) -> Iterator[ModbusTcpClient]:
    _, (host, port) = bus
    one = ModbusTcpClient(host, port=port, timeout=5.0, retries=0)
    assert one.connect()
    yield one
    one.close()


def test_pymodbus_reads_the_ups_by_its_registers(
    bus: tuple[Path, Address], client: ModbusTcpClient
) -> None:
    path, _ = bus
    found = client.read_holding_registers(0, count=27, device_id=1)
    assert found.registers[1] == 1 << 1  # on line
    control.sim(path, "mains", "off")
    found = client.read_holding_registers(0, count=27, device_id=1)
    assert found.registers[1] == 1 << 2  # on battery
    control.sim(path, "apc-smart-ups-unit.charge", "20")
    charge = client.read_holding_registers(130, count=1, device_id=1).registers[0]
    assert charge / 512 == pytest.approx(20.0, abs=0.01)


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        pytest.param(lambda c: c.read_holding_registers(3000, device_id=1), 2, id="no register"),
        pytest.param(
            lambda c: c.read_holding_registers(26, count=4, device_id=1), 2, id="beyond a block"
        ),
        pytest.param(lambda c: c.read_input_registers(0, device_id=1), 1, id="input registers"),
        pytest.param(lambda c: c.read_coils(0, device_id=1), 1, id="coils"),
        pytest.param(lambda c: c.write_register(5, 1, device_id=1), 2, id="a stray write"),
    ],
)
def test_what_the_map_does_not_know_is_refused(
    client: ModbusTcpClient, ask: Callable[[ModbusTcpClient], Any], code: int
) -> None:
    assert ask(client).exception_code == code


def test_the_maps_own_command_switches_the_ups_off(
    bus: tuple[Path, Address], client: ModbusTcpClient
) -> None:
    path, _ = bus
    (off,) = APC.commands["off"]
    assert not client.write_registers(off.address, list(off.words), device_id=1).isError()
    assert control.truth(path)["upses"]["apc-smart-ups-unit"]["supply"] == "off"


def raw(address: Address, unit: int = 1, within_s: float = 5.0) -> bytes:
    """Ask for four registers from 128 on, and return what came within the time."""
    with socket.create_connection(address, 2.0) as sock:
        sock.sendall(struct.pack(">HHHBBHH", 7, 0, 6, unit, 3, 128, 4))
        sock.settimeout(within_s)
        try:
            return sock.recv(4096)
        except TimeoutError:
            return b"<nothing>"


@pytest.mark.parametrize(
    ("fault", "begins", "length"),
    [
        pytest.param("silent", b"<nothing>", 9, id="silent"),
        pytest.param("late", b"<nothing>", 9, id="late"),
        pytest.param("exception", b"\0\7\0\0\0\3\1\x83\4", 9, id="exception"),
        pytest.param("short", b"\0\7\0\0\0\7\1\3\4", 13, id="two registers of four"),
        pytest.param("garbage", b"\xa5\x5a", 40, id="garbage"),
    ],
)
def test_a_faulty_ups_answers_badly_until_normal(
    bus: tuple[Path, Address], fault: str, begins: bytes, length: int
) -> None:
    path, address = bus
    control.sim(path, "apc-smart-ups-unit", fault)
    said = raw(address, within_s=0.2 if begins == b"<nothing>" else 5.0)
    assert (said[: len(begins)], len(said)) == (begins, length)
    control.sim(path, "apc-smart-ups-unit", "normal")
    assert len(raw(address)) == 17


def test_a_late_answer_comes_in_the_end(
    bus: tuple[Path, Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.port.LATE_S", 0.05)
    path, address = bus
    control.sim(path, "apc-smart-ups-unit", "late")
    assert len(raw(address)) == 17


def test_nobody_answers_for_a_unit_that_is_not_there(bus: tuple[Path, Address]) -> None:
    _, address = bus
    assert raw(address, unit=77, within_s=0.2) == b"<nothing>"


def test_whoever_speaks_no_modbus_is_dropped(bus: tuple[Path, Address]) -> None:
    _, address = bus
    with socket.create_connection(address, 2.0) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert sock.recv(100) == b""


@pytest.fixture(params=MAPS)
def ups(bus: tuple[Path, Address], request: pytest.FixtureRequest) -> Iterator[Any]:
    """The real driver of one family, on the simulated UPS of that family."""
    _, (host, port) = bus
    unit = list(MAPS).index(request.param) + 1
    config = driver.Config(
        id=f"{request.param}-unit", map=request.param, address=f"tcp://{host}:{port}", unit=unit
    )
    board: Any = SimpleNamespace(register_map=MAPS.__getitem__)
    device = driver.open_device(config, board)
    yield device, config.id
    device.close()


def test_the_real_driver_reads_what_the_world_holds(ups: Any, bus: tuple[Path, Address]) -> None:
    device, id = ups
    path, _ = bus
    seen = [device.read()["supply"]]
    control.sim(path, f"{id}.charge", "40")
    control.sim(path, "mains", "off")
    said = device.read()
    seen.append(said["supply"])
    assert seen == ["mains", "battery"]
    assert said.get("charge_pct", 40.0) == pytest.approx(40.0, abs=0.6)


def test_a_live_ups_moves_and_a_frozen_one_stands_still(
    ups: Any, bus: tuple[Path, Address], eventually: Callable[..., None]
) -> None:
    device, id = ups
    path, _ = bus
    first = device.read()[LIVE]
    eventually(lambda: device.read()[LIVE] != first, within_s=8.0)
    control.sim(path, id, "frozen")
    frozen = device.read()[LIVE]
    control.sim(path, "mains", "off")
    assert device.read()[LIVE] == frozen
