"""A bad disk, a bad file: the room is guarded all the same, and nothing is lost or doubled."""

import os
import resource
import sqlite3
import subprocess
import threading
import time
from itertools import groupby
from types import SimpleNamespace

import pytest

from controller.core.reading import Quality
from controller.history import History
from controller.journal import Stored, Unsent, verify_chain
from controller.journal import journal as journal_module
from controller.journal.chain import rows
from controller.journal.journal import HANG_S, HANGS, QUIET_S
from controller.journal.store import Store


def seqs(path):
    con = sqlite3.connect(path)
    found = [row.seq for row in rows(con, 0, 2**62, -1)]
    con.close()
    return found


def recorded(desk, last):
    journal, _ = desk.open()
    desk.record(1, last)
    assert journal.wait_recorded(last, 5)
    desk.close()


def back(desk, seq, until):
    """The disk is back: everything up to `seq` gets there, without waiting for the back-off."""
    until(lambda: desk.journal.flush() and desk.journal.recorded_seq == seq)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MB of its own, where we may mount one."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_locked_journal_is_known_but_not_written_until_it_is_free(desk, until):
    recorded(desk, 3)
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    started = time.monotonic()
    journal, kept = desk.open()
    assert time.monotonic() - started < 1.5
    assert (kept.last_seq, kept.memory.text) == (3, "memory 3")
    assert desk.faults == ["the journal is locked by another program"]
    desk.record(4, 6)
    assert not journal.wait_recorded(4, 0.1)

    other.execute("ROLLBACK")
    other.close()
    back(desk, 6, until)
    assert desk.faults[1:] == [None]
    desk.close()
    assert verify_chain(desk.path).events == 6
    assert verify_chain(desk.path).ok


def test_a_journal_locked_even_for_reading_keeps_its_numbers(desk, until):
    recorded(desk, 3)
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    journal, kept = desk.open()
    assert (kept.last_seq, kept.memory) == (0, None)
    desk.record(1, 2)
    other.execute("ROLLBACK")
    other.close()
    back(desk, 2, until)
    assert journal.offset == 3
    desk.close()
    assert seqs(desk.path) == [1, 2, 3, 4, 5]
    assert verify_chain(desk.path).ok


def locked(path, *, even_for_reading):
    """Return another program's connection that keeps the journal for itself."""
    other = sqlite3.connect(path, isolation_level=None)
    if even_for_reading:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("INSERT INTO cursor VALUES ('other', 1)")
    else:
        other.execute("BEGIN IMMEDIATE")
    return other


def free(other):
    other.execute("ROLLBACK")
    other.close()


def test_ids_of_requests_are_known_though_the_journal_cannot_be_written(desk, until):
    journal, _ = desk.open()
    assert not journal.seen_request("arm-1", time.time())
    desk.record(1, 1)
    assert journal.wait_recorded(1, 5)
    desk.close()
    other = locked(desk.path, even_for_reading=False)

    journal, _ = desk.open()

    assert journal.fault
    assert journal.seen_request("arm-1", time.time())
    assert not journal.seen_request("arm-2", time.time())
    free(other)
    desk.record(2, 2)
    back(desk, 2, until)
    journal, _ = desk.open()
    assert journal.seen_request("arm-1")
    assert journal.seen_request("arm-2")


def test_before_the_journal_can_be_read_what_was_issued_before_counts_as_repeated(desk, until):
    journal, _ = desk.open()
    issued_s = time.time()
    assert not journal.seen_request("arm-1", issued_s)
    desk.record(1, 1)
    assert journal.wait_recorded(1, 5)
    desk.close()
    other = locked(desk.path, even_for_reading=True)

    journal, kept = desk.open()

    assert kept.last_seq == 0
    assert journal.seen_request("arm-1", issued_s)
    assert journal.seen_request("never-came", issued_s)
    assert not journal.seen_request("arm-3", issued_s + 60)
    free(other)
    desk.record(1, 1)
    back(desk, 1, until)
    assert journal.seen_request("arm-1", issued_s + 60)
    assert not journal.seen_request("never-came", issued_s)
    assert journal.seen_request("arm-3")


