"""What every part of the room file has in common; each driver's `Config` adds its own keys."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from controller.core.duration import Duration, Within

Id = Annotated[
    str,
    msgspec.Meta(
        # \Z, for $ would let a line's end through.
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z",
        max_length=40,
        description="an id of small letters, digits and single hyphens, 40 characters at most",
    ),
]
Pin = Annotated[
    int, msgspec.Meta(ge=0, le=27, description="a BCM pin of the 40-pin header, 0 to 27")
]
OnOff = Literal["on", "off"]
OnOffKeep = Literal["on", "off", "keep"]


class PartConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`id` is unique in the room; `kind` names the driver (the reader sees that it is there);
    `place` is where the part is, in the room's words."""

    id: Id
    kind: str = ""
    place: str = ""


class InputConfig(PartConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An `[[input]]`. Kinds that are wired to `pin` or `pins`, or have a `role`, add these."""


class OutputConfig(PartConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An `[[output]]`: role, wiring and what becomes of it; see `controller.core.roles`.

    `energised` says which of on and off an energised coil gives. `default`, `lost` and
    `lock_up` override the role's own answers; `minimum_off` is a compressor's rest; `pulse`
    energises a shunt coil only briefly; `prove` is how long feedback may take.
    """

    role: str
    scope: Literal["room", "ups"] | None = None
    energised: OnOff = "on"
    default: OnOff | None = None
    lost: OnOffKeep | None = None
    lock_up: OnOffKeep | None = None
    minimum_off: Annotated[Duration, Within("1s", "1h")] | None = None
    pulse: Annotated[Duration, Within("50ms", "10s")] | None = None
    prove: Annotated[Duration, Within("100ms", "60s")] = Duration(2.0)


class ProjectorConfig(PartConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[projector]]`: `outlet` is the output that feeds it; `cooling` the least time from
    the lamp's last light to the outlet's off (default 5 min, REG-05); `supply` what feeds the
    outlet."""

    outlet: Id
    cooling: Annotated[Duration, Within("1s", "1h")] = Duration(300.0)
    supply: Literal["mains", "ups"] = "mains"


class UpsConfig(PartConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[ups]]`, asked each `period`."""

    period: Annotated[Duration, Within("500ms", "60s")] = Duration(1.0)


EVIDENCE_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "ping": "network",
        "tcp": "network",
        "ssh": "client",
        "nut": "client",
        "redfish": "management",
    }
)
"""What a probe tells of a host, by its scheme; two probes of one kind fail together."""


class HostAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How a host is reached, as its driver is handed it: the keys of its `[[host]]`, with the
    files' paths resolved, and without the evidence of its outlet, which the core looks at itself.
    `nut`: (host, port, user, password file) of our own upsd."""

    id: str
    stop: str
    start: str | None = None
    evidence: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    initialise: tuple[str, ...] = ()
    path: str | None = None
    key_file: str | None = None
    host_key: str | None = None
    password_file: str | None = None
    ca: str | None = None
    nut: tuple[str, int, str, str] | None = None


def role_of(part: InputConfig) -> str:
    """The input's role; "climate" for a sensor, whose kind says what it is."""
    role: str = getattr(part, "role", "climate")
    return role


def pins_of(part: PartConfig) -> tuple[int, ...]:
    """The BCM pins that the part is wired to; none for a part that is reached otherwise."""
    pins: tuple[int, ...] | None = getattr(part, "pins", None)
    if pins is not None:
        return pins
    pin: int | None = getattr(part, "pin", None)
    return () if pin is None else (pin,)
