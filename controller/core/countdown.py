"""A countdown that can be held: frozen while somebody presses hold, for a limited time in all."""

from __future__ import annotations

import msgspec


class Countdown(msgspec.Struct, frozen=True):
    """Ends at `due_s` unless held. Instants, never a count of seconds left.

    `held_s` is how much of the allowance `allowance_s` is spent; `held_since_s` is set while it
    is held; `held_until_s` is the end of the hold that a press on the panel asked for.
    """

    due_s: float
    allowance_s: float = 180.0
    held_s: float = 0.0
    held_since_s: float | None = None
    held_until_s: float = 0.0

    def is_held(self) -> bool:
        return self.held_since_s is not None

    def spent_s(self, now_s: float) -> float:
        """Return how much of the allowance is gone, the hold under way included."""
        if self.held_since_s is None:
            return self.held_s
        return min(self.held_s + now_s - self.held_since_s, self.allowance_s)

    def left_s(self, now_s: float) -> float:
        """Return the time until the end were the hold let go now; 0 when it is over."""
        return max(self.due_s + self.spent_s(now_s) - self.held_s - now_s, 0.0)

    def is_over(self, now_s: float) -> bool:
        return self.held_since_s is None and now_s >= self.due_s

    def held_for(self, seconds: float, now_s: float) -> Countdown:
        """A press on the panel: hold for some seconds from now."""
        return msgspec.structs.replace(self, held_until_s=now_s + seconds)

    def step(self, pressed: bool, now_s: float) -> Countdown:
        """Return the countdown now that hold is pressed or not."""
        wanted = pressed or now_s < self.held_until_s
        if self.held_since_s is None:
            if wanted and self.held_s < self.allowance_s and now_s < self.due_s:
                return msgspec.structs.replace(self, held_since_s=now_s)
            return self
        spent_s = self.spent_s(now_s)
        if wanted and spent_s < self.allowance_s:
            return self
        if not pressed and spent_s < self.allowance_s:
            # Let go, or a panel's hold ran out, possibly before this scan came.
            end_s = min(max(self.held_until_s, self.held_since_s), now_s)
            end_s = end_s if self.held_until_s > self.held_since_s else now_s
            spent_s = self.held_s + end_s - self.held_since_s
        return msgspec.structs.replace(
            self, due_s=self.due_s + spent_s - self.held_s, held_s=spent_s, held_since_s=None
        )

    def wake_s(self, now_s: float) -> float:
        """Return when time alone changes it."""
        if self.held_since_s is None:
            return self.due_s
        spent_out_s = self.held_since_s + self.allowance_s - self.held_s
        if self.held_until_s > now_s:
            return min(spent_out_s, self.held_until_s)
        return spent_out_s
