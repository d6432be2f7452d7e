"""What a host is told, and what is seen of it from outside: on two threads."""

from __future__ import annotations

import logging
import threading

from controller.clock import Clock
from controller.core.parts import DeviceError, Host
from controller.core.reading import Quality, Reading
from controller.core.rules.base import Command
from controller.pollers.base import SHORTEST_WAIT_S, Bring
from controller.pollers.orders import OUR_FAULT, Orders, ended

log = logging.getLogger(__name__)

# Guesses: each of the looks that evidence needs is soon followed by another, at little cost.
LOOK_S = 5.0
CLOSE_LOOK_S = 1.0
CLOSE_FOR_S = 600.0
"""After a command the host is looked at more often: it goes down or comes up."""


class HostPoller:
    """Carries out a host's commands on one thread (`obey`) and looks at it on another (`watch`).

    A stop may hang for as long as its driver lets it; what answers is seen all the same. A look
    is stamped with its beginning, so that what it saw is never older than it says.
    """

    def __init__(self, part: str, host: Host, clock: Clock, bring: Bring) -> None:
        self.part = part
        self._host = host
        self._clock = clock
        self._bring = bring
        self._orders = Orders()
        self._ordered = threading.Event()
        self._look_now = threading.Event()
        self._close_until_s = 0.0
        self._is_lost = False
        self._has_ended = False
        self._actions = {
            "stop": host.stop,
            "clear": host.clear,
            "start": host.start,
            "initialise": host.initialise,
            "test": host.test,
            "test-start": host.test_start,
        }

    def command(self, command: Command) -> None:
        """Take a command; one that was given before is not repeated. Never waits."""
        if self._orders.give(command):
            self._ordered.set()

    def obey(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._ordered.clear()
            command = self._orders.take()
            if command is None:
                self._ordered.wait()
            else:
                self._carry_out(command)

    def watch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._look_now.clear()
            began_s = self._clock.mono_s()
            self.look()
            is_close = began_s < self._close_until_s
            due_s = began_s + (CLOSE_LOOK_S if is_close else LOOK_S)
            wait_s = self._clock.real_s(due_s - self._clock.mono_s())
            self._look_now.wait(max(wait_s, SHORTEST_WAIT_S))

    def wake(self) -> None:
        """Let both threads see that they are to end."""
        self._ordered.set()
        self._look_now.set()

    def close(self) -> None:
        """End what is under way; called once, from any thread, when the threads are to end."""
        self._has_ended = True
        self._host.close()

    def look(self) -> None:
        """Look once, and bring what answered. What cannot be looked at brings nothing: what it
        said last grows old."""
        began_s = self._clock.mono_s()
        try:
            seen = self._host.look()
        except DeviceError as error:
            if not (self._is_lost or self._has_ended):
                log.warning("%s cannot be looked at: %s", self.part, error)
            self._is_lost = True
            return
        if self._is_lost:
            log.info("%s can be looked at again", self.part)
        self._is_lost = False
        self._bring(
            {
                f"{self.part}.{kind}": Reading(
                    answers, Quality.BAD if answers is None else Quality.GOOD, began_s
                )
                for kind, answers in seen.items()
            }
        )

    def _carry_out(self, command: Command) -> None:
        log.info("%s: %s", self.part, command.action)
        self._look_closely()
        fault: str | None = OUR_FAULT
        try:
            action = self._actions.get(command.action)
            if action is None:
                raise DeviceError(f"a host knows no {command.action!r}")
            action()
            fault = None
        except DeviceError as error:
            log.warning("%s did not %s: %s", self.part, command.action, error)
            fault = str(error)
        finally:
            # Whatever happened, the plan is not left waiting for an answer.
            self._look_closely()
            reply = Reading(ended(command, fault), Quality.GOOD, self._clock.mono_s())
            self._bring({f"{self.part}.reply": reply})

    def _look_closely(self) -> None:
        self._close_until_s = self._clock.mono_s() + CLOSE_FOR_S
        self._look_now.set()
