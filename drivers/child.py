"""A child process that prints a line now and then, kept running.

What may hang, burn a core, replace our signal handlers or die with its helper is kept out of the
controller in this way. The child reads its standard input and ends when that closes, so that it
dies with the controller however the controller ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Sequence

from controller.core.parts import BadReply, DeviceTimeout, DeviceUnreachable

_SILENCE_S = 5.0  # two periods of a DHT: no healthy child is silent for so long
_START_S = 15.0  # a guess for the imports of the vendor's libraries on the slowest Pi
_RETRY_S = (1.0, 60.0)  # the first wait before a restart, doubled each time up to the second
_REAP_S = 1.0
_LINE_BYTES = 4096
_PIPE_BYTES = 65536  # what a Linux pipe holds
_BACKLOG = 3  # with more lines waiting, nobody has asked for so long that all of them are old


class Child:
    """The process and its lines. `next_line` is for one thread; `close` may come from another."""

    def __init__(
        self, command: Sequence[str], silence_s: float = _SILENCE_S, start_s: float = _START_S
    ) -> None:
        self._command = command
        self._silence_s = silence_s
        self._start_s = start_s
        self._lock = threading.Lock()
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._patience_until_s = 0.0
        self._rest = b""
        self._retry_s = _RETRY_S[0]
        self._retry_at_s = 0.0

    def next_line(self) -> bytes:
        """Wait for a line that was not given before, and return the newest.

        Raises: DeviceTimeout when the child is silent (it is killed and started again),
        DeviceUnreachable when it has ended or its next start is not due, BadReply when a line
        does not end.
        """
        with self._lock:
            output = self._output()
            until_s = max(time.monotonic() + self._silence_s, self._patience_until_s)
            while True:
                if not _readable(output, until_s - time.monotonic()):
                    raise DeviceTimeout(f"the child process was silent: {self._stop()}")
                chunk = os.read(output, _PIPE_BYTES)
                if not chunk:
                    raise DeviceUnreachable(f"the child process has ended: {self._stop()}")
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                if len(self._rest) > _LINE_BYTES:
                    raise BadReply(f"the child process printed an endless line: {self._stop()}")
                if 1 <= len(lines) <= _BACKLOG:
                    self._patience_until_s = 0.0
                    self._retry_s = _RETRY_S[0]
                    return lines[-1]

    def close(self) -> None:
        """End the child; a `next_line` that waits for it ends too."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._stop()

    def _output(self) -> int:
        """Start the child if it does not run, and return the end of its pipe."""
        if self._closed:
            raise DeviceUnreachable("the child process is closed")
        if self._process is None:
            now_s = time.monotonic()
            if now_s < self._retry_at_s:
                raise DeviceUnreachable(
                    f"the child process starts again in {self._retry_at_s - now_s:.0f} s"
                )
            try:
                # A session of its own: a Ctrl-C meant for the controller must not reach it.
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    bufsize=0,
                    start_new_session=True,
                )
            except OSError as error:
                raise DeviceUnreachable(f"{self._command[0]}: {error}: {self._stop()}") from error
            self._patience_until_s = now_s + self._start_s
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def _stop(self) -> str:
        """Kill what runs, set the next start, and say when that is."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
            # Gone at once, unless the kernel holds it; then it is reaped some day.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_REAP_S)
        self._rest = b""
        retry_s = self._retry_s
        self._retry_at_s = time.monotonic() + retry_s
        self._retry_s = min(2 * retry_s, _RETRY_S[1])
        return f"started again in {retry_s:.0f} s"


def _readable(file: int, wait_s: float) -> bool:
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(max(wait_s, 0.0) * 1000.0))
