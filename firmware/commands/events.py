"""`roomwarden events CONFIG`: the journal's events, oldest first."""

from __future__ import annotations

import argparse
import json
from typing import Any

from controller.client import Door
from firmware.commands.common import with_door
from firmware.main import DONE


def run(options: argparse.Namespace) -> int:
    since: int | str | None = options.since
    if isinstance(since, str) and since.isdecimal():
        since = int(since)

    def show(door: Door) -> int:
        for event in door.events(since, options.follow):
            line = json.dumps(event, ensure_ascii=False) if options.json else as_text(event)
            print(line, flush=options.follow)
        return DONE

    return with_door(options.config, show)


def as_text(event: dict[str, Any]) -> str:
    data = " ".join(f"{key}={value}" for key, value in event["data"].items())
    return (
        f"{event['seq']:>6} {event['at']} {event['kind']:<9} {event['subject']:<24} "
        f"{event['cause']:<24} {event['actor']:<12} {data}"
    ).rstrip()
