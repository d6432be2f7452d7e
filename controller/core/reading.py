"""Readings: a value, its quality, and when it was taken."""

from __future__ import annotations

from enum import StrEnum

import msgspec

Value = bool | float | str | None


class Quality(StrEnum):
    """How far a reading may be trusted. Only GOOD counts as knowledge."""

    GOOD = "good"
    STALE = "stale"  # too old
    BAD = "bad"  # implausible, checksum, out of the part's range, wiring fault
    MISSING = "missing"  # never read
    FROZEN = "frozen"  # bit-identical for too long
    DISAGREEING = "disagreeing"  # its twin in the same place says otherwise


class Reading(msgspec.Struct, frozen=True):
    """One value of one point. `at_s` is monotonic seconds; 0.0 while MISSING.

    A value that is not known is None: no zero and no last value stands in for it.
    """

    value: Value
    quality: Quality
    at_s: float

    @property
    def is_good(self) -> bool:
        return self.quality is Quality.GOOD

    @property
    def is_true(self) -> bool:
        """Known to be so: a contact that is not good is neither true nor false."""
        return self.value is True and self.quality is Quality.GOOD

    @property
    def is_false(self) -> bool:
        """Known not to be so."""
        return self.value is False and self.quality is Quality.GOOD

    @property
    def number(self) -> float | None:
        """The value when it is a good number, else None."""
        if self.quality is Quality.GOOD and isinstance(self.value, float):
            return self.value
        return None


NEVER_READ = Reading(None, Quality.MISSING, 0.0)


class Now(msgspec.Struct, frozen=True):
    """The instant of one scan.

    `mono_s` is the only clock that durations are measured with. `wall_s` (UTC epoch seconds)
    is for stamping; `synchronised` says whether anyone vouches for it.
    """

    mono_s: float
    wall_s: float
    synchronised: bool = True
