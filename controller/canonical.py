"""Canonical JSON (RFC 8785), and values made fit for it. What is hashed is written here."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import rfc8785

_SAFE_INTEGER = 2**53 - 1  # RFC 8785 section 3.2.2.3: what a double holds exactly


def canonical(value: Any) -> str:
    """Return the one spelling of `value`. Raises: ValueError when JSON cannot hold it."""
    return rfc8785.dumps(value).decode()


def plain(value: Any) -> Any:
    """Return `value` as something `canonical` takes; what JSON cannot hold is mended.

    The record must not fail over what it is told: numbers that are not finite become null,
    integers beyond a double's reach text, lone surrogates a question mark, unknown objects
    their text.
    """
    built = msgspec.to_builtins(value, str_keys=True, enc_hook=str)
    try:
        rfc8785.dumps(built)
    except ValueError:
        return _mended(built)
    return built


def _mended(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case str():
            return value.encode("utf-8", "replace").decode()
        case float():
            return value if math.isfinite(value) else None
        case int():
            return value if abs(value) <= _SAFE_INTEGER else str(value)
        case dict():
            return {_mended(str(key)): _mended(item) for key, item in value.items()}
        case _:
            return [_mended(item) for item in value]
