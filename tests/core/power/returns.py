"""What the tests of a return share."""

from __future__ import annotations

from tests.core.power.outages import STANDBY, all_down
from tests.core.powerrooms import SMOKE, host, room, stage

OFFICE = host("office", 2, initialise=["command:/usr/local/bin/start-office-system"])

STAGES = (stage(1, after="10s"), stage(2, after="15s"))

BANDS = {
    "charge_above": 40, "voltage": [198, 242], "frequency": [49, 51], "temperature_below": 28.0,
}  # fmt: skip

TABLES = room(STANDBY, OFFICE, SMOKE, stages=STAGES, return_=BANDS)


def down(rig, rest_s=40.0):
    rig.mains_fails()
    rig.run_until(lambda: all_down(rig), 400.0)
    rig.run(rest_s)
    return rig


def item(rig, id):
    return next(one for one in rig.view()["permissive"]["items"] if one["id"] == id)


def started_s(rig, host):
    """When it was told to start, for each time."""
    return [at_s for at_s, action in rig.servers[host].sent if action == "start"]


def up_again(rig):
    return set(rig.phases().values()) == {"running"} and all(
        server.body.is_up for server in rig.servers.values()
    )
