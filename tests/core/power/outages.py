"""What the tests of an outage share."""

from __future__ import annotations

from tests.core.powerrooms import host, outlet, room, stage

STANDBY = host("standby", 1)

OFFICE = host("office", 2)

LATE = stage(2, runtime_below="1s")
"""A stage that begins by nothing but a low battery, here."""

BY_TIME = room(STANDBY, OFFICE, stages=(stage(1, after="60s"), stage(2, after="5min")))


def all_down(rig):
    return set(rig.phases().values()) == {"down"}


def asked_s(rig, host):
    """When the host was first told to stop."""
    return next(at_s for at_s, action in rig.servers[host].sent if action == "stop")


def plan_events(rig, subject, cause):
    return [
        (at_s, event)
        for at_s, event in rig.events
        if event.kind == "plan" and event.subject == subject and event.cause == cause
    ]


WITH_OUTLETS = (outlet("standby-outlet", 12), outlet("office-outlet", 20))
