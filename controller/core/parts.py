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

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from controller.core.registers import RegisterMap


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


class UpsValue(msgspec.Struct, frozen=True):
    """One value of the normal form of a UPS: the point it becomes, its unit and its range.

    `words` are the only ones a text may be; a number outside `low`..`high` is no measurement.
    """

    point: str
    unit: str | None = None
    low: float = float("-inf")
    high: float = float("inf")
    words: tuple[str, ...] = ()


SUPPLIES = ("mains", "battery", "bypass", "off")
SELF_TESTS = ("none", "running", "calibrating", "passed", "failed")
UPS_FAULTS = (
    "overload", "replace-battery", "battery-disconnected", "overheated", "charger", "inverter",
    "fan", "fuse", "emergency-off", "shutdown-imminent", "internal",
)  # fmt: skip
"""The words of `faults`: several are joined by one space, none is an empty text."""

# The widest ranges that any UPS of a machine room has; guesses, but for the percentages.
UPS_VALUES: dict[str, UpsValue] = {
    "supply": UpsValue("supply", words=SUPPLIES),
    "battery_low": UpsValue("battery-low"),
    "charge_pct": UpsValue("charge", "%", 0.0, 100.0),
    "runtime_s": UpsValue("runtime", "s", 0.0, 7 * 86400.0),
    "load_pct": UpsValue("load", "%", 0.0, 300.0),
    "input_voltage_v": UpsValue("input-voltage", "V", 0.0, 600.0),
    "input_frequency_hz": UpsValue("input-frequency", "Hz", 0.0, 80.0),
    "battery_age_d": UpsValue("battery-age", "d", 0.0, 36500.0),
    "self_test": UpsValue("self-test", words=SELF_TESTS),
    "faults": UpsValue("faults"),
}

LIVE = "live"
"""Beside the normal form: a text that changes whenever any live register (a voltage, the load, a
temperature) does. A UPS whose text stands still for minutes is frozen. It is no point."""


class Board(Protocol):
    """The board that the drivers stand on, real or simulated; firmware hands it in."""

    kind: str
    """ "simulated", "rpi3", "rpi4" or "rpi5"."""

    pins: Any
    """A gpiozero pin factory."""

    def dht_command(self, kind: str, part: str, pin: int) -> Sequence[str]:
        """The command line of the child process that reads a DHT and prints JSON lines."""
        ...

    def register_map(self, name: str) -> RegisterMap:
        """The register map of that name, shipped or the site's own. Raises: ValueError."""
        ...


class Sensor(Protocol):
    """A part that is asked for numbers, each `period_s`."""

    period_s: float
    quantities: Sequence[Quantity]

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


class PolledContact(Protocol):
    """A contact that is asked for its state each `period_s`, over a bus."""

    period_s: float

    def read(self) -> bool:
        """Return whether what its role names is so. Raises: DeviceError."""
        ...

    def close(self) -> None: ...


class Ups(Protocol):
    """A UPS that is asked for its values and takes a few commands.

    A device on a line that it shares with others has an attribute `line` (one text for all of
    them): these are polled one after the other, on one thread.
    """

    period_s: float

    def read(self) -> Mapping[str, bool | float | str | None]:
        """Return the values of `UPS_VALUES` that this UPS tells, and `LIVE`.

        A key that is left out: it does not tell this. None: it tells something that cannot be
        right. Never a guess: a status that is not understood gives no supply. Raises: DeviceError.
        """
        ...

    def send(self, command: str) -> None:
        """Carry out "off" (switch the output off, and on again when the mains is there) or
        "restart-driver". Raises: DeviceError, also where it cannot."""
        ...

    def close(self) -> None: ...


class Host(Protocol):
    """A server that is stopped, started and looked at from outside. Every call is bounded."""

    def stop(self) -> None:
        """Ask it to shut down; return once it was asked. Raises: DeviceError."""
        ...

    def clear(self) -> None:
        """Take back a stop that would stand until it is: the host would shut down again as soon as
        it has booted. Does nothing where none can stand. Raises: DeviceError."""
        ...

    def start(self) -> None:
        """Clear, and ask it to start; return once it was asked. Raises: DeviceError."""
        ...

    def initialise(self) -> None:
        """Run its initialisation, one command after the other. Raises: DeviceError, naming the
        command that failed."""
        ...

    def test(self) -> None:
        """Try the way of stopping it, and touch nothing. Raises: DeviceError."""
        ...

    def test_start(self) -> None:
        """Try the way of starting it, and touch nothing; without one there is nothing to try.
        Raises: DeviceError."""
        ...

    def look(self) -> Mapping[str, bool | None]:
        """Return, by kind of evidence ("network", "client", "management"), whether it answers;
        None where the way to it is dead and its silence proves nothing. "ready": whether
        everything answers that makes it ready (left out where nothing says so).

        Raises: DeviceError, when nothing of it can be asked at all."""
        ...

    def close(self) -> None: ...
