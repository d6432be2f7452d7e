"""The guard: scans on the thread that brings a change, acts, and hands on what was decided.

Order: act first, then record. Under the lock nothing can block: the record, the panel and the
feed get what was decided through a queue, on the scribe's thread.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from controller.clock import Clock
from controller.core.event import Event, Recorded
from controller.core.memory import Memory, encode
from controller.core.parts import DeviceError, Relay
from controller.core.priority import coil
from controller.core.reading import Now, Quality, Reading
from controller.core.request import Answer, Request, Status
from controller.core.room import Room
from controller.core.rules.base import Command
from controller.core.rules.system import PREFIX
from controller.core.scan import Decision, scan
from controller.intake import Intake
from controller.journal.codec import Stored
from controller.lines import LineFile
from controller.threads import Supervised

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""Real time between two looks at every contact's level beside its edges."""

_RESCAN_S = 0.01
_KEEP_S = 60.0
"""What is not worth a write by itself is written down this often, in real time."""


class Recorder(Protocol):
    """The journal, as the guard needs it."""

    def record(
        self,
        events: Sequence[Recorded],
        memory: tuple[str, float, float] | None = None,
        readings: Sequence[Stored] = (),
    ) -> None: ...


class Published(msgspec.Struct, frozen=True):
    """One scan's outcome as the panel and the feed see it. `seq`: the last event up to it."""

    number: int
    now: Now
    decision: Decision
    seq: int
    events: tuple[Recorded, ...]
    changed_points: tuple[str, ...]


Listener = Callable[[Published], None]


