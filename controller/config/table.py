"""The base of every table of the room file."""

from __future__ import annotations

import msgspec


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only what is named may stand in it; what has no default must."""
