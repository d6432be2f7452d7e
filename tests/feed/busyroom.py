"""A room as a program in which much happens, to be killed.

`python -m tests.feed.busyroom FOLDER URL`: guards, feeds, and records some 200 events a second.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.feed.room import FeedRoom

CLIENT = "central"
KEYS = f'[[feed.client]]\nid = "{CLIENT}"\nrole = "view"\n'

_PAUSE_S = 0.004


def main(folder: Path, url: str) -> None:
    room = FeedRoom(folder, url, KEYS).start()
    is_open = False
    while True:
        is_open = not is_open
        room.door(is_open=is_open)
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
