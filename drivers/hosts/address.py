"""Addresses of hosts, as the room file writes them: `scheme://user@host:port/path`."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit

import msgspec


class Address(msgspec.Struct, frozen=True):
    """A URL in its parts. `url` is what stands in the room file; it holds no secret."""

    url: str
    host: str
    port: int
    user: str | None = None
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, so that our own kernel answers."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def netloc(self) -> str:
        """Host and port as HTTP wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def scheme_of(text: str) -> str:
    return text.partition(":")[0]


def parse(text: str, port: int | None = None) -> Address:
    """Read an address; `port` is meant where none is written. Raises: ValueError."""
    try:
        url = urlsplit(text)
        at = url.port or port
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from error
    host = url.hostname or ""
    if url.password is not None:
        raise ValueError(f"{url.scheme}://{host}: a password belongs in a password_file")
    # What begins with a hyphen would be an option of the program that it is handed to.
    if not host or host.startswith("-") or (url.username or "").startswith("-"):
        raise ValueError(f"{text}: no host that can be asked")
    if at is None:
        raise ValueError(f"{text}: the port is missing")
    user = None if url.username is None else unquote(url.username)
    return Address(text, host, at, user, url.path + (f"?{url.query}" if url.query else ""))
