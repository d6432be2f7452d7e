"""An end of the journal that is missing: no number is used twice, and the loss is told."""

import sqlite3

import pytest

from controller.journal import verify_chain


def cut(desk, after):
    desk.close()
    con = sqlite3.connect(desk.path, isolation_level=None)
    con.execute("DELETE FROM event WHERE seq > ?", (after,))
    con.close()
    assert not verify_chain(desk.path).ok


@pytest.fixture
def known(desk):
    """A journal of events 1 to 101, of which 100 are acknowledged."""
    desk.lost = []
    journal, _ = desk.open()
    desk.record(1, 100)
    assert journal.flush()
    journal.acknowledge(100)
    desk.record(101, 101)
    assert journal.flush()
    return desk


@pytest.mark.parametrize("after", [90, 0])
def test_behind_a_missing_end_the_numbers_go_on_and_the_loss_is_recorded(known, after):
    desk = known
    cut(desk, after)
    journal, kept = desk.open()

    assert kept.last_seq == 101
    assert f"events {after + 1} to 101" in journal.fault
    desk.record(102, 103)
    assert journal.flush()
    assert [e["seq"] for e in journal.events_after(journal.acked_seq, 9)] == [101, 102, 103]
    report = verify_chain(desk.path)
    assert report.dropped == ((after + 1, 101),)
    assert report.ok
    assert journal.dropped == 101 - after

    journal, kept = desk.open()
    assert (kept.last_seq, journal.fault) == (103, None), "it is told once, and recorded for good"


def test_until_something_is_recorded_the_missing_end_stays_a_fault_of_the_chain(known):
    desk = known
    cut(desk, 90)
    journal, _ = desk.open()
    journal.record([], ("memory alone", 1.0, 2.0))
    assert journal.flush()
    desk.close()
    assert not verify_chain(desk.path).ok
    assert desk.open()[1].last_seq == 101


def test_a_missing_end_of_a_file_that_could_not_be_read_at_first_is_told_too(known, until):
    desk = known
    cut(desk, 90)
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    journal, kept = desk.open()
    assert kept.last_seq == 0
    desk.record(1, 2)
    other.execute("ROLLBACK")
    other.close()
    until(lambda: journal.flush() and journal.recorded_seq == 2)

    assert "events 91 to 101" in journal.fault
    assert [e["seq"] for e in journal.events_after(90, 9)] == [101, 102, 103]
    assert verify_chain(desk.path).dropped == ((91, 101),)
