"""A record is whole and true, or its fault is named by the event's number."""

import io
import json
import random
import sqlite3
from contextlib import closing

import pytest

from controller.core.event import Event, Recorded
from controller.history import HistoryUnavailable
from controller.journal import verify_chain
from controller.journal.backlog import Backlog
from controller.journal.capture import MixedCapture, verify_capture
from controller.journal.chain import START, Place, event_object

COUNT = 9


def events(count=COUNT, boot="boot-1", backlog=None):
    """What the topic carries: `count` events of one room, after those of `backlog`."""
    if backlog is None:  # an empty one is false
        backlog = Backlog(START)
    first = backlog.known.seq + 1
    for seq in range(first, first + count):
        event = Event("alarm", "烟感-1", data={"n": seq, "volts": 230.0, "big": 1e21})
        backlog.accept(Recorded(seq, boot, 1_764_000_000.0 + seq, event))
    rows = list(backlog.seal())
    backlog.committed(len(rows))
    return [event_object(row) for row in rows]


def captured(came, topic=""):
    lines = [f"{topic} {json.dumps(one)}".lstrip() for one in came]
    return io.BytesIO("".join(f"{line}\n" for line in lines).encode())


def faults(came):
    return verify_capture(captured(came)).faults


@pytest.mark.parametrize("topic", ["", "roomwarden/school/room-1/event"])
def test_a_capture_as_it_was_sent_is_whole(topic):
    report = verify_capture(captured(events(), topic))
    assert report.faults == ()
    assert (report.events, report.first, report.last) == (COUNT, 1, COUNT)
    assert (report.duplicates, report.late, report.restarts) == (0, 0, 0)


def test_a_capture_may_begin_in_the_middle_of_the_history():
    report = verify_capture(captured(events()[4:]))
    assert (report.faults, report.first, report.last) == ((), 5, COUNT)


def test_duplicates_restarts_and_late_arrivals_are_counted_and_no_fault():
    backlog = Backlog(START)
    came = [*events(5, "boot-1", backlog), *events(4, "boot-2", backlog)]
    came = [*came[:3], *came[1:3], *came[5:], *came[3:5], came[0]]
    report = verify_capture(captured(came))
    assert report.faults == ()
    assert (report.events, report.duplicates, report.late, report.restarts) == (9, 3, 2, 1)


def test_a_gap_is_named_by_its_numbers():
    came = events()
    report = verify_capture(captured(came[:3] + came[6:]))
    assert report.gaps == ((4, 6),)
    assert report.faults == ("events 4 to 6: never came",)


def test_a_loss_that_the_room_tells_of_is_no_gap():
    backlog = Backlog(START)
    came = events(2, backlog=backlog)
    backlog.accept(Recorded(6, "boot-1", 1.7e9, Event("alarm", "smoke-1")))
    came += [event_object(row) for row in backlog.seal()]
    assert [one["seq"] for one in came] == [1, 2, 5, 6]
    report = verify_capture(captured(came))
    assert (report.faults, report.gaps, report.dropped) == ((), (), ((3, 5),))


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "nobody"},
        {"data": {}},
        {"at": "2026-01-01T00:00:00.000Z"},
        {"boot": "other"},
        {"more": 1},
        {"data": {"n": 2**60}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_event_is_named(change):
    came = events()
    came[4] |= change
    assert faults(came) == ("event 5: is not what was hashed (line 5)",)


def test_a_forged_event_is_named_though_its_own_hash_is_right():
    came, forged = events(), events(COUNT, "another boot")
    assert faults([*came[:4], forged[4], *came[5:]]) == (
        "event 5: is not chained to the one before",
        "event 6: is not chained to the one before",
    )
    assert faults([*came, forged[4]]) == ("event 5: came in 2 forms",)


def test_a_history_rewritten_to_its_end_shows_where_it_begins():
    came, forged = events(), events(COUNT, "another boot")
    assert faults(came[:5] + forged[5:]) == ("event 6: is not chained to the one before",)


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[1]",
        b'{"seq": "1"}',
        b'{"seq": true}',
        b'{"seq": 0}',
        b'{"seq": 99999999999999999999}',
        b'{"seq": 3, "hash": "x", "prev": "y"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"seq": 1, "hash": "' + b"0" * 2_000_000 + b'"}',
    ],
    ids=["text", "list", "word", "flag", "zero", "huge", "hash", "bytes", "deep", "long"],
)
def test_a_line_that_is_no_event_is_named_and_the_rest_is_read(line):
    capture = captured(events()).getvalue() + line + b"\n" + captured(events()).getvalue()
    report = verify_capture(io.BytesIO(capture))
    assert len(report.faults) == 1
    assert report.faults[0].startswith(f"line {COUNT + 1}: ")
    assert (report.events, report.duplicates) == (COUNT, COUNT)


def test_random_bytes_never_end_the_check():
    chance = random.Random(3)
    whole = captured(events()).getvalue()
    for _ in range(300):
        cut = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            cut[chance.randrange(len(cut))] = chance.randrange(256)
        report = verify_capture(io.BytesIO(bytes(cut)))
        if bytes(cut) != whole:
            assert report.faults or report.events == COUNT


def test_two_rooms_in_one_capture_are_told_apart():
    one, other = captured(events(), "a/b/event"), captured(events(), "a/c/event")
    with pytest.raises(MixedCapture, match="line 10: a/c/event"):
        verify_capture(io.BytesIO(one.getvalue() + other.getvalue()))


