"""A real upsd with real dummy-ups drivers, on loopback, in a folder of their own."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PROGRAMS = Path("/lib/nut")
USER = pwd.getpwuid(os.geteuid()).pw_name
# The controller's password has one character of every sort that NUT treats in its own way. That
# of upsmon has none: upsmon 2.8.0 sends it without quotation.
PASSWORD = "a \"b\" c\\d # 'e' ="
USERS = (
    '[roomwarden]\n\tpassword = "a \\"b\\" c\\\\d \\# \'e\' ="\n\tactions = SET\n'
    "\tinstcmds = ALL\n"
    '[standby-1]\n\tpassword = "secret-of-standby-1"\n\tupsmon secondary\n'
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait(holds: Callable[[], bool], limit_s: float, what: str) -> float:
    """Wait until something holds; return how long that took."""
    began_s = time.monotonic()
    while not holds():
        assert time.monotonic() - began_s < limit_s, f"not within {limit_s} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began_s


class Upsd:
    """`drivers`: the dummy-ups's port by UPS, a file in `etc` or elsewhere."""

    def __init__(
        self, folder: Path, drivers: Mapping[str, str], users: str = USERS, maxage_s: int = 15
    ) -> None:
        self.port = free_port()
        self.etc, self.state = folder / "etc", folder / "run"
        for made in (self.etc, self.state):
            made.mkdir(mode=0o700)
        self.write("upsd.conf", f"LISTEN 127.0.0.1 {self.port}\nMAXAGE {maxage_s}\n")
        self.write("upsd.users", users)
        self.write(
            "ups.conf",
            "".join(
                f"[{ups}]\n\tdriver = dummy-ups\n\tport = {port}\n\tmode = dummy-once\n"
                for ups, port in drivers.items()
            ),
        )
        self.secret = folder / "nut.secret"
        self.secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
        self.drivers: dict[str, subprocess.Popen[bytes]] = {}
        self.upsd: subprocess.Popen[bytes] | None = None
        self.others: list[subprocess.Popen[bytes]] = []

    def write(self, name: str, text: str) -> None:
        path = self.etc / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)

    def start(self) -> None:
        self.upsd = self.run("upsd", "-F", "-u", USER)

    def start_driver(self, ups: str) -> None:
        self.drivers[ups] = self.run("dummy-ups", "-a", ups, "-F", "-u", USER)

    def run(
        self, program: str, *words: str, before: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "NUT_CONFPATH": str(self.etc),
            "NUT_STATEPATH": str(self.state),
            "NUT_ALTPIDPATH": str(self.state),
        }
        with open(self.state.parent / f"{program}.log", "ab") as log:
            return subprocess.Popen(
                [*before, str(PROGRAMS / program), *words],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def log(self, program: str) -> str:
        return (self.state.parent / f"{program}.log").read_text("utf-8", "replace")

    def close(self) -> None:
        for process in (*self.others, *self.drivers.values(), self.upsd):
            if process is not None:
                end(process)


def end(process: subprocess.Popen[bytes], with_signal: int = signal.SIGKILL) -> None:
    """End one process that we started; one that was stopped is killed all the same."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(with_signal)
    process.wait(10.0)
