"""What the DHT sensors have in common: a child process that measures, and its lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from controller.core.parts import BadReply, DeviceTimeout, Quantity
from drivers.child import Child


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the child: both numbers, or an error; `silent` when nobody answered at all."""

    temperature_c: float | None = None
    humidity_pct: float | None = None
    error: str | None = None
    silent: bool = False


class Dht:
    """A sensor on one data pin, measured by a child process at its own period."""

    # Asked again within 2 s the vendor library repeats its previous value, even when the last
    # read failed. The period stays clear of that window.
    period_s = 2.5
    quantities: ClassVar[Sequence[Quantity]] = ()

    def __init__(self, child: Child) -> None:
        self._child = child

    def read(self) -> dict[str, float]:
        """Wait for the child's next measurement: temperature_c and humidity_pct.

        Raises: DeviceTimeout when the sensor or the child is silent, BadReply when the checksum
        is wrong or the line is not what it should be, DeviceUnreachable when the child is down.
        """
        text = self._child.next_line()
        try:
            line = msgspec.json.decode(text, type=Line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadReply(f"the child process printed {text[:80]!r}") from error
        if line.silent:
            raise DeviceTimeout(line.error or "no answer")
        if line.error is not None or line.temperature_c is None or line.humidity_pct is None:
            raise BadReply(line.error or f"half a measurement: {text[:80]!r}")
        return {"temperature_c": line.temperature_c, "humidity_pct": line.humidity_pct}

    def close(self) -> None:
        self._child.close()
