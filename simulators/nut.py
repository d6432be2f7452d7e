"""The upsd of a simulated room: what it answers on one connection, without its socket.

Source: RFC 9271, and NUT's docs/net-protocol.txt. It serves simulated UPSes, and the virtual UPS
of each host that runs upsmon.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

STATUS = "ups.status"
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


class Device(Protocol):
    """One UPS of an upsd."""

    user: str | None
    """Who may set and command; None: anybody."""
    password: str | None

    def variables(self) -> Mapping[str, str]: ...

    def clients(self) -> Iterable[str]:
        """The addresses of the upsmons that are logged in."""
        ...

    def set(self, name: str, value: str) -> bool:
        """Take a variable; return whether it may be set."""
        ...

    def command(self, name: str) -> bool:
        """Carry out an instant command; return whether there is such a one."""
        ...


class Virtual(msgspec.Struct):
    """The virtual UPS of a host, as dummy-ups keeps it."""

    user: str | None
    password: str | None
    read: Callable[[], str]
    write: Callable[[str], None]
    listens: Callable[[], bool]

    def variables(self) -> Mapping[str, str]:
        return {"device.type": "ups", STATUS: self.read()}

    def clients(self) -> Iterable[str]:
        return ["127.0.0.1"] if self.listens() else []

    def set(self, name: str, value: str) -> bool:
        if name == STATUS:
            self.write(value)
        return name == STATUS

    def command(self, _name: str) -> bool:
        return False


class Metered(msgspec.Struct):
    """A UPS behind a driver."""

    user: str | None
    password: str | None
    read: Callable[[], Mapping[str, str]]
    switch_off: Callable[[], None]

    def variables(self) -> Mapping[str, str]:
        return self.read()

    def clients(self) -> Iterable[str]:
        return []

    def set(self, _name: str, _value: str) -> bool:
        return False

    def command(self, name: str) -> bool:
        if name == "shutdown.return":
            self.switch_off()
        return name == "shutdown.return"


class NutConversation:
    """One connection: an answer to each line. `is_over` once the other side logged out."""

    def __init__(self, devices: Mapping[str, Device]) -> None:
        self.is_over = False
        self._devices = devices
        self._user: str | None = None
        self._password: str | None = None

    def answer(self, line: str) -> list[str]:
        """Return the lines that answer one line."""
        match words(line):
            case ["USERNAME", user]:
                self._user = user
                return ["OK"]
            case ["PASSWORD", password]:
                self._password = password
                return ["OK"]
            case ["LOGOUT"]:
                self.is_over = True
                return ["OK Goodbye"]
            case ["VER"]:
                return ["Roomwarden simulated upsd"]
            case ["LIST", "UPS"]:
                return _list("UPS", [f'UPS {name} "simulated"' for name in self._devices])
            case ["STARTTLS"]:
                return ["ERR FEATURE-NOT-CONFIGURED"]
            case ["LIST" | "GET" | "SET", _, name, *_] | ["INSTCMD" | "LOGIN", name, *_] as asked:
                device = self._devices.get(name)
                return ["ERR UNKNOWN-UPS"] if device is None else self._about(asked, name, device)
        return ["ERR UNKNOWN-COMMAND"]

    def _about(self, asked: list[str], name: str, device: Device) -> list[str]:
        match asked:
            case ["LIST", "VAR", _]:
                found = device.variables()
                return _list(
                    f"VAR {name}", [f"VAR {name} {key} {quoted(found[key])}" for key in found]
                )
            case ["LIST", "CLIENT", _]:
                clients = [f"CLIENT {name} {address}" for address in device.clients()]
                return _list(f"CLIENT {name}", clients)
            case ["GET", "VAR", _, key]:
                value = device.variables().get(key)
                if value is None:
                    return ["ERR VAR-NOT-SUPPORTED"]
                return [f"VAR {name} {key} {quoted(value)}"]
            case ["GET", "NUMLOGINS", _]:
                return [f"NUMLOGINS {name} {len(list(device.clients()))}"]
            case ["SET", "VAR", _, key, value]:
                taken = lambda: device.set(key, value)  # noqa: E731
                return [self._denial(device) or _done(taken, "VAR-NOT-SUPPORTED")]
            case ["INSTCMD", _, command]:
                taken = lambda: device.command(command)  # noqa: E731
                return [self._denial(device) or _done(taken, "CMD-NOT-SUPPORTED")]
            case ["LOGIN", _]:
                return ["OK"]
        return ["ERR INVALID-ARGUMENT"]

    def _denial(self, device: Device) -> str | None:
        if device.user is None:
            return None
        if self._user is None:
            return "ERR USERNAME-REQUIRED"
        if self._password is None and device.password is not None:
            return "ERR PASSWORD-REQUIRED"
        known = self._user == device.user and device.password in (None, self._password)
        return None if known else "ERR ACCESS-DENIED"


def words(line: str) -> list[str]:
    """Split a line; a quoted word may hold spaces, and a backslash quotes what follows it."""
    pairs = [(found[1], found[2]) for found in _WORD.finditer(line)]
    return [plain if quote is None else re.sub(r"\\(.)", r"\1", quote) for quote, plain in pairs]


def quoted(value: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _list(of: str, lines: list[str]) -> list[str]:
    return [f"BEGIN LIST {of}", *lines, f"END LIST {of}"]


def _done(take: Callable[[], bool], otherwise: str) -> str:
    return "OK" if take() else f"ERR {otherwise}"
