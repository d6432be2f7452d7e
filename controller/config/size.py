"""Sizes as they are written in the room file: "500MB", "8GB"."""

from __future__ import annotations

import re

_FORM = re.compile(r"([0-9]{1,6}) ?(MB|GB|TB)")
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
# Below 10 MB a journal has no room for a day; above, no card is that large.
_SMALLEST, _LARGEST = 10**7, 10**13


class Size(int):
    """Bytes, read from a string with its unit."""

    @classmethod
    def parse(cls, text: object) -> Size:
        """Read "500MB", "8GB" or "1TB". Raises: ValueError."""
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        count = int(found[1]) * _BYTES[found[2]] if found else 0
        if not _SMALLEST <= count <= _LARGEST:
            raise ValueError(ALLOWED_SIZE)
        return cls(count)


ALLOWED_SIZE = 'a size from "10MB" to "10TB"'
