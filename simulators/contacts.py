"""Contacts on loops of wire: what they say, how they bounce, and what a cut wire does to them."""

from __future__ import annotations

from simulators.plan import ContactPart

# When each edge of a bouncing contact comes. An odd number of them, so that the last one
# leaves it at its new level. A guess in the range of relays and door contacts (1..30 ms).
BOUNCE_S = (0.0, 0.002, 0.005, 0.007, 0.011, 0.014, 0.020)

VALUES = ("on", "off", "normal", "cut-wire", "bounce", "silent")
DOOR_VALUES = ("open", "closed", *VALUES)

_MEANS = {"on": True, "open": True, "off": False, "closed": False}


class Contact:
    """One contact part, with one or two loops.

    `natural` is what the world itself makes of it (a door is shut, mains is there, a breaker's
    auxiliary contact follows the breaker); what `act` sets stands above that until "normal".
    """

    def __init__(self, part: ContactPart, natural: bool = False) -> None:
        self.part = part
        self.natural = natural
        self.wire_cut = False
        self._set: bool | None = None
        self._edges: list[float] = []

    @property
    def value(self) -> bool:
        """Whether what the role names is so."""
        return self.natural if self._set is None else self._set

    @property
    def next_s(self) -> float:
        """When the next edge of a bounce comes."""
        return self._edges[0] if self._edges else float("inf")

    def act(self, value: str, now_s: float) -> None:
        """Do one of `VALUES` or `DOOR_VALUES`."""
        self._edges.clear()
        if value in ("cut-wire", "silent"):
            self.wire_cut = True
        elif value == "normal":
            self.wire_cut = False
            self._set = None
        elif value == "bounce":
            self._set = not self.value
            self._edges = [now_s + after_s for after_s in BOUNCE_S]
        else:
            self._set = _MEANS[value]

    def advance(self, now_s: float) -> None:
        """Let the edges come that are due."""
        while self.next_s <= now_s:
            self._edges.pop(0)

    def closed(self) -> tuple[bool, ...]:
        """Return, loop by loop, whether it is closed. A cut wire is open whatever the contact."""
        shown = self.value ^ (len(self._edges) % 2 == 1)
        return tuple(not self.wire_cut and shown is loop.normally_open for loop in self.part.loops)
