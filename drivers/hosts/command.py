"""Programs of the site: `command:/path word ..`, run without a shell."""

from __future__ import annotations

import os
import shlex
import threading

from controller.core.parts import DeviceError
from drivers.hosts.process import run

LIMIT_S = 60.0  # a guess: long enough for what starts a service, short beside an outage


class Command:
    """One command line. It has done its work when it ends with status 0."""

    def __init__(self, text: str, ended: threading.Event) -> None:
        self._text = text
        self._ended = ended
        try:
            self._words = shlex.split(text.removeprefix("command:"))
        except ValueError as error:
            raise ValueError(f"{text}: {error}") from error
        if not self._words or not self._words[0].startswith("/"):
            raise ValueError(f'{text}: "command:" and the absolute path of a program')

    def run(self, limit_s: float = LIMIT_S) -> None:
        """Run it. Raises: DeviceTimeout, DeviceUnreachable (it cannot be started), DeviceError
        (its exit status is not 0)."""
        end = run(self._words, limit_s, self._ended)
        if end.status != 0:
            raise DeviceError(f"{self._text}: {end.how}")

    def stop(self) -> None:
        """As the way of stopping a host. Raises: as run."""
        self.run()

    def start(self) -> None:
        """As the way of starting a host. Raises: as run."""
        self.run()

    def test_start(self) -> None:
        """As test. Raises: DeviceError."""
        self.test()

    def test(self) -> None:
        """See that it could be run. Raises: DeviceError."""
        program = self._words[0]
        if not os.path.isfile(program):
            raise DeviceError(f"{program}: no such program")
        if not os.access(program, os.X_OK):
            raise DeviceError(f"{program}: not executable")
