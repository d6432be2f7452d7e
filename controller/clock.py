"""The controller's one clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from controller.core.reading import Now


class Clock:
    """Monotonic seconds since this machine's boot, and wall time for stamping.

    BOOTTIME, so that an instant kept in the journal still means the same after a restart of the
    program on the same boot. `pace` (1 by default, more only in a simulated room) runs the
    monotonic clock faster; wall time is never paced, so stamps agree with everybody else's.
    `synchronised` says whether anybody vouches for wall time; by default, whether it can be right.
    """

    def __init__(self, pace: float = 1.0, synchronised: Callable[[], bool] | None = None) -> None:
        self.pace = pace
        self.vouched = synchronised or (lambda: plausible(time.time()))

    def mono_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME) * self.pace

    def now(self) -> Now:
        return Now(self.mono_s(), time.time(), self.vouched())

    def real_s(self, paced_s: float) -> float:
        """How long a paced duration takes on a real clock, for waiting."""
        return paced_s / self.pace


def boot_id() -> str:
    """The kernel's id of this boot. Instants of another boot mean nothing on this one."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def plausible(wall_s: float) -> bool:
    """Whether wall time can be right at all: not before this program was written."""
    return wall_s > 1_760_000_000  # 2025-10-09