class Guard:
    """Guards one room. `relays`: each output's coil, None where it could not be opened.

    `commanders` take a projector's commands. Readings come by `bring`, edges by `edge`, requests
    by `ask`; all of them from any thread.
    """

    def __init__(
        self,
        room: Room,
        clock: Clock,
        memory: Memory,
        intake: Intake,
        relays: Mapping[str, Relay | None],
        lines: LineFile,
        journal: Recorder,
        boot: str,
        seq: int,
        commanders: Mapping[str, Callable[[Command], None]] | None = None,
    ) -> None:
        self.room = room
        self.clock = clock
        self.boot = boot
        self.commanders = dict(commanders or {})
        self._memory = memory
        self._intake = intake
        self._relays = dict(relays)
        self._lines = lines
        self._journal = journal
        self._seq = seq
        self._image: dict[str, Reading] = {}
        now_s = clock.mono_s()
        self._driven = {
            id: (coil(room.outputs[id], memory.outputs[id], now_s), False) for id in relays
        }
        self._undriven: dict[str, str] = {}
        self._lock = threading.Lock()
        self._number = 0
        self._wake_s = 0.0
        self._bell = threading.Event()
        self._after: queue.SimpleQueue[tuple[int, Now, Decision] | None] = queue.SimpleQueue()
        self._waiting: dict[str, Callable[[Answer], None]] = {}
        self._listeners: list[Listener] = []
        self._points: dict[str, Reading] = {}
        self._kept_s = time.monotonic()
        self._failed_s: dict[str, float] = {}
        self.published: Published | None = None
        self.beat: Callable[[], None] = lambda: None
        self._threads = [
            Supervised("timer", self._timer, self.thread_failed),
            Supervised("scribe", self._scribe, self.thread_failed),
        ]

    def listen(self, listener: Listener) -> None:
        """Have `listener` called on the scribe's thread after each scan; it must not block."""
        self._listeners.append(listener)

    def start(self, events: Sequence[Event] = ()) -> None:
        """Take the first look at everything, decide, and go on by threads.

        `events`: what the restart has to record before anything else.
        """
        with self._lock:
            self._image |= self._intake.look_at_all(self.clock.mono_s())
            self._scan((), tuple(events))
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End cleanly: outputs stay as they are, and everything decided is handed on."""
        self._threads[0].stop.set()
        self._bell.set()
        self._threads[0].end()
        self._after.put(None)
        self._threads[1].end(timeout_s=5.0)
        with self._lock:
            self._write_memory(self.clock.now())

    def edge(self, contact: str) -> None:
        """A contact moved: look at it and decide, on this thread."""
        with self._lock:
            self._image[contact] = self._intake.look(contact, self.clock.mono_s())
            self._scan()

    def bring(self, readings: Mapping[str, Reading]) -> None:
        """New readings: take them and decide, on this thread."""
        with self._lock:
            self._image.update(readings)
            self._scan()

    def tell(self, fault: str, told: str | bool) -> None:
        """Bring a fault of the shell itself: its text, or False when it is over."""
        self.bring({PREFIX + fault: Reading(told, Quality.GOOD, self.clock.mono_s())})

    def ask(self, request: Request, answered: Callable[[Answer], None]) -> None:
        """Put a request to the gate; `answered` is called for each of its answers."""
        self._waiting[request.id] = answered
        try:
            with self._lock:
                self._scan((request,))
        except Exception:
            self._waiting.pop(request.id, None)
            raise

    def forget(self, request_id: str) -> None:
        """Whoever asked has gone."""
        self._waiting.pop(request_id, None)

    def thread_failed(self, name: str, fault: str) -> None:
        """A thread failed and is being replaced: an alarm that stands for a minute."""
        with self._lock:
            self._failed_s[name] = time.monotonic()
            told = Reading(f"{name}: {fault}", Quality.GOOD, self.clock.mono_s())
            self._image[PREFIX + "controller.thread-failed"] = told
            self._wake_s = 0.0
        self._bell.set()

    @property
    def scan_age_s(self) -> float:
        """How old the last scan is, in real time."""
        published = self.published
        if published is None:
            return float("inf")
        return self.clock.real_s(self.clock.mono_s() - published.now.mono_s)

    def _scan(self, requests: Sequence[Request] = (), events: tuple[Event, ...] = ()) -> None:
        """Decide and act; the caller holds the lock."""
        now = self.clock.now()
        decision = scan(self.room, self._memory, self._image, requests, now)
        if events:
            decision = msgspec.structs.replace(decision, events=(*events, *decision.events))
        if decision.moved or self._undriven:
            self._act(decision, now.mono_s)
        self._memory = decision.memory
        self._number += 1
        for command in decision.commands:
            commander = self.commanders.get(command.part)
            if commander is not None:
                commander(command)
        self._after.put((self._number, now, decision))
        wake_s = min(decision.wake_at_s, self._intake.wake_s())
        if decision.events:
            # What was just done may be what a rule was waiting for.
            wake_s = min(wake_s, now.mono_s + _RESCAN_S * self.clock.pace)
        sooner = wake_s < self._wake_s
        self._wake_s = wake_s
        if sooner:
            self._bell.set()

    def _act(self, decision: Decision, now_s: float) -> None:
        for id in (*decision.moved, *self._undriven):
            state = decision.memory.outputs[id]
            wanted = (coil(self.room.outputs[id], state, now_s), state.intermittent)
            if self._driven.get(id) == wanted and id not in self._undriven:
                continue
            self._lines.write(id, state.on)
            relay = self._relays.get(id)
            try:
                if relay is None:
                    raise DeviceError("its line could not be opened")
                relay.drive(*wanted)
            except DeviceError as error:
                if id not in self._undriven:
                    log.error("%s was not driven: %s", id, error)
                self._undriven[id] = str(error)
            else:
                self._undriven.pop(id, None)
            self._driven[id] = wanted

    def _timer(self, stop: threading.Event) -> None:
        """Scan when time alone changes something, and look at every level now and then."""
        look_s = 0.0
        while not stop.is_set():
            self._bell.clear()
            wait_s = self.clock.real_s(self._wake_s - self.clock.mono_s())
            if wait_s > 0 and self._bell.wait(min(wait_s, LOOK_S)):
                continue
            self.beat()
            real_s = time.monotonic()
            with self._lock:
                now_s = self.clock.mono_s()
                if real_s >= look_s or now_s >= self._intake.wake_s():
                    look_s = real_s + LOOK_S
                    seen = self._intake.look_at_all(now_s)
                    changed = any(self._image.get(id) is not r for id, r in seen.items())
                    self._image |= seen
                    self._own_state(real_s)
                    if not changed and now_s < self._wake_s:
                        continue
                self._scan()

    def _own_state(self, real_s: float) -> None:
        """Bring what the guard knows of itself into the image."""
        over = [name for name, at_s in self._failed_s.items() if real_s - at_s > 60.0]
        for name in over:
            del self._failed_s[name]
        now = self.clock.now()
        faults: dict[str, str | bool] = {
            "clock.unsynchronised": not now.synchronised,
            "controller.output-failed": "; ".join(
                f"{id}: {fault}" for id, fault in self._undriven.items()
            )
            or False,
        }
        if not self._failed_s:
            faults["controller.thread-failed"] = False
        for name, told in faults.items():
            held = self._image.get(PREFIX + name)
            if held is None or held.value != told:
                self._image[PREFIX + name] = Reading(told, Quality.GOOD, now.mono_s)

    def _scribe(self, stop: threading.Event) -> None:
        """Record, publish and answer, in the order in which things were decided."""
        while True:
            batch = [self._after.get()]
            while len(batch) < 100 and not self._after.empty():
                batch.append(self._after.get())
            self._record([item for item in batch if item is not None])
            if any(item is None for item in batch):
                return

    def _record(self, batch: Sequence[tuple[int, Now, Decision]]) -> None:
        recorded: list[Recorded] = []
        readings: list[Stored] = []
        published: list[Published] = []
        for number, now, decision in batch:
            own = []
            for event in decision.events:
                self._seq += 1
                own.append(Recorded(self._seq, self.boot, now.wall_s, event))
            recorded += own
            changed = self._changed(decision, now, readings)
            published.append(Published(number, now, decision, self._seq, tuple(own), changed))
        if not batch:
            return
        memory = None
        _, now, last = batch[-1]
        due = time.monotonic() - self._kept_s > _KEEP_S
        if recorded or due or any(decision.durable for _, _, decision in batch):
            self._kept_s = time.monotonic()
            memory = (encode(last.memory), now.mono_s, now.wall_s)
        if recorded or memory or readings:
            self._journal.record(recorded, memory, readings)
        for outcome in published:
            self.published = outcome
            for listener in self._listeners:
                listener(outcome)
            for answer in outcome.decision.answers:
                self._answer(answer)

    def _changed(self, decision: Decision, now: Now, readings: list[Stored]) -> tuple[str, ...]:
        """Note which points changed, and what of that the journal is to store."""
        changed = []
        for id in self.room.points:
            reading = decision.points.get(id)
            before = self._points.get(id)
            if reading is None or reading is before:
                continue
            self._points[id] = reading
            moved = before is None or (reading.value, reading.quality) != (
                before.value,
                before.quality,
            )
            if moved:
                changed.append(id)
            if moved or reading.at_s != (before.at_s if before is not None else None):
                age_s = self.clock.real_s(now.mono_s - reading.at_s)
                at_s = now.wall_s if reading.quality is not Quality.GOOD else now.wall_s - age_s
                readings.append(Stored(id, int(at_s * 1000), reading.value, reading.quality))
        return tuple(changed)

    def _answer(self, answer: Answer) -> None:
        final = answer.status is not Status.ACCEPTED
        answered = self._waiting.pop(answer.id, None) if final else self._waiting.get(answer.id)
        if answered is not None:
            answered(answer)

    def _write_memory(self, now: Now) -> None:
        self._journal.record((), (encode(self._memory), now.mono_s, now.wall_s))
