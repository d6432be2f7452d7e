"""Just enough HTTP for a simulated host: one request a connection, small and whole."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

HEAD_END = b"\r\n\r\n"
MOST_BYTES = 65_536


class Request(msgspec.Struct, frozen=True):
    """`headers` by their names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def length(self) -> int:
        """How many bytes of body follow."""
        text = self.headers.get("content-length", "0")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def request(head: bytes) -> Request | None:
    """Read a request's head, without its empty line; None for what is no HTTP."""
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    pairs = (line.partition(":") for line in rest)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Request(words[0], words[1], headers)


def response(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Return a whole response, after which the connection ends."""
    said = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in said.items()]
    return "\r\n".join(lines).encode("latin-1") + HEAD_END + body
