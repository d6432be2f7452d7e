"""A UPS over Modbus: against pymodbus, against libmodbus, and against one that misbehaves."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from controller.core.parts import (
    LIVE,
    BadReply,
    DeviceError,
    DeviceTimeout,
    DeviceUnreachable,
)
from controller.core.registers import Register, RegisterMap
from drivers.bus import open_bus
from drivers.modbus import Config, ModbusUps, open_device
from hardware.upsmap import FOLDER, read_map
from tests.drivers.modbus_slaves import (
    SerialLine,
    TcpLine,
    Unit,
    free_port,
    pty_pair,
    pymodbus_server,
    running,
    ups_registers,
    wait_for,
)

APC = read_map(FOLDER / "apc-smart-ups.toml")
MAPS = {file.stem: read_map(file) for file in sorted(FOLDER.glob("*.toml"))}
IMPATIENT_S = 0.4  # the time for a reply where none is expected
SUPPLIES = ["mains", "battery"]

each_supply = pytest.mark.parametrize("supply", SUPPLIES)


class Board:
    """A board that knows the shipped maps, and no other."""

    kind = "simulated"
    pins: Any = None

    def dht_command(self, kind: str, part: str, pin: int) -> list[str]:
        raise NotImplementedError

    def register_map(self, name: str) -> RegisterMap:
        if name not in MAPS:
            raise ValueError("no such map")
        return MAPS[name]


def config(address: str, **changed: Any) -> Config:
    return msgspec.convert(
        {"id": "main-ups", "map": "apc-smart-ups", "address": address, **changed}, Config
    )


def ups_at(address: str, **changed: Any) -> ModbusUps:
    return open_device(config(address, **changed), Board())


def told(ups: ModbusUps) -> dict[str, Any]:
    return {key: value for key, value in ups.read().items() if key != LIVE}


TOLD = {
    "apc-smart-ups": {"battery_age_d", "input_voltage_v", "load_pct", "self_test"},
    "huawei-ups2000": {"input_frequency_hz", "input_voltage_v", "load_pct", "self_test"},
    "phoenix-quint4": set(),
    "socomec-jbus": {"load_pct", "self_test"},
}
ALWAYS = {"supply", "battery_low", "charge_pct", "runtime_s", "faults"}


def check_map(ups: ModbusUps, name: str) -> None:
    """The UPS tells what it was given: on battery, three quarters charged, overloaded."""
    values = told(ups)
    assert set(values) == ALWAYS | TOLD[name]
    assert (values["supply"], values["battery_low"]) == ("battery", True)
    assert (values["charge_pct"], values["runtime_s"]) == (75.0, 600.0)
    if name != "phoenix-quint4":
        assert (values["load_pct"], values["faults"]) == (40.0, "overload")


def on_battery(name: str) -> dict[Register, int]:
    return ups_registers(
        MAPS[name],
        supply="battery",
        battery_low=True,
        charge_pct=75.0,
        runtime_s=600.0,
        faults="overload",
    )


@pytest.mark.system
@pytest.mark.parametrize("name", MAPS)
def test_each_shipped_map_reads_a_ups_behind_pymodbus_over_tcp(name):
    port = free_port()
    with pymodbus_server(on_battery(name), port=port):
        check_map(ups_at(f"tcp://127.0.0.1:{port}", map=name), name)


@pytest.mark.system
@pytest.mark.parametrize("name", MAPS)
def test_each_shipped_map_reads_a_ups_behind_pymodbus_over_a_serial_line(name, tmp_path):
    unit = 192 if name == "phoenix-quint4" else 1
    with (
        pty_pair(tmp_path) as (slave, master),
        pymodbus_server(on_battery(name), unit, device=slave),
    ):
        check_map(ups_at(f"rtu://{master}", map=name, unit=unit), name)


@pytest.fixture(scope="session")
def libmodbus_slave(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The independent slave, compiled from its one source file."""
    program = tmp_path_factory.mktemp("libmodbus") / "slave"
    source = Path(__file__).with_name("modbus_slave.c")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libmodbus"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    subprocess.run(["gcc", "-Wall", "-o", program, source, *flags], check=True)
    return program


