"""What the panel asks of the journal: the part of `controller.history.History` that it uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class History(Protocol):
    """Read-only queries, each bounded. Raises: HistoryUnavailable."""

    def series(self, point: str, from_ms: int, to_ms: int, width: int) -> Sequence[Sequence[Any]]:
        """Return rows (at_ms, low, mean, high, quality), oldest first, about `width` at most."""
        ...

    def events(self, since: int | str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        """Return events, oldest first: after the number `since`, or from an RFC 3339 time on."""
        ...
