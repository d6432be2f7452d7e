"""Who calls, from where, and whether a browser was tricked into it.

Host is checked against names that lead here (DNS rebinding), what changes something must come
from our own page (Sec-Fetch-Site, else Origin) as JSON, and the local screen counts only with
its cookie on a loopback connection.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Request

from controller.client import Origin, Role
from web.kiosk import is_cookie
from web.people import People, Person
from web.problem import Problem
from web.sessions import Sessions
from web.settings import Settings

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host")


@dataclass(frozen=True)
class Caller:
    """Who makes this request. `role` is what they may do now: less than their own once idle."""

    person: Person | None
    role: Role
    origin: Origin
    may_view: bool
    token: str = ""


class Guard:
    """Judges requests; one for the whole panel."""

    def __init__(self, settings: Settings, people: People, sessions: Sessions) -> None:
        self._settings = settings
        self._people = people
        self.sessions = sessions
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", *(n.lower() for n in settings.names)}

    @property
    def session_cookie(self) -> str:
        return "__Host-roomwarden" if self._settings.secure else "roomwarden"

    @property
    def kiosk_cookie(self) -> str:
        return "roomwarden-screen"

    def check_host(self, request: Request) -> None:
        """Refuse names that are not ours. An address cannot be rebound. Raises: Problem."""
        name = _host_name(request)
        if name not in self._names and not _is_address(name):
            raise Problem(HTTPStatus.MISDIRECTED_REQUEST, f"no panel is called {name!r}")

    def check_change(self, request: Request) -> None:
        """Refuse what another site made a browser send. Raises: Problem."""
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if site is not None:
            own = site in ("same-origin", "none")
        elif origin is not None:
            own = urlsplit(origin).netloc.lower() == request.host.lower()
        else:
            own = True  # no browser: every browser sends one of the two
        if not own:
            raise Problem(HTTPStatus.FORBIDDEN, "this came from another site")
        if request.method == "POST" and request.mimetype != "application/json":
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type: application/json")

    def caller(self, request: Request) -> Caller:
        token = request.cookies.get(self.session_cookie, "")
        now_s = time.monotonic()
        session = self.sessions.find(token, now_s) if token else None
        person = self._people.find(session.person.id) if session is not None else None
        origin = self._origin(request)
        role = Role.NOBODY
        if session is not None and person is not None:
            idle = session.is_idle(now_s)
            role = Role.VIEW if idle else person.role
            if idle and origin is Origin.LOCAL_SCREEN:  # looking needs nobody there
                person, role = None, Role.NOBODY
        return Caller(
            person=person,
            role=role,
            origin=origin,
            may_view=person is not None or _is_loopback(request),
            token=token,
        )

    def _origin(self, request: Request) -> Origin:
        shown = request.cookies.get(self.kiosk_cookie, "")
        if _is_loopback(request) and is_cookie(self._settings.kiosk_key, shown):
            return Origin.LOCAL_SCREEN
        return Origin.NETWORK_PANEL


def _host_name(request: Request) -> str:
    try:
        return (urlsplit(f"//{request.host}").hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(request: Request) -> bool:
    """Whether a browser on this very machine calls, with no proxy in between."""
    if any(header in request.headers for header in _FORWARDED):
        return False
    name, far = _host_name(request), request.remote_addr or ""
    here = name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)
    return here and _is_address(far) and ip_address(far).is_loopback
