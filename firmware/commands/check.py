"""`roomwarden check CONFIG`: read the room file, check the wiring, touch nothing."""

from __future__ import annotations

import argparse
import json
import sys

from controller.config.faults import ConfigFaults
from controller.config.notes import notes
from firmware.commands.common import read
from firmware.main import BAD_USAGE, DONE


def run(options: argparse.Namespace) -> int:
    try:
        file = read(options.config)
    except ConfigFaults as error:
        if options.json:
            faults = [
                {"key": fault.key, "value": str(fault.value), "allowed": fault.allowed}
                for fault in error.faults
            ]
            print(json.dumps({"ok": False, "faults": faults}, ensure_ascii=False))
        else:
            print(error, file=sys.stderr)
        return BAD_USAGE
    if options.sheet:
        from hardware.sheet import wiring_sheet

        print(wiring_sheet(file, file.room.locale))
    elif options.json:
        print(json.dumps({"ok": True, "faults": [], "notes": notes(file)}, ensure_ascii=False))
    else:
        for note in notes(file):
            print(f"note: {note}")
        print(f"{options.config}: no faults")
    return DONE
