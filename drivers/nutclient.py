"""A small client of NUT's upsd. Source: RFC 9271, and NUT's docs/net-protocol.txt.

Each exchange has a connection of its own, so that nothing is left over from one that went wrong.
What upsd says of a driver that it does not hear is told apart, since what helps differs: the
texts of these errors begin with the word that the panel shows.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path

from controller.core.parts import BadReply, DeviceError, DeviceTimeout, DeviceUnreachable
from drivers.nutwords import quoted, read_password, split

PORT = 3493

_CONNECT_S = 2.0
_EXCHANGE_S = 3.0  # a guess: a local upsd answers within milliseconds
_LINE_BYTES = 4096  # far above what upsd writes on one line
_VARIABLES = 2000  # the largest UPS in NUT's collection of dumps has some 300
_SESSIONS = 10_000
_CHUNK_BYTES = 65536
_DENIED = {
    "ACCESS-DENIED",
    "INVALID-USERNAME",
    "INVALID-PASSWORD",
    "USERNAME-REQUIRED",
    "PASSWORD-REQUIRED",
}


class DataStale(DeviceTimeout):
    """The driver is there and has not heard the UPS for longer than upsd's MAXAGE."""


class DriverNotConnected(DeviceUnreachable):
    """upsd is there and the UPS's driver is not."""


class UnknownUps(DeviceUnreachable):
    """upsd has no UPS of this name."""


class AccessDenied(DeviceError, PermissionError):
    """upsd does not let this user do it, or does not know the password."""


class NutClient:
    """One upsd. The password file is read at each exchange, so a mended one is taken up."""

    def __init__(
        self, host: str, port: int = PORT, user: str = "", password_file: str | None = None
    ) -> None:
        self._address = (host, port)
        self._name = f"upsd {host}:{port}"
        self._user = user
        self._password_file = password_file

    def variables(self, ups: str) -> dict[str, str]:
        """Return all variables of a UPS. Raises: DeviceError."""
        with self._connected() as line:
            self._expect(line.ask(f"LIST VAR {quoted(ups)}"), ups, "BEGIN", "LIST", "VAR", ups)
            found: dict[str, str] = {}
            for _ in range(_VARIABLES):
                answer = line.next()
                match split(answer):
                    case ["VAR", of, name, value] if of == ups:
                        found[name] = value
                    case ["END", "LIST", "VAR", of] if of == ups:
                        return found
                    case _:
                        raise self._fault(answer, ups)
        raise BadReply(f"{self._name}: a list without an end")

    def variable(self, ups: str, name: str) -> str:
        """Return one variable. Raises: DeviceError."""
        with self._connected() as line:
            answer = line.ask(f"GET VAR {quoted(ups)} {quoted(name)}")
            (value,) = self._expect(answer, ups, "VAR", ups, name, more=1)
            return value

    def sessions(self, ups: str) -> int:
        """Return how many clients are logged in to a UPS: upsmons, but not we.

        Raises: DeviceError.
        """
        with self._connected() as line:
            answer = line.ask(f"GET NUMLOGINS {quoted(ups)}")
            (count,) = self._expect(answer, ups, "NUMLOGINS", ups, more=1)
            if not (count.isascii() and count.isdecimal() and int(count[:9]) <= _SESSIONS):
                raise self._fault(answer, ups)
            return int(count)

    def clients(self, ups: str) -> list[str]:
        """Return the addresses of the clients that are logged in to a UPS. Raises: DeviceError."""
        with self._connected() as line:
            begin = line.ask(f"LIST CLIENT {quoted(ups)}")
            self._expect(begin, ups, "BEGIN", "LIST", "CLIENT", ups)
            found: list[str] = []
            for _ in range(_SESSIONS):
                answer = line.next()
                match split(answer):
                    case ["CLIENT", of, address] if of == ups:
                        found.append(address)
                    case ["END", "LIST", "CLIENT", of] if of == ups:
                        return found
                    case _:
                        raise self._fault(answer, ups)
        raise BadReply(f"{self._name}: a list without an end")

    def set_variable(self, ups: str, name: str, value: str) -> None:
        """Hand a value to the driver; only reading it back shows that it was taken.

        Raises: AccessDenied, or another DeviceError.
        """
        self._as_user(f"SET VAR {quoted(ups)} {quoted(name)} {quoted(value)}", ups)

    def command(self, ups: str, command: str) -> None:
        """Hand an instant command to the driver. Raises: AccessDenied, or another DeviceError."""
        self._as_user(f"INSTCMD {quoted(ups)} {quoted(command)}", ups)

    def may_set(self, ups: str) -> None:
        """Try whether the user may set variables, and change nothing.

        upsd looks at the user before it looks for the variable. Raises: AccessDenied, or another
        DeviceError.
        """
        try:
            self.set_variable(ups, "roomwarden.no-such-variable", "")
        except Refused as error:
            if error.word != "VAR-NOT-SUPPORTED":
                raise
        else:
            raise BadReply(f"{self._name}: it set a variable that is not there")

    def _as_user(self, request: str, ups: str) -> None:
        if not self._user:
            raise AccessDenied(f"{self._name}: no user is configured to do this")
        password = self._password()
        with self._connected() as line:
            self._expect(line.ask(f"USERNAME {quoted(self._user)}"), ups, "OK")
            if password is not None:
                self._expect(line.ask(f"PASSWORD {quoted(password)}"), ups, "OK")
            # With tracking enabled, "OK TRACKING" and a number; its outcome is read back instead.
            answer = line.ask(request)
            if split(answer)[:1] != ["OK"]:
                raise self._fault(answer, ups)

    def _connected(self) -> _Line:
        try:
            return _Line(socket.create_connection(self._address, _CONNECT_S), self._name)
        except TimeoutError as error:
            raise DeviceTimeout(f"{self._name}: no answer") from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that is none
            raise DeviceUnreachable(f"{self._name}: {error}") from error

    def _expect(self, answer: str, ups: str, *head: str, more: int = 0) -> list[str]:
        """Return the `more` words of an answer after its `head`, or raise what it says instead."""
        found = split(answer)
        if found[: len(head)] != list(head) or len(found) != len(head) + more:
            raise self._fault(answer, ups)
        return found[len(head) :]

    def _fault(self, answer: str, ups: str) -> DeviceError:
        match split(answer):
            case ["ERR", "DATA-STALE", *_]:
                return DataStale(f"stale: {self._name} has no fresh data of {ups}")
            case ["ERR", "DRIVER-NOT-CONNECTED", *_]:
                return DriverNotConnected(f"disconnected: {self._name} has no driver for {ups}")
            case ["ERR", "UNKNOWN-UPS", *_]:
                return UnknownUps(f"{self._name} knows no UPS named {ups}")
            case ["ERR", word, *_] if word in _DENIED:
                return AccessDenied(f"{self._name} denies this to {self._user or 'us'} ({word})")
            case ["ERR", word, *_]:
                return Refused(self._name, ups, word)
        return BadReply(f"{self._name}: {answer[:80]!r} is no answer to this")

    def _password(self) -> str | None:
        if self._password_file is None:
            return None
        try:
            return read_password(Path(self._password_file))
        except ValueError as error:
            raise DeviceError(f"{self._name}: {error}") from error


