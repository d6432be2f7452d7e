"""What is wrong with a room file: every fault of one run, each on a line of its own."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from controller.core.partconfig import PartConfig

MISSING = "missing"
HIDDEN = "(not shown)"
_LONGEST_VALUE = 80
# A URL's password, or a key pasted where its file should be named.
_SECRET = re.compile(r"//[^/@\s]*:[^@\s]*@|-----BEGIN ")

P = TypeVar("P", bound=PartConfig)


class Fault(msgspec.Struct, frozen=True):
    """One fault. `key` names it in full: `input "smoke-1".pins`, or `input[2].id` (counted
    from 1) where a part has no id; empty when the whole file is meant. `value` is written as
    in TOML, or says that it is missing; `allowed` is what could stand there."""

    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        if not self.key:
            return self.allowed
        if not self.value:
            return f"{self.key}: {self.allowed}"
        told = MISSING if self.value == MISSING else f"= {self.value}"
        return f"{self.key} {told}; allowed: {self.allowed}"


class ConfigFaults(Exception):
    """The room file cannot be used: `faults` says all that is wrong with it."""

    def __init__(self, file: Path, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{file}: {fault}" for fault in self.faults))


def show(value: object) -> str:
    """Write a value as TOML would, on one line, shortened to 80 characters, without secrets."""
    text = _toml(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return MISSING
        case str() if _SECRET.search(value):
            return HIDDEN
        case str():
            return json.dumps(value, ensure_ascii=not value.isprintable())
        case int():
            # Python refuses to write out an integer of more than 4300 digits.
            return str(value) if value.bit_length() < 1000 else "a very large number"
        case dict():
            return "a table"
        case list() | tuple():
            return "[" + ", ".join(_toml(item) for item in value[:_LONGEST_VALUE]) + "]"
        case datetime.date() | datetime.time():
            return value.isoformat()
    return str(value)


def bare(key: str) -> str:
    """Write one key as TOML would: quoted where it needs to be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else show(key)


def entry(table: str, number: int, id: object) -> str:
    """Name one of an array of tables: by its id where it has one, else by its number, from 1."""
    return f'{table} "{id}"' if isinstance(id, str) else f"{table}[{number}]"


def entries(table: str, parts: Iterable[P]) -> Iterator[tuple[str, P]]:
    """Each part with the key that names it."""
    for number, part in enumerate(parts, 1):
        yield entry(table, number, part.id), part
