"""Scripted snapshots of one room: a normal day, and the days that matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]


def _ago(seconds: float) -> str:
    at = datetime.now(UTC) - timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _point(id: str, role: str, value: object, **more: Any) -> Json:
    point = {
        "id": id,
        "part": id.split(".")[0],
        "kind": "contact",
        "role": role,
        "place": "",
        "value": value,
        "unit": "",
        "quality": "good",
        "at": _ago(1),
        "limits": None,
    }
    return point | more


def _climate(quantity: str, value: float, unit: str, **limits: float | None) -> Json:
    known = {"low": None, "high": None, "critical": None} | limits
    return _point(
        f"rack-air.{quantity}",
        "climate",
        value,
        kind="dht22",
        place="rack inlet",
        unit=unit,
        limits=known,
    )


def _ups(quantity: str, value: object, unit: str = "") -> Json:
    return _point(f"main-ups.{quantity}", "ups", value, kind="modbus", unit=unit)


def _output(id: str, role: str, commanded: str, why: str = "default", **more: Any) -> Json:
    slot = {"default": 16, "fire.confirmed": 2, "interlock.cooling": 3}.get(why, 12)
    reason = {"id": why, "values": {"detectors": ["smoke-1", "smoke-2"], "projector": "hall"}}
    slots = [{"slot": slot, "value": commanded, "why": reason, "until": None}]
    if slot != 16:
        base = {"id": "default", "values": {}}
        slots.append({"slot": 16, "value": "off", "why": base, "until": None})
    output = {
        "id": id,
        "role": role,
        "scope": None,
        "commanded": commanded,
        "actual": None,
        "slot": slot,
        "reason": why,
        "why": reason,
        "since": _ago(3600),
        "until": None,
        "slots": slots,
    }
    return output | more


def alarm(id: str, priority: str, **more: Any) -> Json:
    subject, _, condition = id.rpartition(".")
    return {
        "id": id,
        "subject": subject,
        "condition": condition,
        "state": "active-unacknowledged",
        "priority": priority,
        "active": True,
        "acknowledged": False,
        "shelved_until": None,
        "since": _ago(65),
        "cause": None,
        "first_out": False,
        "silenced": False,
        "by": "",
        "text": id,
        "values": {},
    } | more


def normal() -> Json:
    """Nothing is wrong. 22 points, the UPS among them, and 5 outputs."""
    points = [
        _climate("temperature", 23.4, "°C", low=18.0, high=27.0, critical=35.0),
        _climate("humidity", 46.2, "%", low=30.0, high=60.0),
        _climate("dew-point", 11.1, "°C", low=5.5, high=15.0),
        _point("smoke-1", "smoke", False, kind="contact-pair", place="ceiling front"),
        _point("smoke-2", "smoke", False, kind="contact-pair", place="ceiling back"),
        _point("front-door", "door", False),
        _point("mains", "mains", True),
        _point("cut-proof", "feedback", False),
        _point("ups-cut-proof", "feedback", False),
        _point("hold-button", "hold", False),
        _point("hall.power", "projector", "standby", kind="pjlink"),
        _point("hall.cooling-left", "projector", 0.0, kind="pjlink", unit="s"),
        _ups("supply", "mains"),
        _ups("battery-low", False),
        _ups("charge", 100.0, "%"),
        _ups("runtime", 3120.0, "s"),
        _ups("load", 31.0, "%"),
        _ups("input-voltage", 229.8, "V"),
        _ups("input-frequency", 50.0, "Hz"),
        _point("back-window", "window", False),
    ]
    outputs = [
        _output("power-cut", "cut-off", "off", scope="room", actual="off"),
        _output("ups-cut", "cut-off", "off", scope="ups", actual="off"),
        _output("siren", "siren", "off"),
        _output("aircon", "cooling", "on"),
        _output("hall-outlet", "outlet", "off"),
    ]
    return {
        "room": {
            "site": "lakeside-school",
            "id": "server-room",
            "name": "网络机房",
            "locale": "zh-CN",
            "timezone": "Asia/Shanghai",
            "simulated": True,
            "software": "0.1.0",
            "boot": "5e6f3c1a-0000-4000-8000-000000000001",
            "since": _ago(86400),
        },
        "state": "normal",
        "points": points,
        "outputs": outputs,
        "alarms": [],
        "fire": {
            "phase": "normal",
            "detectors": [],
            "since": None,
            "seconds_left": None,
            "held": False,
            "hold_left_s": 180.0,
            "budget_s": 0.0,
            "cuts": ["power-cut", "ups-cut"],
            "cut": False,
            "latched": False,
            "accept_risk": None,
        },
        "projectors": [
            {
                "id": "hall",
                "outlet": "hall-outlet",
                "phase": "off",
                "power": "standby",
                "cooling_left_s": None,
                "waiting": False,
                "hot": False,
                "hot_cuts": 0,
                "kind": "pjlink",
            }
        ],
        "access": {"armed": False, "entry_left_s": None},
        "feed": {"configured": True, "connected": True, "backlog": 0, "condition": "up"},
        "journal": {"ok": True, "seq": 123, "bytes": 40960, "fault": None},
        "plan": None,
    }


def _with(scene: Json, id: str, **changes: Any) -> None:
    for thing in [*scene["points"], *scene["outputs"]]:
        if thing["id"] == id:
            thing.update(changes)


def hot() -> Json:
    """The room is too warm, and a consequence of it is listed under its cause."""
    scene = normal()
    scene["state"] = "alarm"
    _with(scene, "rack-air.temperature", value=31.6)
    _with(scene, "front-door", value=True)
    _with(scene, "siren", commanded="on")
    scene["alarms"] = [
        alarm(
            "rack-air.temperature-high",
            "high",
            first_out=True,
            values={"value": 31.6, "limit": 27.0},
        ),
        alarm("aircon.not-cooling", "high", cause="rack-air.temperature-high"),
        alarm(
            "front-door.held-open",
            "low",
            state="active-acknowledged",
            acknowledged=True,
            by="chen",
        ),
    ]
    return scene


def stale() -> Json:
    """Several qualities at once; the UPS was never read."""
    scene = normal()
    scene["state"] = "attention"
    _with(scene, "rack-air.temperature", quality="stale", at=_ago(75))
    _with(scene, "rack-air.humidity", quality="frozen", at=_ago(900))
    _with(scene, "rack-air.dew-point", quality="bad", value=None, at=_ago(75))
    _with(scene, "smoke-2", quality="bad", value=None)
    for point in scene["points"]:
        if point["part"] == "main-ups":
            point.update(value=None, quality="missing", at=None)
    scene["alarms"] = [
        alarm("rack-air.silent", "low", first_out=True),
        alarm("smoke-2.detector-fault", "low"),
    ]
    scene["feed"] = {"configured": True, "connected": False, "backlog": 12, "condition": "down"}
    return scene


def countdown(seconds_left: float = 37.2, held: bool = False) -> Json:
    """One voter left and in alarm: the cut comes, unless somebody holds it."""
    scene = normal()
    scene["state"] = "fire"
    _with(scene, "smoke-1", value=True)
    _with(scene, "siren", commanded="on")
    scene["alarms"] = [
        alarm("smoke-1.prealarm", "critical", first_out=True),
        alarm("fire.countdown", "critical"),
    ]
    scene["fire"] |= {
        "phase": "countdown",
        "detectors": ["smoke-1"],
        "since": _ago(23),
        "seconds_left": seconds_left,
        "held": held,
        "hold_left_s": 120.0 if held else 180.0,
    }
    return scene


def burnt() -> Json:
    """Confirmed: the room's supply is proven cut, the UPS output is still live."""
    scene = normal()
    scene["state"] = "fire"
    for detector in ("smoke-1", "smoke-2"):
        _with(scene, detector, value=True)
    cut = _output("power-cut", "cut-off", "on", "fire.confirmed", scope="room", actual="on")
    live = _output("ups-cut", "cut-off", "on", "fire.confirmed", scope="ups", actual="off")
    scene["outputs"][:2] = [cut, live]
    scene["outputs"][2] = _output("siren", "siren", "on", "fire.confirmed")
    scene["alarms"] = [
        alarm("smoke-1.prealarm", "critical", first_out=True),
        alarm("fire.confirmed", "critical", values={"detectors": ["smoke-1", "smoke-2"]}),
        alarm("ups-cut.not-proven", "critical"),
    ]
    scene["fire"] |= {
        "phase": "confirmed",
        "detectors": ["smoke-1", "smoke-2"],
        "since": _ago(44),
        "cut": True,
        "latched": True,
    }
    return scene


def cooling(left_s: float = 203.0) -> Json:
    """The projector was switched off; its fan needs its power still."""
    scene = normal()
    _with(scene, "hall.power", value="cooling")
    _with(scene, "hall.cooling-left", value=left_s)
    scene["outputs"][4] = _output("hall-outlet", "outlet", "on", "interlock.cooling")
    scene["projectors"][0] |= {
        "phase": "cooling",
        "power": "cooling",
        "cooling_left_s": left_s,
        "hot": True,
    }
    return scene
