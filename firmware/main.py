"""The command line: `roomwarden`. Each command imports what it needs and no more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

DONE, REFUSED, BAD_USAGE = 0, 1, 2


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="roomwarden",
        description="Guards a machine room. Not a certified fire alarm or emergency power-off.",
    )
    root.add_argument("--version", action="store_true", help="say which version this is")
    commands = root.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, help: str, module: str, config: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(module=module)
        if config:
            sub.add_argument("config", type=Path, metavar="CONFIG", help="the room file")
        return sub

    demo = command("demo", "the whole product around a simulated room", "demo", config=False)
    demo.add_argument("--port", type=int, default=0, help="the panel's port (default: a free one)")
    demo.add_argument("--no-browser", action="store_true", help="do not open a browser")
    command("run", "guard the room", "run")
    command("panel", "the web panel of a running controller", "panel")
    check = command("check", "read the room file, check the wiring, touch nothing", "check")
    check.add_argument("--json", action="store_true")
    check.add_argument("--sheet", action="store_true", help="print the wiring sheet")
    status = command("status", "the room as it stands", "status")
    status.add_argument("--json", action="store_true")
    events = command("events", "the journal's events, oldest first", "events")
    events.add_argument(
        "--since", metavar="T", help="a sequence number, a time (RFC 3339), or how long ago (2h)"
    )
    events.add_argument("--follow", action="store_true", help="go on as they come")
    events.add_argument("--json", action="store_true", help="one object a line")
    request = command("request", "put a request to the gate and print its end", "request")
    request.add_argument("action", metavar="ACTION")
    request.add_argument("args", nargs="*", metavar="KEY=VALUE")
    request.add_argument("--wait", action="store_true", help="stay until the end")
    request.add_argument("--json", action="store_true")
    sim = command("sim", "in a simulated room: what the world does", "sim")
    sim.add_argument("subject", metavar="SUBJECT")
    sim.add_argument("value", metavar="VALUE")
    sim.add_argument("--json", action="store_true")
    person = command("person", "let a person sign in at the panel", "person")
    person.add_argument("id")
    person.add_argument("role", choices=["view", "acknowledge", "operate", "configure"])
    person.add_argument("--name", default="", help="how the panel shows them")
    person.add_argument(
        "--password", action="store_true", help="a password for the network, not the screen's PIN"
    )
    command("reference", "every key of the room file, in Markdown", "reference", config=False)
    nut = command("nut", "the files of our own upsd, for hosts that NUT stops", "nut")
    nut.add_argument("--write", type=Path, metavar="DIR", help="write them, with their passwords")
    nut.add_argument("--json", action="store_true")
    verify = command("verify", "whether a journal or a capture is whole", "verify", config=False)
    verify.add_argument("journal", nargs="?", type=Path, metavar="JOURNAL", help="the database")
    verify.add_argument(
        "--capture",
        type=Path,
        metavar="FILE",
        help="the topic `event` as mosquitto_sub prints it (-: standard input); beside JOURNAL, "
        "both are compared",
    )
    verify.add_argument("--json", action="store_true")
    asyncapi = command("asyncapi", "the feed's contract as AsyncAPI 3", "asyncapi", config=False)
    asyncapi.add_argument("--page", action="store_true", help="as a Markdown page")
    asyncapi.add_argument(
        "--write", action="store_true", help="write all documents (in a checkout)"
    )
    command("world", "the simulated world of a room (started by run)", "world")
    return root


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    if options.version:
        from importlib.metadata import version

        print(f"roomwarden {version('roomwarden')}")
        return DONE
    if options.command is None:
        parser().print_usage(sys.stderr)
        return BAD_USAGE
    try:
        code: int = import_module(f"firmware.commands.{options.module}").run(options)
    except KeyboardInterrupt:
        return REFUSED
    except BrokenPipeError:
        return REFUSED
    return code


if __name__ == "__main__":
    sys.exit(main())
