"""A line: the thread that asks every part on one wire, each when it is due."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from controller.clock import Clock
from controller.pollers.base import SHORTEST_WAIT_S, Poller

log = logging.getLogger(__name__)


class _Turn:
    """One poller and when it is due. `answers`: its last poll gave something usable.
    `fault`: the error of our own that came of it."""

    def __init__(self, poller: Poller, due_s: float) -> None:
        self.poller = poller
        self.due_s = due_s
        self.answers = False
        self.fault: str | None = None


class Line:
    """Asks `pollers` in turn; one that has a wire of its own is a line with one part.

    A part that is silent holds the line for its whole timeout. Between two such ones every other
    that is due gets its turn, so that ten dead transmitters make a live one wait for one
    timeout, not for ten; and a silent one waits at most for one turn of each of the others.
    `failed` is told of an error of our own in one of them, which costs the others nothing.
    """

    def __init__(
        self,
        name: str,
        pollers: Sequence[Poller],
        clock: Clock,
        failed: Callable[[str, str], None],
    ) -> None:
        self.name = name
        self.pollers = tuple(pollers)
        self._clock = clock
        self._failed = failed
        self._bell = threading.Event()
        now_s = clock.mono_s()
        self._turns = [_Turn(poller, now_s) for poller in pollers]
        self._served: set[str] = set()
        for poller in pollers:
            poller.bell = self._bell

    def __call__(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._bell.clear()
            for turn in self._turns:
                self._obey(turn)
            now_s = self._clock.mono_s()
            due = self._next(now_s)
            if due is not None:
                self._poll(due, now_s)
            else:
                first_s = min(turn.due_s for turn in self._turns)
                self._bell.wait(self._clock.real_s(first_s - now_s))

    def wake(self) -> None:
        """Let the thread see that it is to end."""
        self._bell.set()

    def _next(self, now_s: float) -> _Turn | None:
        """Return whose turn it is, None while nobody is due."""
        due = [turn for turn in self._turns if turn.due_s <= now_s]
        unserved = [t for t in due if t.answers and t.poller.part not in self._served]
        silent = [t for t in due if not t.answers]
        return min(unserved or silent or due, key=lambda turn: turn.due_s, default=None)

    def _poll(self, turn: _Turn, began_s: float) -> None:
        poller = turn.poller
        if turn.answers:
            self._served.add(poller.part)
        else:
            self._served.clear()
        turn.answers = self._guarded(turn, poller.poll)
        if turn.answers:
            turn.fault = None
        # By the clock and not by the pause, so that the period is kept; what was missed is not
        # made up for, and who is silent is never asked again before a whole period.
        since_s = turn.due_s if turn.answers else began_s
        rested_s = self._clock.mono_s() + SHORTEST_WAIT_S * self._clock.pace
        turn.due_s = max(since_s + poller.period_s, rested_s)

    def _obey(self, turn: _Turn) -> None:
        if self._guarded(turn, turn.poller.obey):
            turn.due_s = self._clock.mono_s()  # to see what came of it

    def _guarded(self, turn: _Turn, work: Callable[[], bool]) -> bool:
        """Do `work` for one part; its error costs the others on the line nothing."""
        try:
            return work()
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"
            if fault != turn.fault:
                log.exception("%s: an error of our own", turn.poller.part)
            turn.fault = fault
            self._failed(f"poll-{turn.poller.part}", fault)
            return False