class Refused(DeviceError):
    """upsd, or the driver behind it, does not do this; `word` is upsd's own for why."""

    def __init__(self, name: str, ups: str, word: str) -> None:
        super().__init__(f"{name} refuses this for {ups} ({word[:40]})")
        self.word = word


class _Line:
    """A connection, and the time that the exchange on it may take."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._connection = connection
        self._name = name
        self._until_s = time.monotonic() + _EXCHANGE_S
        self._received = b""

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, request: str) -> str:
        """Send one line and return the next. Raises: as `next`."""
        try:
            self._wait()
            self._connection.sendall(f"{request}\n".encode())
        except TimeoutError as error:
            raise DeviceTimeout(f"{self._name}: no answer") from error
        except OSError as error:
            raise DeviceUnreachable(f"{self._name}: {error}") from error
        return self.next()

    def next(self) -> str:
        """Return the next line, however it is cut into packets, within the time.

        Raises: DeviceTimeout, DeviceUnreachable, BadReply.
        """
        try:
            while b"\n" not in self._received:
                if len(self._received) > _LINE_BYTES:
                    raise BadReply(f"{self._name}: a line without an end")
                self._wait()
                chunk = self._connection.recv(_CHUNK_BYTES)
                if not chunk:
                    raise DeviceUnreachable(f"{self._name}: the connection was dropped")
                self._received += chunk
        except DeviceError:
            raise
        except TimeoutError as error:
            raise DeviceTimeout(f"{self._name}: no answer") from error
        except OSError as error:
            raise DeviceUnreachable(f"{self._name}: {error}") from error
        line, _, self._received = self._received.partition(b"\n")
        # What a UPS says of itself is in any encoding.
        return line.decode("utf-8", "replace")

    def _wait(self) -> None:
        left_s = self._until_s - time.monotonic()
        if left_s <= 0.0:
            raise TimeoutError
        self._connection.settimeout(left_s)
