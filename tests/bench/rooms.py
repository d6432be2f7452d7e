"""The rooms that are measured."""

from __future__ import annotations

import socket
from pathlib import Path

SMOKE_PIN = 17
RELAY_PIN = 12

_TRIP_ROOM = f"""\
[room]
site = "bench"
id = "room"
name = "Bench"
timezone = "Asia/Shanghai"
[board]
kind = "simulated"
[[input]]
id = "smoke-1"
kind = "contact"
role = "smoke"
pin = {SMOKE_PIN}
contact = "nc"
debounce = "0s"
[[output]]
id = "beacon"
kind = "relay"
role = "beacon"
pin = {RELAY_PIN}
[fire]
confirm = "alarm-only"
fed = "outside"
[store]
path = "room.db"
"""

SENSORS = 20
READINGS_PER_S = 200
"""Of all sensors together; `kinds/bench_climate.py` gives each its share."""

_LAKESIDE = Path(__file__).parents[1] / "rooms" / "lakeside.toml"


def trip_room(folder: Path) -> Path:
    """Write a room of one plain contact with debounce 0, whose smoke lights one beacon: unlike a
    siren's, its level is steady from the pre-alarm on."""
    return _write(folder, _TRIP_ROOM)


def loaded_room(folder: Path) -> tuple[Path, int]:
    """Write the same room with sensors and a panel; return it and the panel's port."""
    port = free_port()
    sensors = "".join(
        f'[[input]]\nid = "air-{number}"\nkind = "bench-climate"\n' for number in range(SENSORS)
    )
    panel = f'[panel]\nlisten = "127.0.0.1:{port}"\n'
    return _write(folder, _TRIP_ROOM + sensors + panel), port


def lakeside(folder: Path) -> tuple[Path, int, int]:
    """Write the example room on free ports; return it, the panel's and the broker's port."""
    text = _LAKESIDE.read_text(encoding="utf-8")
    ports = {name: free_port() for name in ("4352", "1502", "1883", "8080")}
    for usual, port in ports.items():
        assert text.count(f"127.0.0.1:{usual}") == 1, f"port {usual} stands once in the example"
        text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{port}")
    (folder / "feed.secret").write_text("bench\n", encoding="ascii")
    return _write(folder, text), ports["8080"], ports["1883"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write(folder: Path, text: str) -> Path:
    path = folder / "room.toml"
    path.write_text(text, encoding="utf-8")
    return path


def power_room(folder: Path, contact: bool) -> Path:
    """Write a room with a UPS on Modbus, polled each second, with or without a mains contact."""
    mains = (
        '[[input]]\nid = "mains"\nkind = "contact"\nrole = "mains"\npin = 23\ncontact = "no"\n'
        if contact
        else ""
    )
    ups = (
        '[[ups]]\nid = "main-ups"\nkind = "modbus"\nmap = "apc-smart-ups"\n'
        f'address = "tcp://127.0.0.1:{free_port()}"\n'
    )
    return _write(folder, _TRIP_ROOM + mains + ups)
