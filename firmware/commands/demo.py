"""`roomwarden demo`: the whole product around a simulated room, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from importlib.resources import files
from pathlib import Path

from controller.rundir import run_dir
from firmware.broker import open_broker
from firmware.main import DONE, REFUSED
from simulators.control import end
from web.kiosk import kiosk_key
from web.people import People

_START_S = 30.0


def run(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="roomwarden-demo-"))
    children: list[subprocess.Popen[bytes]] = []
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(_end_all, children, folder)
        broker_port = free_port()
        panel_port = options.port or free_port()
        broker = open_broker(folder, broker_port)
        stack.callback(broker.close)
        config = write_room(folder, panel_port, broker_port)
        pin = f"{secrets.randbelow(10**6):06d}"
        People(folder / "people.json").add("demo", "Demo", "operate", pin=pin)
        log = stack.enter_context((folder / "log").open("ab"))
        for command in ("run", "panel"):
            argv = [sys.executable, "-m", "firmware.main", command, str(config)]
            children.append(
                subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )
        address = f"http://127.0.0.1:{panel_port}"
        fault = wait_healthy(address, children)
        if fault is not None:
            print(f"roomwarden: {fault}", file=sys.stderr)
            print((folder / "log").read_text(errors="replace")[-4000:], file=sys.stderr)
            return REFUSED
        kiosk = f"{address}/kiosk?key={kiosk_key(run_dir(folder / 'room.db'))}"
        tell(address, kiosk, pin, config, broker_port)
        if not options.no_browser:
            webbrowser.open(kiosk)
        return watch(children)


def tell(address: str, kiosk: str, pin: str, config: Path, broker_port: int) -> None:
    print(address, flush=True)
    print(
        f"\nThe panel as the room's own screen:\n  {kiosk}\n"
        f"Sign in there as Demo with PIN {pin}.\n\n"
        f"Move the simulated room, for instance:\n"
        f"  {sys.argv[0]} sim {config} smoke-1 on\n"
        f"  {sys.argv[0]} sim {config} rack-air.temperature 36\n"
        f"  {sys.argv[0]} status {config}\n"
        f"The feed is on mqtt://127.0.0.1:{broker_port}, topics roomwarden/#.\n"
        "Ctrl-C ends it.",
        flush=True,
    )


def write_room(folder: Path, panel_port: int, broker_port: int) -> Path:
    """Write the demo's room file with this run's ports, and return its path."""
    text = files("firmware").joinpath("demo.toml").read_text(encoding="utf-8")
    config = folder / "room.toml"
    ports = {"panel": panel_port, "broker": broker_port, "hall": free_port()}
    config.write_text(string.Template(text).substitute(ports), encoding="utf-8")
    return config


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_healthy(address: str, children: list[subprocess.Popen[bytes]]) -> str | None:
    """Wait until the panel is healthy; return what went wrong, if it did."""
    until_s = time.monotonic() + _START_S
    while time.monotonic() < until_s:
        for child in children:
            if child.poll() is not None:
                return f"{child.args!r} ended with {child.returncode}"
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):
                return None
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return f"the panel was not healthy within {_START_S:g} s"


def watch(children: list[subprocess.Popen[bytes]]) -> int:
    """Stay until Ctrl-C, or until a process ends that should not."""
    try:
        while True:
            for child in children:
                if child.poll() is not None:
                    print(f"roomwarden: {child.args!r} ended", file=sys.stderr)
                    return REFUSED
            time.sleep(0.5)
    except KeyboardInterrupt:
        return DONE


def _end_all(children: list[subprocess.Popen[bytes]], folder: Path) -> None:
    for child in reversed(children):
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
    run = run_dir(folder / "room.db")
    end(run / "world.sock")
    shutil.rmtree(run, ignore_errors=True)
