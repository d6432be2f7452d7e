"""Stopping a host that runs NUT's upsmon: one virtual UPS per host under our own upsd.

The virtual UPS is NUT's dummy-ups driver with `mode = dummy-once`; it is named like its host, and
the host's upsmon is its secondary. Its status is `OL` until the decision and `FSD OB LB` from
then, never a plain `OB`: of a UPS that was on battery when upsd fell silent, upsmon assumes the
worst and shuts its host down, so that our own death would take every host with it.

The driver takes a status a moment after upsd has said OK, dies of a new one when upsd was
restarted under it (NUT 2.8.0; its service brings it back, with `OL`), and forgets it when it is
restarted itself. So each status is read back, and set again until it is there.
"""

from __future__ import annotations

import threading
import time

from controller.core.parts import DeviceError
from drivers.nutclient import AccessDenied, DriverNotConnected, NutClient, UnknownUps

RUNNING = "OL"
SHUT_DOWN = "FSD OB LB"

_STATUS = "ups.status"
_SETTLE_S = 20.0  # the service restarts a driver after 1 s, which then needs some 2 s
_READ_BACK_S = 2.0  # measured: 0.1 s
_PAUSE_S = 0.1


class VirtualUps:
    """The virtual UPS of one host."""

    def __init__(self, host: str, upsd: tuple[str, int, str, str], ended: threading.Event) -> None:
        """`upsd`: host, port, user, password file of our own upsd. `ended` ends what waits."""
        self._host = host
        self._ended = ended
        address, port, user, password_file = upsd
        self._client = NutClient(address, port, user, password_file)

    def stop(self) -> None:
        """Tell the host's upsmon to shut it down; return once it can see it.

        Raises: DeviceError.
        """
        self._set(SHUT_DOWN)

    def clear(self) -> None:
        """Take the shutdown back, so that the host, once started, does not shut down again.

        It is set even where it already reads so: a driver that hangs may yet take the shutdown.
        Raises: DeviceError.
        """
        self._set(RUNNING)

    def test(self) -> None:
        """See whether the host could be told, and would hear it. Raises: DeviceError."""
        self.test_signal()
        if not self.is_logged_in():
            raise DeviceError(f"no upsmon has a session for the virtual UPS {self._host}")

    def test_signal(self) -> None:
        """See whether the signal can be given and taken back. Raises: DeviceError."""
        status = self._client.variable(self._host, _STATUS)
        if status not in (RUNNING, SHUT_DOWN):
            raise DeviceError(f"the virtual UPS {self._host} has an odd status: {status!r}")
        self._client.may_set(self._host)

    def is_logged_in(self) -> bool:
        """Return whether a upsmon has a session for this host's UPS; upsd forgets one that is
        silent for a minute. Raises: DeviceError."""
        return self._client.sessions(self._host) > 0

    def _set(self, status: str) -> None:
        until_s = time.monotonic() + _SETTLE_S
        while True:
            try:
                self._client.set_variable(self._host, _STATUS, status)
                self._read_back(status)
                return
            except (AccessDenied, UnknownUps):  # which no waiting mends
                raise
            except DeviceError:
                if time.monotonic() >= until_s or self._ended.wait(_PAUSE_S):
                    raise

    def _read_back(self, status: str) -> None:
        until_s = time.monotonic() + _READ_BACK_S
        while (found := self._client.variable(self._host, _STATUS)) != status:
            if time.monotonic() >= until_s or self._ended.wait(_PAUSE_S):
                raise DriverNotConnected(
                    f"disconnected: virtual UPS {self._host} says {found!r}, not {status!r}"
                )
