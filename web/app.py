"""The panel as a Flask application: pages, the interface, health and metrics."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Protocol

from flask import Flask, Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from controller.texts import text
from web.answers import json_answer
from web.api import Gate, api, set_cookie
from web.guard import HEADERS, Guard
from web.history import History
from web.hub import Hub, Stream
from web.kiosk import cookie_for, is_key
from web.metrics import metrics
from web.people import People
from web.problem import Problem, from_http, from_problem
from web.sessions import Sessions
from web.settings import Settings

log = logging.getLogger(__name__)

BODY_LIMIT = 16 * 1024


class DoorLike(Stream, Gate, Protocol):
    """What the panel needs of `controller.client.Door`."""


def create_app(door: DoorLike, history: History, people: People, settings: Settings) -> Flask:
    """Build the panel around a door, a journal's reader and the people who may sign in.

    Its hub starts with it; `app.extensions["hub"]` is there to be stopped.
    """
    app = Flask("web", static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    hub = Hub(door)
    app.extensions["hub"] = hub
    guard = Guard(settings, people, Sessions())

    @app.before_request
    def check_host() -> None:
        guard.check_host(request)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return from_problem(error)

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        return from_http(error)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:  # the request's outermost function
        log.error("%s %s", request.method, request.path, exc_info=error)
        return from_problem(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "see the panel's log"))

    @app.get("/")
    def page() -> Response:
        """The same page for all; without a sign-in where one is needed it shows only that."""
        may_view = guard.caller(request).may_view
        shell = render_template("panel.html", title=text(settings.locale, "ui.rail.room"))
        status = HTTPStatus.OK if may_view else HTTPStatus.UNAUTHORIZED
        return Response(shell, status, content_type="text/html; charset=utf-8")

    @app.get("/kiosk")
    def kiosk() -> BaseResponse:
        """Give the local screen its cookie."""
        if not is_key(settings.kiosk_key, request.args.get("key", "")):
            raise Problem(HTTPStatus.FORBIDDEN, "this is not the local screen's key")
        answer = redirect("/", HTTPStatus.SEE_OTHER)
        assert isinstance(answer, Response)
        set_cookie(answer, guard.kiosk_cookie, cookie_for(settings.kiosk_key), settings.secure)
        return answer

    @app.get("/healthz")
    def healthz() -> Response:
        if not hub.is_fresh:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the scan is not fresh")
        return json_answer({"status": "ok", "scan_age_s": round(hub.scan_age_s(), 2)})

    @app.get("/metrics")
    def prometheus() -> Response:
        if not guard.caller(request).may_view:
            raise Problem(HTTPStatus.UNAUTHORIZED, "sign in to see the room")
        view = hub.view()
        shown = metrics(view.state, hub.is_fresh, hub.scan_age_s())
        return Response(shown, content_type="text/plain; version=0.0.4; charset=utf-8")

    app.register_blueprint(api(settings, door, hub, history, people, guard))
    hub.start()
    return app
