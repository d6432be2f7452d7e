"""A server's management controller (BMC) by Redfish. Source: DMTF DSP0266, DSP2046.

Basic authentication over TLS at each request: every service must take it, and it leaves no
session behind in a BMC that has room for a few.
"""

from __future__ import annotations

import base64
import time
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from controller.core.parts import BadReply, DeviceError
from drivers.hosts.address import Address
from drivers.hosts.files import read_file
from drivers.hosts.web import Reply, exchange

PORT = 443
_LIMIT_S = 20.0  # for all requests of one call; BMCs take seconds for each
_LOOK_S = 5.0  # of a look, which must not keep other evidence waiting
_SYSTEMS = "/redfish/v1/Systems"
_REDIRECTS = (301, 302, 307, 308)

Power = Literal["On", "Off", "PoweringOn", "PoweringOff", "Paused"]
_T = TypeVar("_T")


class _Link(msgspec.Struct):
    id: str = msgspec.field(name="@odata.id")


class _Systems(msgspec.Struct):
    members: list[_Link] = msgspec.field(name="Members")


class _Reset(msgspec.Struct):
    target: str
    allowed: list[str] | None = msgspec.field(
        name="ResetType@Redfish.AllowableValues", default=None
    )
    info: str | None = msgspec.field(name="@Redfish.ActionInfo", default=None)


class _Actions(msgspec.Struct):
    reset: _Reset | None = msgspec.field(name="#ComputerSystem.Reset", default=None)


class _System(msgspec.Struct):
    power: Power = msgspec.field(name="PowerState")
    actions: _Actions = msgspec.field(name="Actions", default_factory=_Actions)


class _Parameter(msgspec.Struct):
    name: str = msgspec.field(name="Name")
    allowed: list[str] = msgspec.field(name="AllowableValues", default_factory=list)


class _ActionInfo(msgspec.Struct):
    parameters: list[_Parameter] = msgspec.field(name="Parameters", default_factory=list)


class _Error(msgspec.Struct):
    message: str = ""


class _ErrorReply(msgspec.Struct):
    error: _Error


class Redfish:
    """`redfish://user@host[:port][/system]`, always over TLS; `ca` as in `web.exchange`.

    The system may be left out where there is only one.
    """

    def __init__(self, address: Address, password_file: str | None, ca: str | None) -> None:
        if ":" in (address.user or ""):
            raise ValueError(f"{address.url}: a user name without a colon")
        self._address = address
        self._password_file = password_file
        self._ca = ca

    def stop(self) -> None:
        """Ask for a graceful shutdown, unless it is off or on the way there.

        Raises: DeviceTimeout, DeviceUnreachable, BadReply, or DeviceError when the BMC refuses or
        offers no graceful shutdown.
        """
        until_s = time.monotonic() + _LIMIT_S
        system = self._system(until_s)
        if system.power not in ("Off", "PoweringOff"):
            self._reset(system, "GracefulShutdown", until_s)

    def start(self) -> None:
        """Switch it on, unless it is. Raises: as stop; DeviceError while it is powering off, when
        a BMC takes the wish and forgets it."""
        until_s = time.monotonic() + _LIMIT_S
        system = self._system(until_s)
        if system.power == "PoweringOff":
            raise DeviceError(f"{self._address.url}: still powering off")
        if system.power not in ("On", "PoweringOn"):
            self._reset(system, "On", until_s)

    def test(self) -> None:
        """See that a graceful shutdown is offered. Raises: as stop."""
        self._try("GracefulShutdown")

    def test_start(self) -> None:
        """See that switching it on is offered. Raises: as stop."""
        self._try("On")

    def is_up(self) -> bool:
        """Whether the server's power is on, be it on its way to off. Raises: as stop: a silent
        BMC tells nothing of its server."""
        return self._system(time.monotonic() + _LOOK_S).power != "Off"

    def _reset(self, system: _System, kind: str, until_s: float) -> None:
        target = self._offered(system, kind, until_s)
        self._ask(target, until_s, {"ResetType": kind})

    def _try(self, kind: str) -> None:
        until_s = time.monotonic() + _LIMIT_S
        self._offered(self._system(until_s), kind, until_s)

    def _offered(self, system: _System, kind: str, until_s: float) -> str:
        """Return where to ask for this kind of reset. Raises: DeviceError, it is not offered."""
        reset = system.actions.reset
        if reset is None:
            raise DeviceError(f"{self._address.url}: offers no reset")
        offered = reset.allowed
        if offered is None and reset.info is not None:
            info = self._read(reset.info, _ActionInfo, until_s)
            offered = next((x.allowed for x in info.parameters if x.name == "ResetType"), None)
        if kind not in (offered or ()):
            told = ", ".join(offered or ())[:200] or "nothing"
            raise DeviceError(f"{self._address.url}: offers no {kind}, only: {told}")
        return reset.target

    def _system(self, until_s: float) -> _System:
        if self._address.path.strip("/"):
            return self._read(f"{_SYSTEMS}{self._address.path}", _System, until_s)
        members = self._read(_SYSTEMS, _Systems, until_s).members
        if len(members) != 1:
            raise DeviceError(
                f"{self._address.url}: has {len(members)} systems: name one, as in "
                "redfish://user@host/system"
            )
        return self._read(members[0].id, _System, until_s)

    def _read(self, path: str, kind: type[_T], until_s: float) -> _T:
        reply = self._ask(path, until_s)
        try:
            return msgspec.json.decode(reply.body, type=kind)
        # RecursionError: brackets nested without end.
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadReply(f"{self._address.url}: {path[:100]}: {error}") from error

    def _ask(self, path: str, until_s: float, posted: object = None) -> Reply:
        """GET a path, or POST to it, and return the reply when it is a success."""
        reply = self._send(path, until_s, posted)
        if posted is None and reply.status in _REDIRECTS and reply.location is not None:
            # Some want a slash at the end. Never to another host: the password goes with it.
            reply = self._send(urlsplit(reply.location).path, until_s)
        if reply.status in (401, 403):
            raise DeviceError(f"{self._address.url}: user or password refused ({reply.status})")
        if not 200 <= reply.status < 300:
            raise DeviceError(
                f"{self._address.url}: {path[:100]}: HTTP {reply.status}{_message(reply.body)}"
            )
        return reply

    def _send(self, path: str, until_s: float, posted: object = None) -> Reply:
        if not path.startswith("/"):
            raise BadReply(f"{self._address.url}: {path[:100]!r} in place of a path")
        headers = {"Accept": "application/json", "OData-Version": "4.0"}
        if self._address.user is not None:
            password = read_file("password_file", self._password_file).strip()
            pair = f"{self._address.user}:{password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
        if posted is None:
            return exchange(self._address, path, until_s, tls=True, ca=self._ca, headers=headers)
        headers["Content-Type"] = "application/json"
        body = msgspec.json.encode(posted)
        return exchange(
            self._address,
            path,
            until_s,
            tls=True,
            ca=self._ca,
            method="POST",
            headers=headers,
            body=body,
        )


def _message(body: bytes) -> str:
    """What a Redfish error says, as the end of a sentence."""
    try:
        message = msgspec.json.decode(body, type=_ErrorReply).error.message
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return f": {message[:200]}" if message else ""
