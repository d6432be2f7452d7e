"""What the tests of the judgement share."""

from __future__ import annotations

from controller.core.request import Status
from tests.core.powerrooms import LIGHTS, host, room, stage

HOSTS = (host("standby", 1),)

AFTER = (stage(1, after="60s"),)

GUARDED = room(LIGHTS, *HOSTS, stages=AFTER)

NO_CONTACT = room(LIGHTS, *HOSTS, stages=AFTER, mains=False)


def state(rig):
    return rig.point("power.state").value


def sheds(rig, within_s=100.0):
    """Whether the server is told to stop within the time."""
    end_s = rig.at_s + within_s
    while rig.at_s < end_s and not rig.sent("standby"):
        rig.run(min(5.0, end_s - rig.at_s))
    return "stop" in rig.sent("standby")


def may_start(rig):
    """Whether the lights may be switched on; they go off again."""
    answer = rig.request("switch", output="lights", to="on", for_="10min")
    if answer.status is Status.REFUSED:
        assert answer.reason is not None
        return False
    rig.ask("release", output="lights")
    return True
