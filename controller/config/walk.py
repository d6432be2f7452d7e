"""Walk a parsed room file beside the structs it must fill, and note every fault on the way.

msgspec stops at the first error, so each key is taken by itself. What is faulty is left at
its default, or at None where it has none: the result is only to be used when there are no
faults, but it is whole enough for the checks of references and wiring to be made as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from controller.config.faults import HIDDEN, MISSING, Fault, bare, entry, show
from controller.config.standin import STAND_INS
from controller.config.values import allowed, convert
from controller.core.partconfig import PartConfig

Kinds = Mapping[str, Mapping[str, type[PartConfig]]]

_SECRETS = ("password", "passphrase", "secret", "token")


class Walk:
    """One reading of one file; `faults` grows as it goes."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self.faults: list[Fault] = []

    def table(self, form: type[Any], written: Mapping[str, Any], key: str, **given: Any) -> Any:
        """Return a `form` filled from the table `written`; `given` fields are not its keys."""
        fields = [f for f in msgspec.structs.fields(form) if f.name not in given]
        self._strangers(written, [f.encode_name for f in fields], key)
        values: dict[str, Any] = dict(given)
        before = len(self.faults)
        for part in fields:
            name = _join(key, part.encode_name)
            if part.encode_name in written:
                value = self._value(part.type, written[part.encode_name], name)
                if value is not None:
                    values[part.name] = value
            elif part.required:
                values[part.name] = self._missing(part.type, name)
            if part.required:
                values.setdefault(part.name, None)
        try:
            return form(**values)
        except (TypeError, ValueError, AttributeError) as error:
            # A driver's struct may look at its keys together, which may be faulty by now.
            if len(self.faults) == before:
                if not isinstance(error, ValueError):
                    raise
                self._fault(key, "", str(error))
            return None

    def _fault(self, key: str, value: str, allowed: str) -> None:
        self.faults.append(Fault(key, value, allowed))

    def _strangers(self, written: Mapping[str, Any], known: list[str], key: str) -> None:
        for stranger in written:
            if stranger in known:
                continue
            name = _join(key, bare(stranger))
            if stranger in _SECRETS:
                self._fault(name, HIDDEN, "password_file, the name of a file that holds it")
            else:
                self._fault(name, show(written[stranger]), "no such key; " + ", ".join(known))

    def _missing(self, form: Any, key: str) -> Any:
        """Note what is missing: of a table, each key that it must have."""
        struct = struct_of(form)
        if struct is not None:
            return self.table(struct, {}, key)
        self._fault(key, MISSING, allowed(form))
        return None

    def _value(self, form: Any, value: object, key: str) -> Any:
        struct = struct_of(form)
        if struct is not None:
            if isinstance(value, dict):
                return self.table(struct, value, key)
            self._fault(key, show(value), "a table")
            return Walk(self._kinds).table(struct, {}, key)
        element = element_of(form)
        if element is not None:
            return self._tables(element, value, key)
        try:
            return convert(form, value)
        except ValueError as error:
            self._fault(key, show(value), str(error))
            return None

    def _tables(self, element: type[Any], value: object, key: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            self._fault(key, show(value), f"an array of tables: [[{key}]]")
            return ()
        read = []
        for number, item in enumerate(value, 1):
            if not isinstance(item, dict):
                self._fault(f"{key}[{number}]", show(item), f"a table: [[{key}]]")
                continue
            name = entry(key, number, _id(item))
            if element in STAND_INS:
                read.append(self._part(element, item, name, key))
            else:
                read.append(self.table(element, item, name))
        return tuple(part for part in read if part is not None)

    def _part(
        self, base: type[PartConfig], written: Mapping[str, Any], key: str, table: str
    ) -> Any:
        """Read a part by the struct of its kind, or else by its table's stand-in."""
        known = self._kinds.get(table, {})
        kind = written.get("kind")
        form = known.get(kind) if isinstance(kind, str) else None
        if form is not None:
            part = self.table(form, written, key)
            if part is not None:
                return part
        else:
            told = show(kind) if "kind" in written else MISSING
            self._fault(f"{key}.kind", told, " or ".join(f'"{name}"' for name in sorted(known)))
        return self._stand_in(STAND_INS[base], written, key, told_already=form is not None)

    def _stand_in(
        self, form: type[PartConfig], written: Mapping[str, Any], key: str, told_already: bool
    ) -> Any:
        names = {field.encode_name for field in msgspec.structs.fields(form)} - {"kind"}
        walk = Walk(self._kinds)
        part = walk.table(form, {k: v for k, v in written.items() if k in names}, key)
        if not told_already:
            self.faults += walk.faults
        return part


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def struct_of(form: Any) -> type[Any] | None:
    """The struct that `form` asks for, if it asks for one (or for none at all)."""
    members = get_args(form) if get_origin(form) in (Union, UnionType) else (form,)
    for member in members:
        if isinstance(member, type) and issubclass(member, msgspec.Struct):
            return member
    return None


def element_of(form: Any) -> type[Any] | None:
    """The struct of a `tuple[Struct, ...]`."""
    return struct_of(get_args(form)[0]) if get_origin(form) is tuple else None


def _id(written: Mapping[str, Any]) -> str | None:
    """An id that is fit to name its table by; a faulty one is named by the number."""
    id = written.get("id")
    return id if isinstance(id, str) and 0 < len(id) <= 40 and id.isprintable() else None
