"""`roomwarden verify`: whether a journal, or a capture of the topic `event`, is whole and true."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from controller.history import HistoryUnavailable
from controller.journal.capture import MixedCapture, verify_capture
from controller.journal.verify import verify_chain
from firmware.main import BAD_USAGE, DONE, REFUSED

Ranges = Sequence[Sequence[int]]


def run(options: argparse.Namespace) -> int:
    journal: Path | None = options.journal
    capture: Path | None = options.capture
    if journal is None and capture is None:
        print("roomwarden: verify needs a JOURNAL, or --capture FILE, or both", file=sys.stderr)
        return BAD_USAGE
    found: dict[str, Any] = {}
    try:
        if journal is not None:
            report = verify_chain(journal)
            found["journal"] = {"ok": report.ok, **msgspec.to_builtins(report)}
        if capture is not None:
            with ExitStack() as stack:
                if str(capture) == "-":
                    lines = sys.stdin.buffer
                else:
                    lines = stack.enter_context(capture.open("rb"))
                told = verify_capture(lines, journal)
            found["capture"] = {"ok": told.ok, **msgspec.to_builtins(told)}
    except (HistoryUnavailable, MixedCapture) as error:
        print(f"roomwarden: {error}", file=sys.stderr)
        return BAD_USAGE
    except OSError as error:
        print(f"roomwarden: {capture}: {error.strerror or error}", file=sys.stderr)
        return BAD_USAGE
    is_ok = all(part["ok"] for part in found.values())
    if options.json:
        print(json.dumps({"ok": is_ok, **found}, ensure_ascii=False))
    else:
        for name, part in found.items():
            print("\n".join(as_text(str(journal if name == "journal" else capture), part)))
    return DONE if is_ok else REFUSED


def as_text(name: str, found: dict[str, Any]) -> list[str]:
    """Return what was found, one fact a line; faults last."""
    lines = [f"{name}: {found['events']} events, {found['first']} to {found['last']}"]
    if found.get("trimmed"):
        lines.append(f"events up to {found['trimmed']} were let go for want of room")
    if found["dropped"]:
        lines.append(f"recorded as lost: {_ranges(found['dropped'])}")
    if "duplicates" in found:
        lines.append(
            f"{found['duplicates']} came again, {found['late']} came late, "
            f"{found['restarts']} restarts"
        )
    if found.get("hash"):
        lines.append(f"hash of event {found['last']}: {found['hash']}")
    lines += [f"FAULT {fault}" for fault in found["faults"]]
    lines.append("whole and true" if found["ok"] else "NOT whole and true")
    return lines


def _ranges(ranges: Ranges) -> str:
    return ", ".join(f"{first} to {last}" for first, last in ranges)
