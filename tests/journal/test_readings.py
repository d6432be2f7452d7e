"""Readings: thinned, packed small, rolled up, trimmed; and drawn again."""

import math
import random
import sqlite3
import time
from contextlib import closing

import pytest

from controller.core.reading import Now, Quality
from controller.history import History, HistoryUnavailable
from controller.journal import PointStore, Stored, verify_chain
from controller.journal.codec import QUALITIES, number_of, pack, steps_of, unpack
from controller.journal.store import Batch, Store
from controller.journal.thinning import Thinning
from controller.journal.trimming import trim, used_bytes

T0 = 1_764_000_000_000
AIR = "rack-air.temperature"
DAY_MS = 86_400_000


def good(value, at_ms=T0, point=AIR):
    return Stored(point, at_ms, value, Quality.GOOD)


def missing(at_ms, point=AIR):
    return Stored(point, at_ms, None, Quality.MISSING)


def thinned(readings, step=0.1, deadband=None):
    thinning = Thinning({AIR: PointStore(step, "°C", deadband)})
    for one in readings:
        thinning.take(one)
    return thinning


def stored(path, readings, points=None):
    """Write readings as the journal does, without its queue and its thread."""
    thinning = Thinning(points or {AIR: PointStore(0.1, "°C")})
    with closing(Store(path)) as store:
        count = 0
        for number, one in enumerate(readings):
            thinning.take(one)
            if number % 4 == 3 or thinning.rows.maxlen == len(thinning.rows):
                count += written(store, thinning)
        thinning.finish_minutes()
        return count + written(store, thinning)


def written(store, thinning):
    count = len(thinning.rows)
    store.write(Batch(rows=list(thinning.rows), spans=list(thinning.spans)))
    thinning.rows.clear()
    thinning.spans.clear()
    return count


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("value", [None, 0, 1, -1, 234, -400, 2**58])
def test_what_is_packed_comes_back(value, quality):
    assert unpack(pack(value, quality)) == (value, quality)


@pytest.mark.parametrize(
    ("value", "step"),
    [(23.4, 0.1), (-40.0, 0.1), (0.0, 1.0), (230.25, 0.25), (51.7, 0.1), (1e6, 100.0)],
)
def test_a_number_of_whole_steps_comes_back_exactly(value, step):
    assert number_of(steps_of(value, step), step) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_a_number_that_is_none_is_bad_and_not_a_crash(value):
    (row,) = thinned([good(value)]).rows
    assert (row.value, row.quality) == (None, Quality.BAD)


@pytest.mark.parametrize(
    ("offered", "deadband", "kept"),
    [
        pytest.param([20.0, 20.0, 20.04], None, [200], id="no-change"),
        pytest.param([20.0, 20.1, 20.0], None, [200, 201, 200], id="one-step"),
        pytest.param([20.0, 20.2, 20.4, 20.6], 0.5, [200, 206], id="within-the-deadband"),
        pytest.param([20.0, 19.4], 0.5, [200, 194], id="downwards"),
        pytest.param([True, True, False], None, [1, 0], id="a-contact"),
        pytest.param(["on", "on", "cooling"], None, ["on", "cooling"], id="words"),
    ],
)
def test_a_reading_is_stored_when_it_leaves_the_deadband(offered, deadband, kept):
    readings = [good(value, T0 + at) for at, value in enumerate(offered)]
    assert [row.value for row in thinned(readings, deadband=deadband).rows] == kept


def test_a_reading_is_stored_when_its_quality_changes_and_each_five_minutes():
    readings = [good(20.0, T0 + at) for at in range(0, 700_000, 10_000)]
    readings.append(Stored(AIR, T0 + 700_001, None, Quality.STALE))
    readings.append(Stored(AIR, T0 + 700_002, None, Quality.STALE))
    assert [(row.at_ms - T0, row.quality) for row in thinned(readings).rows] == [
        (0, Quality.GOOD),
        (300_000, Quality.GOOD),
        (600_000, Quality.GOOD),
        (700_001, Quality.STALE),
    ]


def test_every_reading_counts_in_its_minute_stored_or_not():
    thinning = thinned(
        [
            good(20.0),
            good(20.0, T0 + 1),
            good(23.0, T0 + 2),
            missing(T0 + 3),
            good(9.0, T0 + 60_000),
        ]
    )
    (span,) = thinning.spans
    assert (span.low, span.high, span.total, span.n) == (200, 230, 630, 3)
    assert QUALITIES[span.worst] is Quality.MISSING


def test_a_minute_in_which_nothing_good_was_read_has_no_numbers(tmp_path):
    stored(tmp_path / "room.db", [missing(T0), missing(T0 + 1000)])
    with closing(sqlite3.connect(tmp_path / "room.db")) as con:
        for table in ("minute", "hour"):
            row = con.execute(f"SELECT low, high, total, n, worst FROM {table}").fetchone()
            assert row == (None, None, 0, 0, QUALITIES.index(Quality.MISSING))


