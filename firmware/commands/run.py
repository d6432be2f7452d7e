"""`roomwarden run CONFIG`: guard the room until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import sys
import threading

from controller.config.schema import RoomFile
from controller.core.parts import DeviceError
from firmware.commands.common import with_room
from firmware.main import DONE, REFUSED
from firmware.notify import Watchdog, notify

_SWITCH_INTERVAL_S = 0.0005
"""How long one Python thread may keep the others waiting. The default of 5 ms is the whole
budget of an edge; shorter costs a little throughput, of which there is plenty."""


def run(options: argparse.Namespace) -> int:
    logging.basicConfig(
        level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    return with_room(options.config, lambda file: guard(file, options))


def guard(file: RoomFile, options: argparse.Namespace) -> int:
    from firmware.assembly import AlreadyRunning, Controller

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        controller = Controller(file, options.config.absolute())
    except (AlreadyRunning, DeviceError, OSError) as error:
        print(f"roomwarden: {error}", file=sys.stderr)
        return REFUSED
    watchdog = Watchdog()
    controller.guard.beat = watchdog.beat
    controller.start()
    # What the start has loaded stays for ever: no collection need look at it again. With it, a
    # full collection took 12 to 18 ms in the middle of a scan (measured); without, about one.
    gc.collect()
    gc.freeze()
    notify("READY=1")
    # A wait without a limit would keep signals from Python's main thread on some platforms.
    while not stopped.wait(1.0):
        pass
    notify("STOPPING=1")
    controller.close()
    return DONE
