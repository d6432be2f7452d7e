"""The file as a whole: the rooms that must load, and files that are no room at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.config.faults import ConfigFaults
from controller.config.read import LARGEST_BYTES, read_room
from controller.config.walk import Kinds


def test_the_lakeside_room_loads_as_it_stands(rooms: Path, kinds: Kinds):
    room = read_room(rooms / "lakeside.toml", kinds)
    assert [part.id for part in room.inputs] == [
        "rack-air",
        "smoke-1",
        "smoke-2",
        "front-door",
        "mains",
        "cut-proof",
        "ups-cut-proof",
        "hold-button",
    ]
    assert {part.id: part.kind for part in room.outputs}["aircon"] == "relay"
    assert room.projectors[0].cooling == 300
    assert room.upses[0].map == "apc-smart-ups"
    assert room.climate.temperature_high == 27
    assert room.climate.humidity_low is None
    assert room.feed is not None
    assert room.feed.clients[0].actions == ("acknowledge", "silence")
    assert room.store.size == 8_000_000_000
    assert room.resolve(room.store.path) == rooms / "room.db"
    assert len(room.digest) == 64


def test_the_lakeside_room_with_servers_loads_as_it_stands(rooms: Path, kinds: Kinds):
    room = read_room(rooms / "lakeside-servers.toml", kinds)
    assert room.hosts[0].stop_timeout == 180
    assert room.outage is not None
    assert room.outage.stages[1].runtime_below == "need"
    assert room.return_ is not None
    assert room.return_.voltage == (198, 242)


def told(file: Path, kinds: Kinds) -> list[str]:
    with pytest.raises(ConfigFaults) as caught:
        read_room(file, kinds)
    assert caught.value.file == file
    return [line.removeprefix(f"{file}: ") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"\n[room\n", "line 2: is not TOML: Expected ']' at the end of", id="broken"),
        pytest.param(b"a = 1\na = 2\n", "line 2: is not TOML: Cannot overwrite a", id="key-twice"),
        pytest.param(b"x = ", "line 1: is not TOML: Invalid value", id="ends-too-soon"),
        pytest.param(b"\n\nx = '\xff'", "line 3: is not UTF-8", id="not-utf-8"),
        pytest.param(b"x = " + b"9" * 5000, "line 1: is not TOML: Exceeds the limit", id="digits"),
        pytest.param(b"x = " + b"[" * 90_000, "is nested too deeply", id="deep"),
        pytest.param(b"#" * (LARGEST_BYTES + 1), "is larger than 1000000 bytes", id="large"),
    ],
)
def test_a_file_that_is_no_toml_is_one_fault_with_its_line(
    tmp_path: Path, kinds: Kinds, content: bytes, line: str
):
    file = tmp_path / "room.toml"
    file.write_bytes(content)
    (found,) = told(file, kinds)
    assert found.startswith(line)


def test_a_file_that_cannot_be_read_is_one_fault(tmp_path: Path, kinds: Kinds):
    assert told(tmp_path / "none.toml", kinds) == ["cannot be read: No such file or directory"]
    assert told(tmp_path, kinds) == ["cannot be read: Is a directory"]
