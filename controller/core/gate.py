"""The one gate: may this origin and this role ask this now? Keeps REG-19, and REG-08's refusals.

Panel, command line, MQTT and buttons all come through here. What is not listed is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.core.duration import Duration
from controller.core.reading import Now, Quality, Reading
from controller.core.reason import Reason, why
from controller.core.request import Origin, Request, Role

SKEW_S = 5.0
"""How far another clock may be ahead of ours."""

LONGEST_LIFE_S = 24 * 3600.0 - 60.0
"""How long a request that came by a network is good at most, whatever it says itself: somewhat
less than its id is remembered, so that it has expired once that is forgotten. An id that many
others push out of the memory is forgotten sooner; see controller/journal/seen.py."""

_RANK = {role: rank for rank, role in enumerate(Role)}


class Policy(msgspec.Struct, frozen=True):
    """What the room file says about who may do what. `clients`: actions by MQTT client."""

    simulated: bool = False
    remote_operate: bool = False
    clients: dict[str, frozenset[str]] = {}


class Rights(msgspec.Struct, frozen=True):
    """Who may ask for one action (behaviour section 6). None: not from there.

    `screen` and `network`: the least role on the local screen and over the network panel;
    `network_operate`: only with `[panel] remote_operate`. `door`: "group", "root" or
    "simulated" (only in a simulated room). `mqtt`: whether a named client may ever;
    `two_step`: and then only what it had prepared.
    """

    button: bool = False
    screen: Role | None = Role.OPERATE
    network: Role | None = None
    network_operate: bool = False
    door: str = "group"
    mqtt: bool = False
    two_step: bool = False


_SWITCH = Rights(network=Role.OPERATE, network_operate=True, mqtt=True, two_step=True)
_ROOM = Rights(door="simulated")
_PERMIT = Rights(door="root")
_NOTE = Rights(screen=Role.NOBODY, network=Role.NOBODY, door="none")

RIGHTS: Mapping[str, Rights] = {
    "silence": Rights(button=True, screen=Role.NOBODY, network=Role.ACKNOWLEDGE, mqtt=True),
    "acknowledge": Rights(button=True, screen=Role.NOBODY, network=Role.ACKNOWLEDGE, mqtt=True),
    "hold": Rights(button=True, screen=Role.NOBODY, door="simulated"),
    "cut": Rights(door="root"),
    "reset": _ROOM,
    "restore": _ROOM,
    "release-lamp": _ROOM,
    "confirm-off": _ROOM,
    "switch": _SWITCH,
    "release": _SWITCH,
    "projector-on": _SWITCH,
    "projector-off": _SWITCH,
    "start-hosts": _SWITCH,
    "lock-up": _SWITCH,
    "drill": _SWITCH,
    "confirm-down": _PERMIT,
    "confirm-mains": _PERMIT,
    "arm": Rights(network=Role.OPERATE, mqtt=True),
    "disarm": Rights(),
    "shelve": _PERMIT,
    "unshelve": _PERMIT,
    "out-of-service": _PERMIT,
    "in-service": _PERMIT,
    "sign-in": _NOTE,
    "sign-in-failed": _NOTE,
    "sign-out": _NOTE,
}

NOTES = frozenset({"sign-in", "sign-in-failed", "sign-out"})
"""What the panel only has recorded: who signed in, out, or tried to. Nothing else comes of it."""

PREPARE = "prepare"
RESEND = "resend"
FEED = frozenset({PREPARE, RESEND})
"""What only a client of the feed asks, and the feed itself carries out once it is let through."""

_PART = ("point", "alarm", "part", "id")
TAKES: Mapping[str, tuple[str, ...]] = {
    "acknowledge": ("alarm",),
    "reset": ("alarm",),
    "release-lamp": ("id",),
    "confirm-off": ("id",),
    "switch": ("output", "to", "for"),
    "release": ("output",),
    "projector-on": ("id", "for"),
    "projector-off": ("id",),
    "start-hosts": ("override",),
    "drill": ("plan",),
    "confirm-down": ("host",),
    "shelve": ("alarm", "for", "reason"),
    "unshelve": ("alarm",),
    "out-of-service": (*_PART, "for", "reason"),
    "in-service": _PART,
    RESEND: ("from", "to"),
}
"""The arguments of each action, none where it is not listed. One that is not known is refused: a
`fro` in place of `for` would hold an output for two hours."""

_DURATIONS = ("for",)
_LONGEST_S = 24 * 3600.0


def refuses(
    request: Request,
    policy: Policy,
    points: Mapping[str, Reading],
    on: Mapping[str, bool],
    now: Now,
) -> Reason | None:
    """Return why this request is refused, before any rule is asked; None when it is not."""
    if request.flaw is not None:
        return request.flaw
    if request.action not in RIGHTS.keys() | FEED:
        return why("refused.unknown-action", action=request.action)
    return (
        _origin(request, policy)
        or _fresh(request, now)
        or _expected(request, points, on)
        or _arguments(request)
    )


def _origin(request: Request, policy: Policy) -> Reason | None:
    refused = why("refused.origin", action=request.action, origin=request.origin.value)
    if request.origin is Origin.MQTT:
        return _remote(request, policy, refused)
    if request.action in FEED:
        return refused
    rights = _rights(request.action, request.args)
    assert rights is not None
    match request.origin:
        case Origin.BUTTON:
            return None if rights.button else refused
        case Origin.LOCAL_SCREEN:
            return _role(request, rights.screen, refused)
        case Origin.NETWORK_PANEL:
            if rights.network_operate and not policy.remote_operate:
                return refused
            return _role(request, rights.network, refused)
        case Origin.DOOR:
            if rights.door == "root" and not request.privileged:
                return why("refused.role", action=request.action, role="root")
            if rights.door == "none" or (rights.door == "simulated" and not policy.simulated):
                return refused
            return None
    return None  # a rule's


def _remote(request: Request, policy: Policy, refused: Reason) -> Reason | None:
    """To prepare an action takes the right to it; events are sent again to every named client."""
    listed = policy.clients.get(request.actor)
    if listed is None:
        return refused
    if request.action == RESEND:
        return None
    prepares = request.action == PREPARE
    action = request.args.get("action", "") if prepares else request.action
    rights = _rights(action, request.args)
    if rights is None:
        return why("refused.unknown-action", action=action)
    if not rights.mqtt or action not in listed:
        return why("refused.origin", action=action, origin=request.origin.value)
    if prepares and not rights.two_step:
        return why("refused.nothing-to-prepare", action=action)
    if rights.two_step and not (prepares or request.prepared):
        return why("refused.not-prepared", action=action)
    return _role(request, rights.network, refused)


def _rights(action: str, args: Mapping[str, str]) -> Rights | None:
    """Return who may ask for this; None where there is no such action. A permissive of the return
    is waived only by a person who stands in the room (behaviour section 7)."""
    is_waiver = action == "start-hosts" and args.get("override")
    return _ROOM if is_waiver else RIGHTS.get(action)


def _role(request: Request, least: Role | None, refused: Reason) -> Reason | None:
    if least is None:
        return refused
    if _RANK[request.role] < _RANK[least]:
        return why("refused.role", action=request.action, role=least.value)
    return None


def _fresh(request: Request, now: Now) -> Reason | None:
    """What was asked before is not asked again; what came by a network came in its time."""
    if request.repeated:
        return why("refused.repeated")
    if request.issued_s is None or request.expires_s is None:
        if request.origin is Origin.MQTT:
            return why("refused.expired")
        if request.issued_s is None and request.expires_s is None:
            return None
    if not now.synchronised:
        return why("refused.clock")
    if request.issued_s is not None and request.issued_s > now.wall_s + SKEW_S:
        return why("refused.future")
    ends_s = request.expires_s
    if ends_s is not None and request.issued_s is not None:
        ends_s = min(ends_s, request.issued_s + LONGEST_LIFE_S)
    if ends_s is not None and ends_s < now.wall_s - SKEW_S:
        return why("refused.expired")
    return None


def _expected(
    request: Request, points: Mapping[str, Reading], on: Mapping[str, bool]
) -> Reason | None:
    """Compare-and-set: the asker must have seen the room as it is."""
    for id, expected in (request.expect or {}).items():
        if id in on:
            found: Any = "on" if on[id] else "off"
        elif id in points:
            found = _known(points[id])
        else:
            return why("refused.unknown-subject", subject=id)
        if found != expected:
            return why("refused.expectation", point=id, found=str(found))
    return None


def _known(reading: Reading) -> Any:
    """The value as everybody is shown it: what is stale or bad is not known, and so null."""
    doubted = reading.quality in (Quality.STALE, Quality.BAD, Quality.MISSING)
    return None if doubted else reading.value


def _arguments(request: Request) -> Reason | None:
    action, args = request.action, set(request.args)
    if action == PREPARE:
        action = request.args["action"]
        args.remove("action")
    takes = TAKES.get(action, ())
    if action not in NOTES and (strange := min(args.difference(takes), default=None)):
        allowed = ", ".join(takes) or "none"
        return why("refused.bad-argument", argument=strange, allowed=allowed)
    for name in _DURATIONS:
        if name not in request.args:
            continue
        try:
            length_s = Duration.parse(request.args[name])
        except ValueError as error:
            return why("refused.bad-argument", argument=name, allowed=str(error))
        if not 0 < length_s <= _LONGEST_S:
            return why("refused.bad-argument", argument=name, allowed="up to 24h")
    return None
