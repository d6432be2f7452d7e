"""The present: every state and alarm as it is now, sent when it differs from what was sent.

Nothing is queued here: a point that moves a hundred times while the broker is away is one
message when it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from controller.clock import Clock
from controller.core.alarms import Alarm, AlarmSpec
from controller.core.priority import OutputSpec
from controller.core.priority import OutputState as Commanded
from controller.core.reading import NEVER_READ
from controller.core.room import Room
from controller.core.rules.base import Seen
from controller.core.rules.proof import actual
from controller.feed.link import Link
from controller.feed.messages import AlarmState, OutputState, PointState, Why, encoded
from controller.guard import Published
from controller.plain import Stamps
from controller.snapshot import Snapshots


class Present:
    """What one connection was told so far of the room as it stands."""

    def __init__(self, room: Room, snapshots: Snapshots, clock: Clock, root: str) -> None:
        self._room = room
        self._snapshots = snapshots
        self._clock = clock
        self._root = root
        self._sent: dict[str, object] = {}
        self._looked: Published | None = None

    @property
    def topics(self) -> set[str]:
        """Every topic on which something of the room is retained here."""
        states = (*self._room.points, *self._room.outputs)
        names = (*(f"state/{id}" for id in states), *(f"alarm/{id}" for id in self._room.alarms))
        return {f"{self._root}/{name}" for name in names}

    def send(self, link: Link, published: Published, ahead: int) -> bool:
        """Send what has changed; False when the link could not take all of it now.

        Alarms that stand go before quiet ones. `ahead`: what the journal's numbers are ahead of
        the guard's.
        """
        if published is self._looked:
            return True
        news = _News(self, link, published, ahead)
        alarms = published.decision.memory.alarms.alarms
        specs = self._room.alarms
        told = (
            all(news.point(id) for id in self._room.points)
            and all(news.output(spec) for spec in self._room.outputs.values())
            and all(news.alarm(specs[id]) for id in alarms)
            and all(news.alarm(spec) for id, spec in specs.items() if id not in alarms)
        )
        if told:
            self._looked = published
        return told


class _News:
    """One look at the room; each method is False when the link is full."""

    def __init__(self, present: Present, link: Link, published: Published, ahead: int) -> None:
        self._sent = present._sent
        self._root = present._root
        self._snapshots = present._snapshots
        self._link = link
        self._published = published
        self._points = published.decision.points
        self._memory = published.decision.memory
        permits = frozenset(self._memory.alarms.permits)
        self._seen = Seen(self._points, self._memory.outputs, published.now, permits)
        self._stamps = Stamps(published.now, present._clock)
        self._seq = published.seq + ahead

    def point(self, id: str) -> bool:
        reading = self._points.get(id, NEVER_READ)

        def message() -> PointState:
            shown = self._snapshots.point(id, self._points, self._stamps)
            return PointState(
                shown["value"], shown["unit"], shown["quality"], shown["at"], self._seq
            )

        return self._tell(f"state/{id}", 0, (reading.value, reading.quality), message)

    def output(self, spec: OutputSpec) -> bool:
        state = self._memory.outputs[spec.id]

        def message() -> OutputState:
            shown: Any = self._snapshots.output(
                spec, state, self._published, self._seen, self._stamps
            )
            return OutputState(
                shown["commanded"],
                shown["actual"],
                shown["slot"],
                shown["reason"],
                Why(**shown["why"]),
                shown["since"],
                self._seq,
            )

        key = (_without_pulse(state), actual(spec, self._seen))
        return self._tell(f"state/{spec.id}", 0, key, message)

    def alarm(self, spec: AlarmSpec) -> bool:
        list_ = self._memory.alarms

        def message() -> AlarmState:
            shown = self._snapshots.alarm(spec, self._published, self._stamps)
            fields = {name: shown[name] for name in AlarmState.__struct_fields__ if name in shown}
            return AlarmState(**fields, seq=self._seq)

        key = (_without_delays(list_.of(spec.id)), list_.is_out_of_service(spec))
        return self._tell(f"alarm/{spec.id}", 1, key, message)

    def _tell(
        self, topic: str, qos: int, key: object, message: Callable[[], msgspec.Struct]
    ) -> bool:
        if self._sent.get(topic) == key:
            return True
        if not self._link.room_for(qos=qos):
            return False
        payload = encoded(message())
        self._link.publish(f"{self._root}/{topic}", payload, qos=qos, retain=True)
        self._sent[topic] = key
        return True


def _without_pulse(state: Commanded) -> Commanded:
    return state if state.pulsed_s is None else msgspec.structs.replace(state, pulsed_s=None)


def _without_delays(alarm: Alarm) -> Alarm:
    """A delay that begins to run is nobody's news."""
    if alarm.pending_s is None and alarm.clearing_s is None:
        return alarm
    return msgspec.structs.replace(alarm, pending_s=None, clearing_s=None)