def test_what_was_acknowledged_is_known_once_the_journal_can_be_read(desk, until):
    recorded(desk, 9)
    con = sqlite3.connect(desk.path, isolation_level=None)
    con.execute("INSERT INTO cursor VALUES ('acked', 7)")
    con.execute("INSERT INTO anchor SELECT 1, seq, hash FROM event WHERE seq = 5")
    con.execute("DELETE FROM event WHERE seq <= 5")
    con.close()
    other = locked(desk.path, even_for_reading=True)
    desk.lost = []
    journal, kept = desk.open()
    assert (kept.last_seq, journal.acked_seq) == (0, 0)
    desk.record(1, 1)
    free(other)

    back(desk, 1, until)

    assert (journal.acked_seq, journal.first_seq, journal.unsent) == (7, 6, 3)
    assert desk.lost == [], "the central system had them"
    assert journal.used_bytes > 0


@pytest.mark.parametrize("even_for_reading", [True, False])
def test_events_that_were_lost_before_stand_and_are_no_news_once_the_disk_is_back(
    desk, until, even_for_reading
):
    recorded(desk, 9)
    con = sqlite3.connect(desk.path, isolation_level=None)
    con.execute("INSERT INTO cursor VALUES ('acked', 3)")
    con.execute("INSERT INTO anchor SELECT 1, seq, hash FROM event WHERE seq = 5")
    con.execute("DELETE FROM event WHERE seq <= 5")
    con.close()
    other = locked(desk.path, even_for_reading=even_for_reading)
    desk.lost = []
    _, kept = desk.open()
    desk.record(kept.last_seq + 1, kept.last_seq + 1)
    free(other)

    back(desk, kept.last_seq + 1, until)

    assert desk.lost == [Unsent(4, 5, 6)]


def test_a_journal_of_a_newer_version_is_left_untouched(desk):
    recorded(desk, 3)
    con = sqlite3.connect(desk.path)
    con.execute("PRAGMA user_version = 99")
    con.close()
    before = {one.name: one.read_bytes() for one in desk.path.parent.iterdir()}

    journal, kept = desk.open()
    desk.record(1, 2)
    assert journal.flush()
    assert (kept.last_seq, journal.recorded_seq) == (0, 0)
    assert len(desk.faults) == 1
    assert "newer version" in desk.faults[0]
    desk.close()
    assert {one.name: one.read_bytes() for one in desk.path.parent.iterdir()} == before


def test_a_database_of_another_program_is_left_untouched(desk):
    con = sqlite3.connect(desk.path)
    con.execute("CREATE TABLE book (title TEXT)")
    con.close()
    before = desk.path.read_bytes()
    journal, _ = desk.open()
    desk.record(1, 2)
    assert journal.flush()
    assert len(desk.faults) == 1
    assert "another program" in desk.faults[0]
    desk.close()
    assert desk.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello", b"no database at all " * 500])
def test_a_file_that_is_no_journal_is_set_aside_and_a_new_one_begun(desk, content):
    desk.path.write_bytes(content)
    journal, kept = desk.open()
    assert kept.last_seq == 0
    desk.record(1, 2)
    assert journal.wait_recorded(2, 5)
    assert desk.faults == ["the journal is corrupt", None]
    desk.close()
    (aside,) = desk.path.parent.glob("room.db.corrupt-*")
    assert aside.read_bytes() == content
    assert verify_chain(desk.path).ok


def test_a_damaged_journal_gives_what_is_whole_and_is_set_aside(desk):
    recorded(desk, 400)
    con = sqlite3.connect(desk.path)
    page = con.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'cursor'").fetchone()[0]
    con.close()
    with desk.path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)

    journal, kept = desk.open()
    assert (kept.last_seq, kept.memory.text) == (400, "memory 400")
    desk.record(401, 402)
    assert journal.wait_recorded(402, 5)
    desk.close()
    assert len(list(desk.path.parent.glob("room.db.corrupt-*Z"))) == 1
    assert seqs(desk.path) == [401, 402]
    assert verify_chain(desk.path).ok


def test_a_journal_damaged_where_its_beginning_stands_is_a_fault_and_no_error(desk):
    recorded(desk, 400)
    con = sqlite3.connect(desk.path)
    page = con.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'anchor'").fetchone()[0]
    con.close()
    with desk.path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)

    _, kept = desk.open()

    assert kept.last_seq == 400
    desk.record(401, 401)
    assert desk.journal.wait_recorded(401, 5)
    desk.close()
    assert verify_chain(desk.path).ok


