"""The birth: what the room has, said once for each connection."""

from __future__ import annotations

from controller.core.room import Room
from controller.feed.messages import VERSION, Birth, BirthAlarm, BirthOutput, BirthPoint
from controller.snapshot import About
from controller.texts import text


def birth(room: Room, about: About, board: str) -> Birth:
    """Return the birth; alarms are named in the room's language."""
    return Birth(
        VERSION,
        about.boot,
        about.software,
        board,
        tuple(BirthPoint(p.id, p.kind, p.role, p.unit, p.place) for p in room.points.values()),
        tuple(BirthOutput(o.id, o.role, o.scope, o.place) for o in room.outputs.values()),
        tuple(
            BirthAlarm(
                alarm.id,
                alarm.priority.value,
                text(about.locale, f"alarm.{alarm.condition}", {"subject": alarm.subject}),
            )
            for alarm in room.alarms.values()
        ),
    )
