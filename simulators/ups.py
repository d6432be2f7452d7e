"""A UPS between the mains and its load: what feeds the load, and what its own meters say.

No protocol in here: `values` gives the normal form (`controller.core.parts.UPS_VALUES`), which
the servers in front of it put into registers or into NUT's words.
"""

from __future__ import annotations

from simulators.battery import Battery
from simulators.meters import MAINS_HZ, MAINS_V, Meters

# Guesses within what online UPSes have.
_INPUT_V = (160.0, 280.0)
_INPUT_HZ = (40.0, 70.0)
_LOW_RUNTIME_S = 120.0
_LOW_CHARGE_PCT = 10.0
_LONGEST_S = 36_000.0
SELF_TEST_S = 10.0
_CALIBRATED_PCT = 25.0
# A charge that was stepped to a mark lies within rounding of it.
_HAIR_PCT = 1e-6
OFF_S = 10.0
"""How long the output stays off when it is switched off with the mains there."""

TESTS = {"self-test": "running", "calibrate": "calibrating"}
FAULTS = ("overload", "replace-battery")
HELD = ("charge", "runtime", "load", "input-voltage", "input-frequency")
SUPPLY_VALUES = ("battery", "bypass", "off", "mains", "normal")


class SimulatedUps:
    """One UPS. Hand in `feed` (its input) and `carry` (its load), then `advance`.

    `input` is whether there is any, `forced` a supply that it keeps to whatever its input
    ("mains": something else feeds it); `held` stands in for what its meters would say, by
    quantity.
    """

    def __init__(
        self, seed: str = "ups", *, battery: Battery | None = None, now_s: float = 0.0
    ) -> None:
        self.battery = battery or Battery(now_s=now_s)
        self.now_s = now_s
        self.load_w = 0.0
        self.forced: str | None = None
        self.held: dict[str, float] = {}
        self.faults: set[str] = set()
        self.self_test = "none"
        self.input = True
        self._test_ends_s = float("inf")
        self._off_until_s: float | None = None
        self.meters = Meters(self, seed)
        self._follow()

    @property
    def input_usable(self) -> bool:
        """Whether it can run from its input."""
        low_v, high_v = _INPUT_V
        low_hz, high_hz = _INPUT_HZ
        return (
            self.input
            and low_v <= self.held.get("input-voltage", MAINS_V) <= high_v
            and low_hz <= self.held.get("input-frequency", MAINS_HZ) <= high_hz
        )

    @property
    def supply(self) -> str:
        """One of `controller.core.parts.SUPPLIES`: what it feeds its load from."""
        if self._off_until_s is not None or self.forced == "off":
            return "off"
        if self.forced == "bypass":
            return "bypass" if self.input_usable else "off"
        testing = self.self_test in TESTS.values()
        if self.forced == "mains" or (self.input_usable and self.forced is None and not testing):
            return "mains"
        return "battery" if self.battery.charge_pct > 0.0 else "off"

    @property
    def has_output(self) -> bool:
        return self.supply != "off"

    @property
    def charge_pct(self) -> float:
        return self.held.get("charge", self.battery.charge_pct)

    @property
    def runtime_s(self) -> float:
        """How long the battery carries today's load."""
        if "runtime" in self.held:
            return self.held["runtime"]
        return min(_LONGEST_S, self.battery.lasts_s(self.load_w, self.charge_pct))

    @property
    def battery_low(self) -> bool:
        return self.supply == "battery" and (
            self.charge_pct <= self._low_pct() + _HAIR_PCT or self.runtime_s <= _LOW_RUNTIME_S
        )

    @property
    def next_s(self) -> float:
        """When something happens by itself the next time."""
        if self._off_until_s is not None:
            return self._off_until_s
        if self.supply != "battery":
            return float("inf")
        marks_pct = [self._low_pct(), _CALIBRATED_PCT]
        return min(
            self._test_ends_s,
            self.battery.empty_s,
            *(
                self.battery.reaches_s(mark_pct)
                for mark_pct in marks_pct
                if self.battery.charge_pct > mark_pct + _HAIR_PCT
            ),
        )

    def feed(self, present: bool) -> None:
        """Give or take its input. Without it a test is an outage, and an output that was
        switched off stays so until the input is back."""
        if present is not self.input:
            self.input = present
            if present and self._off_until_s is not None:
                self._off_until_s = self.now_s
            if not present:
                self._end_test("none")
        self._follow()

    def carry(self, load_w: float) -> None:
        """Take `load_w` from its output; nothing is taken while there is none."""
        self.load_w = load_w if self.has_output else 0.0
        self._follow()

    def switch_off(self) -> None:
        """Switch the output off, and on again when the mains is there."""
        self._end_test("none")
        self._off_until_s = self.now_s + OFF_S if self.input else float("inf")
        self._follow()

    def begin_test(self, value: str) -> bool:
        """Begin one of `TESTS`, on battery; return whether it could."""
        if self.supply != "mains" or self.battery.charge_pct <= _CALIBRATED_PCT:
            return False
        self.self_test = TESTS[value]
        self._test_ends_s = self.now_s + SELF_TEST_S if value == "self-test" else float("inf")
        self._follow()
        return True

    def mend(self) -> None:
        """End every fault and test, and whatever is held or forced."""
        self.meters.thaw()
        self.forced = None
        self.held.clear()
        self.faults.clear()
        self._end_test("none")
        self._follow()

    def advance(self, now_s: float) -> None:
        """Let time pass until `now_s`, with all that happens by itself until then."""
        while (next_s := self.next_s) <= now_s:
            self._step(next_s)
        self._step(now_s)

    def values(self) -> dict[str, bool | float | str]:
        """Return what its meters say, by the keys of `UPS_VALUES`, within their ranges."""
        return self.meters.values()

    def _step(self, to_s: float) -> None:
        self.battery.advance(to_s)
        self.now_s = max(self.now_s, to_s)
        if self._off_until_s is not None and self._off_until_s <= self.now_s:
            self._off_until_s = None
        if self._test_ends_s <= self.now_s:
            self._end_test("failed" if "replace-battery" in self.faults else "passed")
        charge_pct = self.battery.charge_pct
        if self.self_test == "calibrating" and charge_pct <= _CALIBRATED_PCT + _HAIR_PCT:
            self._end_test("passed")
        self._follow()

    def _end_test(self, result: str) -> None:
        if self.self_test in TESTS.values():
            self.self_test = result
        self._test_ends_s = float("inf")

    def _follow(self) -> None:
        if not self.has_output:
            self.load_w = 0.0
        self.battery.drawn_w = self.load_w if self.supply == "battery" else 0.0
        fed = self.input_usable or self.forced == "mains"
        self.battery.charging = fed and self.supply != "battery"

    def _low_pct(self) -> float:
        """The charge at which the battery is low under today's load."""
        full_s = self.battery.lasts_s(self.load_w, 100.0)
        return max(_LOW_CHARGE_PCT, _LOW_RUNTIME_S / full_s * 100.0)
