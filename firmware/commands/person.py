"""`roomwarden person CONFIG ID ROLE`: let a person sign in; the secret comes by standard input."""

from __future__ import annotations

import argparse
import getpass
import sys

from controller.config.schema import RoomFile
from firmware.commands.common import with_room
from firmware.main import DONE, REFUSED
from web.people import People, PeopleError


def run(options: argparse.Namespace) -> int:
    def add(file: RoomFile) -> int:
        kind = "password" if options.password else "PIN"
        secret = (
            getpass.getpass(f"{kind} of {options.id}: ")
            if sys.stdin.isatty()
            else sys.stdin.readline().rstrip("\n")
        )
        people = People(file.resolve(file.panel.person_file))
        before = people.find(options.id)
        name = options.name or (before.name if before is not None else options.id)
        try:
            if options.password:
                people.add(options.id, name, options.role, password=secret)
            else:
                people.add(options.id, name, options.role, pin=secret)
        except (PeopleError, OSError) as error:
            print(f"roomwarden: {error}", file=sys.stderr)
            return REFUSED
        return DONE

    return with_room(options.config, add)
