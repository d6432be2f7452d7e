"""Programs that are run for a host: each ends by itself, or is ended with all that it began.

A program has a session of its own, so that a Ctrl-C meant for the controller does not
reach it and so that its children end with it. Once the program has ended by itself in time, what
it left behind in the background is left alone: starting an office system is expected to leave
something running. That must not write into our pipe any more, which is closed then.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

import msgspec

from controller.core.parts import DeviceTimeout, DeviceUnreachable

_KEPT_BYTES = 4096
_CHUNK_BYTES = 65536  # what a Linux pipe holds
_QUIET_BYTES = 1 << 20  # who prints more is read slowly, so that it cannot burn a core
_SLOW_S = 0.01
_LAST_CHUNKS = 16
_LOOK_S = 0.2  # how soon `ended` is seen
_GRACE_S = 2.0  # from SIGTERM to SIGKILL
_REAP_S = 1.0

PLAIN: Mapping[str, str] = {**os.environ, "LC_ALL": "C"}
"""The environment of programs whose words we read."""

_NEVER = threading.Event()


class Finished(msgspec.Struct, frozen=True):
    """How a program ended: `status` is its exit status, negative for a signal; `told` the last
    4096 bytes of what it printed, standard output and errors together."""

    status: int
    told: str

    @property
    def last_line(self) -> str:
        """The last thing it printed, for an error's text."""
        lines = self.told.split("\n")
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")

    @property
    def how(self) -> str:
        """The end in words."""
        if self.status < 0:
            return f"ended by signal {-self.status}"
        said = f": {self.last_line}" if self.last_line else ""
        return f"exit status {self.status}{said}"


def run(
    command: Sequence[str],
    limit_s: float,
    ended: threading.Event = _NEVER,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program without a shell and wait for its end.

    After `limit_s`, or once `ended` is set, its session gets SIGTERM and 2 s later SIGKILL.
    Raises: DeviceTimeout then, DeviceUnreachable when it cannot be started.
    """
    until_s = time.monotonic() + limit_s
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise DeviceUnreachable(f"{command[0]}: {error.strerror}") from error
    assert process.stdout is not None
    with process.stdout as pipe:
        try:
            told = _listen(process.pid, pipe.fileno(), until_s, ended)
        except TimeoutError as error:
            _end(process)
            why = "ended with the controller" if ended.is_set() else f"no end in {limit_s:.3g} s"
            raise DeviceTimeout(f"{command[0]}: {why}") from error
        except OSError as error:
            _end(process)
            raise DeviceUnreachable(f"{command[0]}: {error.strerror}") from error
        return Finished(process.wait(), told.decode("utf-8", "backslashreplace"))


def _listen(pid: int, pipe: int, until_s: float, ended: threading.Event) -> bytes:
    """Take what is printed until the process has ended, and return the last of it.

    It is not reaped here: as long as it is not, its number and its group's are its own.
    Raises: TimeoutError when it has not ended by `until_s`, or `ended` was set.
    """
    os.set_blocking(pipe, False)
    kept = b""
    count = 0
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    process = os.pidfd_open(pid)
    try:
        poll.register(process, select.POLLIN)
        while True:
            left_s = until_s - time.monotonic()
            if left_s <= 0.0 or ended.is_set():
                raise TimeoutError
            ready = {file for file, _ in poll.poll(min(left_s, _LOOK_S) * 1000.0)}
            if process in ready:
                return (kept + _rest(pipe))[-_KEPT_BYTES:]
            if pipe in ready:
                chunk = _read(pipe)
                if chunk == b"":  # its output is closed, yet it runs on
                    poll.unregister(pipe)
                kept = (kept + (chunk or b""))[-_KEPT_BYTES:]
                count += len(chunk or b"")
                if count > _QUIET_BYTES:
                    time.sleep(_SLOW_S)
    finally:
        os.close(process)


def _rest(pipe: int) -> bytes:
    """What is in the pipe now; its other end may be held, and filled, by others for ever."""
    rest = b""
    for _ in range(_LAST_CHUNKS):
        chunk = _read(pipe)
        if not chunk:
            break
        rest = (rest + chunk)[-_KEPT_BYTES:]
    return rest


def _read(pipe: int) -> bytes | None:
    """Return what is there, b"" at the end, None when there is nothing yet."""
    try:
        return os.read(pipe, _CHUNK_BYTES)
    except BlockingIOError:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the session of a process that was not reaped yet: politely, then certainly."""
    # Nobody of the session may be ours to signal where the program changed its user.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        _await(process.pid, _GRACE_S)
        os.killpg(process.pid, signal.SIGKILL)
    # Gone at once, unless the kernel or another user holds it; then it is reaped some day.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_REAP_S)


def _await(pid: int, limit_s: float) -> None:
    """Wait for the end of a process without reaping it."""
    until_s = time.monotonic() + limit_s
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, pid, options) is None and time.monotonic() < until_s:
        time.sleep(0.02)
