"""Which requests count as repeated when more came than are remembered."""

from __future__ import annotations

import time

from controller.journal.seen import KEPT_S, SeenRequests

NOW_S = 1_800_000_000.0


def fill(seen: SeenRequests, count: int, from_s: float = NOW_S) -> list[tuple[str, int]]:
    """Have `count` ids seen, one a minute."""
    every = (seen.add(f"r-{n}", from_s + 60 * n, from_s + 60 * n) for n in range(count))
    return [one for one in every if one]


def test_an_id_that_others_pushed_out_does_not_serve_again():
    seen = SeenRequests(limit=10)
    fill(seen, 13)
    late_s = NOW_S + 3600.0
    for n in range(13):
        assert seen.add(f"r-{n}", late_s, NOW_S + 60 * n) is None, n
    assert seen.add("new", late_s, late_s) is not None


def test_an_id_issued_by_a_clock_ahead_does_not_serve_again():
    seen = SeenRequests(limit=1)
    seen.add("ahead", NOW_S, NOW_S + 4.9)
    seen.add("next", NOW_S + 60, NOW_S + 60)
    assert seen.add("ahead", NOW_S + 61, NOW_S + 4.9) is None


def test_what_is_asked_without_a_time_is_told_by_its_id_alone():
    seen = SeenRequests(limit=10)
    fill(seen, 13)
    assert seen.add("r-12", NOW_S + 3600.0) is None
    assert seen.add("another", NOW_S + 3600.0) is not None


def test_what_was_pushed_out_is_known_again_after_a_restart():
    kept = fill(SeenRequests(limit=10), 13)[-10:]
    again = SeenRequests(limit=10)
    again.load(kept)
    assert again.add("r-2", NOW_S + 3600.0, NOW_S + 120) is None
    assert again.add("new", NOW_S + 3600.0, NOW_S + 3600.0) is not None


def test_a_file_that_is_not_full_has_forgotten_nothing():
    again = SeenRequests(limit=10)
    again.load(fill(SeenRequests(limit=10), 9))
    assert again.add("delayed", NOW_S + 3600.0, NOW_S - 3600.0) is not None


def test_ids_that_are_read_late_are_older_than_those_seen_meanwhile(monkeypatch):
    mono_s = [5000.0]
    monkeypatch.setattr(time, "monotonic", lambda: mono_s[0])
    kept = fill(SeenRequests(limit=10), 10)
    again = SeenRequests(limit=10)
    late_s = NOW_S + 3600.0
    again.unread()
    assert again.add("r-9", late_s, NOW_S + 540) is None
    mono_s[0] += 60.0
    assert again.add("meanwhile", late_s + 60, late_s + 60) is not None
    again.load(kept)
    assert again.add("r-9", late_s + 61) is None
    assert again.add("meanwhile", late_s + 61) is None
    assert again.add("r-0", late_s + 61, NOW_S) is None, "pushed out, and known by its time"


def test_a_clock_that_is_set_while_the_ids_are_unread_refuses_nothing_for_that(monkeypatch):
    mono_s = [5000.0]
    monkeypatch.setattr(time, "monotonic", lambda: mono_s[0])
    seen = SeenRequests(limit=10)
    seen.unread()
    mono_s[0] += 60.0
    for set_s in (NOW_S - 30 * 86400.0, NOW_S + 30 * 86400.0):
        assert seen.add(f"before-{set_s}", set_s, set_s - 61.0) is None
        assert seen.add(f"after-{set_s}", set_s, set_s) is not None


def test_ids_whose_day_is_over_make_nothing_repeated():
    seen = SeenRequests(limit=10)
    fill(seen, 10)
    later_s = NOW_S + 3600.0 + KEPT_S
    assert seen.add("new", later_s, later_s) is not None
    assert seen.add("delayed", later_s, NOW_S) is not None
