"""Snapshots of a room with a UPS and servers: what the controller says of what happens to it.

Each scene is lived through by the rig, in virtual time, and told by the controller's own snapshot.
Only numbers are set afterwards, where a test wants round ones.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from controller.clock import Clock
from controller.core.reading import Now
from controller.core.rules.planstate import LastRun
from controller.guard import Published
from controller.snapshot import About, Snapshots
from tests.core import powerrooms
from tests.core.conftest import HEAD, Rig
from tests.web.scenes import Json

NAMES = ("数据库", "文件服务器", "备用服务器", "教务系统", "监控录像", "测试机")
LONG = "ups-of-the-north-rack"
STOPS_S = 40.0
ROOM = (Path(__file__).parents[1] / "rooms" / "lakeside.toml").read_text(encoding="utf-8")
UPS = """
[[ups]]
id = "{id}"
kind = "modbus"
map = "apc-smart-ups"
address = "tcp://127.0.0.1:{port}"
"""
OUTAGE = '[outage]\nride_through = "10s"\nreserve = "2min"\n'
RETURN = '[return]\nstable = "3min"\ntemperature_below = 28\nspacing = "10s"\n'
OF_UPS = "charge_above = 40\nvoltage = [198, 242]\nfrequency = [48, 52]\n"
OWN: dict[int, dict[str, object]] = {
    2: {"stop_timeout": "3min"},
    3: {"stop_timeout": "5s", "after": ["host-4"]},
    4: {"start_timeout": "30s"},
    5: {"start_timeout": "5min"},
}
"""What the hosts have of their own, by number: 1 to 3 stop in stage 1, the others in stage 2."""


class _Then(Clock):
    """The clock as it stands in a rig."""

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self._rig = rig

    def mono_s(self) -> float:
        return self._rig.mono_s


def snapshot(rig: Rig) -> Json:
    """Return what the controller says of the room as it stands in the rig."""
    assert rig.decision is not None
    room = rig.file.room
    about = About(
        room.site, room.id, room.name, "zh-CN", room.timezone, True, "0.1.0",
        "5e6f3c1a-0000-4000-8000-000000000001", "2026-03-01T04:05:06.789Z",
    )  # fmt: skip
    now = Now(rig.mono_s, time.time())
    published = Published(rig.scans, now, rig.decision, 123, (), ())
    feed = {"configured": True, "connected": True, "backlog": 0, "condition": "up"}
    journal = {"ok": True, "bytes": 40960, "fault": None}
    snapshot = Snapshots(rig.room, about, _Then(rig)).of(published, feed, journal)
    del snapshot["scan"]  # the door counts them
    return snapshot


def room(
    hosts: int = 6, upses: int = 1, names: Sequence[str] = NAMES, first: str = "main-ups"
) -> str:
    """A room file; `first`: what the first UPS is called."""
    head, _, rest = ROOM.partition("[[ups]]")
    tail = rest[rest.index("[climate]") :]
    ids = [first, *(f"ups-{at}" for at in range(2, upses + 1))][:upses]
    tables = [head, *(UPS.format(id=id, port=1502 + at) for at, id in enumerate(ids)), tail]
    for at in range(1, hosts + 1):
        keys = {
            "name": names[(at - 1) % len(names)],
            "evidence": [f"tcp://host-{at}.lan:22", f"redfish://host-{at}.lan"],
            "password_file": f"host-{at}.secret",
            "stop_timeout": "3min",
            **OWN.get(at, {}),
        }
        tables.append(powerrooms.host(f"host-{at}", 1 if at % 6 in (1, 2, 3) else 2, **keys))
    if hosts:
        second: dict[str, Any] = {"temperature_above": 32}
        second |= {"runtime_below": "need"} if upses else {"after": "10min"}
        early: dict[str, Any] = {"after": "2min"} | ({"charge_below": 70} if upses else {})
        tables += [OUTAGE, powerrooms.stage(1, **early), powerrooms.stage(2, **second)]
        tables += [RETURN, OF_UPS if upses else ""]
    return "".join(tables)


def rig_of(text: str, untold: tuple[str, ...] = ()) -> Rig:
    """A room that has been on the mains for a while; its servers stopped in 40 s before. What is
    `untold` its UPS does not tell."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "room.toml"
        path.write_text(text, encoding="utf-8")
        rig = Rig(path)
    for unit in rig.upses.values():
        unit.says |= {"runtime": 3120.0, "load": 31.0, "self-test": "passed", "battery-age": 412.0}
        unit.untold |= set(untold)
    remember(rig, "drill", last_run=LastRun("drill", _at("2026-02-14T02:30:00+00:00"), True))
    remember(rig, "plan", durations=dict.fromkeys(rig.servers, (STOPS_S,)))
    rig.run(200.0)
    return rig


