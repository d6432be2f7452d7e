"""The PJLink side of a simulated projector: what it answers, without its socket.

Source: PJLink specification, class 1 (JBMIA). A command is `%1`, four letters, a space, a
parameter and CR; the answer repeats the letters with `=`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from simulators.projector import Power, Projector

_UNDEFINED = "ERR1"
_BAD_PARAMETER = "ERR2"
_UNAVAILABLE = "ERR3"

_POWER = {Power.STANDBY: "0", Power.ON: "1", Power.COOLING: "2", Power.WARM_UP: "3"}
_ANSWERS = {
    "CLSS": "1",
    "INF1": "Roomwarden",
    "INF2": "Simulated projector",
    "INFO": "no light comes out of it",
    "ERST": "000000",
    "INST": "11 31",
}
_ONLY_WHEN_ON = {"INPT": "31", "AVMT": "30"}
_DIGEST_LENGTH = 32


class Conversation:
    """One connection: its greeting, then an answer to each line.

    `switch` asks the projector for on or off and returns whether it took it; `salt` is what a
    password is mixed with, eight hexadecimal digits. `is_over` once the other side proved not
    to know the password.
    """

    def __init__(
        self,
        projector: Projector,
        name: str,
        switch: Callable[[bool], bool],
        *,
        password: str | None = None,
        salt: str = "",
        busy: bool = False,
    ) -> None:
        self.is_over = False
        self.greeting = b"PJLINK 0\r" if password is None else f"PJLINK 1 {salt}\r".encode()
        self._projector = projector
        self._name = name
        self._switch = switch
        self._busy = busy
        self._digest: bytes | None = None
        if password is not None:
            # MD5 is what the protocol prescribes.
            mixed = hashlib.md5((salt + password).encode(), usedforsecurity=False)
            self._digest = mixed.hexdigest().encode()

    def answer(self, line: bytes) -> bytes:
        """Return the answer to one command, empty where a projector says nothing."""
        if self._digest is not None:
            given, line = line[:_DIGEST_LENGTH], line[_DIGEST_LENGTH:]
            if given.lower() != self._digest:
                self.is_over = True
                return b"PJLINK ERRA\r"
            self._digest = None  # asked for once in a connection
        if len(line) < 8 or line[:2] != b"%1" or line[6:7] != b" ":
            return b""
        command = line[2:6].decode("ascii", "replace").upper()
        parameter = line[7:].decode("ascii", "replace")
        return f"%1{command}={self._answer(command, parameter)}\r".encode()

    def _answer(self, command: str, parameter: str) -> str:
        if command == "POWR":
            return self._power(parameter)
        if command in _ONLY_WHEN_ON:
            if self._projector.power is not Power.ON:
                return _UNAVAILABLE
            return _ONLY_WHEN_ON[command] if parameter == "?" else "OK"
        if command == "LAMP":
            answer = f"1200 {int(self._projector.is_lit)}"
        elif command == "NAME":
            answer = self._name
        elif command in _ANSWERS:
            answer = _ANSWERS[command]
        else:
            return _UNDEFINED
        return answer if parameter == "?" else _BAD_PARAMETER

    def _power(self, parameter: str) -> str:
        if parameter not in ("?", "0", "1"):
            return _BAD_PARAMETER
        if self._busy:
            return _UNAVAILABLE
        if parameter == "?":
            return _POWER.get(self._projector.power, _UNAVAILABLE)
        return "OK" if self._switch(parameter == "1") else _UNAVAILABLE
