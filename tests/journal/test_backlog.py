"""What waits for the disk: bounded, in order, and agreed with the file that comes back."""

from contextlib import closing

from controller.core.event import Event, Recorded
from controller.core.reading import Now
from controller.journal.backlog import Backlog
from controller.journal.chain import START, Place
from controller.journal.seen import KEPT_S, SeenRequests
from controller.journal.store import Store
from controller.journal.trimming import trim

NOW_S = 1_800_000_000.0


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


def test_what_is_dropped_after_a_failed_write_is_not_written_after_all():
    backlog = waiting(1, 4, limit=4)
    backlog.seal()  # and the disk refused them
    backlog.accept(event(5))
    backlog.accept(event(6))
    rows = backlog.seal()
    assert [row.seq for row in rows] == [3, 4, 5, 6]
    assert (rows[0].cause, rows[0].data) == ("events-dropped", '{"from":1,"to":3}')
    assert [row.prev for row in rows[1:]] == [row.hash for row in rows[:-1]]


def test_a_file_that_others_wrote_to_twice_is_continued_behind_them():
    backlog = waiting(1, 2, None)
    backlog.meet(Place(500, "5" * 64))
    backlog.seal()
    backlog.committed(2)
    backlog.accept(event(3))
    assert backlog.seal()[0].seq == 503
    backlog.meet(Place(510, "a" * 64))
    rows = backlog.seal()
    assert [(row.seq, row.prev) for row in rows] == [(511, "a" * 64)]
    assert (backlog.offset, backlog.recorded_seq) == (508, 2)


def test_what_was_sealed_for_another_end_of_the_chain_is_sealed_anew():
    backlog = waiting(8, 9, Place(7, "7" * 64))
    backlog.seal()
    backlog.meet(Place(5, "5" * 64))
    rows = backlog.seal()
    assert [row.seq for row in rows] == [7, 8, 9]
    assert rows[0].prev == "5" * 64
    assert [row.prev for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert backlog.dropped == 2


def test_a_loss_in_a_file_with_numbers_of_its_own_is_told_in_these():
    backlog = waiting(1, 2, None)
    backlog.meet(Place(500, "5" * 64))
    backlog.seal()
    backlog.committed(2)
    backlog.accept(event(3))
    backlog.meet(Place(501, "a" * 64))
    rows = backlog.seal()
    assert [(row.seq, row.data) for row in rows] == [(502, '{"from":502,"to":502}'), (503, "{}")]


def test_another_history_of_the_same_length_is_not_taken_for_ours():
    backlog = waiting(1, 3)
    backlog.seal()
    backlog.meet(Place(2, "f" * 64))
    rows = backlog.seal()
    assert [row.seq for row in rows] == [3, 4, 5]
    assert rows[0].prev == "f" * 64


def test_of_a_commit_in_part_only_that_part_is_known():
    backlog = waiting(1, 3)
    first = place(backlog.seal()[0])
    backlog.committed(1)
    assert backlog.known == first
    assert next((row.seq, row.prev) for row in backlog.seal()) == (2, first.hash)


def test_requests_are_forgotten_when_their_day_is_over_and_not_before(desk):
    desk.open()
    desk.close()
    with closing(Store(desk.path)) as store:
        now = Now(0.0, NOW_S)
        store.normal.execute("INSERT INTO request (id, expires) VALUES ('old', ?)", (NOW_S - 1,))
        store.normal.execute("INSERT INTO request (id, expires) VALUES ('new', ?)", (NOW_S + 1,))
        trim(store.normal, now, 10**9, 0)
        assert store.normal.execute("SELECT id FROM request").fetchall() == [("new",)]


def test_an_id_may_serve_again_after_its_day():
    seen = SeenRequests(limit=10)
    assert seen.add("r", NOW_S, NOW_S) is not None
    assert seen.add("r", NOW_S + KEPT_S - 1, NOW_S + KEPT_S - 1) is None
    assert seen.add("r", NOW_S + KEPT_S + 1, NOW_S + KEPT_S + 1) is not None
