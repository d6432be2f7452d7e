"""What each role of an input or output means, in one table.

An output's key in the room file is its role; an outlet means more by what hangs on it, and
cooling by what the room holds, so ask `output_role` rather than the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from controller.core.partconfig import OnOff, OnOffKeep

Feeds = Literal["projector", "host"]


class InputRole(msgspec.Struct, frozen=True):
    """`true` says what a true contact means; `debounce_s` how long a level must stand."""

    true: str
    debounce_s: float = 0.05


class OutputRole(msgspec.Struct, frozen=True):
    """What an output of this role does of itself; `default`, `lost` and `lock_up` of its own
    table override that.

    `on` says what on exerts. `on_wins`: when one slot asks for both, on wins (else off does).
    `default` is slot 16. `lost` is where it goes when no controller comes back, `lock_up`
    where it goes when the room is locked up ("keep" leaves it as it is).
    `switch`: which requests may move it: "free" the action `switch`; "host-down" the same, but
    only while its host is confirmed down; "projector" `projector-on` and `projector-off`;
    "cut" `cut` and `restore`; "silence" and "reset" the actions of these names.
    """

    on: str
    on_wins: bool
    default: OnOff
    lost: OnOffKeep
    lock_up: OnOffKeep
    switch: Literal["free", "host-down", "projector", "cut", "silence", "reset"]


SMOKE_DEBOUNCE_S = 0.2

INPUT_ROLES: Mapping[str, InputRole] = MappingProxyType(
    {
        "smoke": InputRole("smoke is present", SMOKE_DEBOUNCE_S),
        "call-point": InputRole("the manual call point is pressed"),
        "emergency": InputRole("the hardware emergency-off is pressed"),
        "detector-fault": InputRole("a detector reports its own fault"),
        "door": InputRole("the door is open"),
        "window": InputRole("the window is open"),
        "leak": InputRole("water is found"),
        "tamper": InputRole("an enclosure is open"),
        "mains": InputRole("the mains is present on the wall side of the UPS"),
        "feedback": InputRole("what the output of `of` exerts is proven"),
        "hold": InputRole("the hold button is pressed"),
        "silence": InputRole("the silence button is pressed"),
        "ups-on-battery": InputRole("the UPS runs on its battery"),
        "ups-battery-low": InputRole("the UPS's battery is low"),
        "ups-fault": InputRole("the UPS reports a fault"),
    }
)

OUTPUT_ROLES: Mapping[str, OutputRole] = MappingProxyType(
    {
        "cut-off": OutputRole("that supply is cut", True, "off", "keep", "keep", "cut"),
        "siren": OutputRole("it sounds", True, "off", "off", "off", "silence"),
        "beacon": OutputRole("it flashes", True, "off", "off", "off", "silence"),
        "cooling": OutputRole("it runs", False, "off", "on", "off", "free"),
        "outlet": OutputRole("it is supplied", False, "off", "keep", "off", "free"),
        "light": OutputRole("it is lit", False, "off", "keep", "off", "free"),
        "door-release": OutputRole("the door is free", True, "off", "on", "off", "free"),
        "detector-reset": OutputRole(
            "the detectors' supply is interrupted", False, "off", "off", "off", "reset"
        ),
    }
)

# Locked up, a projector's outlet goes off only once its lamp has cooled: slot 3 sees to that.
PROJECTOR_OUTLET = OutputRole("it is supplied", True, "off", "on", "off", "projector")
HOST_OUTLET = OutputRole("it is supplied", True, "on", "on", "keep", "host-down")
# Of a room with hosts or a UPS: what is there must stay cool.
STANDING_COOLING = OutputRole("it runs", False, "on", "on", "keep", "free")


def output_role(role: str, feeds: Feeds | None = None, standing: bool = False) -> OutputRole:
    """What `role` means for an output that `feeds` a projector or a host, or nothing known.

    `standing`: the room has hosts or a UPS. Raises: KeyError for a role there is not.
    """
    if role == "outlet" and feeds == "projector":
        return PROJECTOR_OUTLET
    if role == "outlet" and feeds == "host":
        return HOST_OUTLET
    if role == "cooling" and standing:
        return STANDING_COOLING
    return OUTPUT_ROLES[role]
