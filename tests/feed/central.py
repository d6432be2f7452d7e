"""The central system, played by programs that are not ours: mosquitto_pub and mosquitto_sub."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from tests.feed.room import ROOT
from tests.feed.validate import all_valid

_numbers = itertools.count(1)


def moment(from_now_s: float = 0.0) -> str:
    return datetime.fromtimestamp(time.time() + from_now_s, UTC).isoformat()


def command(action: str, args: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """A command that is in order, but for what `keys` say."""
    said = {"id": str(uuid.uuid4()), "action": action, "args": args or {}}
    return said | {"issued": moment(), "expires": moment(60.0)} | keys


_LAST = "$SYS/broker/version"
"""Each mosquitto retains it: asked for last, it comes when all else has come."""


def retained(port: int, topic: str) -> dict[str, str]:
    """What an independent client finds retained on the broker under `topic`."""
    asked = ["-p", str(port), "-t", topic, "-t", _LAST, "--retained-only", "-F", "%t %p"]
    found: dict[str, str] = {}
    with subprocess.Popen(
        ["mosquitto_sub", *asked, "-W", "30"], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        for line in child.stdout:
            name, _, payload = line.rstrip("\n").partition(" ")
            found[name] = payload
            if name == _LAST:
                child.kill()
    del found[_LAST]
    return found


class Listener:
    """A mosquitto_sub; `lines` are what it printed, as its format says."""

    def __init__(self, port: int, topic: str, form: str, version: str, *flags: str) -> None:
        self.name = f"listener-{next(_numbers)}"
        asked = ["-p", str(port), "-V", version, "-i", self.name, "-q", "1", "-t", topic]
        self._child = subprocess.Popen(
            ["mosquitto_sub", *asked, "-F", form, *flags],
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._reader.join(5)

    def _read(self) -> None:
        assert self._child.stdout
        for line in self._child.stdout:
            self.lines.append(line.rstrip("\n"))


class Central(Listener):
    """Sends commands as the client `id`, and keeps the replies to it."""

    def __init__(
        self, port: int, id: str = "central", version: str = "5", root: str = ROOT
    ) -> None:
        self.topic = f"{root}/cmd/{id}"
        self.reply_topic = f"{root}/reply/{id}"
        self._port = port
        self._version = version
        super().__init__(port, self.reply_topic, "%p", version)

    def close(self) -> None:
        super().close()
        all_valid(("reply/central", json.loads(line)) for line in self.lines)

    def send(self, payload: bytes | dict[str, Any], *flags: str, qos: int = 1) -> None:
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        asked = ["-p", str(self._port), "-V", self._version, "-q", str(qos), "-t", self.topic]
        given = "-s" if data else "-n"
        subprocess.run(["mosquitto_pub", *asked, given, *flags], input=data, check=True)

    def ask(self, action: str, args: dict[str, Any] | None = None, **keys: Any) -> str:
        """Send a command; returns its id."""
        said = command(action, args, **keys)
        self.send(said)
        return str(said["id"])

    def replies(self, id: str | None) -> list[dict[str, Any]]:
        return [reply for reply in map(json.loads, list(self.lines)) if reply["id"] == id]

    def reply(self, id: str | None) -> dict[str, Any]:
        return next(iter(self.replies(id)), {})
