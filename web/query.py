"""Values of a query: read strictly, and named when they are wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from web.problem import Problem, bad_parameter

_POINT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)?")
_DIGITS = re.compile(r"\d{1,15}")


def point(values: Mapping[str, str], name: str) -> str:
    given = _given(values, name)
    if len(given) > 81 or not _POINT.fullmatch(given):
        raise bad_parameter(name, 'the id of a point, such as "rack-air.temperature"')
    return given


def instant_ms(values: Mapping[str, str], name: str) -> int:
    """Read milliseconds since 1970 or RFC 3339 with a zone; return the former."""
    given = _given(values, name)
    if _DIGITS.fullmatch(given):
        return int(given)
    try:
        # A plus sign in a query that was not escaped has become a space.
        at = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or len(given) < 20:
        raise bad_parameter(name, "milliseconds since 1970, or RFC 3339 with a zone")
    return round(at.timestamp() * 1000)


def count(values: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    given = values.get(name, str(default))
    if not _DIGITS.fullmatch(given) or not low <= int(given) <= high:
        raise bad_parameter(name, f"a whole number from {low} to {high}")
    return int(given)


def since(values: Mapping[str, str], name: str) -> int | str | None:
    """Read a sequence number, or a time as RFC 3339; None where it is not given."""
    if name not in values:
        return None
    given = values[name]
    if _DIGITS.fullmatch(given):
        return int(given)
    try:
        instant_ms(values, name)
    except Problem as error:
        raise bad_parameter(name, "a sequence number, or RFC 3339 with a zone") from error
    return given.replace(" ", "+")


def _given(values: Mapping[str, str], name: str) -> str:
    if name not in values:
        raise bad_parameter(name, "is missing")
    return values[name]
