"""The panel's HTTP interface, version 1: look at the room, its history, and ask the gate."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from flask import Blueprint, Response, request

from controller.client import DoorClosed, DoorRefused, Origin, Role
from controller.texts import LOCALES, nearest, texts
from web import query
from web.answers import gate_answer, json_answer, read_body, read_journal
from web.guard import Caller, Guard
from web.history import History
from web.hub import Hub
from web.people import Locked, People, PeopleError, Secret
from web.problem import Problem, bad_parameter, from_problem
from web.settings import Settings
from web.stream import Slots

# What anybody at the local screen may ask for: an alarm must never wait for a PIN.
UNSIGNED = ("silence", "acknowledge", "hold")
LONGEST_DAYS = 400  # of history in one answer
LONGEST_MS = LONGEST_DAYS * 86_400_000


class Gate(Protocol):
    """The part of the door's client that makes requests."""

    def request(
        self,
        action: str,
        args: Mapping[str, str] | None = None,
        wait: bool = False,
        *,
        id: str | None = None,
        actor: str = "",
        role: str = "",
        origin: str = "",
    ) -> dict[str, Any]: ...


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request to the gate."""

    action: str
    args: dict[str, str] = {}
    id: str | None = None


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a sign-in: with a PIN at the local screen, with a password anywhere."""

    id: str
    pin: str | None = None
    password: str | None = None


