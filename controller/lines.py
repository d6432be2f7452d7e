"""The line file: the last commanded state of every output line, kept where a crash leaves it.

A small memory-mapped file in the run directory (tmpfs), written before the line is driven. On
the same boot it is the truth about the lines; after another boot it is gone or says so.
"""

from __future__ import annotations

import contextlib
import grp
import mmap
import os
from collections.abc import Mapping
from pathlib import Path

GROUP = "roomwarden"
"""The users' group that may use the door, where the system has it."""

_SIZE = 8192
_HEAD = 64  # the boot id, padded
_ENTRY = 64  # an output's id, padded, and its state in the last byte
_MOST = (_SIZE - _HEAD) // _ENTRY
_ON, _OFF = ord("1"), ord("0")


class LineFile:
    """The states of the outputs `ids`; at most 127 of them.

    `kept` is what the file said before, None when it was of another boot or not there
    (`was_missing`).
    Raises: OSError when the run directory cannot be written.
    """

    def __init__(self, path: Path, boot: str, first: Mapping[str, bool]) -> None:
        assert len(first) <= _MOST, f"at most {_MOST} outputs"
        self.was_missing = not path.exists()
        self.kept = _read(path, boot)
        states = {id: (self.kept or {}).get(id, on) for id, on in first.items()}
        content = bytearray(_SIZE)
        content[: len(boot)] = boot.encode()
        self._at: dict[str, int] = {}
        for place, (id, on) in enumerate(states.items()):
            start = _HEAD + place * _ENTRY
            content[start : start + len(id)] = id.encode()
            self._at[id] = start + _ENTRY - 1
            content[self._at[id]] = _ON if on else _OFF
        # Built beside and renamed, so that a crash here leaves the old file whole.
        beside = path.with_suffix(".new")
        beside.write_bytes(content)
        beside.replace(path)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)

    def write(self, id: str, on: bool) -> None:
        """Keep a state; call it before the line is driven."""
        self._map[self._at[id]] = _ON if on else _OFF

    def close(self) -> None:
        self._map.close()


def _read(path: Path, boot: str) -> dict[str, bool] | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if len(content) != _SIZE or content[:_HEAD].rstrip(b"\0") != boot.encode():
        return None
    states = {}
    for start in range(_HEAD, _SIZE - _ENTRY + 1, _ENTRY):
        entry = content[start : start + _ENTRY]
        id = entry[:-1].rstrip(b"\0").decode("ascii", "replace")
        if id and entry[-1] in (_ON, _OFF):
            states[id] = entry[-1] == _ON
    return states


def make_run_dir(path: Path) -> None:
    """Make the run directory, for its owner and group. Raises: OSError."""
    path.mkdir(parents=True, exist_ok=True)
    os.chmod(path, 0o750)
    # Who may use the door's socket must be able to reach it.
    with contextlib.suppress(KeyError, PermissionError):
        os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)
