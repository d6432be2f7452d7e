"""Opening and closing the parts of a room: what fails is a fault of its readings only."""

from __future__ import annotations

import logging
import socket
import threading
import time

import pytest

from controller.config.read import read_room
from controller.core.parts import UPS_VALUES, DeviceError
from controller.core.reading import Quality
from controller.core.rules.base import Command
from controller.pollers import HostPoller, Line
from controller.secretfiles import missing_secrets
from firmware.devices import access, close_all
from firmware.kinds import kinds

UPS = """
[[ups]]
id = "main-ups"
kind = "modbus"
map = "{map}"
address = "tcp://127.0.0.1:{port}"
"""
HOST = """
[[input]]
id = "standby-outlet-proof"
kind = "contact"
role = "feedback"
of = "standby-outlet"
pin = 6
contact = "no"
[[output]]
id = "standby-outlet"
kind = "relay"
role = "outlet"
pin = 19
[[host]]
id = "standby-1"
stage = 1
stop = "ssh://room@127.0.0.1:2222"
key_file = "standby-1.key"
evidence = ["tcp://127.0.0.1:2222", "outlet"]
outlet = "standby-outlet"
needs = 2
[outage]
[[outage.stage]]
stage = 1
after = "2min"
"""
SHARED = """
[[input]]
id = "air-{n}"
kind = "modbus-climate"
address = "tcp://127.0.0.1:{port}"
unit = {n}
function = "input"
temperature = {{ register = 0, scale = 0.1 }}
humidity = {{ register = 1, scale = 0.1 }}
"""
LEAK = """
[[input]]
id = "leak"
kind = "modbus-contact"
role = "leak"
address = "tcp://127.0.0.1:{port}"
unit = 9
function = "discrete"
register = 0
"""


