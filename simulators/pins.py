"""The header pins of a simulated board: gpiozero's mock pins, mirrored from the world.

An input pin shows the level that the world gives its wire, and a change runs its callbacks on
the one thread that reads the world's socket, as lgpio's one thread does on a Pi. A change of an
output pin is sent to the world on the thread that makes it. When the world dies the pins keep
their levels; when another one answers it is told of every line that is claimed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Any

from gpiozero import PinFixedPull, PinInvalidPull, PinSetInput
from gpiozero.pins.mock import MockFactory, MockPin

log = logging.getLogger(__name__)

_BOARD = "a02082"  # a Pi 3 B; every board with 40 pins has the same BCM numbers
_TIMEOUT_S = 2.0
_BACK_OFF_S = (0.05, 1.0)
_LINE_LIMIT = 65_536


class WorldPin(MockPin):  # type: ignore[misc]  # gpiozero is not typed
    """One pin; `factory` knows the level of its wire."""

    def output_with_state(self, state: bool) -> None:
        """Claim the line as an output together with its level: no blip."""
        self._pull = self.info.pull or "floating"
        self._function = "output"
        self._state = bool(state)
        self.factory.drive(self._number, self._state)

    def follow(self) -> bool:
        """Take the wire's level, or the pull's where nothing is wired; return if it changed."""
        if self._function != "input":
            return False
        level = self.factory.level(self._number)
        return self._change_state(self._pull == "up" if level is None else level)

    def call_when_changed(self) -> None:
        """Run the callback of an edge; nothing that goes wrong in it may end the reader."""
        try:
            if self._when_changed is not None:
                self._call_when_changed()
        except Exception:
            log.exception("an edge of GPIO %s could not be handled", self._number)

    def _set_function(self, value: str) -> None:
        if value == "output":
            self.output_with_state(self.factory.line(self._number))
        else:
            super()._set_function(value)

    def _set_pull(self, value: str) -> None:
        if value not in ("floating", "up", "down"):
            raise PinInvalidPull("pull must be floating, up, or down")
        if self._function != "input" or self.info.pull not in ("", None, value):
            raise PinFixedPull(f"{self!r} cannot be pulled {value}")
        with self.factory.lock:
            self._pull = value
            self.follow()

    def _set_state(self, value: bool) -> None:
        if self._function != "output":
            raise PinSetInput(f"cannot set state of pin {self!r}")
        if self._change_state(bool(value)):
            self.factory.drive(self._number, self._state)

    def _change_state(self, value: bool) -> bool:
        # Not MockPin's own: it keeps every change for ever.
        if self._state is value:
            return False
        self._state = value
        self._last_change = time.monotonic()
        return True

    def clear_states(self) -> None:
        self._last_change = time.monotonic()


class WorldPins(MockFactory):  # type: ignore[misc]  # gpiozero is not typed
    """Connects at once, so that whoever claims a pin sees its wire's true level.

    Raises: ConnectionError when no world answers within `wait_s`.
    """

    def __init__(self, socket_path: Path, wait_s: float = 5.0) -> None:
        super().__init__(revision=_BOARD, pin_class=WorldPin)
        self.lock = threading.RLock()
        """Held while pins take their levels; never while callbacks run."""
        self.synchronised = True
        """Whether the simulated room's clock counts as synchronised."""
        self.wake: tuple[str, int] | None = None
        """Where the simulated network takes magic packets; None where no host is woken so."""
        self._path = socket_path
        self._levels: dict[int, bool] = {}
        self._lines: dict[int, bool] = {}
        self._sending = threading.Lock()
        self._sock: socket.socket | None = None
        self._stop = threading.Event()
        first = self._connect(wait_s)
        if first is None:
            raise ConnectionError(f"no simulated world answers on {socket_path}")
        self._reader = threading.Thread(
            target=self._read, args=(first,), name="world-pins", daemon=True
        )
        self._reader.start()

    @property
    def connected(self) -> bool:
        """Whether the pins show the world as it is now."""
        return self._sock is not None

    def pin(self, name: int | str) -> WorldPin:
        """Return a pin of the header by any of its names."""
        with self.lock:
            pin: WorldPin = super().pin(name)
        return pin

    def line(self, pin: int) -> bool:
        """Return the level that an output line was last given, low before the first."""
        return self._lines.get(pin, False)

    def level(self, pin: int) -> bool | None:
        """Return the level of the wire on `pin`, None where the world has none."""
        return self._levels.get(pin)

    def drive(self, pin: int, high: bool) -> None:
        """Give an output line its level. Without a world it is kept and sent to the next one."""
        with self._sending:
            self._lines[pin] = high
            if self._sock is not None:
                self._send(self._sock, {str(pin): high})

    def close(self) -> None:
        """Let go of the world; the lines keep their levels there, as on a Pi."""
        if self._stop.is_set():
            return
        self._stop.set()
        with self._sending:
            if self._sock is not None:
                with contextlib.suppress(OSError):
                    self._sock.shutdown(socket.SHUT_RDWR)
        if self._reader is not threading.current_thread():
            self._reader.join(_TIMEOUT_S)
        super().close()

    def _send(self, sock: socket.socket, lines: dict[str, bool]) -> None:
        """Send without ever waiting: whoever drives a relay has no time for a stuck world."""
        message = json.dumps({"lines": lines}).encode() + b"\n"
        try:
            if sock.send(message, socket.MSG_DONTWAIT) == len(message):
                return
        except OSError:
            pass
        # The reader finds the end of the connection, and the next one is told everything.
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def _connect(self, wait_s: float) -> tuple[socket.socket, bytearray] | None:
        """Return a connection that has told all levels, and what it said beyond them."""
        until_s = time.monotonic() + wait_s
        pause_s = _BACK_OFF_S[0]
        while not self._stop.is_set():
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            received = bytearray()
            try:
                sock.settimeout(_TIMEOUT_S)
                sock.connect(str(self._path))
                sock.sendall(b'{"client":"pins"}\n')
                while b"\n" not in received:
                    chunk = sock.recv(4096)
                    if not chunk or len(received) > _LINE_LIMIT:
                        raise ConnectionError("no levels came")
                    received += chunk
                self._take_lines(received)
            except (OSError, ValueError):
                sock.close()
            else:
                sock.settimeout(None)
                with self._sending:
                    self._sock = sock
                    if self._lines:
                        self._send(sock, {str(pin): high for pin, high in self._lines.items()})
                return sock, received
            if time.monotonic() + pause_s > until_s:
                return None
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, _BACK_OFF_S[1])
        return None

    def _read(self, connection: tuple[socket.socket, bytearray] | None) -> None:
        """The reader's outermost function."""
        while connection is not None:
            try:
                if not self._stop.is_set():
                    self._follow(*connection)
            except Exception:
                log.exception("the simulated world says what cannot be understood")
            with self._sending:
                self._sock = None
                connection[0].close()
            if self._stop.is_set():
                return
            log.warning("the simulated world is gone; the pins keep their levels")
            connection = self._connect(float("inf"))
            if connection is not None:
                log.info("the simulated world is back")

    def _follow(self, sock: socket.socket, received: bytearray) -> None:
        """Show what the world says until it says no more."""
        while len(received) <= _LINE_LIMIT:
            try:
                chunk = sock.recv(4096)
            except OSError:
                return
            if not chunk:
                return
            received += chunk
            self._take_lines(received)

    def _take_lines(self, received: bytearray) -> None:
        """Take the whole lines out of `received`."""
        while (end := received.find(b"\n")) >= 0:
            message = json.loads(received[:end])
            del received[: end + 1]
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        self.synchronised = message.get("synchronised", self.synchronised)
        if "wake" in message:
            host, port = message["wake"]
            self.wake = (host, port)
        if "pin" in message:
            levels = {message["pin"]: message["high"]}
        else:
            levels = {int(pin): high for pin, high in message.get("pins", {}).items()}
        with self.lock:
            self._levels |= levels
            changed = [pin for pin in self.pins.values() if pin._number in levels and pin.follow()]
        for pin in changed:
            pin.call_when_changed()
