"""The clock, and where a room's files stand while it is guarded."""

from __future__ import annotations

import ctypes
import socket
import sys
import time
from pathlib import Path

import pytest

from controller import rundir
from controller.clock import Clock, KernelClock, plausible
from controller.rundir import run_dir
from firmware.notify import Watchdog, notify


def test_a_paced_clock_runs_faster_and_its_wall_time_does_not():
    slow, fast = Clock(), Clock(pace=60.0)
    assert abs(fast.mono_s() - 60.0 * slow.mono_s()) < 60.0
    assert abs(fast.now().wall_s - time.time()) < 1.0
    assert fast.real_s(60.0) == 1.0
    assert slow.real_s(60.0) == 60.0


def test_a_wall_clock_from_before_this_program_is_vouched_for_by_nobody():
    assert not plausible(0.0)
    assert plausible(time.time())
    assert not Clock(synchronised=lambda: False).now().synchronised


def test_two_rooms_never_meet_and_one_room_is_one_by_any_path(tmp_path, monkeypatch):
    monkeypatch.setenv("ROOMWARDEN_RUN", str(tmp_path))
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    one = run_dir(tmp_path / "a" / "room.db")
    assert one.parent == tmp_path
    assert run_dir(tmp_path / "b" / "room.db") != one
    assert run_dir(tmp_path / "link" / "room.db") == one
    from pathlib import Path

    assert run_dir(Path("a/room.db")) == one


def test_systemd_is_told_by_one_datagram_and_nobody_else_is_needed(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(1.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert systemd.recv(100) == b"READY=1"
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        watchdog = Watchdog()
        watchdog.beat()
        watchdog.beat()
        assert systemd.recv(100) == b"WATCHDOG=1"
        systemd.setblocking(False)
        try:
            told = systemd.recv(100)
        except BlockingIOError:
            told = b""
        assert told == b""  # a third of the time is enough
    notify("STOPPING=1")  # and a systemd that has gone is no error


def test_a_user_has_a_run_directory_of_its_own_unless_the_service_guards_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, own = tmp_path / "system", tmp_path / "own"
    monkeypatch.delenv("ROOMWARDEN_RUN", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))
    monkeypatch.setattr(rundir, "SYSTEM", system)
    store = tmp_path / "room.db"
    monkeypatch.setattr(rundir.os, "geteuid", lambda: 0)
    assert run_dir(store).parent == system, "root is the service"
    monkeypatch.setattr(rundir.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(rundir.os, "access", lambda path, mode: False)
    assert run_dir(store).parent == own / "roomwarden"
    (system / run_dir(store).name).mkdir(parents=True)
    assert run_dir(store).parent == system


def test_a_machine_whose_clock_nothing_keeps_right_is_not_believed(monkeypatch):

    class Kernel:
        state, status = 0, 0x2001

        def adjtimex(self, buffer):
            buffer[40:44] = self.status.to_bytes(4, sys.byteorder)
            return self.state

    kernel = Kernel()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: kernel)
    assert KernelClock().is_synchronised()
    kernel.status = 0x2041
    assert not KernelClock().is_synchronised()
    kernel.status, kernel.state = 0x2001, 5
    assert not KernelClock().is_synchronised()
    kernel.state = -1
    assert not KernelClock().is_synchronised()
