from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from controller.core.parts import BadReply, DeviceError, DeviceTimeout, DeviceUnreachable
from drivers import child as module
from drivers.child import Child


def until(holds: Callable[[], bool], limit_s: float = 3.0) -> None:
    end_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end_s, "it never came"
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def start(opened):
    def make(script: str, **limits: float) -> Child:
        return opened(Child(["sh", "-c", script], **limits))

    return make


@pytest.fixture(autouse=True)
def quick_retry(monkeypatch):
    monkeypatch.setattr(module, "_RETRY_S", (0.02, 0.08))


HANG = "echo $$; exec sleep 60"
STAY = "exec cat > /dev/null"


def test_each_line_is_given_once_and_the_next_is_waited_for(start):
    child = start("for word in a b c; do echo $word; read answer; done")
    assert child.next_line() == b"a"
    for word in (b"b", b"c"):
        os.write(child._process.stdin.fileno(), b"\n")
        assert child.next_line() == word


def test_a_line_that_comes_in_pieces_is_put_together(start):
    child = start(f"printf ab; sleep 0.02; printf cd; sleep 0.02; echo; {STAY}")
    assert child.next_line() == b"abcd"


def test_of_a_few_waiting_lines_the_newest_is_given(start):
    child = start(f"printf 'a\\nb\\nc\\n'; {STAY}")
    assert child.next_line() == b"c"


def test_a_backlog_is_old_and_a_fresh_line_is_waited_for(start, tmp_path):
    printed = tmp_path / "printed"
    child = start(
        f"echo up; read answer; yes old | head -200; touch {printed};read answer; echo new; {STAY}"
    )
    assert child.next_line() == b"up"
    os.write(child._process.stdin.fileno(), b"\n")
    until(printed.exists)

    def answer_once_the_backlog_is_read() -> None:
        output = child._process.stdout.fileno()
        until(lambda: not select.select([output], [], [], 0)[0])
        os.write(child._process.stdin.fileno(), b"\n")

    helper = threading.Thread(target=answer_once_the_backlog_is_read)
    helper.start()
    assert child.next_line() == b"new"
    helper.join()


def test_a_silent_child_is_killed_and_started_again(start):
    child = start(HANG, silence_s=0.1)
    first = int(child.next_line())
    child._retry_s = 60.0
    with pytest.raises(DeviceTimeout, match="silent"):
        child.next_line()
    assert not is_alive(first)
    with pytest.raises(DeviceUnreachable, match="starts again in"):
        child.next_line()
    child._retry_at_s = 0.0
    assert int(child.next_line()) != first


def test_a_slow_start_is_not_silence_but_an_endless_one_is(start):
    child = start("sleep 0.2; echo up; exec sleep 60", silence_s=0.05)
    assert child.next_line() == b"up"
    child = start("exec sleep 60", silence_s=0.05, start_s=0.1)
    with pytest.raises(DeviceTimeout):
        child.next_line()


def test_a_child_that_dies_is_started_again_ever_more_slowly_up_to_a_limit(start, monkeypatch):
    # The clock is the test's, so that each wait can be seen exactly.
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    child = start("exit 0")
    waits = []
    for _ in range(5):
        with pytest.raises(DeviceUnreachable, match="has ended"):
            child.next_line()
        waits.append(child._retry_at_s - now[0])
        now[0] = child._retry_at_s
    assert waits == pytest.approx([0.02, 0.04, 0.08, 0.08, 0.08])


def test_a_line_resets_the_wait(start):
    child = start("echo up")
    for _ in range(3):
        assert child.next_line() == b"up"
        with pytest.raises(DeviceUnreachable, match="has ended"):
            child.next_line()
        assert child._retry_at_s - time.monotonic() < 0.02
        until(lambda: time.monotonic() >= child._retry_at_s)


def test_an_endless_line_is_refused_and_the_child_started_again(start):
    child = start("while :; do printf %01000d 0; done")
    with pytest.raises(BadReply, match="endless line"):
        child.next_line()
    assert child._process is None


def test_a_program_that_is_not_there_is_named(opened):
    child = opened(Child(["/no/such/program"]))
    with pytest.raises(DeviceUnreachable, match="/no/such/program"):
        child.next_line()


def test_closing_ends_the_child_and_whoever_waits_for_it(start):
    child = start(HANG)
    pid = int(child.next_line())
    told: list[DeviceError] = []

    def wait() -> None:
        try:
            child.next_line()
        except DeviceError as error:
            told.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    until(child._lock.locked)
    child.close()
    waiter.join(2.0)
    assert not waiter.is_alive()
    assert not is_alive(pid)
    assert [type(error) for error in told] == [DeviceUnreachable]
    with pytest.raises(DeviceUnreachable, match="closed"):
        child.next_line()


def test_no_open_file_is_left_behind(start):
    before = set(os.listdir("/proc/self/fd"))
    child = start("echo up")
    for _ in range(3):
        child.next_line()
        with pytest.raises(DeviceUnreachable):
            child.next_line()
        until(lambda: time.monotonic() >= child._retry_at_s)
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_controller_killed_outright_takes_its_child_with_it(tmp_path):
    """The child here is the sensors' own: it ends when its standard input does."""
    root = str(Path(module.__file__).parents[1])
    sensor = (
        f"import sys, time, os; sys.path.insert(0, {root!r})\n"
        "from drivers.dht_child import serve\n"
        "class Sensor:\n temperature = os.getpid(); humidity = 1.0\n def measure(self): pass\n"
        "serve(Sensor, time.monotonic, 60.0, sys.stdout, sys.stdin.buffer)\n"
    )
    controller = (
        f"import sys, time; sys.path[:0] = {[root, *sys.path]!r}\n"
        "from drivers.child import Child\n"
        f"child = Child([sys.executable, '-S', '-c', {sensor!r}])\n"
        "print(child.next_line().decode(), flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", controller], stdout=subprocess.PIPE
    ) as process:
        pid = json.loads(process.stdout.readline())["temperature_c"]
        assert is_alive(pid)
        process.kill()
    until(lambda: not is_alive(pid))
