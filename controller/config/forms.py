"""Texts of the room file that have a form: addresses, means of stopping, time zones."""

from __future__ import annotations

import re
import shlex
import zoneinfo
from collections.abc import Callable
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import msgspec


class Form(msgspec.Struct, frozen=True):
    """A check on a text, as annotation: `Annotated[str, Form(is_url, "a URL")]`."""

    holds: Callable[[str], bool]
    allowed: str


# What a host name or an address is made of; a name that begins with a hyphen could be taken
# for an option of the program that it is handed to.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9a-f:.]*:[0-9a-f:.%a-z]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


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


def _reaches(
    *schemes: str, port: bool | None = None, user: bool | None = None, path: str = ""
) -> Callable[[str], bool]:
    """Tell whether a text is a URL of one of the schemes with a host and nothing unasked for.

    `port`, `user`: whether there must be one (None: there may). `path`: what the path must match
    (a regular expression).
    """

    def holds(text: str) -> bool:
        url = _url(text)
        return (
            url is not None
            and url.scheme in schemes
            and _HOST.fullmatch(url.hostname or "") is not None
            and port in (None, url.port is not None)
            and user in (None, url.username is not None)
            and (url.username is None or _USER.fullmatch(url.username) is not None)
            and re.fullmatch(path, url.path) is not None
            and not (url.query or url.fragment)
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


_SERIAL = re.compile(r"rtu:///dev/[\w./-]+(\?[\w=&]+)?")
_SETTING = re.compile(r"baudrate=[1-9][0-9]{2,6}|parity=[NEO]|stopbits=[12]")


def _serial(text: str) -> bool:
    if _SERIAL.fullmatch(text) is None or "/../" in text:
        return False
    settings = [part for part in text.partition("?")[2].split("&") if "?" in text]
    names = [setting.partition("=")[0] for setting in settings]
    return len(set(names)) == len(names) and all(map(_SETTING.fullmatch, settings))


def _command(text: str) -> bool:
    if not (text.startswith("command:/") and text.isprintable()):
        return False
    try:
        words = shlex.split(text.removeprefix("command:"))
    except ValueError:  # a quotation without an end
        return False
    return bool(words)


_MAC = re.compile(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")


def _wake(text: str) -> bool:
    mac, at, address = text.removeprefix("wol://").partition("@")
    return (
        text.startswith("wol://")
        and _MAC.fullmatch(mac) is not None
        and (not at or _HOST.fullmatch(address) is not None)
    )


_tcp = _reaches("tcp", port=True, user=False)
_ping = _reaches("ping", port=False, user=False)
_ssh = _reaches("ssh")
_redfish = _reaches("redfish", path="(/[A-Za-z0-9._-]*)?")
_web = _reaches("http", "https", user=False, path=".*")


def _any(*forms: Callable[[str], bool] | str) -> Callable[[str], bool]:
    """Tell whether a text has one of the forms, or is one of the words."""

    def holds(text: str) -> bool:
        return any(form == text if isinstance(form, str) else form(text) for form in forms)

    return holds


_SYSTEM = "redfish://user@host[:port][/system]"

TimeZone = Annotated[str, Form(_zone, 'a time zone such as "Asia/Shanghai"')]
Listen = Annotated[str, Form(_listens, 'an address and port such as "127.0.0.1:8080"')]
BrokerUrl = Annotated[
    str, Form(_reaches("mqtt", "mqtts", path=".*"), '"mqtt://host:1883" or "mqtts://host:8883"')
]
ModbusAddress = Annotated[
    str,
    Form(
        _any(_tcp, _serial),
        '"tcp://host:502" or "rtu:///dev/ttyUSB0", with baudrate=, parity= (N, E, O) and '
        'stopbits= (1, 2) as in "rtu:///dev/ttyUSB0?baudrate=9600&parity=N"',
    ),
]
NutAddress = Annotated[
    str,
    Form(_reaches("nut", path=r"/[A-Za-z0-9._-]+"), '"nut://[user@]host[:3493]/ups"'),
]
Stop = Annotated[
    str,
    Form(
        _any("nut", _command, _reaches("ssh", user=True), _redfish),
        f'"nut", "ssh://user@host[:port]", "{_SYSTEM}" or "command:/path"',
    ),
]
Start = Annotated[
    str,
    Form(
        _any("outlet", _command, _wake, _redfish),
        f'"wol://02:00:00:00:00:01", "wol://02:00:00:00:00:01@10.0.0.255", "{_SYSTEM}", '
        '"outlet" or "command:/path"',
    ),
]
Evidence = Annotated[
    str,
    Form(
        _any("nut", "outlet", _tcp, _ping, _ssh, _redfish),
        f'"ping://host", "tcp://host:port", "ssh://host[:port]", "nut", "{_SYSTEM}" or "outlet"',
    ),
]
Ready = Annotated[
    str,
    Form(
        _any(_tcp, _web, _ssh, _ping, _command),
        '"tcp://host:port", "http://host/path", "https://host/path", "ssh://host[:port]", '
        '"ping://host" or "command:/path"',
    ),
]
Path = Annotated[str, Form(_any(_ping, _tcp), '"ping://host" or "tcp://host:port"')]
Command = Annotated[str, Form(_command, '"command:/path"')]
Text = Annotated[
    str,
    Form(
        lambda text: 0 < len(text) <= 200 and text.isprintable() and bool(text.strip()),
        "a text of 1 to 200 characters",
    ),
]
Word = Annotated[
    str,
    Form(
        lambda text: _USER.fullmatch(text) is not None,
        "a word of letters, digits, dots, hyphens and underscores, 64 characters at most",
    ),
]
FileName = Annotated[
    str,
    Form(
        lambda text: 0 < len(text) <= 1000 and text.isprintable(), "a file, relative to this one"
    ),
]
