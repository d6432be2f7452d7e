"""What a register map's file is made of, as it is written."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import msgspec

from controller.config.forms import Text
from controller.core.duration import Duration, Within
from controller.core.parts import SELF_TESTS, SUPPLIES, UPS_FAULTS, UPS_VALUES

COMMANDS = ("off",)

WORDS: dict[str, str] = {
    **dict.fromkeys(SUPPLIES, "supply"),
    **dict.fromkeys(SELF_TESTS, "self_test"),
    **dict.fromkeys((*UPS_FAULTS, "no-fault"), "faults"),
    **dict.fromkeys(("battery-low", "battery-fine"), "battery_low"),
}
"""What a register may be said to tell, and which value of the normal form that is part of."""
NUMBERS = [
    key for key, value in UPS_VALUES.items() if not value.words and key not in WORDS.values()
]
Address = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Function = Annotated[Literal[3, 4], msgspec.Meta(description="3 (holding) or 4 (input registers)")]
Patterns = Annotated[
    tuple[int, ...], msgspec.Meta(description="a list of raw patterns, such as [0xFFFF]")
]
NumberType = Literal["u16", "s16", "u32", "s32", "f32"]
Order = Literal["high-first", "low-first"]


class BlockForm(msgspec.Struct, kw_only=True):
    address: Address
    count: Annotated[int, msgspec.Meta(ge=1, le=125)]
    function: Function | None = None
    optional: bool = False


class RegisterForm(msgspec.Struct, kw_only=True):
    """What all three kinds of values have."""

    address: Address
    source: Text
    function: Function | None = None
    order: Order = "high-first"
    invalid: Patterns | None = None
    absent: Patterns = ()
    live: bool = False


class NumberForm(RegisterForm, kw_only=True):
    type: NumberType
    unit: str
    scale: float = 1.0
    since: datetime.date | None = None


class WordForm(RegisterForm, kw_only=True):
    type: Literal["bits", "bits32", "enum"]
    bits: dict[str, Any] = {}
    numbers: dict[str, Any] = {}
    masks: list[Any] = []


class WriteForm(msgspec.Struct, kw_only=True):
    address: Address
    words: Annotated[tuple[Address, ...], msgspec.Meta(description="a list of 16-bit words")]
    function: Annotated[Literal[6, 16], msgspec.Meta(description="6 or 16")] = 16


class CommandForm(msgspec.Struct, kw_only=True):
    source: Text
    write: tuple[WriteForm, ...]


class FileForm(msgspec.Struct, kw_only=True):
    source: Text
    block: tuple[BlockForm, ...]
    function: Function = 3
    reply_timeout: Annotated[Duration, Within("50ms", "10s")] | None = None
    gap: Annotated[Duration, Within("0s", "1s")] = Duration(0.0)
    value: dict[str, Any] = {}
    word: dict[str, Any] = {}
    live: dict[str, Any] = {}
    command: dict[str, Any] = {}
