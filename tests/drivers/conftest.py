from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory


@dataclass
class Bench:
    """A board on a test bench: mock pins, and a DHT child that runs the text of a program."""

    kind: str = "simulated"
    pins: Any = field(default_factory=MockFactory)
    program: str = "import time; time.sleep(60)"
    asked: list[tuple[str, str, int]] = field(default_factory=list)

    def dht_command(self, kind: str, part: str, pin: int) -> Sequence[str]:
        self.asked.append((kind, part, pin))
        return [sys.executable, "-S", "-c", self.program]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def opened() -> Iterator[Callable[[Any], Any]]:
    """Take a device in; it is closed when the test ends."""
    devices: list[Any] = []

    def keep(device: Any) -> Any:
        devices.append(device)
        return device

    yield keep
    for device in devices:
        device.close()