def test_a_minute_begun_before_a_restart_is_added_up(tmp_path):
    path = tmp_path / "room.db"
    stored(path, [missing(T0), good(20.0, T0 + 1)])
    stored(path, [good(22.0, T0 + 2), good(24.0, T0 + 3)])
    with closing(sqlite3.connect(path)) as con:
        for table in ("minute", "hour"):
            row = con.execute(f"SELECT low, high, total, n FROM {table}").fetchone()
            assert row == (200, 240, 660, 3)


def test_a_stored_reading_takes_twenty_bytes_with_everything(tmp_path):
    rng = random.Random(1)
    points = {f"air-{n}.temperature": PointStore(0.1, "°C") for n in range(8)}
    readings = (
        good(round(20 + at % 50 / 10 + rng.random(), 1), T0 + at * 2500 + rng.randrange(99), point)
        for at in range(4_000)
        for point in points
    )
    path = tmp_path / "room.db"
    thinning = Thinning(points)
    count = 0
    with closing(Store(path)) as store:
        empty = used_bytes(store.normal)
        for one in readings:
            thinning.take(one)
            if len(thinning.rows) >= 32:  # what eight points bring in ten seconds
                count += written(store, thinning)
        count += written(store, thinning)
        each = (used_bytes(store.normal) - empty) / count
    assert count > 24_000
    assert 10 < each <= 20  # 19.2 were measured, minutes and hours included


def test_text_flags_and_numbers_come_back_from_the_journal(desk):
    journal, _ = desk.open()
    now = int(time.time() * 1000)
    journal.record(
        [],
        None,
        [
            good(23.4, now),
            good(True, now, "front-door"),
            good("warm-up", now, "hall.power"),
            Stored("main-ups.charge", now, None, Quality.MISSING),
        ],
    )
    assert journal.flush()
    with closing(History(desk.path)) as history:
        assert history.latest(AIR) == (now, 23.4, Quality.GOOD)
        assert history.latest("front-door") == (now, True, Quality.GOOD)
        assert history.latest("hall.power") == (now, "warm-up", Quality.GOOD)
        assert history.latest("main-ups.charge") == (now, None, Quality.MISSING)
        assert history.latest("nothing") is None
        (word,) = history.series("hall.power", now - 1, now + 1, 100)
        assert word == (now, "warm-up", "warm-up", "warm-up", Quality.GOOD)
    assert journal.used_bytes > 0


def test_readings_reach_the_disk_with_the_next_event(desk):
    journal, _ = desk.open()
    journal.record([], None, [good(23.4, int(time.time() * 1000))])
    desk.record(1, 1)
    assert journal.wait_recorded(1, 5)
    with closing(History(desk.path)) as history:
        assert history.latest(AIR)[1] == 23.4


def test_readings_reach_the_disk_when_there_are_enough_of_them(desk, until):
    journal, _ = desk.open()
    now = int(time.time() * 1000)
    for at in range(600):
        journal.record([], None, [good(float(at), now + at)])
    with closing(History(desk.path)) as history:
        until(lambda: history.latest(AIR))


def test_old_readings_go_first_and_little_by_little(tmp_path):
    path = tmp_path / "room.db"
    newest = T0 + 20 * DAY_MS
    stored(path, [good(at % 7.0, T0 + at * 600_000) for at in range(20 * 144)])
    now = Now(0.0, newest / 1000)
    with closing(Store(path)) as store:
        before = store.normal.total_changes
        steps = 0
        while trim(store.normal, now, 10**9, 0):
            assert store.normal.total_changes - before <= 500
            before, steps = store.normal.total_changes, steps + 1
        assert steps == 2
        oldest = store.normal.execute("SELECT min(at) FROM reading").fetchone()[0]
        assert oldest == newest - 14 * DAY_MS
        assert store.normal.execute("SELECT count(*) FROM minute").fetchone()[0] == 2880


def test_a_clock_that_nobody_vouches_for_throws_nothing_away(tmp_path):
    path = tmp_path / "room.db"
    stored(path, [good(20.0)])
    with closing(Store(path)) as store:
        assert not trim(store.normal, Now(0.0, 4e9, synchronised=False), 10**9, 0)
        assert trim(store.normal, Now(0.0, 4e9), 10**9, 0)


