"""The journal is the outbox's store: what goes at its stated size, and who is told."""

import os
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from controller.core.reading import Now, Quality
from controller.journal import Stored, Unsent, verify_chain
from controller.journal.store import Store
from controller.journal.trimming import trim, trim_unsent

pytestmark = pytest.mark.slow

TINY = 1000
"""Bytes; smaller than any journal, so that everything goes that may."""


def trimmed_with(desk, size_bytes):
    """Open the journal with another size and let its writer come to rest."""
    desk.size_bytes = size_bytes
    journal, _ = desk.open()
    before = None
    while before != (before := (journal.first_seq, journal.used_bytes)):
        assert journal.flush()
    return journal


def test_what_was_acknowledged_goes_before_what_was_not_and_the_oldest_first(desk):
    journal, _ = desk.open()
    desk.record(1, 2500)
    assert journal.flush()
    desk.close()
    with closing(Store(desk.path)) as store:
        now = Now(0.0, 4e9)
        kept = []
        while trim(store.normal, now, TINY, 1200):
            kept.append(store.normal.execute("SELECT min(seq) FROM event").fetchone()[0])
        assert kept == [501, 1001, 1201]
        while trim_unsent(store.normal, TINY):
            kept.append(store.normal.execute("SELECT min(seq) FROM event").fetchone()[0])
        assert kept == [501, 1001, 1201, 1701, 2001]
    report = verify_chain(desk.path)
    assert (report.faults, report.trimmed, report.first, report.last) == ((), 2000, 2001, 2500)


def test_nothing_goes_unsent_while_there_is_room_or_anything_else_to_let_go(desk):
    desk.lost = []
    journal, _ = desk.open()
    desk.record(1, 3000)
    readings = [
        Stored("rack-air.temperature", n * 60_000, n % 9.0, Quality.GOOD) for n in range(90)
    ]
    journal.record([], None, readings)
    assert journal.flush()
    journal.acknowledge(1000)
    desk.record(3001, 3001)
    assert journal.flush()
    assert journal.first_seq == 1
    room_for_the_rest = journal.used_bytes
    with closing(sqlite3.connect(desk.path)) as con:
        con.execute("CREATE TABLE ballast (x)")
        con.execute("INSERT INTO ballast VALUES (zeroblob(60000))")
        con.commit()
    journal = trimmed_with(desk, room_for_the_rest)
    assert 1 < journal.first_seq <= 1001
    assert desk.lost == []
    assert verify_chain(desk.path).ok


def test_at_the_stated_size_the_oldest_unsent_go_and_it_is_told_which(desk):
    desk.lost = []
    journal, _ = desk.open()
    desk.record(1, 2000)
    assert journal.flush()
    journal.acknowledge(300)
    desk.record(2001, 2001)
    assert journal.flush()
    assert journal.unsent == 1701

    journal = trimmed_with(desk, TINY)

    gone = journal.first_seq - 1
    assert gone == 1501
    steps = list(desk.lost)
    assert steps[-1].last == gone
    assert {one.first for one in steps} == {301}
    new = [seq for one in steps for seq in range(one.new_from, one.last + 1)]
    assert new == list(range(301, gone + 1)), "a number that was told twice, or never"
    assert journal.unsent == 2001 - gone
    assert desk.seqs() == list(range(gone + 1, 2002))


def test_the_loss_stands_over_a_restart_and_ends_once_the_central_system_is_past_it(desk, until):
    desk.lost = []
    desk.open()
    desk.record(1, 1200)
    assert desk.journal.flush()
    trimmed_with(desk, TINY)
    assert desk.lost[-1] == Unsent(1, 700, 501)

    desk.lost.clear()
    journal, _ = desk.open()
    assert desk.lost == [Unsent(1, 700, 701)], "the same loss, and nothing new"
    journal.acknowledge(699)
    assert journal.flush()
    assert len(desk.lost) == 1
    journal.acknowledge(701)
    assert journal.flush()
    assert desk.lost[1:] == [None]
    desk.open()
    assert desk.lost[1:] == [None]


def test_where_nobody_is_told_of_events_the_oldest_go_without_a_word(desk):
    desk.open()
    desk.record(1, 1200)
    assert desk.journal.flush()
    trimmed_with(desk, TINY)
    assert desk.seqs() == list(range(701, 1201))

    desk.lost = []
    journal, _ = desk.open()
    assert journal.flush()
    assert desk.lost == [], "a feed that came later has lost nothing"
    assert journal.acked_seq == 700


def test_a_flood_of_events_is_held_to_the_size_at_once(desk, until):
    desk.lost = []
    desk.size_bytes = 1_000_000
    journal, _ = desk.open()
    for first in range(1, 12_001, 1000):
        journal.record([desk.event(seq) for seq in range(first, first + 1000)])
    until(lambda: journal.recorded_seq == 12_000)
    until(lambda: desk.lost and journal.used_bytes < desk.size_bytes)
    assert journal.first_seq > 1000
    assert desk.seqs()[-1] == 12_000
    desk.close()
    assert verify_chain(desk.path).ok


@pytest.fixture
def disk_run_short(tmp_path):
    """A disk of 200 MB of its own, of which 3 MB are free."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "none", folder], check=True)
    with (folder / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, 197 * 2**20)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_on_a_disk_run_short_what_comes_takes_the_place_of_old_readings_and_no_event_goes(
    desk, disk_run_short
):
    desk.lost = []
    desk.path = disk_run_short / "room.db"
    journal, _ = desk.open()
    sizes = []
    began_ms = int(time.time() * 1000) - 86_400_000
    for turn in range(8):
        desk.record(100 * turn + 1, 100 * turn + 100)
        first = turn * 3000
        journal.record(
            [],
            None,
            [
                Stored(
                    "rack-air.temperature", began_ms + (first + n) * 1000, n % 9.0, Quality.GOOD
                )
                for n in range(3000)
            ],
        )
        assert journal.flush()
        sizes.append(desk.path.stat().st_size)
    assert desk.faults == []
    assert sizes[-1] < 1.2 * sizes[2], f"it grew on: {sizes}"
    assert desk.seqs() == list(range(1, 801))
    with closing(sqlite3.connect(desk.path)) as con:
        oldest, newest = con.execute("SELECT min(at), max(at) FROM reading").fetchone()
    assert oldest > began_ms
    assert newest == began_ms + 23_999 * 1000


def test_on_a_disk_run_short_no_unsent_event_goes_before_the_stated_size(desk, disk_run_short):
    desk.lost = []
    desk.path = disk_run_short / "room.db"
    journal, _ = desk.open()
    desk.record(1, 1500)
    assert journal.flush()
    assert journal.flush()
    assert (journal.first_seq, desk.lost) == (1, [])

    journal.acknowledge(1200)
    desk.record(1501, 1501)
    assert journal.flush()
    assert journal.flush()
    assert 1 < journal.first_seq <= 1201, "what was acknowledged makes room"


def test_a_corrupt_journal_set_aside_takes_its_unsent_events_with_it(desk, until):
    desk.lost = []
    journal, _ = desk.open()
    desk.record(1, 400)
    assert journal.flush()
    journal.acknowledge(100)
    desk.path.write_bytes(b"no database at all " * 500)
    desk.record(401, 401)
    until(lambda: desk.faults[-1:] == [None] and journal.flush())
    (lost,) = desk.lost
    assert (lost.first, lost.new_from) == (101, 101)
    assert lost.last in (400, 401)  # the last may have reached the old file
