"""Bodies in and out: JSON, read strictly, and the gate's reply as a response."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from flask import Request, Response

from controller.history import HistoryUnavailable
from web.problem import Problem

T = TypeVar("T")

_NOT_YOURS = ("refused.role", "refused.origin")


def json_answer(data: object, status: int = HTTPStatus.OK) -> Response:
    return Response(msgspec.json.encode(data), status, content_type="application/json")


def read_body(request: Request, kind: type[T]) -> T:
    """Read the request's JSON. Raises: Problem naming what is wrong."""
    try:
        return msgspec.json.decode(request.get_data(cache=False), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body: {error}") from error


def read_journal(ask: Callable[[], T]) -> T:
    """Ask the journal. Raises: Problem when it cannot be read."""
    try:
        return ask()
    except HistoryUnavailable as error:
        detail = f"the journal cannot be read: {error}"
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error


def gate_answer(reply: dict[str, Any]) -> Response:
    """Answer with the gate's reply; a refusal is a problem that carries it. Raises: Problem."""
    match reply.get("status"):
        case "done":
            return json_answer(reply)
        case "accepted":
            return json_answer(reply, HTTPStatus.ACCEPTED)
        case "failed":
            status = HTTPStatus.BAD_GATEWAY
        case _:
            why = reply.get("why") or {}
            foreign = why.get("id") in _NOT_YOURS
            status = HTTPStatus.FORBIDDEN if foreign else HTTPStatus.CONFLICT
    raise Problem(status, str(reply.get("reason") or reply.get("status")), reply=reply)
