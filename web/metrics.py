"""The snapshot as Prometheus text (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

State = Mapping[str, Any]
Row = tuple[Mapping[str, str], float]


def metrics(state: State | None, live: bool, scan_age_s: float) -> str:
    """Return all metrics. Values of a controller that is lost are left out, not repeated."""
    lines: list[str] = []

    def add(name: str, help: str, rows: Iterable[Row]) -> None:
        lines.append(f"# HELP roomwarden_{name} {help}")
        lines.append(f"# TYPE roomwarden_{name} gauge")
        lines.extend(f"roomwarden_{name}{_labels(labels)} {value:g}" for labels, value in rows)

    add("up", "1 while the controller answers and its scan is fresh.", [({}, float(live))])
    if not live or state is None:
        return "\n".join(lines) + "\n"
    add("scan_age_seconds", "Age of the last scan.", [({}, scan_age_s)])
    points, outputs = state.get("points", []), state.get("outputs", [])
    add("point_value", "Value of a point of good quality; true is 1.", _values(points))
    add("point_good", "1 while the point's quality is good.", _qualities(points))
    add("output_commanded", "1 while the output is commanded on.", _states(outputs, "commanded"))
    add("output_actual", "1 while feedback says on.", _states(outputs, "actual"))
    add("alarm", "1 for each alarm that is not normal.", _alarms(state.get("alarms", [])))
    feed, journal = state.get("feed") or {}, state.get("journal") or {}
    add(
        "feed_connected",
        "1 while the central system is reached.",
        [({}, _flag(feed, "connected"))],
    )
    add("feed_backlog", "Events not delivered yet.", [({}, float(feed.get("backlog") or 0))])
    add("journal_ok", "1 while the journal can be written.", [({}, _flag(journal, "ok"))])
    add("journal_seq", "Number of the last event.", [({}, float(journal.get("seq") or 0))])
    add("journal_bytes", "Size of the journal.", [({}, float(journal.get("bytes") or 0))])
    return "\n".join(lines) + "\n"


def _values(points: Iterable[State]) -> Iterable[Row]:
    for point in points:
        value = point["value"]
        if point["quality"] == "good" and isinstance(value, bool | int | float):
            yield {"point": point["id"], "unit": point.get("unit") or ""}, float(value)


def _qualities(points: Iterable[State]) -> Iterable[Row]:
    for point in points:
        good = point["quality"] == "good"
        yield {"point": point["id"], "quality": point["quality"]}, float(good)


def _states(outputs: Iterable[State], member: str) -> Iterable[Row]:
    for output in outputs:
        if output[member] is not None:
            yield {"output": output["id"]}, float(output[member] == "on")


def _alarms(alarms: Iterable[State]) -> Iterable[Row]:
    for alarm in alarms:
        yield {name: str(alarm[name]) for name in ("id", "priority", "state")}, 1.0


def _flag(of: State, name: str) -> float:
    return float(bool(of.get(name)))


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
