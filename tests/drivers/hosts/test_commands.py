"""Programs of the site as the way of stopping, starting and initialising a host."""

from __future__ import annotations

import threading

import pytest

from controller.core.parts import DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.hosts import command

pytestmark = pytest.mark.slow


def test_a_command_has_a_minute():
    assert command.LIMIT_S == 60.0


def test_a_host_is_stopped_and_started_by_commands_with_their_words(host, program, tmp_path):
    say = program(f'echo "$1|$2" >> {tmp_path}/said')
    server = host(stop=f"command:{say} stop 'rack 2'", start=f"command:{say} start $HOME")
    server.stop()
    server.start()
    assert (tmp_path / "said").read_text() == "stop|rack 2\nstart|$HOME\n"


@pytest.mark.parametrize(("way", "test"), [("stop", "test"), ("start", "test_start")])
def test_a_command_that_could_not_be_run_is_found_by_the_test(host, tmp_path, way, test):
    missing = tmp_path / "missing"
    try_it = getattr(host(**{way: f"command:{missing}"}), test)
    with pytest.raises(DeviceError, match="missing: no such program"):
        try_it()
    missing.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    with pytest.raises(DeviceError, match="missing: not executable"):
        try_it()
    missing.chmod(0o755)
    try_it()
    assert not (tmp_path / "ran").exists()


def test_a_command_that_fails_is_told_with_its_last_words(host, program):
    server = host(stop=f"command:{program('echo no such rack; exit 2')} 7")
    with pytest.raises(DeviceError, match=r"program 7: exit status 2: no such rack$"):
        server.stop()


def test_a_missing_command_is_unreachable(host, tmp_path):
    with pytest.raises(DeviceUnreachable, match="No such file"):
        host(start=f"command:{tmp_path}/missing").start()


def test_a_command_that_hangs_is_given_up(host, program, monkeypatch):
    monkeypatch.setattr("drivers.hosts.command.Command.run.__defaults__", (0.2,))
    with pytest.raises(DeviceTimeout):
        host(stop=f"command:{program('exec sleep 60')}").stop()


def test_closing_a_host_ends_the_command_that_runs_for_it(host, program):
    server = host(stop=f"command:{program('exec sleep 60')}")
    threading.Timer(0.1, server.close).start()
    with pytest.raises(DeviceTimeout, match="ended with the controller"):
        server.stop()


def test_initialisation_goes_command_by_command_and_ends_with_the_one_that_fails(
    host, program, tmp_path
):
    say = program(f"echo $1 >> {tmp_path}/said; [ $1 != two ]")
    server = host(initialise=tuple(f"command:{say} {word}" for word in ("one", "two", "three")))
    with pytest.raises(DeviceError, match="program two: exit status 1"):
        server.initialise()
    assert (tmp_path / "said").read_text() == "one\ntwo\n"


def test_a_host_without_initialisation_has_none_to_fail(host):
    host().initialise()


@pytest.mark.parametrize(
    "text", ["command:", "command:program", "command: ", 'command:/bin/echo "half', "command:-x"]
)
def test_a_command_that_is_none_is_named_when_the_host_is_opened(host, text):
    with pytest.raises(ValueError, match=r"^command:"):
        host(stop=text)
