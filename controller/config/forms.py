"""Texts of the room file that have a form: addresses, means of stopping, time zones."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import msgspec


class Form(msgspec.Struct, frozen=True):
    """A check on a text, as annotation: `Annotated[str, Form(is_url, "a URL")]`."""

    holds: Callable[[str], bool]
    allowed: str


def _url(text: str) -> SplitResult | None:
    """Split a URL whose host and port can be used and that carries no password."""
    if not text.isprintable() or " " in text:
        return None
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return None
    return None if port == 0 or url.password is not None else url


def _reaches(*schemes: str, port: bool = False) -> Callable[[str], bool]:
    """Tell whether a text is a URL of one of the schemes with a host, and a port if asked."""

    def holds(text: str) -> bool:
        url = _url(text)
        return (
            url is not None
            and url.scheme in schemes
            and bool(url.hostname)
            and (url.port is not None or not port)
        )

    return holds


def _zone(text: str) -> bool:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(text)


def _listens(text: str) -> bool:
    url = _url(f"//{text}")
    return (
        url is not None
        and bool(url.hostname)
        and url.port is not None
        and not (url.path or url.query or url.fragment or url.username)
    )


def _ups(text: str) -> bool:
    if text.startswith("rtu:"):
        return re.fullmatch(r"rtu:///dev/[\w./-]+(\?[\w=&]+)?", text) is not None
    if text.startswith("nut:"):
        url = _url(text)
        return url is not None and bool(url.hostname) and len(url.path) > 1
    return _reaches("tcp", port=True)(text)


def _command(text: str) -> bool:
    return text.startswith("command:/") and text.isprintable()


def _mac(text: str) -> bool:
    return re.fullmatch(r"wol://([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", text) is not None


def _stop(text: str) -> bool:
    return text == "nut" or _command(text) or _reaches("ssh", "redfish")(text)


def _start(text: str) -> bool:
    return text == "outlet" or _command(text) or _mac(text) or _reaches("redfish")(text)


def _evidence(text: str) -> bool:
    return (
        text in ("nut", "outlet")
        or _reaches("tcp", port=True)(text)
        or _reaches("ping", "ssh", "redfish")(text)
    )


TimeZone = Annotated[str, Form(_zone, 'a time zone such as "Asia/Shanghai"')]
Listen = Annotated[str, Form(_listens, 'an address and port such as "127.0.0.1:8080"')]
BrokerUrl = Annotated[
    str, Form(_reaches("mqtt", "mqtts"), '"mqtt://host:1883" or "mqtts://host:8883"')
]
UpsAddress = Annotated[
    str,
    Form(_ups, '"tcp://host:502", "rtu:///dev/ttyUSB0?baudrate=9600" or "nut://host:3493/ups"'),
]
Stop = Annotated[str, Form(_stop, '"nut", "ssh://user@host", "redfish://host" or "command:/path"')]
Start = Annotated[
    str,
    Form(_start, '"wol://02:00:00:00:00:01", "redfish://host", "outlet" or "command:/path"'),
]
Evidence = Annotated[
    str,
    Form(
        _evidence,
        '"ping://host", "tcp://host:port", "ssh://user@host", "nut", "redfish://host" or "outlet"',
    ),
]
Command = Annotated[str, Form(_command, '"command:/path"')]
Text = Annotated[
    str,
    Form(
        lambda text: 0 < len(text) <= 200 and text.isprintable() and bool(text.strip()),
        "a text of 1 to 200 characters",
    ),
]
FileName = Annotated[
    str,
    Form(
        lambda text: 0 < len(text) <= 1000 and text.isprintable(), "a file, relative to this one"
    ),
]
