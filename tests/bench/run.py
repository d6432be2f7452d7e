"""`make bench`: how fast and how small, beside a bare gpiozero script on the same machine.

    python tests/bench/run.py [--trips 2000] [--seconds 60] [--starts 5] [--only PART ..]

Prints a Markdown table and writes bench.json where it is started. Everything is measured anew
in each run, with both sides under the same conditions; nothing is compared with figures of
another day. A quiet machine is the reader's own task.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.bench import feed, idle, power, records, starts, trips
from tests.bench.table import Row, markdown, trip_rows
from tests.bench.worldside import BenchFailed

IDLE_TARGETS = {50: 2.0, 99: 2.0}
LOADED_TARGETS = {99: 3.0}


def main() -> int:
    options = _options()
    parts: dict[str, Callable[[Path], list[Row]]] = {
        "idle-trips": lambda folder: trip_rows(
            "idle", *trips.idle(folder, options.trips), IDLE_TARGETS
        ),
        "loaded-trips": lambda folder: trip_rows(
            "loaded", *trips.loaded(folder, options.trips), LOADED_TARGETS
        ),
        "starts": lambda folder: starts.rows(folder, options.starts),
        "records": records.rows,
        "feed": lambda folder: feed.rows(folder, min(options.trips, 500)),
        "power": power.rows,
        "idle": lambda folder: idle.rows(folder, options.seconds),
    }
    began_s, load = time.monotonic(), os.getloadavg()[0]
    stolen, ran = _ticks()
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as base,
        # The line file is written on the way to the relay: on tmpfs, as on a Pi, and never
        # on a disk whose journal is just being committed.
        tempfile.TemporaryDirectory(prefix="bench-", dir="/dev/shm") as run,
    ):
        os.environ["ROOMWARDEN_RUN"] = run
        for name in options.only or parts:
            folder = Path(base) / name
            folder.mkdir()
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            try:
                rows += parts[name](folder)
            except BenchFailed as error:
                print(f"bench: {name}: {error}", file=sys.stderr)
                return 1
    stolen_now, ran_now = _ticks()
    stolen_pct = 100 * (stolen_now - stolen) / max(ran_now - ran, 1)
    print(_head(time.monotonic() - began_s, load, stolen_pct))
    print(markdown(rows))
    Path("bench.json").write_bytes(
        msgspec.json.format(msgspec.json.encode([row.as_json() for row in rows])) + b"\n"
    )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--trips", type=_count, default=2000)
    parser.add_argument("--seconds", type=_count, default=60, help="how long idle is looked at")
    parser.add_argument("--starts", type=_count, default=5)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=["idle-trips", "loaded-trips", "starts", "records", "feed", "power", "idle"],
        help="measure these parts alone",
    )
    return parser.parse_args()


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 100_000:
        raise argparse.ArgumentTypeError("from 1 to 100000")
    return count


def _ticks() -> tuple[int, int]:
    """Return the ticks that the host took from this machine, and all of them."""
    with Path("/proc/stat").open(encoding="ascii") as stat:
        ticks = [int(word) for word in stat.readline().split()[1:]]
    return ticks[7], sum(ticks[:8])


def _head(took_s: float, load: float, stolen_pct: float) -> str:
    cpus = os.cpu_count() or 1
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith(("model name", "Model"))
        ),
        platform.machine(),
    )
    today = datetime.datetime.now(datetime.UTC).date()
    return (
        f"{today}, {model}, {cpus} CPUs, Linux {platform.release()}, "
        f"Python {platform.python_version()}, measured in {took_s:.0f} s, "
        f"load of others before {load:.1f}, {stolen_pct:.0f} % of the CPU taken by the host\n"
    )


if __name__ == "__main__":
    sys.exit(main())
