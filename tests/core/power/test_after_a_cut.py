"""The return after a cut and its restore."""

from __future__ import annotations

import pytest

from tests.core.power.outages import STANDBY
from tests.core.power.returns import OFFICE, STAGES, started_s, up_again
from tests.core.powerrooms import CUTS, SMOKE, host, outlet, room

pytestmark = pytest.mark.slow


def test_after_a_fire_cut_and_its_restore_hosts_start_one_by_one_by_the_plan(rigged):
    rig = rigged(
        room(
            SMOKE, CUTS, outlet("standby-outlet", 12), outlet("office-outlet", 20),
            host("standby", 1, outlet="standby-outlet", start="outlet"),
            host("office", 2, outlet="office-outlet", start="outlet"),
            stages=STAGES,
        )
        + '[fire]\nfed = "outside"\n'
    )  # fmt: skip
    rig.set("smoke-1", True)
    rig.run(1.0)
    rig.set("smoke-2", True)
    rig.run(120.0)
    assert rig.on("ups-cut")
    rig.set("smoke-1", False)
    rig.set("smoke-2", False)
    rig.run(5.0)
    rig.ask("reset", alarm="fire.confirmed")
    rig.ask("restore")
    rig.run(1.0)
    assert not any(server.body.is_running for server in rig.servers.values())
    rig.run_until(lambda: rig.servers["office"].body.is_up, 300.0, 0.5)
    assert not rig.servers["standby"].body.is_running
    rig.run_until(lambda: up_again(rig), 300.0)


def test_after_a_cut_by_hand_hosts_without_outlets_start_by_the_plan_too(rigged):
    rig = rigged(room(STANDBY, OFFICE, SMOKE, CUTS, stages=STAGES) + '[fire]\nfed = "outside"\n')
    rig.ask("cut")
    rig.run(120.0)
    assert all(server.body.hard_cuts == 1 for server in rig.servers.values())
    for server in rig.servers.values():
        server.body._ran_before_loss = False
    rig.ask("restore")
    rig.run_until(lambda: up_again(rig), 500.0)
    assert started_s(rig, "office")[0] < started_s(rig, "standby")[0]
