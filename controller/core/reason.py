"""Reasons: a message id with its values. Text is made at the edge, in the reader's language."""

from __future__ import annotations

import msgspec

ReasonValue = str | float | bool | None | tuple[str, ...]


class Reason(msgspec.Struct, frozen=True):
    """Why something is so: `id` names a sentence in `controller/texts`, `values` fill it."""

    id: str
    values: dict[str, ReasonValue] = {}


def why(id: str, **values: ReasonValue) -> Reason:
    return Reason(id, values)


def unknown(argument: str, id: str) -> Reason:
    """Return why a request is about nothing in the room: it has no such thing, or `argument`,
    which was to name it, is not there."""
    if id:
        return why("refused.unknown-subject", subject=id)
    return why("refused.bad-argument", argument=argument)
