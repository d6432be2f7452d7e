"""People before the panel: so many open pages, each with its stream; on demand also charts.

    python tests/bench/viewers.py PORT COUNT READY_FILE [POINT]

A process of its own, so that the bench's clock is not disturbed. Makes READY_FILE once every
viewer has had a frame. With POINT somebody looks at a day of that point each second.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time
import urllib.request
from pathlib import Path

_DAY_MS = 86_400_000
_REQUEST = b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def connect(port: int) -> socket.socket:
    viewer = socket.create_connection(("127.0.0.1", port), timeout=10.0)
    viewer.sendall(_REQUEST)
    return viewer


def read_chart(port: int, point: str) -> None:
    now_ms = int(time.time() * 1000)
    query = f"point={point}&from={now_ms - _DAY_MS}&to={now_ms}&width=800"
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/api/v1/history?{query}", timeout=10.0
    ) as answer:
        answer.read()


def main(port: int, count: int, ready: Path, point: str | None) -> None:
    selector = selectors.DefaultSelector()
    for _ in range(count):
        selector.register(connect(port), selectors.EVENT_READ, b"")
    waiting = count
    chart_s = time.monotonic()
    while True:
        for key, _ in selector.select(1.0):
            assert isinstance(key.fileobj, socket.socket)
            told = key.fileobj.recv(1 << 16)
            if not told:  # the panel ends every stream after minutes; browsers come back
                selector.unregister(key.fileobj)
                key.fileobj.close()
                selector.register(connect(port), selectors.EVENT_READ, b"event: state")
                continue
            if waiting and b"event: state" not in key.data:
                begun = key.data + told[:4096]
                selector.modify(key.fileobj, selectors.EVENT_READ, begun)
                if b"event: state" in begun:
                    waiting -= 1
                    if waiting == 0:
                        ready.touch()
        if point is not None and time.monotonic() >= chart_s:
            chart_s = time.monotonic() + 1.0
            read_chart(port, point)


if __name__ == "__main__":
    main(
        int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]),
        sys.argv[4] if len(sys.argv) > 4 else None,
    )  # fmt: skip
