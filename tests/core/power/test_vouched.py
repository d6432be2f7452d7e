"""What asks for stops and what allows starts never both hold."""

from __future__ import annotations

import pytest

from tests.core.power.outages import STANDBY
from tests.core.powerrooms import room, stage

pytestmark = pytest.mark.slow


def vouched_for(rig):
    """The UPS died with its battery, and a person says that the mains is back."""
    rig.mains_fails()
    rig.run(30.0)
    rig.ups.says = {"battery-low": True}
    rig.run(5.0)
    rig.ups.silent = True
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)
    rig.mains_returns()
    rig.run(40.0)
    rig.ask("confirm-mains", privileged=True)


def lost_on_bypass(rig):
    rig.ups.says = {"supply": "bypass"}
    rig.run(10.0)
    rig.ups.silent = True
    rig.run_until(lambda: rig.phase("standby") == "down", 200.0)
    rig.ask("confirm-mains", privileged=True)


@pytest.mark.parametrize(("happens", "contact"), [(vouched_for, True), (lost_on_bypass, False)])
def test_a_return_that_a_person_vouches_for_is_not_begun_again_and_again(rigged, happens, contact):
    stages, policy = (stage(1, after="10s"),), {"lost_sheds": True}
    rig = rigged(room(STANDBY, stages=stages, mains=contact, outage=policy))
    happens(rig)
    before = len(rig.events)
    rig.run_until(lambda: rig.phase("standby") == "running", 200.0)
    rig.run(120.0)
    assert rig.phase("standby") == "running"
    assert len(rig.events) - before < 30