@pytest.mark.parametrize(
    "capture",
    [
        io.BytesIO(b""),
        io.BytesIO(b"\n\n"),
        captured([{"state": "normal"}], "a/b/alarm/smoke-1.fault"),
    ],
    ids=["empty", "lines", "another topic"],
)
def test_a_capture_without_an_event_proves_nothing(capture):
    report = verify_capture(capture)
    assert (report.events, report.ok) == (0, False)
    assert report.faults[0].startswith("no event came")


def test_a_first_event_with_one_before_it_is_named():
    backlog = Backlog(Place(0, "5" * 64))
    assert faults(events(2, backlog=backlog)) == (
        "event 1: is the first, and names one before it",
    )
    backlog = Backlog(Place(0, "5" * 64))
    backlog.accept(Recorded(3, "boot-1", 1.7e9, Event("alarm", "smoke-1")))
    lost = [event_object(row) for row in backlog.seal()]
    assert faults(lost) == ("event 2: is the first, and names one before it",)


@pytest.mark.parametrize("name", ["actor", "n"])
def test_a_line_that_says_one_thing_twice_is_no_event(name):
    lines = captured(events()).getvalue().splitlines()
    lines[4] = lines[4].replace(f'"{name}":'.encode(), f'"{name}": 0, "{name}":'.encode())
    report = verify_capture(io.BytesIO(b"\n".join(lines)))
    assert report.faults == (
        f"line 5: is no event: '{name}' stands there twice",
        "event 5: never came",
    )


def test_other_topics_of_the_room_are_passed_over():
    other = captured([{"state": "normal"}], "a/b/alarm/smoke-1.prealarm").getvalue()
    report = verify_capture(io.BytesIO(other + captured(events(), "a/b/event").getvalue()))
    assert (report.faults, report.events) == ((), COUNT)


def recorded(desk, last):
    journal, _ = desk.open()
    desk.record(1, last)
    assert journal.wait_recorded(last, 5)
    came = journal.events_after(0, 1000)
    desk.close()
    return came


def test_a_journal_rewritten_as_a_whole_differs_from_what_others_hold(desk, tmp_path):
    came = recorded(desk, 5)
    assert verify_capture(captured(came), desk.path).faults == ()
    desk.path = tmp_path / "rewritten.db"
    journal, _ = desk.open()
    journal.record([Recorded(1, "boot", 1.7e9, Event("alarm", "nothing"))])
    desk.record(2, 4)
    assert journal.wait_recorded(4, 5)
    desk.close()
    assert verify_chain(desk.path).ok
    assert verify_capture(captured(came), desk.path).faults == (
        *(f"event {seq}: the journal holds another" for seq in range(1, 5)),
        "event 5: the journal has no such event",
    )


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        ("DELETE FROM event WHERE seq > 5", "event 7: the memory was written after it"),
        ("UPDATE event SET data = 'no json' WHERE seq = 3", "event 3: is not what was hashed"),
        ("UPDATE event SET data = '[1]' WHERE seq = 3", "event 3: is not what was hashed"),
        ("UPDATE event SET actor = CAST(X'ff' AS TEXT) WHERE seq = 3", "event 3: is not what"),
        ("DELETE FROM event WHERE seq < 3", "event 3: comes after 0"),
        ("INSERT OR REPLACE INTO anchor VALUES (1, 2, 'x')", "event 1: comes after 2"),
        ("UPDATE event SET seq = -seq WHERE seq = 1", "event -1: comes after 0"),
    ],
)
def test_what_was_done_to_a_journal_is_named(desk, harm, fault):
    recorded(desk, 7)
    assert verify_chain(desk.path).ok
    with closing(sqlite3.connect(desk.path)) as con, con:
        con.execute(harm)
    report = verify_chain(desk.path)
    assert report.faults[0].startswith(fault)


def test_an_acknowledged_event_that_is_not_there_is_named(desk):
    recorded(desk, 7)
    with closing(sqlite3.connect(desk.path)) as con, con:
        con.execute("INSERT OR REPLACE INTO cursor VALUES ('acked', 7)")
        con.execute("UPDATE memory SET seq = 5")
        con.execute("DELETE FROM event WHERE seq > 5")
    told = "event 7: the central system has it, and it is not there"
    assert verify_chain(desk.path).faults == (told,)


def test_a_damaged_file_is_a_fault_and_no_journal_at_all_is_an_error(desk, tmp_path):
    recorded(desk, 500)
    data = bytearray(desk.path.read_bytes())
    data[20_000:60_000] = bytes(40_000)
    desk.path.write_bytes(data)
    assert any(fault.startswith("database: ") for fault in verify_chain(desk.path).faults)
    desk.path.write_bytes(b"not a database " * 1000)
    assert verify_chain(desk.path).faults[0].startswith("database: ")
    with pytest.raises(HistoryUnavailable, match=r"nothing\.db"):
        verify_chain(tmp_path / "nothing.db")
    with closing(sqlite3.connect(tmp_path / "other.db")) as con:
        con.execute("CREATE TABLE book (title)")
    with pytest.raises(HistoryUnavailable, match=r"other\.db"):
        verify_chain(tmp_path / "other.db")
    assert not (tmp_path / "nothing.db").exists()


def test_a_journal_is_checked_beside_its_writer_and_left_as_it_is(desk):
    journal, _ = desk.open()
    desk.record(1, 100)
    assert journal.flush()
    assert verify_chain(desk.path).last == 100
    desk.record(101, 200)
    assert journal.flush()
    assert verify_chain(desk.path).last == 200
    assert desk.faults == []


def test_past_a_thousand_faults_are_only_counted(desk):
    recorded(desk, 1100)
    with closing(sqlite3.connect(desk.path)) as con, con:
        con.execute("UPDATE event SET actor = 'nobody'")
    found = verify_chain(desk.path).faults
    assert (len(found), found[-1]) == (1001, "and 100 more")
