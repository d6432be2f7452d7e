"""Events and memory: recorded in order, chained, and there again after a restart."""

import hashlib
import json
import sqlite3
import threading
import time

from controller.canonical import canonical
from controller.core.event import Event, Recorded
from controller.journal import verify_chain
from controller.journal.store import Store
from controller.journal.writer import WriterThread


def test_what_was_recorded_is_there_again_after_a_restart(desk):
    journal, kept = desk.open()
    assert (kept.last_seq, kept.last_hash, kept.memory) == (0, "0" * 64, None)
    desk.record(1, 3)
    assert journal.wait_recorded(3, 5)
    journal.acknowledge(2)

    _, kept = desk.open()
    assert kept.last_seq == 3
    assert kept.acked_seq == 2
    assert (kept.memory.text, kept.memory.mono_s, kept.memory.wall_s) == ("memory 3", 1.0, 2.0)
    assert kept.memory.seq == 3
    desk.record(4, 4)
    assert desk.journal.wait_recorded(4, 5)
    assert desk.journal.events_between(3, 4)[1]["prev"] == kept.last_hash
    desk.close()
    assert verify_chain(desk.path).ok
    assert desk.faults == []


def test_an_event_carries_the_hash_of_the_one_before(desk):
    journal, _ = desk.open()
    event = Event("request", "siren", "asked", "ming", {"to": "on", "volts": 230.0, "名": "警笛"})
    journal.record([Recorded(1, "boot-1", 1_764_000_000.25, event)])
    journal.record([desk.event(2)])
    assert journal.wait_recorded(2, 5)
    first, second = journal.events_after(0, 10)

    body = {
        "seq": 1,
        "boot": "boot-1",
        "at": "2025-11-24T16:00:00.250Z",
        "kind": "request",
        "subject": "siren",
        "cause": "asked",
        "actor": "ming",
        "data": {"to": "on", "volts": 230, "名": "警笛"},
        "prev": "0" * 64,
    }
    spelled = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert first == {**body, "hash": hashlib.sha256(("0" * 64 + spelled).encode()).hexdigest()}
    assert second["prev"] == first["hash"]


def test_an_event_that_json_cannot_hold_is_recorded_all_the_same(desk):
    journal, _ = desk.open()
    journal.record([desk.event(1, nan=float("nan"), big=2**70, bad="\ud800", pair=(1, 2))])
    assert journal.wait_recorded(1, 5)
    assert journal.events_after(0, 1)[0]["data"] == {
        "nan": None,
        "big": str(2**70),
        "bad": "?",
        "pair": [1, 2],
    }
    desk.close()
    assert verify_chain(desk.path).ok


def test_a_changed_event_a_removed_event_and_a_changed_hash_are_found(desk):
    journal, _ = desk.open()
    desk.record(1, 5)
    assert journal.wait_recorded(5, 5)
    desk.close()
    assert verify_chain(desk.path).ok
    con = sqlite3.connect(desk.path)
    with con:
        con.execute("UPDATE event SET actor = 'nobody' WHERE seq = 2")
        con.execute("DELETE FROM event WHERE seq = 4")
    con.close()
    assert verify_chain(desk.path).faults == (
        "event 2: is not what was hashed",
        "event 5: comes after 3",
        "event 5: is not chained to the one before",
    )


def test_recording_takes_microseconds_while_the_disk_hangs(desk):
    journal, _ = desk.open()
    desk.record(1, 1)
    assert journal.wait_recorded(1, 5)
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # the writer now waits for this
    started = time.process_time()
    desk.record(2, 2001)
    assert (time.process_time() - started) / 2000 < 0.001
    assert journal.recorded_seq == 1
    other.execute("ROLLBACK")
    other.close()
    assert journal.wait_recorded(2001, 5)
    assert desk.seqs() == list(range(1, 2002))


def test_many_calls_are_one_transaction(desk):
    journal, _ = desk.open()
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    commits = []
    journal._on_recorded = commits.append
    desk.record(1, 500)
    other.execute("ROLLBACK")
    other.close()
    assert journal.wait_recorded(500, 5)
    assert len(commits) <= 3
    assert commits[-1] == 500


def test_events_are_read_by_others_while_they_are_written(desk):
    journal, _ = desk.open()
    found = []
    readers = [
        threading.Thread(target=lambda: found.append(journal.events_after(0, 1000)))
        for _ in range(8)
    ]
    desk.record(1, 300)
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    for events in found:
        assert [one["seq"] for one in events] == list(range(1, len(events) + 1))
    assert len(found) == 8


def test_a_request_seen_is_known_again_after_a_restart(desk):
    journal, _ = desk.open()
    assert not journal.seen_request("r-1")
    assert journal.seen_request("r-1")
    assert not journal.seen_request("x" * 5000 + "\ud800")
    assert journal.flush()
    journal, _ = desk.open()
    assert journal.seen_request("r-1")
    assert journal.seen_request("x" * 5000 + "\ud800")
    assert not journal.seen_request("r-2")


def test_what_the_writer_hands_to_the_kernel_is_counted(desk):
    journal, _ = desk.open()
    before = journal.bytes_written
    desk.record(1, 100)
    assert journal.wait_recorded(100, 5)
    assert journal.bytes_written - before > 100 * len(canonical(journal.events_after(0, 1)[0]))


def test_an_error_of_our_own_in_the_writer_is_a_fault_and_does_not_end_it(
    desk, caplog, monkeypatch, until
):
    monkeypatch.setattr(WriterThread, "PAUSE_S", 0.01)
    journal, _ = desk.open()
    with monkeypatch.context() as broken:
        broken.setattr(Store, "write", lambda self, batch: 1 // 0)
        desk.record(1, 1)
        until(lambda: desk.faults)
    assert "goes on" in caplog.text
    desk.record(2, 2)
    until(lambda: journal.flush() and journal.recorded_seq == 2)
    assert desk.faults == ["the journal fails: integer division or modulo by zero", None]
    desk.close()
    assert verify_chain(desk.path).events == 2


def test_a_listener_that_fails_is_reported_and_harms_nothing(desk, caplog):
    journal, _ = desk.open()
    journal._on_recorded = lambda seq: 1 // 0
    desk.record(1, 1)
    desk.record(2, 2)
    assert journal.wait_recorded(2, 5)
    assert journal.flush()
    assert "a listener of the journal failed" in caplog.text
    assert desk.faults == []
