"""Core values as plain data: stamps, reasons, values that are known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from controller.clock import Clock
from controller.core.reading import Now, Quality, Reading
from controller.core.reason import Reason
from controller.texts import text


def stamp(wall_s: float) -> str:
    """Return RFC 3339 UTC with milliseconds."""
    at = datetime.fromtimestamp(wall_s, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Stamps:
    """Turns monotonic instants into stamps, seen from one scan."""

    def __init__(self, now: Now, clock: Clock) -> None:
        self._now = now
        self._pace = clock.pace

    def at(self, mono_s: float | None) -> str | None:
        if mono_s is None:
            return None
        return stamp(self._now.wall_s + (mono_s - self._now.mono_s) / self._pace)


def plain(value: Any) -> Any:
    """Values of reasons as JSON holds them."""
    return list(value) if isinstance(value, tuple) else value


def reason_object(reason: Reason) -> dict[str, Any]:
    return {"id": reason.id, "values": {k: plain(v) for k, v in reason.values.items()}}


def sentence(locale: str, reason: Reason) -> str:
    return text(locale, reason.id, reason.values)


def on_off(is_on: bool | None) -> str | None:
    return None if is_on is None else "on" if is_on else "off"


def point_value(reading: Reading) -> Any:
    """A value that is not known is null; what is only doubted is shown with its quality."""
    known = reading.quality in (Quality.GOOD, Quality.FROZEN, Quality.DISAGREEING)
    return reading.value if known else None
