"""A host that is stopped by NUT: its real upsmon under a real upsd with a real virtual UPS."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.core.partconfig import HostAccess
from controller.core.parts import DeviceError, DeviceUnreachable
from drivers.hosts import nut, open_host
from drivers.hosts.nut import VirtualUps
from drivers.nutclient import AccessDenied, NutClient, UnknownUps
from tests.drivers.nut_server import USER, Upsd, end, wait

HOST = "standby-1"
# upsmon 2.8.0 keeps its pid in /run/nut and runs but once a machine: each gets a /run/nut of its
# own where the kernel lets us, so that it neither needs root nor meets another.
PRIVATE = ("unshare", "--map-root-user", "--mount", "sh", "-c")
MOUNT = "mount -t tmpfs none /run/nut"

pytestmark = pytest.mark.system


class Server:
    """The host: its upsmon, whose SHUTDOWNCMD leaves a file."""

    def __init__(self, upsd: Upsd) -> None:
        self._upsd = upsd
        self.down = upsd.state / "down"
        upsd.write(
            "upsmon.conf",
            f"MONITOR {HOST}@127.0.0.1:{upsd.port} 1 {HOST} secret-of-{HOST} secondary\n"
            f'MINSUPPLIES 1\nSHUTDOWNCMD "touch {self.down}"\nRUN_AS_USER {USER}\n'
            f"POWERDOWNFLAG {upsd.state}/flag\n"
            # As short as they go: what is told must be seen, what is not must not be imagined.
            "POLLFREQ 1\nPOLLFREQALERT 1\nHOSTSYNC 2\nDEADTIME 3\nFINALDELAY 0\n",
        )
        self.upsmon: subprocess.Popen[bytes] | None = None

    def boot(self) -> None:
        self.down.unlink(missing_ok=True)
        before: tuple[str, ...] = ()
        if Path("/run/nut").is_dir() and _can_mount():
            before = (*PRIVATE, f'{MOUNT} && exec "$@"', "sh")
        self.upsmon = self._upsd.run("upsmon", "-F", "-p", before=before)
        self._upsd.others.append(self.upsmon)

    @property
    def is_down(self) -> bool:
        return self.down.exists()


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*PRIVATE, MOUNT], capture_output=True).returncode == 0


@pytest.fixture
def upsd(tmp_path: Path) -> Iterator[Upsd]:
    server = Upsd(tmp_path, {HOST: "host.dev"})
    server.write("host.dev", "ups.status: OL\nups.id: hangs\n")
    server.start_driver(HOST)
    server.start()
    wait(lambda: status(server) == "OL", 15.0, "the virtual UPS is served")
    yield server
    server.close()


@pytest.fixture
def server(upsd: Upsd) -> Server:
    """The host, up and logged in."""
    server = Server(upsd)
    server.boot()
    wait(lambda: virtual(upsd).is_logged_in(), 10.0, "upsmon is logged in")
    return server


def virtual(upsd: Upsd, host: str = HOST, secret: Path | None = None) -> VirtualUps:
    access = ("127.0.0.1", upsd.port, "roomwarden", str(secret or upsd.secret))
    return VirtualUps(host, access, threading.Event())


def status(upsd: Upsd) -> str:
    """What the host's upsmon is told; nothing while nobody tells it."""
    with contextlib.suppress(DeviceError):
        return NutClient("127.0.0.1", upsd.port).variable(HOST, "ups.status")
    return ""


def stays_up(server: Server, for_s: float) -> bool:
    assert server.upsmon is not None
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        if server.is_down or server.upsmon.poll() is not None:
            return False
        time.sleep(0.1)
    return True


def test_a_stop_shuts_the_host_down_and_its_session_ends(upsd, server):
    virtual(upsd).stop()
    assert status(upsd) == "FSD OB LB"
    wait(lambda: server.is_down, 10.0, "the host has run its SHUTDOWNCMD")
    wait(lambda: not virtual(upsd).is_logged_in(), 10.0, "its session has ended")


def test_a_host_under_a_stop_that_was_not_taken_back_shuts_down_again(upsd, server):
    """What `clear` is for."""
    virtual(upsd).stop()
    wait(lambda: server.is_down, 10.0, "the host has run its SHUTDOWNCMD")
    server.boot()
    wait(lambda: server.is_down, 10.0, "the host is in a boot loop")


@pytest.mark.parametrize("start", [{}, {"start": "outlet"}], ids=["by hand", "by its outlet"])
def test_a_host_stays_up_after_its_stop_was_taken_back(upsd, server, start):
    upsd_access = ("127.0.0.1", upsd.port, "roomwarden", str(upsd.secret))
    host = open_host(HostAccess(id=HOST, stop="nut", nut=upsd_access, **start))
    host.stop()
    wait(lambda: server.is_down, 10.0, "the host has run its SHUTDOWNCMD")
    host.clear()
    assert status(upsd) == "OL"
    host.clear()  # which changes nothing
    host.test_start()
    assert status(upsd) == "OL"
    server.boot()
    wait(lambda: virtual(upsd).is_logged_in(), 10.0, "upsmon is logged in again")
    assert stays_up(server, 4.0)
    host.close()