def api(
    settings: Settings,
    gate: Gate,
    hub: Hub,
    history: History,
    people: People,
    guard: Guard,
) -> Blueprint:
    """Build the blueprint for `/api/v1`."""
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    slots = Slots(settings.viewers)
    sessions = guard.sessions

    def viewer() -> Caller:
        caller = guard.caller(request)
        if not caller.may_view:
            raise Problem(HTTPStatus.UNAUTHORIZED, "sign in to see the room")
        return caller

    @blueprint.before_request
    def check() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            guard.check_change(request)

    @blueprint.get("/state")
    def state() -> Response:
        viewer()
        view = hub.view()
        if not view.live or view.state is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "no contact with the controller", since=view.since
            )
        return json_answer(view.state)

    @blueprint.get("/stream")
    def stream() -> Response:
        viewer()
        gone = request.environ.get("waitress.client_disconnected", lambda: False)
        response = Response(slots.viewer(hub, gone), content_type="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.get("/history")
    def readings() -> Response:
        viewer()
        point = query.point(request.args, "point")
        from_ms = query.instant_ms(request.args, "from")
        to_ms = query.instant_ms(request.args, "to")
        width = query.count(request.args, "width", default=600, low=10, high=4000)
        if not from_ms < to_ms:
            raise bad_parameter("to", "must be after from")
        if to_ms - from_ms > LONGEST_MS:
            raise bad_parameter("from", f"at most {LONGEST_DAYS} days before to")
        known = (hub.view().state or {}).get("points")
        if known is not None and all(each["id"] != point for each in known):
            raise bad_parameter("point", f"no point is called {point!r}")
        rows = read_journal(lambda: history.series(point, from_ms, to_ms, width))
        return json_answer(
            {
                "point": point,
                "columns": ["at_ms", "low", "mean", "high", "quality"],
                "rows": rows,
            }
        )

    @blueprint.get("/events")
    def events() -> Response:
        viewer()
        limit = query.count(request.args, "limit", default=100, low=1, high=1000)
        since = query.since(request.args, "since")
        if since is None:  # the newest
            journal = (hub.view().state or {}).get("journal") or {}
            since = int(journal.get("seq") or 0) - limit + 1
        after = max(0, since - 1) if isinstance(since, int) else since
        return json_answer({"events": read_journal(lambda: history.events(after, limit))})

    @blueprint.get("/texts/<locale>")
    def sentences(locale: str) -> Response:
        if locale not in LOCALES:
            raise Problem(HTTPStatus.NOT_FOUND, f"no texts in {locale!r}; there are {LOCALES}")
        return json_answer(texts(locale))

    @blueprint.post("/requests")
    def ask() -> Response:
        wanted = read_body(request, Ask)
        caller = guard.caller(request)
        unsigned = wanted.action in UNSIGNED and caller.origin is Origin.LOCAL_SCREEN
        if not unsigned and caller.role in (Role.NOBODY, Role.VIEW):
            known = caller.person is not None and caller.person.role is Role.VIEW
            raise Problem(
                HTTPStatus.FORBIDDEN if known else HTTPStatus.UNAUTHORIZED,
                "your role may only look" if known else "sign in first",
            )
        sessions.touch(caller.token, time.monotonic())
        try:
            reply = gate.request(
                wanted.action,
                wanted.args,
                id=wanted.id,
                actor=caller.person.id if caller.person is not None else "",
                role=caller.role.value,
                origin=caller.origin.value,
            )
        except DoorClosed as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        except DoorRefused as error:
            raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from error
        return gate_answer(reply)

    def note(action: str, person: str, caller: Caller) -> None:
        """Have it recorded who signs in; without a controller there is no record to keep."""
        with contextlib.suppress(DoorClosed, DoorRefused):
            gate.request(
                action,
                {"person": person[:64]},
                actor=person[:64],
                role=Role.NOBODY.value,
                origin=caller.origin.value,
            )

    @blueprint.get("/session")
    def session() -> Response:
        return json_answer(_session(guard.caller(request)))

    @blueprint.post("/session")
    def sign_in() -> Response:
        wanted = read_body(request, SignIn)
        caller = guard.caller(request)
        if (wanted.pin is None) == (wanted.password is None):
            raise bad_parameter("pin", "give either a pin or a password")
        if wanted.pin is not None and caller.origin is not Origin.LOCAL_SCREEN:
            raise Problem(HTTPStatus.FORBIDDEN, "a PIN is for the local screen only")
        secret = Secret.PIN if wanted.pin is not None else Secret.PASSWORD
        now_s = time.monotonic()
        try:
            person = people.check(wanted.id, secret, wanted.pin or wanted.password or "", now_s)
        except Locked as error:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS, "too many tries", locked_s=round(error.left_s)
            ) from error
        if person is None:
            note("sign-in-failed", wanted.id, caller)
            raise Problem(HTTPStatus.UNAUTHORIZED, "wrong person or secret")
        note("sign-in", person.id, caller)
        sessions.end(caller.token)
        token = sessions.begin(person, now_s)
        response = json_answer(
            {"person": {"id": person.id, "name": person.name, "role": person.role}}
        )
        set_cookie(response, guard.session_cookie, token, settings.secure)
        return response

    @blueprint.delete("/session")
    def sign_out() -> Response:
        caller = guard.caller(request)
        sessions.end(caller.token)
        if caller.person is not None:
            note("sign-out", caller.person.id, caller)
        response = Response(status=HTTPStatus.NO_CONTENT)
        response.delete_cookie(guard.session_cookie, secure=settings.secure)
        return response

    @blueprint.post("/session/active")
    def active() -> Response:
        """The page says that somebody touched it."""
        caller = guard.caller(request)
        sessions.touch(caller.token, time.monotonic())
        return json_answer(_session(guard.caller(request)))

    @blueprint.get("/people")
    def everybody() -> Response:
        """Who can sign in at the local screen; nobody else is told names."""
        if guard.caller(request).origin is not Origin.LOCAL_SCREEN:
            raise Problem(HTTPStatus.FORBIDDEN, "names are for the local screen only")
        known = [one for one in people.everybody() if one.pin is not None]
        return json_answer({"people": [{"id": one.id, "name": one.name} for one in known]})

    @blueprint.errorhandler(PeopleError)
    def people_unreadable(error: PeopleError) -> Response:
        return from_problem(Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)))

    def _session(caller: Caller) -> dict[str, Any]:
        person = caller.person
        signed_in = None
        if person is not None:
            signed_in = {"id": person.id, "name": person.name, "role": caller.role.value}
        from_here = caller.origin is Origin.LOCAL_SCREEN or settings.remote_operate
        return {
            "person": signed_in,
            "origin": caller.origin.value,
            "may_operate": from_here and caller.role in (Role.OPERATE, Role.CONFIGURE),
            "may_view": caller.may_view,
            "locale": _locale(caller),
        }

    def _locale(caller: Caller) -> str:
        wished = [tag for tag, _ in request.accept_languages]
        if caller.person is not None and caller.person.locale:
            wished.insert(0, caller.person.locale)
        found = [have for have in map(nearest, wished) if have]
        return found[0] if found else nearest(settings.locale) or LOCALES[0]

    return blueprint


def set_cookie(response: Response, name: str, value: str, secure: bool) -> None:
    response.set_cookie(name, value, httponly=True, samesite="Strict", secure=secure, path="/")
