"""Orders: the commands on their way from the scan to a part's thread."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import deque

from controller.core.parts import DeviceError
from controller.core.rules.base import Command
from controller.pollers.base import Poller

log = logging.getLogger(__name__)

_REMEMBERED = 16
"""A rule repeats its last command, never older ones; this is more than enough."""

OUR_FAULT = "an error of the controller's own"


class Orders:
    """Hands each serial over once. A newer command takes the place of one not yet begun.

    `give` is the scan's, under its lock, and never waits; `take` is the part's thread's.
    """

    def __init__(self) -> None:
        self._known: deque[int] = deque(maxlen=_REMEMBERED)
        self._newest: deque[Command] = deque(maxlen=1)

    def give(self, command: Command) -> bool:
        """Return whether the command is a new one."""
        if command.serial in self._known:
            return False
        self._known.append(command.serial)
        self._newest.append(command)
        return True

    def take(self) -> Command | None:
        try:
            return self._newest.pop()
        except IndexError:
            return None


def ended(command: Command, fault: str | None) -> str:
    """The reply's text: how a command ended, for the rule that gave it."""
    return f"{command.serial} ok" if fault is None else f"{command.serial} failed: {fault}"


class CommandedPoller(Poller):
    """The poller of a part that takes commands too, each serial once, between two polls."""

    _orders: Orders

    def command(self, command: Command) -> None:
        """Take a command; one that was given before is not repeated. Never waits."""
        if self._orders.give(command):
            self.bell.set()

    def obey(self) -> bool:
        command = self._orders.take()
        if command is None:
            return False
        fault: str | None = OUR_FAULT
        try:
            self._send(command.action)
            fault = None
            log.info("%s took %s", self.part, command.action)
        except DeviceError as error:
            log.warning("%s did not take %s: %s", self.part, command.action, error)
            fault = str(error)
        finally:
            # Whatever happened, the rule is not left waiting for an answer.
            self._bring({f"{self.part}.reply": self._reading(ended(command, fault))})
        return True

    @abstractmethod
    def _send(self, action: str) -> None:
        """Have the part carry out `action`. Raises: DeviceError."""
