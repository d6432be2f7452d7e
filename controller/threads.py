"""Threads that are replaced when they fail, and that say so."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

_BACK_OFF_S = (0.2, 30.0)


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
    ) -> None:
        self.name = name
        self.stop = threading.Event()
        self._work = work
        self._failed = failed
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
            try:
                self._work(self.stop)
                return
            except Exception as error:
                log.exception("thread %s failed", self.name)
                self._failed(self.name, f"{type(error).__name__}: {error}")
            if self.stop.wait(pause_s):
                return
            pause_s = min(2 * pause_s, _BACK_OFF_S[1])
