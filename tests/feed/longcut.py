"""A room whose broker is away for three days, as far as the feed can tell: quickly.

`python -m tests.feed.longcut FOLDER URL COUNT`: says how many MB it holds before the cut's events
and after, then after each line read whether they are sent, and the most it held meanwhile.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from controller.core.event import Event
from tests.feed.room import FeedRoom

AT_ONCE = 500


def main(folder: Path, url: str, count: int) -> None:
    room = FeedRoom(folder, url).start()
    happen(room, 10 * AT_ONCE)  # everything that is allocated once
    say(before_mb=held_mb())
    most_mb = 0.0

    def look() -> None:
        nonlocal most_mb
        most_mb = max(most_mb, held_mb())

    happen(room, count, look)
    say(after_mb=held_mb(), most_mb=most_mb, backlog=room.state()["backlog"])
    sys.stdin.readline()
    while not room.is_settled():
        look()
        time.sleep(0.05)
    say(sent=room.journal.acked_seq, most_mb=most_mb)
    room.close()


def happen(room: FeedRoom, count: int, look: Callable[[], None] = lambda: None) -> None:
    """Much happens: doors, temperatures, and events by the hundred."""
    for number in range(count // AT_ONCE):
        room.door(is_open=number % 2 == 0)
        room.temperature(20 + number % 50 / 10)
        last = room.journal.recorded_seq + AT_ONCE
        room.guard.note([Event("system", "trial", "cut", data={"n": n}) for n in range(AT_ONCE)])
        # Not `flush`: on a busy machine the guard may not have handed them on yet, and what
        # piles up there would be this loop's doing, not the cut's.
        if not room.journal.wait_recorded(last, timeout_s=20.0):
            raise TimeoutError("the journal does not write")
        look()
    gc.collect()


def held_mb() -> float:
    """Memory of this process that is resident now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
