"""What the controller expects of a driver, and how a driver says that it failed.

A driver is one module, `drivers/<kind>.py`, with

* `TABLE`: which table of the room file it serves ("input", "output", "projector", "ups");
* `Config`: a frozen struct with the keys of that kind (see `controller.config.schema`);
* `open_device(config, board)`: builds the device on the real part; vendor libraries are
  imported there and nowhere else.

It gives plain numbers in physical units, or raises a `DeviceError`. It knows nothing of
rules, topics or tables. The poller alone makes readings of what it gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import msgspec


class DeviceError(Exception):
    """A part did not do what it was asked."""


class DeviceTimeout(DeviceError, TimeoutError):
    """The part is silent."""


class DeviceUnreachable(DeviceError, ConnectionError):
    """The way to the part is down: no such device, connection refused, line busy."""


class BadReply(DeviceError, ValueError):
    """The part's answer cannot be right: checksum, length, an impossible value."""


class Quantity(msgspec.Struct, frozen=True):
    """One thing a sensor measures.

    `key` ends in its unit (`temperature_c`); the point is named by the part before it. `low` and
    `high` are the part's own range: what lies outside is not a measurement. `step` is its
    resolution, and the deadband of storing it.
    """

    key: str
    low: float
    high: float
    step: float


class Board(Protocol):
    """The board that the drivers stand on, real or simulated; firmware hands it in."""

    kind: str
    """ "simulated", "rpi3", "rpi4" or "rpi5"."""

    pins: Any
    """A gpiozero pin factory."""

    def dht_command(self, kind: str, part: str, pin: int) -> Sequence[str]:
        """The command line of the child process that reads a DHT and prints JSON lines."""
        ...


class Sensor(Protocol):
    """A part that is asked for numbers, each `period_s`."""

    period_s: float
    quantities: ClassVar[Sequence[Quantity]]

    def read(self) -> dict[str, float]:
        """Return a number for each key of `quantities`. Raises: DeviceError."""
        ...

    def close(self) -> None: ...


class Contact(Protocol):
    """One or two loops of wire; each is closed or open."""

    def closed(self) -> tuple[bool, ...]:
        """Return, loop by loop, whether it is closed now. Raises: DeviceError."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` on every edge of any loop, from the thread that saw it."""
        ...

    def close(self) -> None: ...


class Relay(Protocol):
    """One relay coil."""

    def drive(self, energised: bool, intermittent: bool = False) -> None:
        """Energise or release the coil, or energise it in turns. Raises: DeviceError."""
        ...

    def close(self) -> None: ...


class Projector(Protocol):
    """A projector that tells its lamp's state and takes commands."""

    period_s: float

    def read(self) -> str:
        """Return "standby", "warm-up", "on" or "cooling". Raises: DeviceError."""
        ...

    def send(self, command: str) -> None:
        """Send "on" or "off". Returns once the projector has taken it. Raises: DeviceError."""
        ...

    def close(self) -> None: ...
