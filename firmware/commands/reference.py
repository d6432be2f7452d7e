"""`roomwarden reference`: every key of the room file, in Markdown.

It is made of what the reader of the room file goes by: the structs' types and bounds, their
defaults, and the words of their docstrings. Lines of a docstring that begin with "* `key`:" are
the meaning of that key; the rest stands above the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import msgspec
from msgspec.structs import FieldInfo, fields

from controller.config.buses import ADDRESSES
from controller.config.faults import show
from controller.config.feed import REMOTE_ACTIONS
from controller.config.schema import RoomFile
from controller.config.size import Size
from controller.config.standin import STAND_INS
from controller.config.values import allowed
from controller.config.walk import Kinds, element_of, struct_of
from controller.core.duration import Duration
from controller.core.roles import (
    HOST_OUTLET,
    INPUT_ROLES,
    OUTPUT_ROLES,
    PROJECTOR_OUTLET,
    STANDING_COOLING,
    OutputRole,
)
from controller.docstrings import meanings_of
from firmware.kinds import kinds
from firmware.main import DONE

_HEAD = """\
# The room file, key by key

Made by `roomwarden reference` from the program itself; do not edit. A room is one TOML file.
`roomwarden check FILE` names every key that is unknown, missing or out of range, all in one run.

* Durations are texts: `"500ms"`, `"10s"`, `"5min"`, `"2h"`, `"1d"`.
* Files are named relative to the room file. Secrets stand in files of their own, never in it.
* A key without a default must be given. *none*: it may be left out, and is then not there.
"""
# The reader's own: where the file stands and what its bytes were.
_NO_KEYS = ("folder", "digest")


def _one_of(words: Iterable[str]) -> str:
    return " or ".join(f'"{word}"' for word in words)


# What may stand in keys whose types say less than the checks ask for.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "input": {"role": "one of the roles below"},
    "output": {"role": "one of the roles below"},
    "feed.client": {"actions": "a list, each " + _one_of(REMOTE_ACTIONS)},
}


def run(options: argparse.Namespace) -> int:
    print(reference(kinds()), end="")
    return DONE


def reference(kinds: Kinds) -> str:
    """Return the whole page; `kinds` are the parts that the tables of kinds may name."""
    lines = [_HEAD, "## The file itself", ""]
    keys = [field for field in fields(RoomFile) if field.name not in _NO_KEYS]
    tables = [field for field in keys if _is_table(field)]
    plain = [field for field in keys if field not in tables]
    lines += _rows(plain, meanings_of(RoomFile)[1], {})
    for field in tables:
        lines += _section(field, "", kinds)
    return "\n".join(lines).rstrip("\n") + "\n"


def _is_table(field: FieldInfo) -> bool:
    return struct_of(field.type) is not None or _elements(field) is not None


def _elements(field: FieldInfo) -> type[Any] | None:
    """The struct of an array of tables."""
    return element_of(field.type)


def _section(field: FieldInfo, parent: str, kinds: Kinds) -> Iterator[str]:
    """A table of the room file, and the tables within it."""
    name = parent + field.encode_name
    element = _elements(field)
    form = element or struct_of(field.type)
    assert form is not None, f"{name} is no table"
    head = f"[[{name}]]" if element else f"[{name}]"
    yield from (f"{'###' if parent else '##'} `{head}`", "")
    told = kinds.get(name, {}) if form in STAND_INS else {}
    words = _WORDS.get(name, {})
    yield from _table(form, {**words, "kind": _one_of(sorted(told))})
    shared = {common.name for common in fields(form)}
    for kind, config in sorted(told.items()):
        yield from (f'### `{head}` with `kind = "{kind}"`', "")
        address = {"address": allowed(ADDRESSES[kind])} if kind in ADDRESSES else {}
        yield from _table(config, {**words, **address}, without=shared)
    yield from _roles(name)
    for inner in fields(form):
        if not told and _elements(inner) is not None:
            yield from _section(inner, f"{name}.", kinds)


def _table(
    form: type[Any], words: Mapping[str, str], without: Set[str] = frozenset()
) -> Iterator[str]:
    """The docstring of `form`, then a row for each of its keys; `words` stand instead of what
    a key's type says of it."""
    prose, meanings = meanings_of(form)
    for paragraph in prose:
        yield from (paragraph, "")
    inner = {field.encode_name: struct_of(field.type) for field in fields(form)}
    for table in dict.fromkeys(table for table in inner.values() if table is not None):
        names = ", ".join(f"`{name}`" for name, found in inner.items() if found is table)
        for paragraph in meanings_of(table)[0]:
            yield from (f"{names}: {paragraph}", "")
    rows = [field for field in fields(form) if field.name not in without]
    if rows:
        yield from _rows([field for field in rows if _elements(field) is None], meanings, words)


def _roles(table: str) -> Iterator[str]:
    """What each role means, under the tables that have any."""
    if table == "input":
        yield from (
            "### Roles of an `[[input]]`",
            "",
            "| role | it is true when |",
            "| --- | --- |",
        )
        yield from (f"| `{name}` | {role.true} |" for name, role in INPUT_ROLES.items())
        yield ""
    elif table == "output":
        yield from ("### Roles of an `[[output]]`", "")
        yield "| role | on means | default | lost | lock_up |"
        yield "| --- | --- | --- | --- | --- |"
        for name, role in _output_roles():
            yield f"| {name} | {role.on} | {role.default} | {role.lost} | {role.lock_up} |"
        yield ""


def _output_roles() -> Iterator[tuple[str, OutputRole]]:
    for name, role in OUTPUT_ROLES.items():
        yield f"`{name}`", role
        if name == "outlet":
            yield "`outlet` of a projector", PROJECTOR_OUTLET
            yield "`outlet` of a host", HOST_OUTLET
        if name == "cooling":
            yield "`cooling` of a room with hosts or a UPS", STANDING_COOLING


def _rows(
    rows: list[FieldInfo], meanings: Mapping[str, str], words: Mapping[str, str]
) -> Iterator[str]:
    heads = ["key", "what may stand there", "default", *(["meaning"] if meanings else [])]
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    for name, field in _flat(rows):
        is_table = struct_of(field.type) is not None
        told = words.get(name) or ("a table" if is_table else allowed(field.type))
        given = "must be given" if name == "kind" else _default(field)
        cells = [f"`{name}`", told, given]
        if meanings:
            cells.append(meanings.get(name, ""))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _flat(rows: list[FieldInfo], parent: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Each key by its name; those of an inline table under the table's."""
    for field in rows:
        name = parent + field.encode_name
        yield name, field
        inner = struct_of(field.type)
        if inner is not None:
            yield from _flat(list(fields(inner)), f"{name}.")


def _default(field: FieldInfo) -> str:
    if field.required:
        return "must be given"
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory() if callable(field.default_factory) else None
    match value:
        case None:
            return "*none*"
        case Duration():
            return f'`"{value}"`'
        case Size():
            return f'`"{value // 10**9}GB"`'
    return f"`{show(value)}`"