def test_a_stop_that_a_hanging_driver_may_yet_take_is_taken_back(upsd, monkeypatch):
    """It reads OL, and would read FSD as soon as the driver goes on."""
    driver = upsd.drivers[HOST]
    driver.send_signal(signal.SIGSTOP)
    with monkeypatch.context() as short:
        short.setattr(nut, "_SETTLE_S", 0.5)
        short.setattr(nut, "_READ_BACK_S", 0.5)
        with pytest.raises(DeviceUnreachable, match="'OL', not 'FSD OB LB'"):
            virtual(upsd).stop()
        virtual(upsd).clear()
    assert status(upsd) == "OL"
    # What upsd hands over after them shows when the driver has taken them all.
    client = NutClient("127.0.0.1", upsd.port, "roomwarden", str(upsd.secret))
    client.set_variable(HOST, "ups.id", "goes on")
    driver.send_signal(signal.SIGCONT)
    wait(lambda: client.variable(HOST, "ups.id") == "goes on", 10.0, "the driver goes on")
    assert status(upsd) == "OL"


def test_a_host_stays_up_when_upsd_and_driver_die_before_the_decision(upsd, server):
    """And with them the controller, of which nothing is left but the status OL."""
    end(upsd.upsd)
    end(upsd.drivers[HOST])
    # DEADTIME is 3 s: of a UPS last seen on battery, upsmon would by now assume the worst.
    assert stays_up(server, 8.0)
    assert "Communications with UPS" in upsd.log("upsmon")


def test_a_host_is_stopped_after_upsd_and_driver_were_restarted_together(upsd, server):
    end(upsd.upsd, signal.SIGTERM)
    end(upsd.drivers[HOST], signal.SIGTERM)
    upsd.start_driver(HOST)
    upsd.start()
    wait(lambda: status(upsd) == "OL", 15.0, "the virtual UPS is served again")
    wait(lambda: virtual(upsd).is_logged_in(), 15.0, "upsmon is logged in again")
    virtual(upsd).stop()
    wait(lambda: server.is_down, 10.0, "the host has run its SHUTDOWNCMD")


def test_a_stop_is_told_again_to_a_driver_that_died_of_it(upsd, server):
    """The driver is restarted with OL by its service; here, by us."""
    over = threading.Event()

    def service() -> None:
        while not over.wait(0.1):
            if upsd.drivers[HOST].poll() is not None:
                upsd.start_driver(HOST)

    # upsd alone is restarted: of this, dummy-ups 2.8.0 dies at the next status, if not each time.
    end(upsd.upsd, signal.SIGTERM)
    upsd.start()
    wait(lambda: status(upsd) == "OL", 15.0, "the virtual UPS is served again")
    end(upsd.drivers[HOST])
    thread = threading.Thread(target=service)
    thread.start()
    try:
        virtual(upsd).stop()
    finally:
        over.set()
        thread.join()
    wait(lambda: server.is_down, 20.0, "the host has run its SHUTDOWNCMD")


def test_a_test_finds_that_no_upsmon_would_hear_the_stop(upsd):
    virtual(upsd).test_signal()
    with pytest.raises(DeviceError, match="no upsmon has a session"):
        virtual(upsd).test()


def test_a_test_touches_nothing_and_finds_a_wrong_password(upsd, server, tmp_path):
    virtual(upsd).test()
    assert status(upsd) == "OL"
    wrong = tmp_path / "wrong.secret"
    wrong.write_text("wrong\n")
    for action in (virtual(upsd, secret=wrong).test, virtual(upsd, secret=wrong).stop):
        with pytest.raises(AccessDenied):
            action()
    with pytest.raises(DeviceError, match=r"missing\.secret"):
        virtual(upsd, secret=tmp_path / "missing.secret").test()
    assert status(upsd) == "OL"


def test_a_virtual_ups_that_is_not_there_is_told(upsd):
    for action in (virtual(upsd, "other").stop, virtual(upsd, "other").test):
        with pytest.raises(UnknownUps, match="other"):
            action()


def test_a_stop_that_cannot_be_told_is_told_as_that(upsd, monkeypatch):
    monkeypatch.setattr(nut, "_SETTLE_S", 1.0)
    end(upsd.drivers[HOST])
    began_s = time.monotonic()
    with pytest.raises(DeviceUnreachable):
        virtual(upsd).stop()
    assert time.monotonic() - began_s < 6.0


def test_a_driver_that_does_not_take_the_stop_is_found_out(upsd, monkeypatch):
    monkeypatch.setattr(nut, "_SETTLE_S", 0.5)
    monkeypatch.setattr(nut, "_READ_BACK_S", 0.5)
    upsd.drivers[HOST].send_signal(signal.SIGSTOP)
    with pytest.raises(DeviceUnreachable, match="'OL', not 'FSD OB LB'"):
        virtual(upsd).stop()


def test_closing_a_host_ends_its_waiting(upsd):
    ended = threading.Event()
    ups = VirtualUps(HOST, ("127.0.0.1", upsd.port, "roomwarden", str(upsd.secret)), ended)
    end(upsd.upsd)
    ended.set()
    began_s = time.monotonic()
    with pytest.raises(DeviceUnreachable):
        ups.stop()
    assert time.monotonic() - began_s < 15.0


def test_the_session_of_a_host_is_evidence_of_its_life(upsd, server):
    access = HostAccess(
        id=HOST, stop="nut", nut=("127.0.0.1", upsd.port, "roomwarden", str(upsd.secret))
    )
    host = open_host(access)
    assert host.look()["client"] is True
    host.stop()
    wait(lambda: host.look()["client"] is False, 10.0, "its session has ended")
    host.close()
