"""Register maps: where a Modbus UPS keeps what it knows, and how its words become values.

Plain data and arithmetic. `hardware.upsmap` reads the files and sees to it that what stands in a
map fits together; `drivers.modbus` asks the UPS; the simulated UPS is the same map read
backwards.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Literal

import msgspec

Type = Literal["u16", "s16", "u32", "s32", "f32", "bits", "bits32", "enum"]
_LONG: frozenset[Type] = frozenset({"u32", "s32", "f32", "bits32"})

Register = tuple[int, int]
"""The function code that it is read with (3 holding, 4 input) and its address on the wire."""
Words = Mapping[Register, int]
Normal = dict[str, bool | float | str | None]
"""Values by the keys of `controller.core.parts.UPS_VALUES`."""

# The most that holds when a UPS says several at once. On line *and* on battery is neither.
_SUPPLY = ("off", "bypass", "battery", "mains")
_SELF_TEST = ("calibrating", "running", "failed", "passed", "none")
# A runtime of 0 s is believed below this charge (a guess); above, the UPS does not know it.
_EMPTY_PCT = 20.0


class Block(msgspec.Struct, frozen=True):
    """`count` registers that are read at once. A UPS may lack an `optional` block: it then does
    not tell what stands there."""

    address: int
    count: int
    function: int = 3
    optional: bool = False

    @property
    def registers(self) -> tuple[Register, ...]:
        return tuple((self.function, self.address + place) for place in range(self.count))


class Match(msgspec.Struct, frozen=True):
    """A register tells `word`, of the normal form's `key`, when under `mask` it is `equals`."""

    mask: int
    equals: int
    key: str
    word: str


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One or two registers.

    With `matches` it tells words. Else it is a number, raw times `scale` in `unit`, and one of
    the normal form where `key` names it; `low`..`high` is what it may be. `since` makes a raw
    count of days an age: the day that it counts from, in days from 1970-01-01.
    Raw `invalid` patterns cannot be right (None), `absent` ones say that there is nothing to tell.
    `live` registers stand still only where the UPS's own software does.
    """

    name: str
    address: int
    type: Type
    function: int = 3
    low_word_first: bool = False
    key: str | None = None
    scale: float = 1.0
    unit: str | None = None
    low: float = -math.inf
    high: float = math.inf
    since: int | None = None
    invalid: tuple[int, ...] = ()
    absent: tuple[int, ...] = ()
    matches: tuple[Match, ...] = ()
    live: bool = False
    source: str = ""

    @property
    def registers(self) -> tuple[Register, ...]:
        """Where it stands, the high word first."""
        first, second = (self.function, self.address), (self.function, self.address + 1)
        if self.type not in _LONG:
            return (first,)
        return (second, first) if self.low_word_first else (first, second)

    @property
    def bits(self) -> int:
        return 32 if self.type in _LONG else 16

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the normal form that it has a part in."""
        return frozenset({m.key for m in self.matches} | ({self.key} if self.key else set()))


class Write(msgspec.Struct, frozen=True):
    """Registers to write at once: function 16, or 6 for a single one."""

    address: int
    words: tuple[int, ...]
    function: int = 16


class RegisterMap(msgspec.Struct, frozen=True):
    """One family of UPS. `reply_timeout_s` None: what the line's kind asks for; `gap_s` is the
    silence that it needs before a request. `commands`: what to write, in order."""

    name: str
    source: str = ""
    blocks: tuple[Block, ...] = ()
    values: tuple[Value, ...] = ()
    commands: dict[str, tuple[Write, ...]] = {}
    reply_timeout_s: float | None = None
    gap_s: float = 0.0


def tells(map: RegisterMap) -> frozenset[str]:
    """The keys of the normal form that a UPS with this map tells."""
    return frozenset().union(*(value.keys for value in map.values))


def number(type: Type, raw: int) -> float:
    """What raw bits are as a number; not a number (NaN) or infinite where a float says so."""
    match type:
        case "s16":
            return float(raw - ((raw & 0x8000) << 1))
        case "s32":
            return float(raw - ((raw & 0x8000_0000) << 1))
        case "f32":
            return float(struct.unpack(">f", raw.to_bytes(4, "big"))[0])
    return float(raw)


def raw_of(value: Value, words: Words) -> int | None:
    """The raw bits of a value; None where its registers were not read."""
    raw = 0
    for register in value.registers:
        if register not in words:
            return None
        raw = (raw << 16) | words[register]
    return raw


