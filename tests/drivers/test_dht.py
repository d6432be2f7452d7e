"""The DHT drivers, their child's loop, and the vendor's own decoder fed with pulses."""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import adafruit_dht
import pytest

from controller.core.parts import BadReply, DeviceTimeout
from drivers import dht22, dht_child
from simulators.dht_pulses import pulses

ROOT = Path(dht_child.__file__).parents[1]


def sensor(kind, *frames):
    """The vendor's object, whose line gives one frame after another."""
    made = getattr(adafruit_dht, kind.upper())(None, use_pulseio=False)
    made._get_pulses_bitbang = list(frames[::-1]).pop
    return made


def measurement(part):
    part._last_called = 0  # no test waits for the vendor's 2 s
    return dht_child.measurement(part)


@pytest.mark.parametrize(
    ("kind", "temperature_c", "humidity_pct"),
    [
        ("dht22", 23.4, 51.2),
        ("dht22", -7.5, 88.8),
        ("dht22", -40.0, 0.0),
        ("dht22", 80.0, 100.0),
        ("dht22", 0.0, 45.0),
        ("dht11", 23.0, 51.0),
        ("dht11", 0.0, 20.0),
        ("dht11", 50.0, 90.0),
    ],
)
def test_what_the_sensor_sends_is_what_the_child_prints(kind, temperature_c, humidity_pct):
    part = sensor(kind, pulses(kind, temperature_c, humidity_pct))
    assert measurement(part) == {
        "temperature_c": temperature_c,
        "humidity_pct": humidity_pct,
    }


@pytest.mark.parametrize(
    ("fault", "told", "silent"),
    [
        ("absent", "DHT sensor not found", True),
        ("short", "full buffer", False),
        ("checksum", "Checksum", False),
        ("zeros", "only zeros", False),
    ],
)
def test_a_measurement_that_failed_gives_no_number(fault, told, silent):
    good = pulses("dht22", 23.4, 51.2)
    part = sensor("dht22", good, pulses("dht22", 23.4, 51.2, fault), good)
    assert "error" not in measurement(part)
    line = measurement(part)
    assert told in line["error"]
    assert line.get("silent", False) is silent
    assert "temperature_c" not in line
    assert "error" not in measurement(part)


class Line:
    """A sensor that counts its measurements."""

    temperature, humidity = 23.4, 51.2

    def __init__(self, takes=lambda: None):
        self.takes = takes

    def measure(self):
        self.takes()


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as stdin, os.fdopen(writing, "wb") as keep:
        yield stdin, keep


def test_the_child_ends_when_its_standard_input_does(pipe):
    stdin, keep = pipe
    out = io.StringIO()
    keep.close()
    dht_child.serve(Line, lambda: 0.0, 60.0, out, stdin)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"temperature_c": 23.4, "humidity_pct": 51.2}
    ]


def test_bytes_on_standard_input_neither_end_the_child_nor_hurry_it(pipe):
    stdin, keep = pipe
    keep.write(b"hello\n" * 1000)
    keep.close()
    out = io.StringIO()
    dht_child.serve(Line, lambda: 0.0, 60.0, out, stdin)
    assert out.getvalue().count("\n") == 1


def test_a_late_measurement_never_shortens_the_next_period(pipe):
    """Within 2 s of the last one the vendor's library repeats its old value and says nothing."""
    stdin, keep = pipe
    began = []

    def measure():
        began.append(time.monotonic())
        if len(began) == 2:
            time.sleep(0.12)
        if len(began) == 4:
            keep.close()

    dht_child.serve(lambda: Line(measure), time.monotonic, 0.05, io.StringIO(), stdin)
    gaps = [after - before for before, after in itertools.pairwise(began)]
    assert len(gaps) == 3
    assert min(gaps) >= 0.05
    assert gaps[1] >= 0.12


def test_the_child_ends_when_nobody_reads_it(pipe):
    stdin, keep = pipe
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb", buffering=0) as file:
        out = io.TextIOWrapper(file, write_through=True)
        dht_child.serve(Line, lambda: 0.0, 60.0, out, stdin)
        out.detach()
    keep.close()


def read_of(line: str, bench, opened):
    bench.program = f"import sys; print({line!r}, flush=True); sys.stdin.read()"
    config = dht22.Config(id="rack-air", pin=4)
    return opened(dht22.open_device(config, bench)).read


def test_the_board_says_which_child_reads_the_sensor(bench, opened):
    read = read_of('{"temperature_c": 23.4, "humidity_pct": 51.2}', bench, opened)
    assert read() == {"temperature_c": 23.4, "humidity_pct": 51.2}
    assert bench.asked == [("dht22", "rack-air", 4)]


@pytest.mark.parametrize(
    ("line", "error", "told"),
    [
        ('{"error": "DHT sensor not found", "silent": true}', DeviceTimeout, "not found"),
        ('{"error": "Checksum did not validate"}', BadReply, "Checksum"),
        ('{"temperature_c": 23.4}', BadReply, "half a measurement"),
        ("{}", BadReply, "half a measurement"),
        ('{"temperature_c": NaN, "humidity_pct": 51.2}', BadReply, "NaN"),
        ('{"temperature_c": "23.4", "humidity_pct": 51.2}', BadReply, "23.4"),
        ('{"temperature_c": 23.4, "humidity_pct": 51.2, "more": 1}', BadReply, "more"),
        ("WARNING: something of a library", BadReply, "WARNING"),
        ("[]", BadReply, r"\[\]"),
        ("", BadReply, "printed"),
    ],
)
def test_a_line_that_is_no_measurement_gives_an_error(line, error, told, bench, opened):
    with pytest.raises(error, match=told):
        read_of(line, bench, opened)()


def run_child(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drivers.dht_child", *args],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        check=False,
    )


def test_the_real_child_says_what_is_missing_where_there_is_no_header():
    """Only JSON lines may reach its standard output, whatever the vendor's libraries print."""
    ended = run_child("dht22", "4")
    assert ended.returncode == 1
    (line,) = ended.stdout.splitlines()
    assert list(json.loads(line)) == ["error"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["dht22", "4", "--period", "1"], "2.5 s or more"),
        (["dht22", "4", "--period", "nan"], "2.5 s or more"),
        (["dht33", "4"], "dht33"),
        (["dht22", "four"], "four"),
    ],
)
def test_the_real_child_refuses_what_it_cannot_do(args, told, capsys):
    with pytest.raises(SystemExit) as ended:
        dht_child.main(args)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
