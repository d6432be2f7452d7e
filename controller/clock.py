"""The controller's one clock."""

from __future__ import annotations

import ctypes
import sys
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


class KernelClock:
    """Whether anything keeps this machine's clock right: the kernel is told so by chrony or
    systemd-timesyncd. A Pi without a clock chip restores the time of its last shutdown, which is
    always plausible and never right. Source: adjtimex(2)."""

    # struct timex: modes (filled up to a long), offset, freq, maxerror, esterror, status
    _STATUS_AT = 5 * ctypes.sizeof(ctypes.c_long)
    _UNSYNCHRONISED = 0x0040
    _ERROR = 5
    _KEPT_S = 1.0

    def __init__(self) -> None:
        self._adjtimex = getattr(ctypes.CDLL(None), "adjtimex", None)
        self._asked_s = float("-inf")
        self._is_synchronised = False

    def is_synchronised(self) -> bool:
        """Ask the kernel, at most once a second."""
        now_s = time.monotonic()
        if now_s >= self._asked_s + self._KEPT_S:
            self._asked_s = now_s
            self._is_synchronised = plausible(time.time()) and self._ask()
        return self._is_synchronised

    def _ask(self) -> bool:
        if self._adjtimex is None:
            return False
        told = ctypes.create_string_buffer(512)  # no modes: nothing is set
        state = self._adjtimex(told)
        status = int.from_bytes(told.raw[self._STATUS_AT : self._STATUS_AT + 4], sys.byteorder)
        return 0 <= state != self._ERROR and not status & self._UNSYNCHRONISED


def boot_id() -> str:
    """The kernel's id of this boot. Instants of another boot mean nothing on this one."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def plausible(wall_s: float) -> bool:
    """Whether wall time can be right at all: not before this program was written."""
    return wall_s > 1_760_000_000  # 2025-10-09
