"""Limits with a deadband: between the limit and where it clears, nothing changes."""

from __future__ import annotations


def above(value: float, limit: float | None, deadband: float, was: bool) -> bool:
    """Whether a value is beyond a high limit, given whether it was."""
    if limit is None:
        return False
    return value > (limit - deadband if was else limit)


def below(value: float, limit: float | None, deadband: float, was: bool) -> bool:
    """Whether a value is beyond a low limit, given whether it was."""
    if limit is None:
        return False
    return value < (limit + deadband if was else limit)
