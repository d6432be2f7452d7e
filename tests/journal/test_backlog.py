"""What waits for the disk: bounded, in order, and agreed with the file that comes back."""

from controller.core.event import Event, Recorded
from controller.journal.backlog import Backlog
from controller.journal.chain import START, Place


def event(seq):
    return Recorded(seq, "boot", float(seq), Event("alarm", "smoke-1"))


def waiting(first, last, known=START, limit=100):
    backlog = Backlog(known, limit)
    for seq in range(first, last + 1):
        backlog.accept(event(seq))
    return backlog


def place(row):
    return Place(row.seq, row.hash)


def test_the_oldest_are_dropped_and_one_event_says_so():
    backlog = waiting(1, 10, limit=4)
    rows = backlog.seal()
    assert [row.seq for row in rows] == [7, 8, 9, 10]
    assert (rows[0].cause, rows[0].data) == ("events-dropped", '{"from":1,"to":7}')
    assert backlog.dropped == 7


def test_a_number_left_out_is_recorded_as_a_loss():
    backlog = waiting(1, 1)
    backlog.accept(event(4))
    rows = backlog.seal()
    assert [(row.seq, row.cause) for row in rows] == [(1, ""), (3, "events-dropped"), (4, "")]


def test_an_event_that_comes_twice_is_taken_once():
    backlog = waiting(1, 2)
    backlog.accept(event(2))
    assert [row.seq for row in backlog.seal()] == [1, 2]


def test_a_commit_that_failed_only_in_name_is_not_written_again():
    backlog = waiting(1, 3)
    written = place(backlog.seal()[1])
    backlog.accept(event(4))
    assert backlog.meet(written) is None
    assert [row.seq for row in backlog.seal()] == [3, 4]
    assert backlog.seal()[0].prev == written.hash


def test_a_new_file_is_anchored_where_the_old_one_stood():
    known = Place(7, "7" * 64)
    backlog = waiting(8, 9, known)
    assert backlog.meet(START) == known
    assert backlog.seal()[0].prev == known.hash


def test_a_file_that_could_not_be_read_at_first_keeps_its_numbers():
    backlog = waiting(1, 2, None)
    backlog.meet(Place(500, "5" * 64))
    rows = backlog.seal()
    assert [row.seq for row in rows] == [501, 502]
    assert rows[0].prev == "5" * 64
    backlog.committed(2)
    assert (backlog.offset, backlog.recorded_seq) == (500, 2)


def test_an_older_copy_put_back_is_continued_with_the_loss_recorded():
    backlog = waiting(8, 8, Place(7, "7" * 64))
    backlog.meet(Place(5, "5" * 64))
    rows = backlog.seal()
    assert [(row.seq, row.data) for row in rows] == [(7, '{"from":6,"to":7}'), (8, "{}")]
    assert rows[0].prev == "5" * 64
