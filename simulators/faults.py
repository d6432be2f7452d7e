"""How a device on a network fails on demand."""

from __future__ import annotations

LINE_FAULTS = ("silent", "garbage", "short", "exception", "late")
"""No answer, nonsense, half of one, an error in its place, or one that comes when nobody waits."""