def test_ids_of_requests_go_along_when_a_corrupt_journal_is_begun_anew(desk, until):
    journal, _ = desk.open()
    assert not journal.seen_request("arm-1")
    desk.record(1, 400)
    assert journal.wait_recorded(400, 5)
    desk.path.write_bytes(b"no database at all " * 500)
    desk.record(401, 401)
    until(lambda: desk.journal.flush() and desk.faults[-1:] == [None])

    journal, _ = desk.open()

    assert len(list(desk.path.parent.glob("room.db.corrupt-*Z"))) == 1
    assert journal.seen_request("arm-1")


def test_where_the_ids_of_requests_are_lost_what_was_issued_before_counts_as_repeated(desk):
    issued_s = time.time()
    desk.path.write_bytes(b"no database at all " * 500)
    journal, _ = desk.open()
    desk.record(1, 1)
    assert journal.wait_recorded(1, 5)
    assert journal.fault is None
    assert journal.seen_request("arm-1", issued_s)
    assert not journal.seen_request("arm-2", issued_s + 60)


def test_a_journal_taken_away_is_found_out_and_begun_anew(desk):
    desk.lost = []
    journal, _ = desk.open()
    desk.record(1, 3)
    assert journal.wait_recorded(3, 5)
    journal.acknowledge(2)
    history = History(desk.path)
    assert len(history.events()) == 3
    desk.path.unlink()
    assert journal.flush()
    assert "taken away" in desk.faults[0]
    desk.record(4, 5)
    assert journal.flush()
    assert [one["seq"] for one in history.events()] == [4, 5]
    history.close()
    _, kept = desk.open()
    assert (kept.last_seq, kept.acked_seq) == (5, 2)
    assert desk.lost[0] == Unsent(3, 3, 3), "it was unsent, and is gone with the file"
    desk.close()
    assert seqs(desk.path) == [4, 5]
    assert verify_chain(desk.path).ok


def test_no_folder_for_the_journal_is_a_fault_until_there_is_one(desk, until):
    desk.path = desk.path.parent / "later" / "room.db"
    journal, kept = desk.open()
    assert (kept.last_seq, kept.memory) == (0, None)
    assert desk.faults == ["the journal cannot be opened"]
    desk.record(1, 2)
    desk.path.parent.mkdir()
    back(desk, 2, until)
    assert [one["seq"] for one in journal.events_after(0, 10)] == [1, 2]
    assert desk.faults[1:] == [None]


def test_a_full_disk_holds_up_nothing_and_gets_everything_once_there_is_room(
    desk, small_disk, until
):
    desk.path = small_disk / "room.db"
    journal, _ = desk.open()
    desk.record(1, 2)
    assert journal.wait_recorded(2, 5)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 2_000_000)
    desk.record(3, 1500)
    journal.record([], None, [Stored("p", 1, 1.0, Quality.GOOD)])
    until(lambda: desk.faults)
    assert desk.faults == ["the disk is full"]
    assert journal.recorded_seq < 1500

    filler.unlink()
    back(desk, 1500, until)
    assert desk.faults[1:] == [None]
    desk.close()
    assert seqs(desk.path) == list(range(1, 1501))
    assert verify_chain(desk.path).ok


def test_a_disk_that_refuses_to_write_is_tried_again(desk, until):
    journal, _ = desk.open()
    desk.record(1, 2)
    assert journal.flush()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        desk.record(3, 300)
        until(lambda: desk.faults)
        assert desk.faults == ["the journal fails: disk I/O error"]
        assert journal.recorded_seq == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    back(desk, 300, until)
    assert desk.faults[1:] == [None]
    desk.close()
    assert seqs(desk.path) == list(range(1, 301))
    assert verify_chain(desk.path).ok


