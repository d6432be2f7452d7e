"""`roomwarden verify`: a killed room's journal, and what mosquitto_sub caught of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.system.house import House, wait

pytestmark = pytest.mark.system

EVENTS = "roomwarden/lakeside-school/server-room/event"


@pytest.fixture
def capture(house: House, start_broker: Callable[[int], None], tmp_path: Path) -> Iterator[Path]:
    """What a mosquitto_sub prints of the room's events while the test lasts."""
    start_broker(house.broker_port)
    path = tmp_path / "capture"
    program = shutil.which("mosquitto_sub")
    assert program is not None, "mosquitto_sub is needed"
    words = ["-p", str(house.broker_port), "-q", "1", "-t", EVENTS, "-v"]
    with path.open("wb") as output:
        listening = subprocess.Popen([program, *words], stdout=output)
    log = tmp_path / "mosquitto.log"
    wait(lambda: EVENTS in log.read_text(errors="replace"), what="a listener")
    yield path
    listening.terminate()
    listening.wait(10.0)


def verified(house: House, *words: str) -> tuple[int, dict[str, object]]:
    said = house.command("verify", *words, "--json")
    assert said.returncode in (0, 1), said.stderr
    return said.returncode, json.loads(said.stdout)


def arrived(capture: Path) -> int:
    return len(capture.read_bytes().splitlines())


def test_a_killed_room_and_the_capture_of_it_are_whole_and_an_altered_event_is_named(
    house: House, capture: Path
) -> None:
    controller = house.start_controller()
    house.trip()
    wait(lambda: arrived(capture) > 5, what="events at the broker")
    controller.kill()
    controller.wait(10.0)
    controller = house.start_controller()
    wait(lambda: house.state()["feed"]["backlog"] == 0, what="an empty outbox")
    controller.terminate()
    assert controller.wait(10.0) == 0
    code, found = verified(house, str(house.store), "--capture", str(capture))
    assert (code, found["ok"]) == (0, True), found
    assert found["journal"]["events"] >= found["capture"]["events"] > 5
    assert found["capture"]["restarts"] == 1

    lines = capture.read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if '"seq":3,' not in line]
    at = next(n for n, line in enumerate(lines) if '"seq":5,' in line)
    lines[at] = lines[at].replace('"actor":"', '"actor":"x')
    altered = house.folder / "altered"
    altered.write_text("\n".join(lines), encoding="utf-8")
    said = house.command("verify", "--capture", str(altered))
    assert said.returncode == 1
    assert "FAULT event 3: never came" in said.stdout
    assert "FAULT event 5: is not what was hashed" in said.stdout

    with closing(sqlite3.connect(house.store)) as con, con:
        con.execute("UPDATE event SET actor = 'nobody' WHERE seq = 4")
    code, found = verified(house, str(house.store))
    assert (code, found["ok"]) == (1, False)
    assert found["journal"]["faults"] == ["event 4: is not what was hashed"]


@pytest.mark.parametrize(
    "words",
    [(), ("no-such.db",), ("--capture", "no-such"), (".",), ("room.toml",)],
    ids=["nothing", "no-journal", "no-capture", "folder", "room-file"],
)
def test_what_cannot_be_checked_is_bad_usage_or_a_fault_and_never_a_traceback(
    house: House, words: tuple[str, ...]
) -> None:
    said = house.command("verify", *(str(house.folder / w) if w[0] != "-" else w for w in words))
    assert said.returncode == (1 if words == ("room.toml",) else 2)
    assert "Traceback" not in said.stderr
    assert (said.stderr or said.stdout).count("\n") <= 3
