"""A UPS behind a real upsd with a real dummy-ups driver, and what goes wrong with them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.core.parts import DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.hosts import command
from drivers.nut import Config, NutUps, open_device, read_address
from drivers.nutclient import (
    AccessDenied,
    DataStale,
    DriverNotConnected,
    NutClient,
    UnknownUps,
)
from tests.drivers.nut_server import Upsd, end, wait

MAXAGE_S = 3
DUMP = "ups.status: OB DISCHRG\nbattery.charge: 60\nbattery.runtime: 900\ninput.voltage: 3.1\n"


@pytest.fixture
def upsd(tmp_path: Path) -> Iterator[Upsd]:
    server = Upsd(tmp_path, {"ups": "ups.dev", "late": "late.dev"}, maxage_s=MAXAGE_S)
    server.write("ups.dev", DUMP)
    yield server
    server.close()


@pytest.fixture
def served(upsd: Upsd) -> Upsd:
    upsd.start_driver("ups")
    upsd.start()
    wait(lambda: says(ups(upsd), "battery"), 15.0, "the UPS is served")
    return upsd


def ups(upsd: Upsd, name: str = "ups", user: str = "", **keys: str) -> NutUps:
    at = f"{user}@" if user else ""
    return NutUps(Config(id="ups", address=f"nut://{at}127.0.0.1:{upsd.port}/{name}", **keys))


def says(ups: NutUps, supply: str | None) -> bool:
    try:
        return ups.read()["supply"] == supply
    except DeviceError:
        return False


def fails(ups: NutUps, error: type[DeviceError]) -> bool:
    try:
        ups.read()
    except DeviceError as found:
        return type(found) is error
    return False


@pytest.mark.system
def test_a_ups_is_read_through_upsd(served):
    found = ups(served).read()
    assert {key: found[key] for key in ("supply", "battery_low", "charge_pct", "runtime_s")} == {
        "supply": "battery",
        "battery_low": False,
        "charge_pct": 60.0,
        "runtime_s": 900.0,
    }


@pytest.mark.system
def test_a_frozen_driver_is_stale_and_comes_back(served):
    driver = served.drivers["ups"]
    driver.send_signal(signal.SIGSTOP)
    wait(lambda: fails(ups(served), DataStale), 3 * MAXAGE_S, "its data are stale")
    driver.send_signal(signal.SIGCONT)
    wait(lambda: says(ups(served), "battery"), 10.0, "its data are fresh again")


@pytest.mark.system
def test_a_killed_driver_is_disconnected_and_comes_back(served):
    end(served.drivers["ups"])
    wait(lambda: fails(ups(served), DriverNotConnected), 5.0, "the driver is missed")
    served.start_driver("ups")
    wait(lambda: says(ups(served), "battery"), 15.0, "the driver is found again")


@pytest.mark.system
def test_a_driver_that_is_stuck_is_restarted_by_the_sites_command(served, tmp_path):
    script = tmp_path / "restart.py"
    script.write_text(f"import os\nos.kill({served.drivers['ups'].pid}, 18)\n")
    served.drivers["ups"].send_signal(signal.SIGSTOP)
    device = ups(served, restart=f"command:{sys.executable} {script}")
    wait(lambda: fails(device, DataStale), 3 * MAXAGE_S, "its data are stale")
    device.send("restart-driver")
    wait(lambda: says(device, "battery"), 10.0, "its data are fresh again")


@pytest.mark.system
def test_a_upsd_that_is_gone_is_unreachable(served):
    end(served.upsd)
    with pytest.raises(DeviceUnreachable) as caught:
        ups(served).read()
    assert type(caught.value) is DeviceUnreachable


@pytest.mark.system
def test_a_upsd_that_hangs_is_silent(served):
    served.upsd.send_signal(signal.SIGSTOP)
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout) as caught:
        ups(served).read()
    assert type(caught.value) is DeviceTimeout
    assert time.monotonic() - began_s < 6.0


@pytest.mark.system
def test_a_ups_that_upsd_does_not_know_is_told(served):
    with pytest.raises(UnknownUps, match="no-such"):
        ups(served, "no-such").read()


@pytest.mark.system
def test_a_ups_that_says_wait_says_nothing(upsd):
    upsd.write("ups.dev", "ups.status: WAIT\nbattery.charge: 100\n")
    upsd.start_driver("ups")
    upsd.start()
    wait(lambda: says(ups(upsd), None), 15.0, "the UPS is served")
    found = ups(upsd).read()
    assert (found["supply"], found["battery_low"], found["faults"]) == (None, None, None)


@pytest.mark.system
def test_a_wrong_password_is_denied_and_the_right_one_reaches_the_driver(served, tmp_path):
    wrong = tmp_path / "wrong.secret"
    wrong.write_text("wrong\n")
    intruder = NutClient("127.0.0.1", served.port, "roomwarden", str(wrong))
    with pytest.raises(AccessDenied):
        intruder.set_variable("ups", "ups.status", "OL")
    with pytest.raises(AccessDenied):
        intruder.may_set("ups")
    admin = NutClient("127.0.0.1", served.port, "roomwarden", str(served.secret))
    admin.may_set("ups")
    assert says(ups(served), "battery")
    admin.set_variable("ups", "ups.status", "OL")
    wait(lambda: says(ups(served), "mains"), 5.0, "the status is set")


@pytest.mark.system
def test_a_ups_that_cannot_be_switched_off_says_so(served):
    admin = ups(served, user="roomwarden", password_file=str(served.secret))
    with pytest.raises(DeviceError, match="CMD-NOT-SUPPORTED"):
        admin.send("off")
    with pytest.raises(AccessDenied, match="no user"):
        ups(served).send("off")


def restart(text: str) -> NutUps:
    return NutUps(Config(id="ups", address="nut://127.0.0.1:1/ups", restart=text))


def test_without_a_restart_command_the_driver_cannot_be_restarted():
    with pytest.raises(DeviceError, match="restart"):
        NutUps(Config(id="ups", address="nut://127.0.0.1:1/ups")).send("restart-driver")
    with pytest.raises(DeviceError, match="'dance'"):
        restart("command:/bin/true").send("dance")


def test_a_restart_command_that_fails_or_is_not_there_is_told():
    restart("command:/bin/true").send("restart-driver")
    with pytest.raises(DeviceError, match="status 1"):
        restart("command:/bin/false").send("restart-driver")
    with pytest.raises(DeviceError, match="no-such-program"):
        restart("command:/no-such-program").send("restart-driver")


def test_a_restart_command_that_hangs_is_ended(tmp_path, monkeypatch):
    told = tmp_path / "pid"
    device = restart(f"command:/bin/sh -c 'echo $$ > {told}; exec sleep 60'")
    monkeypatch.setattr(command.Command.run, "__defaults__", (1.0,))
    with pytest.raises(DeviceTimeout):
        device.send("restart-driver")
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("nut://127.0.0.1/ups", ("127.0.0.1", 3493, "", "ups")),
        ("nut://admin@nas.local:34930/ups-1", ("nas.local", 34930, "admin", "ups-1")),
        ("nut://[::1]:3493/a.b_c", ("::1", 3493, "", "a.b_c")),
    ],
)
def test_an_address_names_host_port_user_and_ups(address, parts):
    assert read_address(address) == parts


@pytest.mark.parametrize(
    "address",
    [
        "", "nut://", "nut://host", "nut://host/", "nut:///ups", "tcp://host/ups", "host/ups",
        "nut://host:0/ups", "nut://host:65536/ups", "nut://host:x/ups", "nut://host/ups/more",
        "nut://host/ups?x=1", "nut://host/ups#x", "nut://u:secret@host/ups", "nut://host/u\nps",
        "nut://a b@host/ups", "nut://[::1/ups",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_its_password(address):
    with pytest.raises(ValueError, match=r'^address: "nut://') as caught:
        Config(id="ups", address=address)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "systemctl restart x", "command:", "command:/a 'b", "command:a"]
)
def test_a_restart_command_of_another_form_is_refused(text):
    with pytest.raises(ValueError, match=r"^restart: "):
        restart(text)


def test_opening_a_ups_touches_nothing(bench):
    device = open_device(Config(id="ups", address="nut://127.0.0.1:1/ups", period=2.0), bench)
    assert device.period_s == 2.0
    device.close()
