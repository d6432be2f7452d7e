"""A journal that cannot be used never keeps the room unguarded."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from controller.journal import verify_chain
from controller.journal.schema import VERSION
from tests.system.house import House, wait

pytestmark = pytest.mark.system


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB of its own, where we may mount one."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk of its own")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def check_guarded(house: House, seen: tuple[str, ...] = ()) -> None:
    """The room is guarded and says that its journal fails, in words that hold each of `seen`."""
    wait(lambda: "journal.failing" in house.alarms(), what="the journal's alarm")
    journal = house.state()["journal"]
    assert journal["ok"] is False
    assert all(word in journal["fault"] for word in seen), journal
    house.trip()
    wait(lambda: house.output("power-cut")["actual"] == "on", what="the proof")
    assert house.state()["fire"]["latched"] is True


def test_a_journal_of_a_newer_version_is_left_as_it_is_and_the_room_is_guarded(
    house: House,
) -> None:
    with closing(sqlite3.connect(house.store)) as con:
        con.execute("CREATE TABLE future (x)")
        con.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = house.store.read_bytes()
    house.start_controller()
    check_guarded(house, ("newer",))
    assert house.store.read_bytes() == before


def test_without_a_journal_a_kill_does_not_shorten_a_lamps_cooling(
    new_house: Callable[..., House],
) -> None:
    house = new_house(
        {"[simulation]": "[simulation]\npace = 10", 'cooling = "5min"': 'cooling = "30s"'}
    )
    with closing(sqlite3.connect(house.store)) as con:
        con.execute(f"PRAGMA user_version = {VERSION + 1}")
    controller = house.start_controller()
    house.ask("projector-on", id="hall")
    # While it warms up it may refuse the off-command each of its three times.
    wait(lambda: house.point("hall.power")["value"] == "on", what="a projector that is on")
    house.ask("projector-off", id="hall")
    wait(lambda: not house.truth()["projectors"]["hall"]["lit"], what="a dark lamp")
    dark_s = house.truth()["mono_s"]
    controller.kill()
    controller.wait(10.0)
    house.start_controller()
    wait(lambda: not house.is_on("hall-outlet"), what="the end of the cooling")
    off_s = next(at_s for at_s, id, on in reversed(house.moves()) if not on)
    assert off_s - dark_s >= 30.0
    assert house.truth()["projectors"]["hall"]["hot_cuts"] == 0


def test_a_locked_journal_is_an_alarm_and_is_written_once_it_is_free(house: House) -> None:
    first = house.start_controller()
    first.terminate()
    assert first.wait(8.0) == 0
    with closing(sqlite3.connect(house.store, isolation_level=None)) as con:
        con.execute("BEGIN EXCLUSIVE")
        con.execute("CREATE TABLE held (x)")
        house.start_controller()
        check_guarded(house, ("locked",))
        con.execute("ROLLBACK")
    wait(lambda: house.state()["journal"]["ok"], what="a journal that is written again")
    wait(lambda: any(e["cause"] == "cut.fire" for e in house.events()), what="the record")
    report = verify_chain(house.store)
    assert (report.ok, report.dropped) == (True, ()), report.faults


def test_a_corrupt_journal_is_set_aside_and_the_room_is_guarded(house: House) -> None:
    house.store.write_bytes(b"not a database at all, but long enough to look like one " * 200)
    house.start_controller()
    house.trip()
    wait(lambda: house.output("power-cut")["actual"] == "on", what="the proof")
    wait(lambda: any(e["cause"] == "cut.fire" for e in house.events()), what="a new record")
    aside = [path.name for path in house.folder.glob("room.db.corrupt-*")]
    assert len(aside) == 1
    alarms = [e for e in house.events() if e["subject"] == "journal.failing"]
    assert alarms, "nothing says that the journal was corrupt"


def test_a_journal_on_a_read_only_disk_is_an_alarm_and_the_room_is_guarded(
    new_house: Callable[..., House], disk: Path
) -> None:
    house = new_house({}, disk)
    house.log = disk.parent / "processes.log"
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    house.start_controller()
    check_guarded(house)
    assert not house.store.exists()
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    wait(lambda: any(e["cause"] == "cut.fire" for e in house.events()), what="the record")


def test_a_disk_that_fills_up_is_an_alarm_and_nothing_is_lost_once_there_is_room(
    new_house: Callable[..., House], disk: Path
) -> None:
    house = new_house({}, disk)
    house.log = disk.parent / "processes.log"
    house.start_controller()
    wait(lambda: house.events(), what="the first record")
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    # Something to record: doors, until the pages that SQLite already holds are full.
    for turn in range(200):
        if not house.state()["journal"]["ok"]:
            break
        house.sim("front-door", "open" if turn % 2 else "closed")
        house.ask("silence")
    check_guarded(house, ("full",))
    filler.unlink()
    wait(lambda: house.state()["journal"]["ok"], 40.0, "a journal that is written again")
    wait(lambda: any(e["cause"] == "cut.fire" for e in house.events()), what="the record")
    report = verify_chain(house.store)
    assert (report.ok, report.dropped) == (True, ()), report.faults
