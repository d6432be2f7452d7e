"""Programs that hang, shrug off signals, fork, print for ever, or are not there."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from controller.core.parts import DeviceTimeout, DeviceUnreachable
from drivers.hosts import process
from drivers.hosts.process import run

pytestmark = pytest.mark.slow


@pytest.fixture
def brief(monkeypatch):
    monkeypatch.setattr(process, "_GRACE_S", 0.1)


def is_gone(pid_file: Path) -> bool:
    """Whether the process that wrote its number there has ended."""
    pid = int(pid_file.read_text())
    try:
        state = Path(f"/proc/{pid}/stat").read_text().split()[2]
    except FileNotFoundError:
        return True
    return state == "Z"


def run_until(file: Path, command: str) -> None:
    """Run a program that hangs; it is to be ended as soon as something stands in `file`."""
    ended = threading.Event()

    def watch() -> None:
        until_s = time.monotonic() + 20.0
        while time.monotonic() < until_s and not (file.exists() and file.read_text()):
            time.sleep(0.02)
        ended.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with pytest.raises(DeviceTimeout, match="ended with the controller"):
        run([command], 30.0, ended)
    watcher.join()


def test_a_program_gets_two_seconds_between_the_polite_signal_and_the_certain_one():
    assert process._GRACE_S == 2.0


def test_a_program_ends_with_its_status_and_its_last_words(program):
    end = run([program("echo one; echo two >&2; exit 3")], 5.0)
    assert (end.status, end.told, end.how) == (3, "one\ntwo\n", "exit status 3: two")


def test_a_program_gets_its_words_as_they_are_and_no_input(program):
    program_file = program('printf "%s|" "$@"; cat')
    ours, writer = os.pipe()
    kept = os.dup(0)
    os.dup2(ours, 0)  # our own input, on which a program that took it would wait
    try:
        end = run([program_file, "a b", "$HOME", "*"], 5.0)
    finally:
        os.dup2(kept, 0)
        for file in (ours, writer, kept):
            os.close(file)
    assert (end.status, end.told) == (0, "a b|$HOME|*|")


def test_a_program_that_was_killed_says_by_which_signal(program):
    end = run([program("kill -9 $$")], 5.0)
    assert (end.status, end.how) == (-9, "ended by signal 9")


@pytest.mark.parametrize(
    ("name", "told"),
    [("missing", "No such file"), ("folder", "Permission denied"), ("text", "Permission denied")],
)
def test_a_program_that_cannot_be_started_is_unreachable(tmp_path, name, told):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("#!/bin/sh\n")
    with pytest.raises(DeviceUnreachable, match=rf"/{name}: {told}"):
        run([str(tmp_path / name)], 5.0)


def test_a_program_that_hangs_is_ended_in_time(program, brief):
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout, match=r"/program: no end in 0\.2 s"):
        run([program("exec sleep 60")], 0.2)
    assert 0.2 <= time.monotonic() - began_s < 10.0


def test_a_program_may_end_politely(program, tmp_path):
    text = f"trap 'echo bye > {tmp_path}/bye; exit' TERM; echo $$ > {tmp_path}/pid; "
    run_until(tmp_path / "pid", program(f"{text} while :; do sleep 0.02; done"))
    assert (tmp_path / "bye").exists() and is_gone(tmp_path / "pid")


def test_a_program_that_ignores_the_polite_signal_is_killed(program, tmp_path, brief):
    text = f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 1; done"
    run_until(tmp_path / "pid", program(text))
    assert is_gone(tmp_path / "pid")


def test_the_children_of_a_program_that_hangs_end_with_it(program, tmp_path, brief, eventually):
    child = program(f"trap '' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 1; done", "child")
    run_until(tmp_path / "pid", program(f"{child} & exec sleep 60"))
    eventually(lambda: is_gone(tmp_path / "pid"))


def test_what_a_program_leaves_in_the_background_keeps_nobody_waiting(
    program, tmp_path, eventually
):
    background = f"while ! [ -e {tmp_path}/go ]; do sleep 0.02; done; touch {tmp_path}/survived"
    end = run([program(f"({background}) & echo started")], 5.0)
    assert (end.status, end.told) == (0, "started\n")
    (tmp_path / "go").touch()
    eventually((tmp_path / "survived").exists)


def test_a_program_that_prints_for_ever_is_ended_in_time_and_burns_no_core(brief, monkeypatch):
    count = 0
    read = process._read

    def counting(pipe: int) -> bytes | None:
        nonlocal count
        chunk = read(pipe)
        count += len(chunk or b"")
        return chunk

    monkeypatch.setattr(process, "_read", counting)
    began_s = time.monotonic()
    with pytest.raises(DeviceTimeout):
        run(["yes"], 0.5)
    took_s = time.monotonic() - began_s
    assert took_s < 10.0
    assert 1 << 20 < count < (1 << 20) + 65536 * (2 + took_s / process._SLOW_S)


def test_only_the_last_of_what_a_program_prints_is_kept(program):
    end = run([program("seq 1 100000; echo the end")], 5.0)
    assert end.told.endswith("100000\nthe end\n") and len(end.told) == 4096


def test_a_background_child_that_prints_for_ever_keeps_nobody_waiting(
    program, tmp_path, eventually
):
    text = f"yes & echo $! > {tmp_path}/pid; exit 0"
    assert run([program(text)], 5.0).status == 0
    eventually(lambda: is_gone(tmp_path / "pid"))  # by its next line, which nobody reads


def test_what_others_keep_printing_is_not_read_for_ever():
    with open("/dev/zero", "rb") as endless:
        assert process._rest(endless.fileno()) == bytes(4096)


def test_a_program_that_closes_its_output_is_waited_for(program):
    began_s = time.monotonic()
    assert run([program("exec >&- 2>&-; sleep 0.2; exit 4")], 5.0).status == 4
    assert time.monotonic() - began_s >= 0.2


def test_no_file_stays_open_after_any_end(program, tmp_path, brief):
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = open_files()
    run([program("exit 1")], 5.0)
    with pytest.raises(DeviceTimeout):
        run([program("sleep 60")], 0.05)
    with pytest.raises(DeviceUnreachable):
        run([str(tmp_path / "missing")], 1.0)
    assert open_files() == before
