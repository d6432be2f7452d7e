"""One look at the controller for all viewers: a thread reads the door, the latest state fans out.

Nobody queues anything: a slow viewer simply misses states in between. The room counts as lost
when the door is silent or closed, and also when snapshots still come but the scan stands: the
screen must not look alive while nobody guards.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from controller.client import DoorClosed, DoorRefused

log = logging.getLogger(__name__)

# A scan comes each second at the latest, and a snapshot of it each second: two seconds old is
# usual at worst, three are promised to be noticed.
FRESH_S = 2.5
RETRY_S = (0.2, 0.5, 1.0)


class Stream(Protocol):
    def stream(self) -> Iterator[dict[str, Any]]: ...


@dataclass(frozen=True)
class View:
    """What is known now. `state` is the last snapshot, also after the controller was lost.

    `since` is when it was lost (RFC 3339), None while it is there; `frame` is the server-sent
    event that says all this.
    """

    version: int
    state: dict[str, Any] | None
    live: bool
    since: str | None
    frame: bytes


class Hub:
    """Keeps the latest view."""

    def __init__(self, door: Stream, mono_s: Callable[[], float] = time.monotonic) -> None:
        self._door = door
        self._mono_s = mono_s
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._scan: object = None
        self._scanned_s = float("-inf")
        self._view = View(0, None, False, _now(), _frame("lost", {"since": None}))
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Wake every viewer so that it can leave. The reading thread ends with the process."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def view(self) -> View:
        with self._changed:
            return self._view

    def wait(self, version: int, timeout_s: float) -> View:
        """Return the view as soon as it is another than `version`, at the latest after a while."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._view.version != version or self.stopped, timeout_s
            )
            return self._view

    def scan_age_s(self) -> float:
        """Return the real seconds since the controller's last scan that we know of."""
        return self._mono_s() - self._scanned_s

    @property
    def is_fresh(self) -> bool:
        return self.view().live and self.scan_age_s() < FRESH_S

    def take(self, state: dict[str, Any]) -> None:
        """Take in a snapshot."""
        scan = state.get("scan") or {}
        if scan.get("number") != self._scan:
            self._scan = scan.get("number")
            self._scanned_s = self._mono_s() - float(scan.get("age_s") or 0.0)
        if self.scan_age_s() < FRESH_S:
            self._show(state, None)
        else:
            self.lose()

    def lose(self) -> None:
        """Say, once, that the controller is gone; the last state stays to be looked at."""
        was = self.view()
        if was.live or was.version == 0:
            self._show(was.state, _now())

    def _show(self, state: dict[str, Any] | None, since: str | None) -> None:
        frame = _frame("state", state) if since is None else _frame("lost", {"since": since})
        with self._changed:
            self._view = replace(
                self._view,
                version=self._view.version + 1,
                state=state,
                live=since is None,
                since=since,
                frame=frame,
            )
            self._changed.notify_all()

    def _run(self) -> None:
        tries = 0
        while not self.stopped:
            try:
                for state in self._door.stream():
                    self.take(state)
                    tries = 0
                    if self.stopped:
                        return
            except (DoorClosed, DoorRefused) as error:
                log.log(logging.DEBUG if tries else logging.WARNING, "controller lost: %s", error)
            except Exception:  # the hub's outermost function: it reports and goes on
                log.exception("hub")
            self.lose()
            self._stop.wait(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _frame(event: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(data))
