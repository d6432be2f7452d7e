"""The Redfish side of a simulated host: what its management controller answers, without a socket.

Source: DMTF DSP0266. One system with power state and reset, basic authentication.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable

import msgspec

from simulators.host import SimulatedHost
from simulators.powerplan import Account
from simulators.web import Request, response

_ROOT = "/redfish/v1"
_RESET = "ComputerSystem.Reset"
RESETS = ("On", "GracefulShutdown", "ForceOff")

_encode = msgspec.json.Encoder().encode


class Reset(msgspec.Struct):
    """What is posted to the reset action."""

    ResetType: str


class ManagementController:
    """`reset` is called with one of `RESETS`; it and `host` may be another thread's."""

    def __init__(
        self, host: SimulatedHost, account: Account, reset: Callable[[str], None]
    ) -> None:
        self._host = host
        self._account = account
        self._reset = reset
        self._system = f"{_ROOT}/Systems/{account.system}"
        self._action = f"{self._system}/Actions/{_RESET}"

    def answer(self, request: Request, body: bytes) -> bytes:
        """Return the whole response to one request."""
        path = request.path.rstrip("/")
        if path == _ROOT:
            return _json(200, {"@odata.id": _ROOT, "Systems": {"@odata.id": f"{_ROOT}/Systems"}})
        if not self._may(request.headers.get("authorization", "")):
            return response(401, headers={"WWW-Authenticate": 'Basic realm="simulated"'})
        match request.method, path:
            case "GET", found if found == f"{_ROOT}/Systems":
                members = [{"@odata.id": self._system}]
                return _json(200, {"Members": members, "Members@odata.count": 1})
            case "GET", found if found == self._system:
                return _json(200, self._describe())
            case "POST", found if found == self._action:
                return self._take(body)
        return _error(404, f"there is nothing at {path}")

    def _may(self, authorization: str) -> bool:
        scheme, _, coded = authorization.partition(" ")
        try:
            pair = base64.b64decode(coded, validate=True)
        except binascii.Error:
            return False
        user, _, password = pair.partition(b":")
        known = self._account.password
        return (
            scheme.lower() == "basic"
            and user == self._account.bmc_user.encode()
            and (known is None or hmac.compare_digest(password, known.encode()))
        )

    def _describe(self) -> dict[str, object]:
        action = {"target": self._action, "ResetType@Redfish.AllowableValues": RESETS}
        return {
            "@odata.id": self._system,
            "Id": self._account.system,
            "PowerState": "On" if self._host.is_running else "Off",
            "Actions": {f"#{_RESET}": action},
        }

    def _take(self, body: bytes) -> bytes:
        try:
            asked = msgspec.json.decode(body, type=Reset).ResetType
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _error(400, str(error))
        if asked not in RESETS:
            return _error(400, f"{asked} is not one of {', '.join(RESETS)}")
        self._reset(asked)
        return response(204)


def _json(status: int, content: object) -> bytes:
    return response(status, _encode(content), {"Content-Type": "application/json"})


def _error(status: int, message: str) -> bytes:
    return _json(status, {"error": {"code": "Base.1.0.GeneralError", "message": message}})