@pytest.fixture
def port():
    """A port on which nobody answers: connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def image(bench, id):
    reading = bench.controller.guard._image.get(id)
    return None if reading is None else (reading.value, reading.quality)


def guards(bench):
    bench.press()
    return bench.level("power-cut") is True


def test_a_ups_whose_map_cannot_be_read_is_a_fault_of_its_readings_only(bench, wait, port):
    bench.add(UPS.format(map="our-ups.toml", port=port))
    bench.start()
    wait(lambda: image(bench, "main-ups.link"))
    told, quality = image(bench, "main-ups.link")
    assert quality is Quality.GOOD
    assert told.startswith("unreachable: it could not be opened: map our-ups.toml: ")
    assert image(bench, "main-ups.supply") is None
    assert guards(bench)


def test_a_ups_that_is_not_there_is_a_fault_of_its_readings_only(bench, wait, port):
    bench.add(UPS.format(map="apc-smart-ups", port=port))
    bench.start()
    wait(lambda: image(bench, "main-ups.link"))
    assert image(bench, "main-ups.link")[0].startswith("unreachable: ")
    points = [p for p in bench.state()["points"] if p["part"] == "main-ups"]
    assert {(point["value"], point["quality"]) for point in points} == {(None, "missing")}
    assert guards(bench)


def test_every_value_of_a_ups_is_a_point_from_the_first_scan(bench, port):
    bench.add(UPS.format(map="apc-smart-ups", port=port))
    bench.start()
    found = {p["id"] for p in bench.state()["points"] if p["part"] == "main-ups"}
    assert found == {f"main-ups.{value.point}" for value in UPS_VALUES.values()}


def test_inputs_that_cannot_be_opened_are_silent_ones(bench, port, monkeypatch):
    def open_device(config, board):
        raise DeviceError("open with other settings")

    for driver in ("modbus_climate", "modbus_contact"):
        monkeypatch.setattr(f"drivers.{driver}.open_device", open_device)
    bench.add(SHARED.format(n=2, port=port) + LEAK.format(port=port))
    bench.start()
    points = {p["id"]: p["quality"] for p in bench.state()["points"]}
    assert points["air-2.temperature"] == points["leak"] == "missing"
    assert guards(bench)


def test_devices_that_share_a_line_are_asked_by_one_thread(bench, port):
    for n in range(2, 5):
        bench.add(SHARED.format(n=n, port=port))
    bench.add(LEAK.format(port=port))
    bench.add(UPS.format(map="apc-smart-ups", port=port))
    controller = bench.start()
    assert [{poller.part for poller in line.pollers} for line in controller._lines] == [
        {"air-2", "air-3", "air-4", "leak", "main-ups"}
    ]
    assert [type(line) for line in controller._lines] == [Line]


def test_a_contact_on_a_bus_is_a_point_with_its_own_id(bench, port):
    bench.add(LEAK.format(port=port))
    bench.start()
    assert [p["id"] for p in bench.state()["points"] if p["part"] == "leak"] == ["leak"]


def test_a_hosts_missing_files_are_named_and_it_is_looked_at_all_the_same(bench, wait):
    bench.add(HOST)
    bench.start()
    folder = bench.folder
    assert missing_secrets(bench.controller.file) == {
        "standby-1.secret-missing": f"{folder}/standby-1.key; {folder}/standby-1.host-key"
    }
    wait(lambda: image(bench, "system.standby-1.secret-missing"))
    wait(lambda: image(bench, "standby-1.network"))
    (host,) = bench.controller._hosts
    assert isinstance(host, HostPoller)
    bench.controller.guard.commanders["standby-1"](Command("standby-1", 1, "stop"))
    wait(lambda: image(bench, "standby-1.reply"))
    assert "standby-1.key" in image(bench, "standby-1.reply")[0]


def test_files_that_are_there_are_not_missing(bench):
    bench.add(HOST)
    for name in ("standby-1.key", "standby-1.host-key"):
        (bench.folder / name).write_text("there")
    file = read_room(bench.config, kinds())
    assert missing_secrets(file) == {"standby-1.secret-missing": False}


def test_a_host_is_reached_by_files_that_stand_beside_the_room_file(bench):
    bench.add(HOST)
    file = read_room(bench.config, kinds())
    (host,) = file.hosts
    found = access(file, host)
    assert (found.key_file, found.host_key) == (
        f"{bench.folder}/standby-1.key",
        f"{bench.folder}/standby-1.host-key",
    )
    assert found.evidence == ("tcp://127.0.0.1:2222",)
    assert (found.password_file, found.ca, found.nut) == (None, None, None)


def test_a_host_of_our_own_upsd_is_told_where_that_is(bench):
    bench.add(HOST.replace('"ssh://room@127.0.0.1:2222"', '"nut"'))
    bench.add('[nut]\naddress = "127.0.0.1:13493"\nusername = "warden"\n')
    file = read_room(bench.config, kinds())
    (host,) = file.hosts
    assert access(file, host).nut == (
        "127.0.0.1", 13493, "warden", f"{bench.folder}/nut.secret",
    )  # fmt: skip
    assert missing_secrets(file)["nut.secret-missing"] == f"{bench.folder}/nut.secret"


def test_a_host_that_cannot_be_opened_answers_every_command_with_the_reason(
    bench, wait, monkeypatch
):
    def open_host(access):
        raise ValueError("ssh://: no host that can be asked")

    monkeypatch.setattr("drivers.hosts.open_host", open_host)
    bench.add(HOST)
    bench.start()
    bench.controller.guard.commanders["standby-1"](Command("standby-1", 1, "stop"))
    wait(lambda: image(bench, "standby-1.reply"))
    assert image(bench, "standby-1.reply")[0] == (
        "1 failed: it could not be opened: ssh://: no host that can be asked"
    )
    assert guards(bench)


def test_a_part_that_hangs_or_fails_at_its_end_keeps_nobody(caplog):
    caplog.set_level(logging.WARNING)
    free, closed = threading.Event(), []

    def fails():
        raise DeviceError("it does not close")

    began_s = time.monotonic()
    parts = {"hangs": lambda: free.wait(5.0), "fails": fails, "fine": lambda: closed.append(1)}
    close_all(parts, 0.2)
    assert time.monotonic() - began_s < 2.0
    free.set()
    assert closed == [1]
    told = {record.getMessage() for record in caplog.records}
    assert told == {"close-hangs has not ended", "fails could not be closed"}


def test_a_room_with_a_hung_host_ends_within_seconds(bench, wait, monkeypatch):
    free = threading.Event()

    class Hung:
        def __getattr__(self, name):
            return lambda: free.wait(30.0) and {}

    monkeypatch.setattr("drivers.hosts.open_host", lambda access: Hung())
    monkeypatch.setattr("firmware.assembly._END_S", 0.3)
    bench.add(HOST)
    bench.start()
    began_s = time.monotonic()
    bench.close()
    assert time.monotonic() - began_s < 3.0
    free.set()
