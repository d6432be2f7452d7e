"""Durations as they are written in the room file: "500ms", "10s", "5min", "2h", "1d"."""

from __future__ import annotations

import re

import msgspec

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|min|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_S = 366 * 86400.0


class Duration(float):
    """Seconds, read from a string with its unit and written back as one."""

    @classmethod
    def parse(cls, text: object) -> Duration:
        """Read "500ms", "10s", "5min", "2h" or "1d". Raises: ValueError."""
        found = _FORM.fullmatch(text) if isinstance(text, str) and len(text) <= 20 else None
        if found is None:
            raise ValueError('a duration such as "500ms", "10s", "5min" or "2h"')
        seconds = float(found[1]) * _SECONDS[found[2]]
        if seconds > _LONGEST_S:
            raise ValueError("a duration of a year at most")
        return cls(seconds)

    def __str__(self) -> str:
        for unit in ("d", "h", "min", "s"):
            count = self / _SECONDS[unit]
            if count >= 1 and count == int(count):
                return f"{int(count)}{unit}"
        return f"{self * 1000:g}ms"


class Within(msgspec.Struct, frozen=True):
    """Bounds of one duration key, both allowed: `Annotated[Duration, Within("10ms", "5s")]`."""

    shortest: str
    longest: str

    def __contains__(self, duration: float) -> bool:
        return Duration.parse(self.shortest) <= duration <= Duration.parse(self.longest)