def test_a_disk_full_from_the_start_still_gives_what_it_holds(desk, small_disk, until):
    desk.path = small_disk / "room.db"
    recorded(desk, 5)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 2_000_000)
    _, kept = desk.open()
    assert (kept.last_seq, kept.memory.text) == (5, "memory 5")
    desk.record(6, 40)
    until(lambda: desk.journal.flush() and desk.faults)
    filler.unlink()
    back(desk, 40, until)
    desk.close()
    assert seqs(desk.path) == list(range(1, 41))
    assert verify_chain(desk.path).ok


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_read_only_disk_gives_what_it_holds_and_is_written_when_it_may_be(
    desk, small_disk, until, is_clean
):
    desk.path = small_disk / "room.db"
    if is_clean:
        recorded(desk, 5)
    else:  # as after a power cut: the log is still beside the file
        desk.open()
        desk.record(1, 5)
        assert desk.journal.wait_recorded(5, 5)
        for end in ("", "-wal", "-shm"):
            source = small_disk / f"room.db{end}"
            (small_disk / f"cut.db{end}").write_bytes(source.read_bytes())
        desk.close()
        desk.path = small_disk / "cut.db"
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    _, kept = desk.open()
    assert (kept.last_seq, kept.memory.text) == (5, "memory 5")
    assert len(desk.faults) == 1
    desk.record(6, 8)
    assert desk.journal.flush()
    assert desk.journal.recorded_seq == 5

    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    back(desk, 8, until)
    assert desk.faults[-1] is None
    desk.close()
    assert seqs(desk.path) == list(range(1, 9))
    assert verify_chain(desk.path).ok


def test_a_log_that_cannot_be_read_now_is_not_taken_for_an_older_truth(desk, small_disk, until):
    desk.path = small_disk / "room.db"
    desk.open()
    desk.record(1, 3)
    assert desk.journal.flush()  # these are in the file, the next ones only in its log
    desk.record(4, 5)
    assert desk.journal.wait_recorded(5, 5)
    for end in ("", "-wal"):
        (small_disk / f"cut.db{end}").write_bytes((small_disk / f"room.db{end}").read_bytes())
    desk.close()
    desk.path = small_disk / "cut.db"
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    journal, kept = desk.open()
    assert (kept.last_seq, kept.memory) == (0, None)
    desk.record(1, 2)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    back(desk, 2, until)
    assert journal.offset == 5
    desk.close()
    assert seqs(desk.path) == list(range(1, 8))
    assert verify_chain(desk.path).ok


def test_a_writer_that_hangs_in_the_disk_leaves_memory_bounded(desk, monkeypatch):
    journal, _ = desk.open()
    hangs, goes_on = threading.Event(), threading.Event()
    write = Store.write

    def hanging(store, batch):
        hangs.set()
        assert goes_on.wait(30)
        write(store, batch)

    monkeypatch.setattr(Store, "write", hanging)
    monkeypatch.setattr("controller.journal.journal.LIMIT", 100)
    desk.record(1, 1)
    assert hangs.wait(5)
    desk.record(2, 150)
    assert journal._calls.qsize() == 100
    goes_on.set()
    assert journal.wait_recorded(150, 10)
    assert journal.dropped == 49
    desk.close()
    report = verify_chain(desk.path)
    assert (report.faults, report.dropped, report.last) == ((), ((2, 50),), 150)


def test_a_disk_that_answers_late_each_time_is_one_fault_and_not_many(desk, monkeypatch):
    goes_on, write, now_s = threading.Event(), Store.write, [100.0]

    def late(store, batch):
        assert goes_on.wait(30)
        write(store, batch)

    monkeypatch.setattr(Store, "write", late)
    monkeypatch.setattr(journal_module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    journal, _ = desk.open()
    told = [journal.fault]

    def recorded(seq, took_s):
        goes_on.clear()
        desk.record(seq, seq)
        told.append(journal.fault)
        now_s[0] += took_s
        told.append(journal.fault)
        goes_on.set()
        assert journal.wait_recorded(seq, 10)
        told.append(journal.fault)

    for seq in (1, 2, 3):
        recorded(seq, HANG_S + 1.0)
    assert [fault for fault, _ in groupby(told)] == [None, HANGS]
    now_s[0] += QUIET_S + 1.0
    told.append(journal.fault)
    recorded(4, HANG_S - 1.0)
    recorded(5, HANG_S + 1.0)
    assert [fault for fault, _ in groupby(told)] == [None, HANGS, None, HANGS]
    recorded(6, HANG_S - 1.0)
    assert journal.fault is None


def test_with_no_disk_for_long_memory_stays_bounded(desk):
    desk.path = desk.path.parent / "never" / "room.db"
    journal, _ = desk.open()
    for seq in range(1, 25_001):
        journal.record([desk.event(seq)], None, [Stored("p", seq, float(seq), Quality.GOOD)])
    assert journal.flush()
    assert journal.dropped == 5_001
    assert len(journal._writer.backlog) == 20_000
    assert len(journal._writer._thinning.rows) == 0
