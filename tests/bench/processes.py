"""The processes that are measured: started, watched through /proc, and ended by their own id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.bench.worldside import BenchFailed

ROOT = Path(__file__).parents[2]
BENCH = Path(__file__).parent
ROOMWARDEN = (str(Path(sys.executable).parent / "roomwarden"),)
BUSY_ROOMWARDEN = (sys.executable, str(BENCH / "busy_run.py"))
BARE = (sys.executable, str(BENCH / "bare.py"))
VIEWERS = (sys.executable, str(BENCH / "viewers.py"))

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Child:
    """A child process whose output goes to `log`."""

    def __init__(
        self, command: Sequence[object], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        self.name = " ".join(str(word).rpartition("/")[2] for word in command[:3])
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                cwd=ROOT,
                env=environment() | dict(env or {}),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        self.pid = self._process.pid

    def check(self) -> None:
        """Raises: BenchFailed when it has ended."""
        if self._process.poll() is not None:
            tail = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise BenchFailed(f"{self.name} ended with {self._process.returncode}:\n{tail}")

    def wait_until(self, is_so: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
        """Raises: BenchFailed when it does not come to be so, or when the process ends."""
        until_s = time.monotonic() + timeout_s
        while not is_so():
            self.check()
            if time.monotonic() > until_s:
                raise BenchFailed(f"{self.name}: {what} did not happen within {timeout_s:.0f} s")
            time.sleep(0.02)

    def end(self) -> None:
        """End it as a service manager would, and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


@contextlib.contextmanager
def running(
    command: Sequence[object], log: Path, env: Mapping[str, str] | None = None
) -> Iterator[Child]:
    child = Child(command, log, env)
    try:
        yield child
    finally:
        child.end()


class Use(msgspec.Struct, frozen=True):
    """What a process has used: CPU seconds since its start, memory now."""

    cpu_s: float
    rss_mb: float
    pss_mb: float


def use(pid: int) -> Use:
    """Read what a process has used. Raises: BenchFailed when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        memory = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError as error:
        raise BenchFailed(f"process {pid} cannot be measured: {error}") from error
    kb = {}
    for line in memory.splitlines()[1:]:
        name, _, rest = line.partition(":")
        kb[name] = int(rest.split()[0])
    cpu_s = (int(stat[11]) + int(stat[12])) / _TICKS_PER_S  # utime, stime: fields 14 and 15
    return Use(cpu_s, kb["Rss"] * 1024 / 1e6, kb["Pss"] * 1024 / 1e6)


def child_of(pid: int, word: str) -> int:
    """Return the process that `pid` started with `word` on its command line.

    Raises: BenchFailed when there is none, or more than one.
    """
    found = [child for child in _children(pid) if word in _command(child)]
    if len(found) != 1:
        raise BenchFailed(f"process {pid} has {len(found)} children with {word!r}, not one")
    return found[0]


def end_process(pid: int, timeout_s: float = 10.0) -> None:
    """End a process that is not our own child. Raises: BenchFailed when it stays."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    until_s = time.monotonic() + timeout_s
    while _command(pid):
        if time.monotonic() > until_s:
            raise BenchFailed(f"process {pid} does not end")
        time.sleep(0.02)


def environment() -> dict[str, str]:
    """Return what children get: compiled modules are kept, as in an installation."""
    return {name: at for name, at in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text(encoding="ascii").split()]
    return found


def _command(pid: int) -> str:
    """Return the command line; empty once the process has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except OSError:
        return ""
