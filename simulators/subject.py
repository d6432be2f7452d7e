"""One thing that `roomwarden sim` can move."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Refused(ValueError):
    """The world has no such subject, or the subject cannot be so."""


class Subject(msgspec.Struct, frozen=True):
    """Something that `roomwarden sim` can move: words, or a number from low to high."""

    act: Callable[[str], None]
    words: tuple[str, ...]
    numbers: tuple[float, float] | None = None

    def check(self, name: str, value: str) -> None:
        """Raises: Refused, saying what is allowed."""
        if value in self.words:
            return
        allowed = ", ".join(self.words)
        if self.numbers is not None:
            low, high = self.numbers
            try:
                if low <= float(value) <= high:
                    return
            except ValueError:
                pass
            allowed = f"{low:g}..{high:g}, {allowed}"
        raise Refused(f"{name}: {value!r} is not one of {allowed}")
