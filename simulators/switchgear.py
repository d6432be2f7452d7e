"""What a relay's coil moves: contactors, breakers with a shunt trip, and how they stick."""

from __future__ import annotations

from simulators.plan import CoilPart

VALUES = ("stuck", "normal")
CUT_OFF_VALUES = ("open", "closed", *VALUES)


class Switchgear:
    """The power side of one output. `is_on` is the output's role exerted: siren sounding, outlet
    supplied, or, for a cut-off, the breaker open.

    A cut-off with a pulse is a breaker with a shunt trip: once tripped it stays open until
    somebody recloses it by hand. Everything else follows its coil.
    """

    def __init__(self, part: CoilPart) -> None:
        self.part = part
        self.energised = False
        self.stuck = False
        self.opened_by_hand = False
        self.is_on = False
        self._follow()

    def drive(self, energised: bool) -> None:
        self.energised = energised
        self._follow()

    def act(self, value: str) -> None:
        """Do one of `CUT_OFF_VALUES`.

        "open" is somebody at the breaker's handle, "closed" somebody reclosing it; a coil that
        still cuts wins against the latter.
        """
        match value:
            case "stuck":
                self.stuck = True
            case "normal":
                self.stuck = False
                self.opened_by_hand = False
            case "open":
                self.opened_by_hand = True
            case "closed":
                self.opened_by_hand = False
                self.is_on = False
        self._follow()

    def _follow(self) -> None:
        if self.stuck:
            return
        asked = self.energised is self.part.on_when_energised or self.opened_by_hand
        self.is_on = asked or (self.part.shunt and self.is_on)
