"""`roomwarden events CONFIG`: the journal's events, oldest first."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.client import Door
from controller.core.duration import Duration
from firmware.commands.common import with_door
from firmware.main import BAD_USAGE, DONE


def run(options: argparse.Namespace) -> int:
    try:
        since = moment(options.since)
    except ValueError as error:
        print(f"roomwarden: --since {options.since}: {error}", file=sys.stderr)
        return BAD_USAGE

    def show(door: Door) -> int:
        for event in door.events(since, options.follow):
            line = json.dumps(event, ensure_ascii=False) if options.json else as_text(event)
            print(line, flush=options.follow)
        return DONE

    return with_door(options.config, show)


def moment(text: str | None) -> int | str | None:
    """Read --since: a sequence number, a time, or how long ago. Raises: ValueError."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal():
        return int(text[:18])
    try:
        at = datetime.now(UTC) - timedelta(seconds=Duration.parse(text))
    except ValueError:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("a number, a time (RFC 3339) or a duration such as 2h") from None
    return at.astimezone(UTC).isoformat()


def as_text(event: dict[str, Any]) -> str:
    data = " ".join(f"{key}={value}" for key, value in event["data"].items())
    return (
        f"{event['seq']:>6} {event['at']} {event['kind']:<9} {event['subject']:<24} "
        f"{event['cause']:<24} {event['actor']:<12} {data}"
    ).rstrip()