def decode(map: RegisterMap, words: Words, today_d: float | None = None) -> Normal:
    """Return what the words say in the normal form.

    What is left out is not told; None is what cannot be right. `today_d` (days from 1970-01-01)
    is needed for ages, which are None without it.
    """
    told: Normal = {}
    heard: dict[str, set[str] | None] = {}
    for value in map.values:
        raw = raw_of(value, words)
        if raw is None or raw in value.absent:
            continue
        if value.key is not None:
            told[value.key] = None if raw in value.invalid else _measured(value, raw, today_d)
        spoken = None if raw in value.invalid else _spoken(value, raw)
        for key in {match.key for match in value.matches}:
            before = heard.get(key, set())
            if before is None or spoken is None:
                heard[key] = None
            else:
                heard[key] = before | spoken.get(key, set())
    told |= {key: None if said is None else _judged(key, said) for key, said in heard.items()}
    if told.get("runtime_s") == 0.0 and not told.get("battery_low"):
        charge = told.get("charge_pct")
        if isinstance(charge, float) and charge >= _EMPTY_PCT:
            told["runtime_s"] = None
    return told


def live_text(map: RegisterMap, words: Words) -> str | None:
    """A text that stands still only where every live register does; None without any."""
    raws = [raw_of(value, words) for value in map.values if value.live]
    return " ".join("-" if raw is None else f"{raw:x}" for raw in raws) or None


def encode(
    map: RegisterMap, values: Mapping[str, object], today_d: float = 0.0
) -> dict[Register, int]:
    """Return the words of all blocks with which a UPS would say `values`, by key of the normal
    form or by name of a value.

    What is None or not given becomes a pattern that is absent or invalid, where the map has one,
    else zero.
    """
    words = {register: 0 for block in map.blocks for register in block.registers}
    said = _words(values)
    for value in map.values:
        raw = _told(value, said) if value.matches else _counted(value, values, today_d)
        for register in reversed(value.registers):
            words[register] = raw & 0xFFFF
            raw >>= 16
    return words


def _measured(value: Value, raw: int, today_d: float | None) -> float | None:
    """The number, to a millionth; None outside of its range."""
    measured = number(value.type, raw) * value.scale
    if value.since is not None:
        if today_d is None:
            return None
        measured = math.floor(today_d) - value.since - measured
    return round(measured, 6) if value.low <= measured <= value.high else None


def _spoken(value: Value, raw: int) -> dict[str, set[str]] | None:
    """The words that a register says, by key; None for a number of an enum that says none."""
    spoken: dict[str, set[str]] = {}
    for match in value.matches:
        if raw & match.mask == match.equals:
            spoken.setdefault(match.key, set()).add(match.word)
    return None if value.type == "enum" and not spoken else spoken


def _judged(key: str, said: set[str]) -> bool | str | None:
    """What the words of one key come to."""
    match key:
        case "supply":
            if {"mains", "battery"} <= said:
                return None
            return next((word for word in _SUPPLY if word in said), None)
        case "self_test":
            return next((word for word in _SELF_TEST if word in said), "none")
        case "battery_low":
            return "battery-low" in said
    return " ".join(sorted(said - {"no-fault"}))


def _words(values: Mapping[str, object]) -> dict[str, set[str] | None]:
    """The words that say `values`, by key; None for one that is not known."""
    said: dict[str, set[str] | None] = {}
    for key in ("supply", "battery_low", "self_test", "faults"):
        match values.get(key, ""):
            case bool(is_low):
                said[key] = {"battery-low" if is_low else "battery-fine"}
            case str(text):
                said[key] = set(text.split()) or {"no-fault"}
            case _:
                said[key] = None
    return said


def _pattern(value: Value, otherwise: int = 0) -> int:
    """How the register says that it has nothing to tell."""
    return next(iter(value.absent + value.invalid), otherwise)


def _told(value: Value, said: Mapping[str, set[str] | None]) -> int:
    """The raw bits that say those of `said` which this register knows."""
    if all(said.get(key) is None for key in value.keys):
        return _pattern(value, _unlisted(value))
    chosen: dict[str, int] = {}
    for match in value.matches:
        if match.word in (said.get(match.key) or ()):
            chosen.setdefault(match.word, match.equals)
    if value.type == "enum":
        return next(iter(chosen.values()), _unlisted(value))
    raw = 0
    for bits in chosen.values():
        raw |= bits
    return raw


def _unlisted(value: Value) -> int:
    """Raw bits that tell nothing."""
    if value.type != "enum":
        return 0
    listed = {match.equals for match in value.matches}
    return next(number for number in range(len(listed) + 1) if number not in listed)


def _counted(value: Value, values: Mapping[str, object], today_d: float) -> int:
    """The raw bits of a number, held within what its type can say."""
    given = values.get(value.key or value.name, values.get(value.name))
    if isinstance(given, bool) or not isinstance(given, int | float):
        return _pattern(value)
    if value.since is not None:
        given = math.floor(today_d) - value.since - given
    if value.type == "f32":
        return int.from_bytes(struct.pack(">f", given / value.scale), "big")
    signed = value.type.startswith("s")
    top = (1 << (value.bits - signed)) - 1
    raw = max(min(round(given / value.scale), top), -top - 1 if signed else 0)
    return raw & ((1 << value.bits) - 1)
