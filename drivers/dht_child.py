"""The process that measures a DHT: `python -m drivers.dht_child dht22 4 --period 2.5`.

It prints a JSON line for each measurement, `{"temperature_c": 23.4, "humidity_pct": 51.2}`, or
`{"error": "..", "silent": true}` where `silent` says that no sensor answered at all. It ends when
its standard input closes.

It stands apart because the vendor's library reads pulses in a busy loop of 0.25 s, imports a
hundred modules and replaces the SIGTERM handler. The pulses are read by that loop and not by the
library's helper program: an orphaned helper would hold the line.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Protocol, TextIO

# Within 2 s of a measurement, good or failed, the vendor's library repeats its last good value.
LEAST_PERIOD_S = 2.5
_NOBODY = "DHT sensor not found"  # the vendor's words when fewer than 10 pulses came


class Sensor(Protocol):
    """The vendor's object."""

    temperature: Any
    humidity: Any

    def measure(self) -> None: ...


def serve(
    open_sensor: Callable[[], Sensor],
    clock: Callable[[], float],
    period_s: float,
    out: TextIO,
    stdin: BinaryIO,
) -> None:
    """Measure each `period_s` and print a line, until `stdin` ends.

    `clock` gives real seconds, as time.monotonic does, and `period_s` counts in them. The period
    runs from the beginning of one measurement to the next, so a late one never shortens it.
    """
    sensor = open_sensor()
    ended = False
    while not ended:
        due_s = clock() + period_s
        try:
            print(json.dumps(measurement(sensor)), file=out, flush=True)
        except BrokenPipeError:
            return
        ended = _ends_before(stdin, clock, due_s)


def measurement(sensor: Sensor) -> dict[str, object]:
    """Measure once, and return the line's content."""
    try:
        sensor.measure()
        temperature_c, humidity_pct = sensor.temperature, sensor.humidity
    except RuntimeError as error:
        return {"error": str(error), "silent": str(error).startswith(_NOBODY)}
    if temperature_c is None or humidity_pct is None:
        return {"error": "not measured yet", "silent": True}
    # Forty short pulses are noise on the line, and decode to this with a correct checksum.
    if temperature_c == 0.0 and humidity_pct == 0.0:
        return {"error": "only zeros"}
    return {"temperature_c": temperature_c, "humidity_pct": humidity_pct}


def _ends_before(stdin: BinaryIO, clock: Callable[[], float], due_s: float) -> bool:
    """Wait until `due_s`, or return True as soon as `stdin` has ended."""
    while select.select([stdin], [], [], max(due_s - clock(), 0.0))[0]:
        if not os.read(stdin.fileno(), 4096):
            return True
    return False


def main(argv: Sequence[str]) -> int:
    """Serve a real sensor; `argv` is without the program's name."""
    parser = argparse.ArgumentParser(prog="drivers.dht_child")
    parser.add_argument("kind", choices=("dht11", "dht22"))
    parser.add_argument("pin", type=int, help="BCM number of the data pin")
    parser.add_argument(
        "--period", type=float, default=LEAST_PERIOD_S, help="seconds, 2.5 or more"
    )
    asked = parser.parse_args(argv)
    if not asked.period >= LEAST_PERIOD_S:
        parser.error(f"--period: {LEAST_PERIOD_S} s or more, not {asked.period}")

    # The vendor's libraries print warnings; only lines may reach the pipe.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        serve(
            lambda: _open_vendor(asked.kind, asked.pin),
            time.monotonic,
            asked.period,
            out,
            sys.stdin.buffer,
        )
    except (ImportError, AttributeError, NotImplementedError, RuntimeError, OSError) as error:
        # What the vendor's libraries raise on a machine that has no such pin.
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=out, flush=True)
        return 1
    return 0


def _open_vendor(kind: str, pin: int) -> Any:
    import adafruit_dht
    import board

    sensor = getattr(adafruit_dht, kind.upper())(getattr(board, f"D{pin}"), use_pulseio=False)
    # Importing the vendor's pulse module puts a handler of its own here.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return sensor


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
