"""The panel and the people before it."""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.processes import ROOMWARDEN, VIEWERS, Child, running


@contextlib.contextmanager
def healthy_panel(
    folder: Path, config: Path, port: int, command: Sequence[str] = ROOMWARDEN
) -> Iterator[Child]:
    """A healthy panel of a running room. Raises: BenchFailed."""
    with running([*command, "panel", config], folder / "panel.log") as panel:
        panel.wait_until(lambda: _is_healthy(port), "a healthy panel")
        yield panel


@contextlib.contextmanager
def viewers(folder: Path, port: int, count: int, charts_of: str | None = None) -> Iterator[Child]:
    """So many open pages, each of which has had a frame. Raises: BenchFailed."""
    ready = folder / "viewers.ready"
    ready.unlink(missing_ok=True)
    command: list[object] = [*VIEWERS, port, count, ready]
    if charts_of is not None:
        command.append(charts_of)
    with running(command, folder / "viewers.log") as watching:
        watching.wait_until(ready.exists, "a frame for each viewer")
        yield watching


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
