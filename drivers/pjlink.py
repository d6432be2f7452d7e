"""A projector that speaks PJLink class 1 over TCP. Source: PJLink specification 1.04, JBMIA.

The projector greets with `PJLINK 0`, or with `PJLINK 1 <random>` when it wants a password: then
the first command is led by md5(random + password) in hexadecimal. That hides the password and
nothing else. Each exchange has a connection of its own, since projectors close idle ones.
"""

from __future__ import annotations

import hashlib
import socket
import time
from pathlib import Path

from controller.core.partconfig import ProjectorConfig
from controller.core.parts import BadReply, Board, DeviceError, DeviceTimeout, DeviceUnreachable

TABLE = "projector"

_PORT = 4352
_CONNECT_S = 2.0
_REPLY_S = 5.0  # the longest the specification gives a projector for an answer
_LINE_BYTES = 256  # a class 1 line has 136 at most
_POWER = {"0": "standby", "1": "on", "2": "cooling", "3": "warm-up"}
_COMMANDS = {"on": "1", "off": "0"}
_ERRORS = {
    "ERR1": "does not know the command",
    "ERR2": "does not allow this parameter",
    "ERR3": "is unavailable now: it is busy, or in standby",
    "ERR4": "reports a failure of its own",
}


class Config(ProjectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`address` is "host:port" or "host" alone (port 4352)."""

    address: str
    password_file: str | None = None

    def __post_init__(self) -> None:
        host_and_port(self.address)


def host_and_port(address: str) -> tuple[str, int]:
    """Read "host", "host:port" or "[v6]:port". Raises: ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or (address.startswith("[") and address.endswith("]")):
        host, port = address, str(_PORT)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f'address: "host:port" with a port from 1 to 65535, not "{address}"')
    return host, int(port)


class PjLink:
    """One projector. The password file is read at each exchange, so a mended one is taken up."""

    period_s = 2.0

    def __init__(self, address: str, password_file: str | None = None) -> None:
        self._address = host_and_port(address)
        self._name = f"projector {address}"
        self._password_file = password_file

    def read(self) -> str:
        """Return "standby", "warm-up", "on" or "cooling".

        Raises: DeviceTimeout, DeviceUnreachable, BadReply, or DeviceError when the projector
        refuses.
        """
        parameter = self._exchange("POWR", "?")
        if parameter not in _POWER:
            raise BadReply(f"{self._name}: unknown power state {parameter!r}")
        return _POWER[parameter]

    def send(self, command: str) -> None:
        """Send "on" or "off"; return once the projector has acknowledged it. Raises: as read."""
        parameter = self._exchange("POWR", _COMMANDS[command])
        if parameter != "OK":
            raise BadReply(f"{self._name}: {parameter!r} in place of an acknowledgement")

    def close(self) -> None:
        """Nothing is held between exchanges."""

    def _exchange(self, body: str, parameter: str) -> str:
        """Connect, send one command and return the parameter of the reply."""
        try:
            password = self._password()
            with socket.create_connection(self._address, _CONNECT_S) as line:
                digest = self._digest(self._receive(line), password)
                line.settimeout(_REPLY_S)
                line.sendall(f"{digest}%1{body} {parameter}\r".encode("ascii"))
                reply = self._receive(line)
        except TimeoutError as error:
            raise DeviceTimeout(f"{self._name}: no answer") from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that is none
            raise DeviceUnreachable(f"{self._name}: {error}") from error
        return self._parameter(reply, body)

    def _digest(self, greeting: str, password: str | None) -> str:
        """Return what must lead the first command."""
        match greeting.split(" "):
            case ["PJLINK", "0"]:
                return ""
            case ["PJLINK", "1", random] if random:
                if password is None:
                    raise DeviceError(f"{self._name} asks for a password: set password_file")
                return hashlib.md5(
                    (random + password).encode("utf-8"), usedforsecurity=False
                ).hexdigest()
        raise self._fault(greeting)

    def _parameter(self, reply: str, body: str) -> str:
        head, equals, parameter = reply.partition("=")
        if not equals or head.upper() != f"%1{body}":
            raise self._fault(reply)
        if parameter in _ERRORS:
            raise DeviceError(f"{self._name} {_ERRORS[parameter]} ({parameter})")
        return parameter

    def _fault(self, line: str) -> DeviceError:
        if line.upper() == "PJLINK ERRA":
            return DeviceError(f"{self._name} refuses the password")
        return BadReply(f"{self._name}: {line[:80]!r} is not PJLink class 1")

    def _receive(self, line: socket.socket) -> str:
        """Return one line without its CR, however it is cut into packets, within the time."""
        until_s = time.monotonic() + _REPLY_S
        received = b""
        while b"\r" not in received:
            if len(received) > _LINE_BYTES:
                raise BadReply(f"{self._name}: a line without an end")
            left_s = until_s - time.monotonic()
            if left_s <= 0.0:
                raise TimeoutError
            line.settimeout(left_s)
            chunk = line.recv(_LINE_BYTES)
            if not chunk:
                raise ConnectionError("the connection was dropped")
            received += chunk
        return received.partition(b"\r")[0].strip().decode("ascii", "backslashreplace")

    def _password(self) -> str | None:
        if self._password_file is None:
            return None
        try:
            return Path(self._password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise DeviceError(f"{self._name}: password_file: {error}") from error


def open_device(config: Config, board: Board) -> PjLink:
    """Touch nothing yet: a projector that is not there is a fault of its readings."""
    return PjLink(config.address, config.password_file)
