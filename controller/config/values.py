"""One value of the room file: is it what its key asks for, and what would be?"""

from __future__ import annotations

import math
import types
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from controller.config.forms import Form
from controller.config.size import ALLOWED_SIZE, Size
from controller.core.duration import Duration, Within


def convert(form: Any, value: object) -> Any:
    """Return `value` as what the annotation `form` asks for. Raises: ValueError."""
    members = _members(form)
    if members:
        for member in members:
            try:
                return convert(member, value)
            except ValueError:
                continue
        raise ValueError(allowed(form))
    base, notes = _split(form)
    if base is Duration:
        return _duration(value, form, [note for note in notes if isinstance(note, Within)])
    if base is Size:
        return Size.parse(value)
    if get_origin(base) is tuple and get_args(base)[-1] is Ellipsis:
        if not isinstance(value, list):
            raise ValueError(allowed(form))
        return tuple(convert(get_args(base)[0], item) for item in value)
    # msgspec lets nan and inf through where a float has no bounds.
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(allowed(form))
    try:
        taken = msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        raise ValueError(allowed(form)) from error
    for note in notes:
        if isinstance(note, Form) and not note.holds(taken):
            raise ValueError(note.allowed)
    return taken


def _duration(value: object, form: Any, bounds: list[Within]) -> Duration:
    try:
        duration = Duration.parse(value)
    except ValueError as error:
        raise ValueError(allowed(form)) from error
    if not all(duration in bound for bound in bounds):
        raise ValueError(allowed(form))
    return duration


def allowed(form: Any) -> str:
    """Say in words what the annotation `form` takes."""
    members = _members(form)
    if members:
        return " or ".join(allowed(member) for member in members)
    base, notes = _split(form)
    for note in notes:
        match note:
            case Within():
                return f'a duration from "{note.shortest}" to "{note.longest}"'
            case Form():
                return note.allowed
            case msgspec.Meta(description=str(description)):
                return description
    if base is Duration:
        return 'a duration such as "500ms", "10s", "5min" or "2h"'
    if base is Size:
        return ALLOWED_SIZE
    if get_origin(base) is tuple:
        items = get_args(base)
        if items[-1] is Ellipsis:
            return f"a list, each {allowed(items[0])}"
        return f"a list of {len(items)}, each {allowed(items[0])}"
    return _in_words(inspect.type_info(form))


def _members(form: Any) -> tuple[Any, ...]:
    """The members of a union but for None, which TOML cannot say; () for anything else."""
    if get_origin(form) not in (Union, types.UnionType):
        return ()
    return tuple(member for member in get_args(form) if member is not type(None))


def _split(form: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(form) is Annotated:
        base, *notes = get_args(form)
        return base, tuple(notes)
    return form, ()


def _in_words(form: inspect.Type) -> str:
    match form:
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return " or ".join(f'"{v}"' if isinstance(v, str) else str(v) for v in values)
        case inspect.IntType() | inspect.FloatType():
            name = "a whole number" if isinstance(form, inspect.IntType) else "a number"
            if form.ge is None or form.le is None:
                return name
            return f"{name} from {form.ge:g} to {form.le:g}"
        case inspect.StrType(pattern=str(pattern)):
            return f"a text such as {pattern}"
        case inspect.StrType():
            return "a text"
    return "another kind of value"
