"""Rows and pages of the journal that cannot be read any more: passed by, and told."""

import sqlite3

import pytest

from controller.history import History
from controller.journal.chain import event_object, seal

HARMS = {
    "no json": "UPDATE event SET data = replace(data, '{', '[') WHERE seq = 150",
    "no object": "UPDATE event SET data = '[]' WHERE seq = 150",
    "no text": "UPDATE event SET cause = CAST(x'ff41' AS TEXT) WHERE seq = 150",
}
OTHERS = [seq for seq in range(1, 301) if seq != 150]


def harm(path, what):
    con = sqlite3.connect(path, isolation_level=None)
    con.execute(what)
    con.close()


def break_a_page(path):
    """Overwrite the page that holds event 1000."""
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("UPDATE event SET boot = 'page-of-1000' WHERE seq = 1000")
    con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (size,) = con.execute("PRAGMA page_size").fetchone()
    con.close()
    data = bytearray(path.read_bytes())
    start = data.index(b"page-of-1000") // size * size
    data[start : start + size] = b"\xa5" * size
    path.write_bytes(data)


@pytest.mark.parametrize("what", HARMS.values(), ids=HARMS.keys())
def test_a_damaged_event_is_passed_by_and_named(desk, what):
    journal, _ = desk.open()
    desk.record(1, 300)
    assert journal.flush()
    assert journal.fault is None
    harm(desk.path, what)

    assert desk.seqs() == OTHERS
    assert journal.fault == "event 150 of the journal cannot be read"
    assert journal.find(150, 150, 10) == ([], [150])
    assert journal.use_fault is None, "it is written all the same"
    history = History(desk.path)
    assert [one["seq"] for one in history.events()] == OTHERS
    history.close()


def test_a_bit_that_makes_bytes_of_text_is_damage(desk):
    row = seal(150, "boot", 0.0, desk.event(150).event, "0" * 64)
    with pytest.raises(ValueError, match="150"):
        event_object(row._replace(kind=b"alarm"))


def test_a_damaged_page_is_passed_by_number_by_number(desk):
    desk.open()
    desk.record(1, 2000)
    desk.close()
    break_a_page(desk.path)
    journal, _ = desk.open()

    found = journal.find(1, 2000, 2000)
    seqs = [one["seq"] for one in found.events]
    assert 1000 in found.unreadable
    assert len(found.unreadable) < 50
    assert sorted(seqs + found.unreadable) == list(range(1, 2001))
    assert str(found.unreadable[0]) in journal.fault
    assert str(found.unreadable[-1]) in journal.fault


def test_what_was_let_go_is_not_taken_for_damaged(desk):
    journal, _ = desk.open()
    desk.record(1, 300)
    assert journal.flush()
    harm(desk.path, "INSERT INTO anchor SELECT 1, seq, hash FROM event WHERE seq = 149")
    harm(desk.path, "DELETE FROM event WHERE seq < 150")
    harm(desk.path, HARMS["no text"])
    found = journal.find(1, 300, 1000)
    assert (found.unreadable, found.events[0]["seq"]) == ([150], 151)


def test_the_last_event_damaged_leads_to_no_number_behind_it(desk):
    journal, _ = desk.open()
    desk.record(1, 150)
    assert journal.flush()
    harm(desk.path, HARMS["no text"])
    assert journal.find(140, 2**62, 1000).unreadable == [150]


def test_a_medium_that_gives_nothing_is_waited_for_and_told(desk, monkeypatch):
    from controller.journal import readonly

    journal, _ = desk.open()
    desk.record(1, 20)
    assert journal.flush()
    read, away, bad = readonly.rows, range(1, 21), sqlite3.OperationalError("disk I/O error")
    bad.sqlite_errorcode = sqlite3.SQLITE_IOERR

    def rows(con, first, last, limit):
        for row in read(con, first, last, limit):
            if row.seq in away:
                raise bad
            yield row

    monkeypatch.setattr(readonly, "rows", rows)
    assert journal.find(1, 20, 100) == ([], [])
    assert "from event 1 on: " in journal.fault

    away = range(5, 7)
    assert journal.find(1, 20, 100).unreadable == [5, 6]
    assert journal.use_fault is None

    away = range(0)
    assert len(journal.events_after(0, 100)) == 20


def test_damage_that_is_let_go_is_no_fault_any_more(desk):
    journal, _ = desk.open()
    desk.record(1, 300)
    assert journal.flush()
    harm(desk.path, HARMS["no json"])
    desk.seqs()
    assert journal.fault
    journal._writer.gone_seq = 150
    assert journal.fault is None
