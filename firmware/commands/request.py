"""`roomwarden request CONFIG ACTION [KEY=VALUE ...]`: put a request to the gate."""

from __future__ import annotations

import argparse
import json
import sys

from controller.client import Door
from firmware.commands.common import with_door
from firmware.main import BAD_USAGE, DONE, REFUSED

_LONGEST_S = 24 * 3600.0


def run(options: argparse.Namespace) -> int:
    args = {}
    for argument in options.args:
        key, equals, value = argument.partition("=")
        if not equals or not key:
            print(f"roomwarden: {argument}: KEY=VALUE expected", file=sys.stderr)
            return BAD_USAGE
        args[key] = value

    def ask(door: Door) -> int:
        reply = door.request(
            options.action, args, wait=options.wait, timeout_s=_LONGEST_S if options.wait else None
        )
        if options.json:
            print(json.dumps(reply, ensure_ascii=False))
        else:
            reason = f": {reply['reason']}" if reply["reason"] else ""
            print(f"{reply['status']}{reason}")
        return DONE if reply["status"] in ("accepted", "done") else REFUSED

    return with_door(options.config, ask)
