"""Errors as RFC 9457 problem JSON: the one way in which the panel says no."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from flask import Response
from werkzeug.exceptions import HTTPException

TYPE = "application/problem+json"


class Problem(Exception):
    """Raised by a view. `more` holds members of the problem beyond status, title and detail."""

    def __init__(self, status: HTTPStatus, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more


def bad_parameter(name: str, detail: str) -> Problem:
    """A value of the query or the body that cannot be right; `name` is which."""
    return Problem(HTTPStatus.BAD_REQUEST, f"{name}: {detail}", parameter=name)


def body(status: int, detail: str, **more: Any) -> bytes:
    title = HTTPStatus(status).phrase
    return msgspec.json.encode({**more, "status": status, "title": title, "detail": detail})


def from_problem(error: Problem) -> Response:
    response = Response(body(error.status, error.detail, **error.more), error.status)
    response.content_type = TYPE
    if error.status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "2"
    return response


def from_http(error: HTTPException) -> Response:
    """Turn what Flask itself refuses (404, 405, 413 ..) into a problem, keeping its headers."""
    status = error.code or 500
    if status < 400:
        moved = error.get_response()
        assert isinstance(moved, Response)
        return moved
    response = Response(body(status, error.description or ""), status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    response.content_type = TYPE
    return response
