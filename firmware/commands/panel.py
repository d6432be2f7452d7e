"""`roomwarden panel CONFIG`: the web panel, a process of its own beside the controller."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading

from controller.config.schema import RoomFile
from firmware.commands.common import with_room
from firmware.main import DONE, REFUSED


def run(options: argparse.Namespace) -> int:
    logging.basicConfig(
        level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    return with_room(options.config, serve)


def serve(file: RoomFile) -> int:
    from controller.client import Door
    from controller.history import History
    from controller.rundir import run_dir
    from web.app import create_app
    from web.kiosk import kiosk_key
    from web.people import People
    from web.server import PanelServer
    from web.settings import Settings

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    store = file.resolve(file.store.path)
    run = run_dir(store)
    host, _, port = file.panel.listen.rpartition(":")
    try:
        run.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            kiosk_key(run),
            locale=file.room.locale,
            remote_operate=file.panel.remote_operate,
        )
        people = People(file.resolve(file.panel.person_file))
        # The run directory may not be there yet: the controller makes it when it comes.
        door = Door(run / "door.sock")
        app = create_app(door, History(store), people, settings)
        server = PanelServer(app, host.strip("[]"), int(port), settings.viewers)
    except OSError as error:
        print(f"roomwarden: the panel at {file.panel.listen}: {error}", file=sys.stderr)
        return REFUSED
    server.start()
    while not stopped.wait(1.0):
        pass
    server.stop()
    return DONE