def remember(rig: Rig, rule: str, **what: Any) -> None:
    """Have a rule remember this of before."""
    if rule in rig.memory.rules:
        state = msgspec.structs.replace(rig.memory.rules[rule], **what)
        rules = {**rig.memory.rules, rule: state}
        rig.memory = msgspec.structs.replace(rig.memory, rules=rules)


def _at(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def fixed(rig: Rig, host: str, **kinds: bool | None) -> None:
    """Whatever happens, looks at this host find the same."""
    rig.servers[host].look = lambda: kinds  # type: ignore[method-assign]


def down(rig: Rig) -> Rig:
    """An outage in which everything stops at once, and the time after it."""
    rig.mains_fails()
    rig.ups.says["battery-low"] = True
    rig.run_until(lambda: set(rig.phases().values()) == {"down"}, 400.0)
    rig.run(40.0)
    return rig


@cache
def _well(hosts: int, upses: int) -> Rig:
    return rig_of(room(hosts, upses))


def well(hosts: int = 6, upses: int = 1) -> Json:
    """On the mains; were it lost now, the plan would fit with 45 min to spare."""
    scene = snapshot(_well(hosts, upses))
    plan = scene["plan"]
    if upses and hosts:
        plan |= {"need_s": 420.0, "spare_s": 2700.0}
    for each in plan["stages"]:
        each["need_s"] = 180.0
    return scene


@cache
def _outage() -> Rig:
    rig = rig_of(room())
    rig.servers["host-1"].body = type(rig.servers["host-1"].body)(stop_s=1.0)
    fixed(rig, "host-2", network=False, client=None, management=True)
    fixed(rig, "host-3", network=False, client=None, management=None)
    rig.mains_fails()
    rig.run(121.0)
    rig.servers["host-1"].look = lambda: dict.fromkeys(("network", "client", "management"), False)
    rig.ups.says |= {"charge": 67.0, "runtime": 780.0}
    rig.run_until(lambda: rig.phase("host-3") == "unconfirmed", 20.0)
    rig.run_until(lambda: rig.phase("host-1") == "down", 60.0)
    return rig


def outage() -> Json:
    """Stage 1 runs: one host is down, one stopping, one did not confirm."""
    scene = snapshot(_outage())
    plan = scene["plan"]
    plan["power"] |= {"on_battery_s": 125.0, "runtime_s": 780.0, "charge": 67.0}
    plan |= {"need_s": 420.0, "spare_s": 360.0}
    plan["stages"][0]["need_s"] = 150.0
    plan["stages"][1] |= {"begins_in_s": 360.0, "need_s": 180.0}
    return scene


@cache
def _long_names() -> Rig:
    names = ("Student information system, primary", "教务管理系统数据库服务器（主）")
    rig = rig_of(room(6, 2, names, LONG))
    rig.mains_fails()
    rig.upses["ups-2"].silent = True
    rig.run(130.0)
    return rig


def long_names() -> Json:
    """An outage in a room of long names; the second UPS has fallen silent."""
    return snapshot(_long_names())


@cache
def _short() -> Rig:
    rig = rig_of(room())
    rig.ups.says["runtime"] = 150.0
    rig.run(70.0)
    rig.mains_fails()
    rig.run(20.0)
    rig.ups.says["charge"] = 31.0
    rig.run(2.0)
    return rig


def short() -> Json:
    """The runtime left is less than what the plan needs, and was before the outage."""
    scene = snapshot(_short())
    plan = scene["plan"]
    plan["power"]["runtime_s"] = 240.0
    plan |= {"need_s": 420.0, "spare_s": -180.0}
    return scene


@cache
def _lost() -> Rig:
    return falls_silent(rig_of(room(), ("runtime", "charge")))


def lost() -> Json:
    """A UPS that told neither runtime nor charge is silent while the mains contact says that the
    mains is there."""
    return snapshot(_lost())


@cache
def _projected() -> Rig:
    return falls_silent(rig_of(room()))


def projected() -> Json:
    """The same of one whose last words are reckoned with."""
    return snapshot(_projected())


def falls_silent(rig: Rig) -> Rig:
    rig.ups.silent = True
    rig.ups.link = "silent: no answer from tcp://127.0.0.1:1502"
    rig.run(75.0)
    return rig


def charging_rig() -> Rig:
    """The mains is back and stable, and the battery is not charged enough for a return."""
    rig = down(rig_of(room()))
    rig.ups.says |= {"battery-low": False, "charge": 30.0, "runtime": 900.0}
    rig.mains_returns()
    rig.run(240.0)
    return rig


_charging = cache(charging_rig)


def charging() -> Json:
    """Hosts wait for the charge alone, which a person may waive."""
    return snapshot(_charging())


@cache
def _waived() -> Rig:
    rig = charging_rig()
    rig.ask("start-hosts", override="charge")
    rig.run(20.0)
    return rig


def waived() -> Json:
    """A person has hosts started without the charge; the first ones boot."""
    return snapshot(_waived())


@cache
def _contacts() -> Rig:
    return rig_of(HEAD + powerrooms.AIR + powerrooms.CONTACT_UPS)


def contacts() -> Json:
    """A UPS that is two contacts, in a room without hosts."""
    scene = snapshot(_contacts())
    scene["plan"]["upses"][0]["link"] = None  # nobody asks it: it has none, but in the rig
    return scene


@cache
def _returned() -> Rig:
    rig = down(rig_of(room(), ("input-frequency",)))
    rig.ups.says |= {"battery-low": False, "charge": 30.0, "runtime": 900.0}
    rig.ups.volts = 190.0
    rig.air["rack-air.temperature"] = 30.0
    rig.mains_returns()
    rig.run(20.0)
    return rig


def returned() -> Json:
    """The mains came back just now, and much is missing."""
    return snapshot(_returned())


def returning_rig() -> Rig:
    # This UPS tells no frequency: a person has done without it.
    rig = rig_of(room(), ("input-frequency",))
    rig.servers["host-4"].body.fault = "no-boot"
    rig.servers["host-5"].sick = True
    down(rig)
    rig.ups.says |= {"battery-low": False, "charge": 52.0, "runtime": 1500.0}
    rig.mains_returns()
    rig.run(200.0)
    rig.ask("start-hosts", override="frequency")
    rig.run(60.0)
    rig.air["rack-air.temperature"] = 30.0
    rig.run(10.0)
    return rig


_returning = cache(returning_rig)


def returning() -> Json:
    """The mains is back; one host did not come up and holds what depends on it."""
    return snapshot(_returning())


@cache
def _drilling() -> Rig:
    rig = rig_of(room())
    remember(rig, "plan", last_run=LastRun("outage", _at("2026-03-01T10:00:00+00:00"), False))
    rig.servers["host-2"].do = lambda *_: "failed: 主机密钥不符"  # type: ignore[method-assign]
    rig.servers["host-3"].mute = True
    rig.ask("drill", plan="outage")
    rig.run(12.0)
    return rig


def drilling() -> Json:
    """A drill of the outage is on; one step has failed."""
    scene = snapshot(_drilling())
    for step, took_s in zip(scene["plan"]["drill"]["steps"], (0.4, 1.2), strict=False):
        step["took_s"] = took_s
    return scene
