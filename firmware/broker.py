"""A broker for the demo, on loopback: mosquitto where it is installed, else amqtt.

Either is a child process that is ended by its own process id. Run as a program, this module is
the child with amqtt in it: `python -m firmware.broker PORT`. It ends when its standard input
does, so that it does not outlive the demo.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

_READY_S = 15.0


class BrokerFailed(Exception):
    """No broker could be started; says why."""


class Broker:
    """A broker that accepts connections on 127.0.0.1:`port`. `name`: which one it is."""

    def __init__(self, name: str, port: int, child: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.port = port
        self.pid = child.pid
        self._child = child

    def __enter__(self) -> Broker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        _end(self._child)


def open_broker(folder: Path, port: int = 0) -> Broker:
    """Start a broker and wait until it accepts connections; its log goes to `folder`.

    `port` 0: any that is free. Raises: BrokerFailed.
    """
    port = port or _free_port()
    if _accepts(port):
        raise BrokerFailed(f"no mosquitto or amqtt can be started: port {port} is in use")
    mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if mosquitto is not None:
        name, command = "mosquitto", [mosquitto, "-c", str(_mosquitto_conf(folder, port))]
        setpriv = shutil.which("setpriv")
        if setpriv is not None:
            command = [setpriv, "--pdeathsig", "TERM", *command]
    else:
        name, command = "amqtt", [sys.executable, "-m", "firmware.broker", str(port)]
    told = folder / "broker.log"
    with told.open("wb") as out:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out)
    try:
        _wait_until_it_accepts(child, port)
    except BrokerFailed as failed:
        _end(child)
        lines = told.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise BrokerFailed(f"{name}: {lines[-1] if lines else failed}") from failed
    return Broker(name, port, child)


def _mosquitto_conf(folder: Path, port: int) -> Path:
    """Write the configuration: nobody but this machine, nothing kept."""
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false"]
    if os.geteuid() == 0:
        # It would become the user "mosquitto" and no longer end together with us.
        lines.append("user root")
    path = folder / "mosquitto.conf"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait_until_it_accepts(child: subprocess.Popen[bytes], port: int) -> None:
    end_s = time.monotonic() + _READY_S
    while time.monotonic() < end_s:
        if child.poll() is not None:
            raise BrokerFailed(f"ended with {child.returncode}")
        if _accepts(port):
            return
        time.sleep(0.02)
    raise BrokerFailed(f"accepts no connection on port {port}")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()
    child.terminate()
    try:
        child.wait(3.0)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


async def _embedded(port: int) -> None:
    from amqtt.broker import Broker as Embedded

    anonymous = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    broker = Embedded(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {anonymous: {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        await asyncio.to_thread(sys.stdin.buffer.read)
    finally:
        await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(_embedded(int(sys.argv[1])))
