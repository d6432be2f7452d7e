"""A stop signal stays until it is taken back."""

from __future__ import annotations

import pytest

from tests.core.powerrooms import host, outlet, room, stage

pytestmark = pytest.mark.slow


def by_nut(start):
    """A room whose one host is stopped by NUT."""
    told = {"stop": "nut", "start": start, "outlet": "o1", "needs": 2}
    one = "".join(
        line + "\n"
        for line in host("one", 1, **told).splitlines()
        if not line.startswith("key_file") and "None" not in line
    )
    nut = '[nut]\naddress = "127.0.0.1:3493"\nusername = "u"\npassword_file = "p"\n'
    return room(outlet("o1", 11), one, stages=(stage(1, after="10s"),)) + nut


def test_a_signal_that_cannot_be_taken_back_is_an_alarm_until_it_is(rigged):
    rig = rigged(by_nut(None))
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("one") == "down", 300.0)
    rig.run(100.0)
    assert rig.alarm("one.signal-stands") == "normal"
    rig.servers["one"].deaf = True
    rig.mains_returns()
    rig.servers["one"].body.start()
    rig.run_until(lambda: rig.alarm("one.signal-stands").startswith("active"), 120.0)
    assert len(rig.sent("one")) >= 6
    rig.servers["one"].deaf = False
    rig.run_until(lambda: rig.alarm("one.signal-stands").startswith("returned"), 15.0)


@pytest.mark.parametrize("start", ["outlet", None, "wol://02:00:00:00:00:02"], ids=str)
def test_the_signal_that_stopped_a_host_is_taken_back_before_it_boots(rigged, start):
    rig = rigged(by_nut(start))
    assert rig.sent("one") == ["clear"], "whatever an earlier life has left"
    rig.mains_fails()
    rig.run_until(lambda: rig.phase("one") == "down", 300.0)
    rig.run(100.0)
    assert rig.sent("one") == ["clear", "stop"], "not while the outage lasts"
    rig.mains_returns()
    rig.run_until(lambda: rig.sent("one")[2:3] == ["clear"], 100.0)
    if start is None:
        rig.servers["one"].body.start()
    rig.run_until(lambda: rig.phase("one") == "running", 400.0)
    assert rig.sent("one")[2:] in (["clear"], ["clear", "start"])
    assert not rig.plan.host("one").signal
