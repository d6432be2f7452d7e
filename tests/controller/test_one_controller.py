"""One room has one controller, one record, and takes each request once."""

from __future__ import annotations

import pytest

from controller.rundir import run_dir
from firmware.assembly import AlreadyRunning, Controller


def test_a_restart_is_recorded_after_what_was_recorded_before(bench):
    bench.start()
    bench.door.request("silence")
    bench.restart()
    events = bench.events()
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert [e["subject"] for e in events if e["cause"] == "started"] == ["controller"] * 2


def test_a_second_controller_of_the_same_room_is_refused(bench):
    bench.start()
    with pytest.raises(AlreadyRunning, match="another roomwarden guards this room"):
        Controller(bench.controller.file, bench.config)
    assert bench.state()["state"] == "normal"


def test_the_same_room_through_a_link_is_refused_too(bench, tmp_path):
    bench.start()
    link = tmp_path / "link"
    link.symlink_to(bench.folder)
    assert run_dir(link / "room.db") == bench.run


def test_an_id_is_refused_again_after_a_restart(bench):
    bench.start()
    assert bench.door.request("silence", id="press-1")["status"] == "done"
    bench.restart()
    again = bench.door.request("silence", id="press-1")
    assert (again["status"], again["why"]["id"]) == ("refused", "refused.repeated")
    assert bench.door.request("silence", id="press-2")["status"] == "done"