def test_past_its_size_readings_go_before_events_and_the_newest_events_never(desk):
    journal, _ = desk.open()
    desk.record(1, 1200)
    now = int(time.time() * 1000)
    journal.record([], None, [good(at % 9.0, now + at * 60_000) for at in range(3000)])
    assert journal.flush()
    journal.acknowledge(700)
    desk.size_bytes = 1000
    journal, _ = desk.open()
    with closing(Store(desk.path)) as store:
        while trim(store.normal, Now(0.0, now / 1000), 1000, 700):
            pass
        for table in ("reading", "minute", "hour"):
            assert store.normal.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert desk.seqs() == list(range(701, 1201))
    desk.record(1201, 1201)
    assert journal.wait_recorded(1201, 5)
    desk.close()
    report = verify_chain(desk.path)
    assert (report.faults, report.last) == ((), 1201)


def test_no_journal_yet_is_said_clearly(tmp_path):
    history = History(tmp_path / "room.db")
    for query in (
        lambda: history.latest(AIR),
        lambda: history.series(AIR, 0, 1, 10),
        lambda: history.events(),
        lambda: history.events("2026-01-01T00:00:00Z"),
    ):
        with pytest.raises(HistoryUnavailable, match=r"room\.db"):
            query()
    assert list(tmp_path.iterdir()) == []


def test_events_are_asked_for_by_number_and_by_time(desk):
    journal, _ = desk.open()
    desk.record(1, 5)
    assert journal.wait_recorded(5, 5)
    with closing(History(desk.path)) as history:
        assert [one["seq"] for one in history.events()] == [1, 2, 3, 4, 5]
        assert [one["seq"] for one in history.events(2, 2)] == [3, 4]
        at = journal.events_between(4, 4)[0]["at"]
        assert [one["seq"] for one in history.events(at)] == [4, 5]
        assert history.events("2090-01-01T00:00:00Z") == []
        with pytest.raises(ValueError, match="offset"):
            history.events("2026-01-01T00:00:00")


def test_thirty_days_of_a_sensor_are_thinned_to_the_screen(tmp_path):
    path = tmp_path / "room.db"
    minutes = range(30 * 1440)
    points = {AIR: PointStore(0.1, "°C")}
    thinning = Thinning(points)
    with closing(Store(path)) as store:
        for minute in minutes:
            value = round(22 + 3 * math.sin(minute / 1440 * math.tau), 1)
            thinning.take(good(value, T0 + minute * 60_000))
            if minute % 10_000 == 0:
                written(store, thinning)
        thinning.finish_minutes()
        written(store, thinning)
    with closing(History(path)) as history:
        history.latest(AIR)
        started = time.process_time()
        samples = history.series(AIR, T0, T0 + 30 * DAY_MS, 800)
        assert time.process_time() - started < 0.5  # 50 ms is the bench's goal
        assert 400 <= len(samples) <= 800
        assert min(one.low for one in samples) == 19.0
        assert max(one.high for one in samples) == 25.0
        assert all(one.low <= one.mean <= one.high for one in samples)
        assert [one.at_ms for one in samples] == sorted({one.at_ms for one in samples})

        assert len(history.series(AIR, T0, T0 + DAY_MS, 800)) == 720
        hour = history.series(AIR, T0, T0 + 3_600_000, 800)
        assert (hour[0].at_ms, hour[0].low, hour[0].high) == (T0, 22.0, 22.0)


def test_where_raw_readings_are_gone_the_roll_ups_are_drawn(tmp_path):
    path = tmp_path / "room.db"
    stored(path, [good(20.0 + at % 3, T0 + at * 10_000) for at in range(720)])
    with closing(Store(path)) as store:
        store.normal.execute("DELETE FROM reading")
    with closing(History(path)) as history:
        samples = history.series(AIR, T0, T0 + 7_200_000, 800)
        assert len(samples) == 120
        assert (samples[0].low, samples[0].mean, samples[0].high) == (20.0, 21.0, 22.0)


def test_where_the_older_raw_readings_are_gone_the_roll_ups_are_drawn(tmp_path):
    path = tmp_path / "room.db"
    stored(path, [good(20.0 + at % 3, T0 + at * 10_000) for at in range(720)])
    with closing(Store(path)) as store:
        store.normal.execute("DELETE FROM reading WHERE at < ?", (T0 + 3_600_000,))
    with closing(History(path)) as history:
        assert len(history.series(AIR, T0, T0 + 7_200_000, 800)) == 120
        assert len(history.series(AIR, T0 + 3_600_000, T0 + 7_200_000, 800)) == 360


def test_a_sensor_replaced_by_a_finer_one_keeps_its_past(tmp_path):
    path = tmp_path / "room.db"
    stored(path, [good(20.0), good(21.0, T0 + 1000)], {AIR: PointStore(1.0, "°C")})
    stored(path, [good(21.25, T0 + 2000)], {AIR: PointStore(0.05, "°C")})
    with closing(History(path)) as history:
        assert [one.mean for one in history.series(AIR, T0, T0 + 3000, 3000)] == [
            20.0,
            21.0,
            21.25,
        ]
        assert history.latest(AIR) == (T0 + 2000, 21.25, Quality.GOOD)
