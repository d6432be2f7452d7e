"""The first of the two steps that a remote switch takes: what was prepared, and by whom.

Kept in memory only. A restart forgets it, so that whatever switches power cannot be replayed to
a controller that has just come back.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import NamedTuple

LASTS_S = 15.0
_MOST = 16
"""What one client may have prepared at once; then the oldest is forgotten."""


class _Step(NamedTuple):
    action: str
    args: Mapping[str, str]
    until_s: float


class Prepared:
    """What each client has prepared. Instants are monotonic seconds, of a real clock: whoever
    asks from afar has no other."""

    def __init__(self) -> None:
        self._steps: dict[str, dict[str, _Step]] = {}

    def prepare(self, client: str, action: str, args: Mapping[str, str], now_s: float) -> str:
        """Return the nonce with which `client` may ask this, once, within `LASTS_S`."""
        steps = self._steps.setdefault(client, {})
        while len(steps) >= _MOST:
            del steps[next(iter(steps))]
        nonce = secrets.token_hex(16)
        steps[nonce] = _Step(action, dict(args), now_s + LASTS_S)
        return nonce

    def redeem(
        self, client: str, nonce: str, action: str, args: Mapping[str, str], now_s: float
    ) -> bool:
        """Whether exactly this was prepared. The nonce is used up in any case."""
        step = self._steps.get(client, {}).pop(nonce, None)
        return step is not None and step[:2] == (action, args) and now_s < step.until_s
