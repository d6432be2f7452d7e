"""The simulated upsd: its conversation, its socket by raw lines, and the real driver on it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from drivers.nutclient import NutClient
from drivers.nutstatus import normal_form
from simulators import control
from simulators.nut import Metered, NutConversation, Virtual, quoted, words
from simulators.nut_words import variables
from simulators.pins import WorldPins
from simulators.plan import Plan
from simulators.powerplan import HostPart, NutEnd, OwnUpsd, UpsPart
from simulators.ups import SimulatedUps

Address = tuple[str, int]


class Kept:
    def __init__(self) -> None:
        self.status = "OL"
        self.switched_off = False

    def write(self, status: str) -> None:
        self.status = status

    def switch_off(self) -> None:
        self.switched_off = True


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def talk(kept: Kept) -> NutConversation:
    read = {"ups.status": "OL", "ups.model": 'a "b" \\c'}
    return NutConversation(
        {
            "standby-1": Virtual("warden", "s3", lambda: kept.status, kept.write, lambda: True),
            "ups": Metered(None, None, lambda: read, kept.switch_off),
        }
    )


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("LIST UPS", ["BEGIN LIST UPS", 'UPS standby-1 "simulated"', 'UPS ups "simulated"',
                      "END LIST UPS"]),
        ("LIST VAR ups", ["BEGIN LIST VAR ups", 'VAR ups ups.status "OL"',
                          'VAR ups ups.model "a \\"b\\" \\\\c"', "END LIST VAR ups"]),
        ("GET VAR standby-1 ups.status", ['VAR standby-1 ups.status "OL"']),
        ("GET VAR ups no.such", ["ERR VAR-NOT-SUPPORTED"]),
        ("GET VAR other ups.status", ["ERR UNKNOWN-UPS"]),
        ("GET NUMLOGINS standby-1", ["NUMLOGINS standby-1 1"]),
        ("GET NUMLOGINS ups", ["NUMLOGINS ups 0"]),
        ("LIST CLIENT standby-1", ["BEGIN LIST CLIENT standby-1", "CLIENT standby-1 127.0.0.1",
                                   "END LIST CLIENT standby-1"]),
        ("SET VAR standby-1 ups.status OB", ["ERR USERNAME-REQUIRED"]),
        ("SET VAR ups ups.status OB", ["ERR VAR-NOT-SUPPORTED"]),
        ("INSTCMD ups load.off", ["ERR CMD-NOT-SUPPORTED"]),
        ("STARTTLS", ["ERR FEATURE-NOT-CONFIGURED"]),
        ("DANCE", ["ERR UNKNOWN-COMMAND"]),
        ("", ["ERR UNKNOWN-COMMAND"]),
        ("LIST VAR", ["ERR UNKNOWN-COMMAND"]),
        ("GET DESC ups x", ["ERR INVALID-ARGUMENT"]),
    ],
)  # fmt: skip
def test_each_line_has_upsds_answer(talk: NutConversation, line: str, answer: list[str]) -> None:
    assert talk.answer(line) == answer


def test_only_the_one_with_the_password_sets_a_status(talk: NutConversation, kept: Kept) -> None:
    ask = 'SET VAR standby-1 ups.status "FSD OB LB"'
    answers = []
    for line in ("USERNAME warden", ask, "PASSWORD wrong", ask, "PASSWORD s3"):
        answers += talk.answer(line)
    assert answers == ["OK", "ERR PASSWORD-REQUIRED", "OK", "ERR ACCESS-DENIED", "OK"]
    assert kept.status == "OL"
    assert talk.answer(ask) == ["OK"]
    assert kept.status == "FSD OB LB"


def test_shutdown_return_switches_a_ups_off(talk: NutConversation, kept: Kept) -> None:
    assert talk.answer("INSTCMD ups shutdown.return") == ["OK"]
    assert kept.switched_off


def test_words_that_are_quoted_come_through() -> None:
    assert words('SET VAR a b "x \\"y\\" \\\\z" ""') == ["SET", "VAR", "a", "b", 'x "y" \\z', ""]
    assert words(quoted('x "y" \\z')) == ['x "y" \\z']


def test_every_state_of_the_ups_is_read_back_from_nuts_words() -> None:
    ups = SimulatedUps()
    ups.carry(3000.0)
    today = date(2026, 3, 1)

    def said() -> tuple[object, ...]:
        found = normal_form(variables(ups, today), today)
        keys = ("supply", "battery_low", "charge_pct", "self_test", "faults")
        return tuple(found.get(key) for key in keys)

    seen = [said()]
    ups.begin_test("self-test")
    seen.append(said())
    ups.feed(False)
    ups.advance(1100.0)
    ups.faults.update(("overload", "replace-battery"))
    seen.append(said())
    ups.forced = "bypass"
    ups.feed(True)
    seen.append(said()[:2])
    ups.forced = "off"
    seen.append(said()[:2])
    assert seen == [
        ("mains", False, 100.0, "none", ""),
        ("battery", False, 100.0, "running", ""),
        ("battery", True, 8.0, "none", "overload replace-battery"),
        ("bypass", False),
        ("off", False),
    ]
    assert normal_form(variables(ups, today), today)["battery_age_d"] == 400.0


@pytest.fixture
def upsd(
    start_world: Callable[..., Path], room: Plan, free_address: Callable[[], Address]
) -> Iterator[tuple[Path, Address]]:
    address = free_address()
    plan = msgspec.structs.replace(
        room,
        has_ups=True,
        upses=(UpsPart("main-ups", NutEnd(address, "ups")),),
        hosts=(HostPart("standby-1", runs_upsmon=True),),
        upsd=OwnUpsd(address, "warden", "s3"),
    )
    path = start_world(plan)
    pins = WorldPins(path)
    yield path, address
    pins.close()


def exchange(address: Address, line: bytes, within_s: float = 5.0) -> bytes:
    """Say one line and return what came within the time."""
    with socket.create_connection(address, 2.0) as sock:
        sock.sendall(line + b"\n")
        sock.settimeout(within_s)
        try:
            return sock.recv(4096)
        except TimeoutError:
            return b"<nothing>"


def test_the_ups_is_read_over_raw_lines(upsd: tuple[Path, Address]) -> None:
    path, address = upsd
    assert exchange(address, b"GET VAR ups ups.status") == b'VAR ups ups.status "OL"\n'
    control.sim(path, "mains", "off")
    assert exchange(address, b"GET VAR ups ups.status") == b'VAR ups ups.status "OB DISCHRG"\n'
    control.sim(path, "main-ups.charge", "20")
    assert exchange(address, b"GET VAR ups battery.charge") == b'VAR ups battery.charge "20"\n'


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("silent", b"<nothing>"),
        ("late", b"<nothing>"),
        ("exception", b"ERR DRIVER-NOT-CONNECTED\n"),
        ("stale", b"ERR DATA-STALE\n"),
        ("garbage", b'\xff\xfe\n"LO" sutats.spu spu RAV\n'),
        ("short", b"VAR ups ups."),
    ],
)
def test_a_faulty_ups_answers_badly_until_normal(
    upsd: tuple[Path, Address], fault: str, answer: bytes
) -> None:
    path, address = upsd
    control.sim(path, "main-ups", fault)
    within_s = 0.2 if answer == b"<nothing>" else 5.0
    assert exchange(address, b"GET VAR ups ups.status", within_s) == answer
    assert exchange(address, b"GET NUMLOGINS standby-1") == b"NUMLOGINS standby-1 1\n"
    control.sim(path, "main-ups", "normal")
    assert exchange(address, b"GET VAR ups ups.status") == b'VAR ups ups.status "OL"\n'


def test_the_shutdown_signal_stops_its_host_and_its_session_ends(
    upsd: tuple[Path, Address], eventually: Callable[..., None], tmp_path: Path
) -> None:
    path, (host, port) = upsd
    (tmp_path / "nut.secret").write_text("s3\n")
    client = NutClient(host, port, "warden", str(tmp_path / "nut.secret"))
    assert client.sessions("standby-1") == 1
    client.set_variable("standby-1", "ups.status", "FSD OB LB")
    assert control.truth(path)["hosts"]["standby-1"]["phase"] == "stopping"
    control.sim(path, "standby-1", "off")
    assert client.sessions("standby-1") == 0


def test_a_ups_that_is_switched_off_takes_its_load_along(upsd: tuple[Path, Address]) -> None:
    path, address = upsd
    assert exchange(address, b"INSTCMD ups shutdown.return") == b"OK\n"
    assert control.truth(path)["hosts"]["standby-1"]["phase"] == "unpowered"
