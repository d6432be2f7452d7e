"""`roomwarden status CONFIG`: the room as it stands."""

from __future__ import annotations

import argparse
import json
from typing import Any

from controller.client import Door
from firmware.commands.common import with_door
from firmware.commands.timeline import timeline
from firmware.main import DONE


def run(options: argparse.Namespace) -> int:
    def show(door: Door) -> int:
        state = door.state()
        print(json.dumps(state, ensure_ascii=False) if options.json else as_text(state))
        return DONE

    return with_door(options.config, show)


def as_text(state: dict[str, Any]) -> str:
    room = state["room"]
    lines = [f"{room['name']} ({room['site']}/{room['id']}): {state['state']}", ""]
    lines += _table(
        ["point", "value", "unit", "quality", "at"],
        [
            [p["id"], _value(p["value"]), p["unit"] or "", p["quality"], p["at"] or ""]
            for p in state["points"]
        ],
    )
    lines += _table(
        ["output", "commanded", "actual", "slot", "why"],
        [
            [o["id"], o["commanded"], o["actual"] or "-", str(o["slot"]), o["reason"]]
            for o in state["outputs"]
        ],
    )
    lines += _table(
        ["alarm", "priority", "state", "since", "text"],
        [
            [a["id"], a["priority"], a["state"], a["since"] or "", a["text"]]
            for a in state["alarms"]
        ]
        or [["none", "", "", "", ""]],
    )
    lines += _table(
        ["projector", "phase", "cooling left"],
        [
            [
                p["id"],
                p["phase"],
                "" if p["cooling_left_s"] is None else f"{p['cooling_left_s']:g} s",
            ]
            for p in state["projectors"]
        ],
    )
    if state["plan"] is not None:
        lines += timeline(state["plan"], room)
    feed = state["feed"]
    lines.append(f"feed: {feed['condition']}, {feed['backlog']} events waiting")
    journal = state["journal"]
    lines.append(f"journal: {'ok' if journal['ok'] else journal['fault']}, seq {journal['seq']}")
    return "\n".join(lines)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(round(value, 2)).removesuffix(".0")
    return str(value)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in [head, *rows]]  # fmt: skip
    return [*lines, ""]