@contextmanager
def libmodbus(
    program: Path, kind: str, where: str, unit: int, words: dict[Register, int]
) -> Iterator[subprocess.Popen[str]]:
    places = [f"{address}={word}" for (_, address), word in words.items() if word]
    with subprocess.Popen(
        [program, kind, where, str(unit), *places], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.system
@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_each_shipped_map_reads_a_ups_behind_libmodbus(kind, name, libmodbus_slave, tmp_path):
    with ExitStack() as stack:
        if kind == "tcp":
            where = str(free_port())
            address = f"tcp://127.0.0.1:{where}"
        else:
            slave, master = stack.enter_context(pty_pair(tmp_path))
            where, address = str(slave), f"rtu://{master}"
        stack.enter_context(libmodbus(libmodbus_slave, kind, where, 1, on_battery(name)))
        check_map(ups_at(address, map=name), name)


@pytest.mark.system
def test_a_ups_is_switched_off_by_the_words_of_its_map(libmodbus_slave):
    port = free_port()
    with libmodbus(libmodbus_slave, "tcp", str(port), 1, {}) as slave:
        ups_at(f"tcp://127.0.0.1:{port}").send("off")
        assert slave.stdout is not None
        # APC: shutdown (3), after its off delay (7), of the main outlet group (8).
        assert [slave.stdout.readline() for _ in range(2)] == [
            "wrote 1538 0\n",
            "wrote 1539 392\n",
        ]


Bench = Callable[..., tuple[ModbusUps, Unit]]


@pytest.fixture(params=[TcpLine, pytest.param(SerialLine, marks=pytest.mark.system)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A UPS with the APC map on a line that can misbehave."""
    with ExitStack() as stack:

        def bench(reply_s: float | None = None, **values: Any) -> tuple[ModbusUps, Unit]:
            unit = Unit(ups_registers(APC, **values))
            line = stack.enter_context(running(request.param({1: unit})))
            map = msgspec.structs.replace(APC, reply_timeout_s=reply_s)
            return ModbusUps(map, open_bus(line.address), 1, 1.0), unit

        yield bench


serial_only = pytest.mark.parametrize("bench", [SerialLine], indirect=True, ids=["rtu"])


def heard_again(ups: ModbusUps) -> dict[str, Any]:
    """Poll until the UPS answers, as the poller does."""
    heard: dict[str, Any] = {}

    def poll() -> bool:
        try:
            heard.update(told(ups))
        except DeviceError:
            return False
        return True

    wait_for(poll)
    return heard


@pytest.mark.system
@each_supply
def test_a_silent_ups_is_a_timeout_within_its_time_and_tells_again_afterwards(bench, supply):
    ups, unit = bench(IMPATIENT_S, supply=supply)
    before = told(ups)
    assert before["supply"] == supply
    unit.fault = "silent"
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout):
        ups.read()
    assert time.monotonic() - began_s < IMPATIENT_S + 1.0
    unit.fault = ""
    assert heard_again(ups) == before


@pytest.mark.system
@each_supply
@pytest.mark.parametrize("fault", ["exception", "busy", "short", "wrong function", "garbage"])
def test_a_ups_that_answers_nonsense_gives_no_value_at_all(bench, fault, supply):
    ups, unit = bench(IMPATIENT_S, supply=supply)
    unit.fault = fault
    with pytest.raises(BadReply):
        ups.read()
    unit.fault = ""
    assert heard_again(ups)["supply"] == supply


@pytest.mark.system
@each_supply
@serial_only
def test_a_reply_with_a_wrong_check_gives_no_value_at_all(bench, supply):
    ups, unit = bench(IMPATIENT_S, supply=supply)
    unit.fault = "bad check"
    with pytest.raises(BadReply, match="no reply"):
        ups.read()
    unit.fault = ""
    assert heard_again(ups)["supply"] == supply


@each_supply
def test_a_blip_of_battery_low_is_told_for_as_long_as_it_lasts(bench, supply):
    ups, unit = bench(supply=supply)
    seen = []
    for low in (False, True, False):
        unit.registers = ups_registers(APC, supply=supply, battery_low=low)
        seen.append((ups.read()["battery_low"], ups.read()["supply"]))
    assert seen == [(False, supply), (True, supply), (False, supply)]


@each_supply
@pytest.mark.parametrize(
    ("runtime", "charge", "low", "expected"),
    [
        (0.0, 100.0, False, None),
        (65535.0, 100.0, False, None),
        (0.0, 5.0, False, 0.0),
        (0.0, 60.0, True, 0.0),
        (1.0, 100.0, False, 1.0),
    ],
    ids=["zero", "65535", "zero and empty", "zero and low", "short"],
)
def test_a_runtime_that_cannot_be_right_is_unknown(bench, supply, runtime, charge, low, expected):
    ups, _ = bench(supply=supply, runtime_s=runtime, charge_pct=charge, battery_low=low)
    values = told(ups)
    assert (values["runtime_s"], values["supply"]) == (expected, supply)


@each_supply
def test_a_ups_that_fell_back_to_its_defaults_is_neither_on_the_mains_nor_on_battery(
    bench, supply
):
    ups, unit = bench(supply=supply)
    healthy = unit.registers
    unit.registers = dict.fromkeys(healthy, 0)
    assert ups.read()["supply"] is None
    unit.registers = dict.fromkeys(healthy, 0xFFFF)
    assert set(told(ups).values()) == {None}
    unit.registers = healthy
    assert ups.read()["supply"] == supply


def test_a_ups_that_flaps_is_told_as_it_flaps(bench):
    ups, unit = bench()
    seen = []
    for supply in SUPPLIES * 3:
        unit.registers = ups_registers(APC, supply=supply)
        seen.append(ups.read()["supply"])
    assert seen == SUPPLIES * 3


@each_supply
def test_the_live_text_stands_still_with_the_registers_and_moves_with_any_of_them(bench, supply):
    ups, unit = bench(supply=supply)
    still = ups.read()[LIVE]
    assert still == ups.read()[LIVE]
    for address in (131, 135, 136, 142, 144, 151):
        unit.registers[3, address] ^= 1
        moved = ups.read()[LIVE]
        assert moved != still
        still = moved
    unit.registers[3, 130] ^= 1  # a charge of 100 % stands still for weeks
    assert ups.read()[LIVE] == still


def test_a_ups_without_an_optional_block_tells_all_the_rest(bench):
    ups, unit = bench()
    del unit.registers[3, 595]
    assert "battery_age_d" not in told(ups)
    assert ups.read()["supply"] == "mains"


def test_a_ups_without_a_block_that_it_must_have_tells_nothing(bench):
    ups, unit = bench()
    del unit.registers[3, 140]
    with pytest.raises(BadReply, match="exception 2, illegal address"):
        ups.read()


def test_the_age_of_the_battery_is_by_the_calendar(bench):
    ups, _ = bench(battery_age_d=100.0)
    later_d = time.time() // 86400 - 20000
    assert ups.read()["battery_age_d"] == 100.0 + later_d


@pytest.mark.parametrize(
    ("name", "command"),
    [("apc-smart-ups", "restart-driver"), ("socomec-jbus", "off"), ("apc-smart-ups", "explode")],
)
def test_a_command_that_a_ups_does_not_take_is_named(name, command):
    with pytest.raises(DeviceError, match=f'{name} takes no command "{command}"'):
        ups_at("tcp://127.0.0.1:1", map=name).send(command)


def test_a_command_that_is_not_acknowledged_failed_and_is_not_repeated(bench):
    ups, unit = bench(IMPATIENT_S)
    unit.fault = "silent"
    with pytest.raises(DeviceTimeout):
        ups.send("off")
    assert unit.asked == 1


def test_a_ups_that_is_not_there_is_unreachable():
    with pytest.raises(DeviceUnreachable):
        ups_at(f"tcp://127.0.0.1:{free_port()}").read()


def test_a_map_that_cannot_be_used_is_named():
    with pytest.raises(DeviceError, match="map our-ups: no such map"):
        ups_at("tcp://127.0.0.1:1", map="our-ups")
