"""The outbox at its stated size, with the broker away: bounded, and the loss is told aloud."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controller.journal import verify_chain
from tests.feed.room import fill
from tests.system.house import House, wait

pytestmark = pytest.mark.system

BEFORE = 50_000
"""Events of a long cut, some 12 MB."""


def test_a_cut_longer_than_the_record_loses_the_oldest_and_says_which(
    new_house: Callable[..., House], start_broker: Callable[[int], None]
) -> None:
    house = new_house({'path = "room.db"': 'path = "room.db"\nsize = "10MB"'})
    fill(house.folder, 1, BEFORE)
    house.start_controller()
    wait(lambda: "feed.events-lost" in house.alarms(), what="the alarm")
    wait(lambda: house.state()["journal"]["bytes"] < 10_000_000, what="a journal within its size")

    def told() -> list[dict[str, int]]:
        return [e["data"] for e in house.events() if e["cause"] == "events-lost"]

    wait(lambda: told()[-1]["to"] == house.events()[0]["seq"] - 1, what="word of all that went")
    events, lost = house.events(), told()
    assert len(lost) > 1
    assert lost[0]["from"] == 1
    assert [one["from"] for one in lost[1:]] == [one["to"] + 1 for one in lost[:-1]]
    assert [one["count"] for one in lost] == [1 + one["to"] - one["from"] for one in lost]
    gone = lost[-1]["to"]
    assert 0 < gone < BEFORE
    assert events[0]["seq"] == gone + 1
    alarm = next(a for a in house.state()["alarms"] if a["id"] == "feed.events-lost")
    assert (alarm["state"], alarm["priority"]) == ("active-unacknowledged", "high")
    assert alarm["values"]["fault"] == "1"

    start_broker(house.broker_port)
    wait(lambda: house.state()["feed"]["connected"], what="the feed")
    wait(lambda: house.state()["feed"]["backlog"] == 0, 120.0, "an empty outbox")
    wait(
        lambda: next(
            a["state"] == "returned-unacknowledged"
            for a in house.state()["alarms"]
            if a["id"] == "feed.events-lost"
        ),
        what="the end of the alarm",
    )
    report = verify_chain(house.store)
    assert (report.faults, report.trimmed) == ((), gone)
