"""A UPS behind NUT's upsd: over USB, SNMP, or whatever else NUT has a driver for.

upsd does not serve values that its driver has not renewed for 15 s (MAXAGE); a driver that is
stuck like this, as happens over USB when the mains fails (NUT's issues 2742 and 2925), may be
restarted by a command of the site's.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import date
from urllib.parse import urlsplit

from controller.core.partconfig import UpsConfig
from controller.core.parts import Board, DeviceError
from drivers.hosts.command import Command
from drivers.nutclient import PORT, NutClient
from drivers.nutstatus import normal_form

TABLE = "ups"

_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_UPS = re.compile(r"/([A-Za-z0-9_][A-Za-z0-9._-]*)")


class Config(UpsConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A UPS that NUT's upsd serves.

    * `address`: `nut://[user@]host[:3493]/ups`, as `upsc -l host` lists it. Reading needs no
      user; switching the UPS off needs one with `instcmds = shutdown.return` in upsd.users.
    * `password_file`: the password of that user.
    * `restart`: what restarts the UPS's driver when it is stuck, such as
      `command:/usr/bin/systemctl restart nut-driver@ups`.
    """

    address: str
    password_file: str | None = None
    restart: str | None = None

    def __post_init__(self) -> None:
        read_address(self.address)
        if self.restart is not None:
            _restart(self.restart, threading.Event())


def read_address(address: str) -> tuple[str, int, str, str]:
    """Read "nut://[user@]host[:port]/ups": host, port, user ("" for none), UPS. Raises:
    ValueError."""
    try:
        url = urlsplit(address)
        port = PORT if url.port is None else url.port
    except ValueError:
        url, port = urlsplit(""), 0
    user, ups = url.username or "", _UPS.fullmatch(url.path)
    if (
        url.scheme != "nut"
        or not address.isprintable()
        or not url.hostname
        or port == 0
        or url.password is not None
        or url.query
        or url.fragment
        or ups is None
        or (user and not _USER.fullmatch(user))
    ):
        raise ValueError(f'address: "nut://[user@]host[:{PORT}]/ups"')  # it may hold a password
    return url.hostname, port, user, ups[1]


class NutUps:
    """One UPS of one upsd."""

    def __init__(self, config: Config) -> None:
        host, port, user, self._ups = read_address(config.address)
        self.period_s = float(config.period)
        self._client = NutClient(host, port, user, config.password_file)
        self._ended = threading.Event()
        restart = config.restart
        self._restart = None if restart is None else _restart(restart, self._ended)

    def read(self) -> Mapping[str, bool | float | str | None]:
        """Return the normal form; see `parts.Ups`.

        Raises: DataStale, DriverNotConnected, or another DeviceError.
        """
        return normal_form(self._client.variables(self._ups), date.today())

    def send(self, command: str) -> None:
        """Carry out "off" (the UPS switches its output off, and on again once the mains is
        there) or "restart-driver", which may take a minute. Raises: DeviceError."""
        match command:
            case "off":
                self._client.command(self._ups, "shutdown.return")
            case "restart-driver":
                if self._restart is None:
                    raise DeviceError(f"nothing restarts the driver of {self._ups}: set restart")
                self._restart.run()
            case _:
                raise DeviceError(f"a UPS knows no {command!r}")

    def close(self) -> None:
        """End a restart that is under way."""
        self._ended.set()


def _restart(text: str, ended: threading.Event) -> Command:
    """Read "command:/path word ..". Raises: ValueError."""
    try:
        if not (text.startswith("command:/") and text.isprintable()):
            raise ValueError("another form")
        return Command(text, ended)
    except ValueError as error:
        raise ValueError(f'restart: "command:/path word ..", not "{text}"') from error


def open_device(config: Config, board: Board) -> NutUps:
    """Touch nothing yet: a UPS that is not there is a fault of its readings."""
    return NutUps(config)
