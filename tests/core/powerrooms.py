"""Rooms for the tests about power, put together from their tables; times are short."""

from __future__ import annotations

AIR = """
[[input]]
id = "rack-air"
kind = "dht22"
pin = 4
"""
MAINS = """
[[input]]
id = "mains"
kind = "contact"
role = "mains"
pin = 23
contact = "no"
"""
UPS = """
[[ups]]
id = "main-ups"
kind = "modbus"
map = "apc-smart-ups"
address = "tcp://127.0.0.1:1502"
"""
CONTACT_UPS = """
[[input]]
id = "battery-on"
kind = "contact"
role = "ups-on-battery"
pin = 5
contact = "no"
[[input]]
id = "battery-low"
kind = "contact"
role = "ups-battery-low"
pin = 6
contact = "no"
"""
LIGHTS = """
[[output]]
id = "lights"
kind = "relay"
role = "light"
pin = 10
"""
SMOKE = """
[[input]]
id = "smoke-1"
kind = "contact-pair"
role = "smoke"
pins = [17, 18]
[[input]]
id = "smoke-2"
kind = "contact-pair"
role = "smoke"
pins = [27, 26]
[[input]]
id = "call-point"
kind = "contact"
role = "call-point"
pin = 19
contact = "no"
"""
CUTS = """
[[output]]
id = "power-cut"
kind = "relay"
role = "cut-off"
scope = "room"
pin = 16
[[output]]
id = "ups-cut"
kind = "relay"
role = "cut-off"
scope = "ups"
pin = 13
"""
RETURN = {"stable": "30s", "spacing": "10s"}


def outlet(id: str, pin: int) -> str:
    """An outlet of a host, on the normally closed contact of its relay."""
    return (
        f'[[output]]\nid = "{id}"\nkind = "relay"\nrole = "outlet"\npin = {pin}\n'
        'energised = "off"\n'
    )


def host(id: str, stage: int, **keys: object) -> str:
    """A host that is stopped by ssh and woken by a magic packet; two kinds of evidence."""
    table: dict[str, object] = {
        "id": id,
        "stage": stage,
        "stop": f"ssh://room@{id}.lan",
        "key_file": f"{id}.key",
        "start": "wol://02:00:00:00:00:01",
        "evidence": [f"tcp://{id}.lan:22"],
        "needs": 2,
        "stop_timeout": "60s",
        "start_timeout": "60s",
    }
    table |= keys
    return "[[host]]\n" + _lines(table)


def stage(number: int, **keys: object) -> str:
    return "[[outage.stage]]\n" + _lines({"stage": number} | keys)


def room(
    *tables: str,
    stages: tuple[str, ...] = (),
    outage: dict[str, object] | None = None,
    return_: dict[str, object] | None = None,
    mains: bool = True,
    ups: str = UPS,
) -> str:
    """A room with air, a mains contact and a UPS, unless told otherwise."""
    keys: dict[str, object] = {"ride_through": "10s", "reserve": "60s"}
    return "".join(
        [
            AIR,
            MAINS if mains else "",
            ups,
            *tables,
            "[outage]\n" + _lines(keys | (outage or {})),
            *stages,
            "[return]\n" + _lines(RETURN | (return_ or {})),
        ]
    )


def _lines(table: dict[str, object]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return str(value)
