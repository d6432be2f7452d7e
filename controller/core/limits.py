"""Limits with a deadband: between the limit and where it clears, nothing changes."""

from __future__ import annotations


def above(value: float, limit: float | None, deadband: float) -> bool | None:
    """Whether a value is beyond a high limit; None in the deadband below it."""
    if limit is None:
        return False
    if value > limit:
        return True
    return None if value > limit - deadband else False


def below(value: float, limit: float | None, deadband: float) -> bool | None:
    """Whether a value is beyond a low limit; None in the deadband above it."""
    if limit is None:
        return False
    if value < limit:
        return True
    return None if value < limit + deadband else False
