"""The words of NUT's lines, on the wire and in its files. Source: NUT's docs/net-protocol.txt."""

from __future__ import annotations

import re
from pathlib import Path

from controller.core.parts import BadReply

_PASSWORD_BYTES = 200  # upsd takes words of 512 bytes
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[^"\\\s]|\\.)+)')


def split(line: str) -> list[str]:
    """Split a line into its words; a quoted one may be empty, and a backslash quotes what
    follows it. Raises: BadReply."""
    words, at = [], 0
    line = line.rstrip()
    while at < len(line):
        found = _WORD.match(line, at)
        if found is None or (found.end() < len(line) and not line[found.end()].isspace()):
            raise BadReply(f"{line[:80]!r} is not a line of upsd")
        word = found[2] if found[1] is None else found[1]
        words.append(re.sub(r"\\(.)", r"\1", word))
        at = found.end()
        at += len(line[at:]) - len(line[at:].lstrip())
    return words


def quoted(word: str) -> str:
    """Write a word as NUT reads it, on the wire and in its files."""
    assert word.isprintable(), "a word of a NUT line has no control characters"
    # Unquoted, a # begins a comment; NUT 2.8 wants it escaped even between quotes.
    return '"' + re.sub(r'(["\\#])', r"\\\1", word) + '"'


def read_password(file: Path) -> str:
    """Return the password that a file holds on its one line. Raises: ValueError, naming it."""
    try:
        with file.open("rb") as secret:
            password = secret.read(_PASSWORD_BYTES + 2).strip()
    except OSError as error:
        raise ValueError(f"password_file: {error}") from error
    # NUT 2.8 leaves out every byte that is not printable ASCII, in its files and on the wire.
    if not re.fullmatch(rb"[ -~]{1,%d}" % _PASSWORD_BYTES, password):
        raise ValueError(
            f"password_file: {file} must hold one line of 1 to {_PASSWORD_BYTES} ASCII characters"
        )
    return password.decode("ascii")
