"""Threads that are replaced when they fail, and that say so."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_BACK_OFF_S = (0.2, 30.0)
_LASTED_S = 60.0
"""After a run of this length a failure is a new one."""


class Supervised:
    """Runs `work` on a thread of its own; when it raises, tells `failed` and runs it again.

    `work` returns when `stop` is set. The pause between two tries doubles, within bounds, and
    starts again after a run that lasted.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[threading.Event], None],
        failed: Callable[[str, str], None],
        longest_pause_s: float = _BACK_OFF_S[1],
    ) -> None:
        self.name = name
        self.stop = threading.Event()
        self._work = work
        self._failed = failed
        self._longest_pause_s = longest_pause_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self, timeout_s: float = 2.0) -> None:
        self.stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        pause_s = _BACK_OFF_S[0]
        while not self.stop.is_set():
            began_s = time.monotonic()
            try:
                self._work(self.stop)
                return
            except Exception as error:
                log.exception("thread %s failed", self.name)
                self._failed(self.name, f"{type(error).__name__}: {error}")
            if time.monotonic() - began_s >= _LASTED_S:
                pause_s = _BACK_OFF_S[0]
            if self.stop.wait(pause_s):
                return
            pause_s = min(2 * pause_s, self._longest_pause_s)
