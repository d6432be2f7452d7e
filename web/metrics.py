"""The snapshot as Prometheus text (exposition format 0.0.4).

`python -m web.metrics > firmware/docs/metrics.md` writes the page of all metrics anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

State = Mapping[str, Any]
Row = tuple[Mapping[str, str], float]


class Family(NamedTuple):
    """One metric. `labels` tell its rows apart; `rows`: made of the part of the snapshot."""

    name: str
    help: str
    labels: tuple[str, ...]
    rows: Callable[[State], Iterable[Row]]


def metrics(state: State | None, live: bool, scan_age_s: float) -> str:
    """Return all metrics. Values of a controller that is lost are left out, not repeated."""
    lines = [*_told(_UP, {"live": live})]
    if live and state is not None:
        lines += _told(_AGE, {"age_s": scan_age_s})
        for family in _OF_ROOM:
            lines += _told(family, state)
        if (plan := state.get("plan")) is not None:
            for family in _OF_PLAN:
                lines += _told(family, plan)
        for family in _OF_RECORDS:
            lines += _told(family, state)
    return "\n".join(lines) + "\n"


def reference() -> str:
    """Return the page of all metrics, in Markdown."""
    rows = (
        f"| `{_full(family)}` | {', '.join(f'`{label}`' for label in family.labels)} "
        f"| {family.help} |\n"
        for family in FAMILIES
    )
    return _HEAD + "".join(rows)


def _told(family: Family, of: State) -> Iterator[str]:
    name = _full(family)
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} gauge"
    for labels, value in family.rows(of):
        yield f"{name}{_labels(labels)} {_number(value)}"


def _full(family: Family) -> str:
    return f"roomwarden_{family.name}"


def _values(state: State) -> Iterable[Row]:
    for point in state.get("points", []):
        value = point["value"]
        if point["quality"] == "good" and isinstance(value, bool | int | float):
            yield {"point": point["id"], "unit": point.get("unit") or ""}, float(value)


def _qualities(state: State) -> Iterable[Row]:
    for point in state.get("points", []):
        good = point["quality"] == "good"
        yield {"point": point["id"], "quality": point["quality"]}, float(good)


def _outputs(member: str) -> Callable[[State], Iterable[Row]]:
    def rows(state: State) -> Iterable[Row]:
        for output in state.get("outputs", []):
            if output[member] is not None:
                yield {"output": output["id"]}, float(output[member] == "on")

    return rows


def _alarms(state: State) -> Iterable[Row]:
    for alarm in state.get("alarms", []):
        yield {name: str(alarm[name]) for name in ("id", "priority", "state")}, 1.0


def _phases(plan: State) -> Iterable[Row]:
    for host in plan["hosts"]:
        yield {"host": host["id"], "state": host["phase"]}, 1.0


def _down(plan: State) -> Iterable[Row]:
    down = ("down", "waiting", "held", "failed")
    return _one(sum(host["phase"] in down for host in plan["hosts"]))


def _known(value: float | None) -> Iterable[Row]:
    """What is not known is left out."""
    return [] if value is None else _one(value)


def _one(value: float, **labels: str) -> Iterable[Row]:
    return [(labels, float(value))]


def _feed(state: State) -> State:
    return state.get("feed") or {}


def _journal(state: State) -> State:
    return state.get("journal") or {}


_UP = Family(
    "up",
    "1 while the controller answers and its scan is fresh.",
    (),
    lambda scan: _one(scan["live"]),
)
_AGE = Family("scan_age_seconds", "Age of the last scan.", (), lambda scan: _one(scan["age_s"]))
_OF_ROOM = (
    Family(
        "point_value",
        "Value of a point of good quality; true is 1.",
        ("point", "unit"),
        _values,
    ),
    Family(
        "point_good",
        "1 while the point's quality is good.",
        ("point", "quality"),
        _qualities,
    ),
    Family(
        "output_commanded",
        "1 while the output is commanded on.",
        ("output",),
        _outputs("commanded"),
    ),
    Family("output_actual", "1 while feedback says on.", ("output",), _outputs("actual")),
    Family("alarm", "1 for each alarm that is not normal.", ("id", "priority", "state"), _alarms),
)
_OF_PLAN = (
    Family(
        "power_state",
        "1 for what the supply is judged to be.",
        ("state",),
        lambda plan: _one(1.0, state=plan["power"]["state"]),
    ),
    Family(
        "power_charge_percent",
        "Charge of the batteries.",
        (),
        lambda plan: _known(plan["power"]["charge"]),
    ),
    Family(
        "power_runtime_seconds",
        "Runtime left on battery.",
        (),
        lambda plan: _known(plan["power"]["runtime_s"]),
    ),
    Family(
        "plan_need_seconds",
        "What the outage plan needs.",
        (),
        lambda plan: _known(plan["need_s"]),
    ),
    Family(
        "plan_spare_seconds",
        "Runtime beyond the need; negative: short.",
        (),
        lambda plan: _known(plan["spare_s"]),
    ),
    Family("host_state", "1 for where each host stands.", ("host", "state"), _phases),
    Family("hosts_down", "Hosts that are down or did not come back.", (), _down),
)
_OF_RECORDS = (
    Family(
        "feed_connected",
        "1 while the central system is reached.",
        (),
        lambda state: _one(bool(_feed(state).get("connected"))),
    ),
    Family(
        "feed_condition",
        "1 for how the feed is.",
        ("condition",),
        lambda state: _one(1.0, condition=_feed(state).get("condition") or "off"),
    ),
    Family(
        "feed_backlog",
        "Events not delivered yet.",
        (),
        lambda state: _one(_feed(state).get("backlog") or 0),
    ),
    Family(
        "journal_ok",
        "1 while the journal can be written.",
        (),
        lambda state: _one(bool(_journal(state).get("ok"))),
    ),
    Family(
        "journal_seq",
        "Number of the last event.",
        (),
        lambda state: _one(_journal(state).get("seq") or 0),
    ),
    Family(
        "journal_bytes",
        "Size of the journal.",
        (),
        lambda state: _one(_journal(state).get("bytes") or 0),
    ),
)
FAMILIES = (_UP, _AGE, *_OF_ROOM, *_OF_PLAN, *_OF_RECORDS)

_HEAD = """\
# Metrics

Made by `python -m web.metrics` from the program itself; do not edit. `GET /metrics` of the panel
tells them as Prometheus text (exposition format 0.0.4). All are gauges.

What is not known is left out: a point that is not good has no value, an output without feedback
no `actual`, a room without hosts nothing of a plan. While the controller is lost there is only
`roomwarden_up`, and it is 0. What each condition of the feed means stands in [feed.md](feed.md).

| metric | labels | meaning |
|---|---|---|
"""


def _number(value: float) -> str:
    """Every digit, so that a count of millions goes on by one; `7` rather than `7.0`."""
    return repr(float(value)).removesuffix(".0")


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


if __name__ == "__main__":
    print(reference(), end="")
