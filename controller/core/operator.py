"""The operator's slot: outputs switched by hand, always with an end."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from controller.core.duration import Duration
from controller.core.event import Event
from controller.core.priority import Demand, OutputSpec, Slot
from controller.core.reason import Reason, unknown, why
from controller.core.request import Request
from controller.core.rules.base import NEVER_S, Seen
from controller.core.rules.plan import is_down

ACTIONS = frozenset({"switch", "release"})

FOR_S = 7200.0
"""How long a switch by hand lasts when nobody says `for` (behaviour section 2)."""


class Held(msgspec.Struct, frozen=True):
    """One output held by hand. `until_s` is monotonic."""

    on: bool
    until_s: float
    by: str


Hands = Mapping[str, Held]


def refuses(
    outputs: Mapping[str, OutputSpec],
    request: Request,
    was: Hands,
    seen: Seen,
    blocked: Reason | None,
    states: Mapping[str, object] = MappingProxyType({}),
) -> Reason | None:
    """Why a switch or a release cannot be carried out; None when it can, or is not one."""
    if request.action not in ACTIONS:
        return None
    id = request.args.get("output", "")
    spec = outputs.get(id)
    if spec is None:
        return unknown("output", id)
    if not spec.switchable:
        return why("refused.switch-never", output=id, role=spec.role)
    if spec.host is not None and request.action == "switch" and not is_down(states, spec.host):
        return why("refused.host-up", host=spec.host)
    if request.action == "release":
        return None if id in was else why("refused.already")
    wanted = request.args.get("to")
    if wanted not in ("on", "off"):
        return why("refused.bad-argument", argument="to", allowed="on, off")
    if wanted == "on" and not seen.is_on(id) and blocked is not None:
        # Cooling may be switched on again before the supply is restored: that ends its being
        # held off after a fire, and it runs when it has power.
        return None if spec.role == "cooling" and blocked.id == "permissive.cut" else blocked
    return None


def step(was: Hands, seen: Seen) -> tuple[Hands, list[Demand], list[Event], float]:
    """Return who holds what by hand now, the demands of that, and when the next hold ends."""
    now: dict[str, Held] | None = None
    events: list[Event] = []
    for request in seen.requests:
        id = request.args.get("output", "")
        if request.action == "switch":
            now = dict(was) if now is None else now
            length_s = Duration.parse(request.args["for"]) if "for" in request.args else FOR_S
            held = Held(request.args["to"] == "on", seen.now_s + length_s, request.actor)
            now[id] = held
        elif request.action == "release":
            now = dict(was) if now is None else now
            now.pop(id, None)
    hands: Hands = was if now is None else now
    over = [id for id, held in hands.items() if seen.now_s >= held.until_s]
    if over:
        hands = {id: held for id, held in hands.items() if id not in over}
        events += [Event("output", id, "operator.ended") for id in over]
    demands = [
        Demand(id, Slot.OPERATOR, held.on, why("operator", by=held.by), held.until_s)
        for id, held in hands.items()
    ]
    wake_s = min((held.until_s for held in hands.values()), default=NEVER_S)
    return hands, demands, events, wake_s


def restored(was: Hands, same_boot: bool) -> Hands:
    """A new boot starts relinquished: an operator's hold never lengthens."""
    return dict(was) if same_boot else {}
