"""The guard: scans on the thread that brings a change, acts, and hands on what was decided.

Order: act first, then record. Under the lock nothing can block: the record, the panel and the
feed get what was decided through a queue, on the scribe's thread. Only a plan's irreversible
step waits for its record: it is demanded by a scan that sees `system.plan-recorded`.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from controller.clock import Clock
from controller.core.event import Event, Recorded
from controller.core.memory import Memory, encode
from controller.core.parts import DeviceError, Relay
from controller.core.priority import OutputState, coil
from controller.core.reading import Now, Quality, Reading
from controller.core.reason import why
from controller.core.request import Answer, Request, Status
from controller.core.room import Room
from controller.core.rules.base import Command
from controller.core.rules.system import PREFIX
from controller.core.scan import Decision, annunciate, judge
from controller.intake import Intake
from controller.journal.codec import Stored
from controller.lines import LineFile
from controller.threads import Supervised

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""Real time between two looks at every contact's level beside its edges."""

_GATHER_S = 0.05
"""Real time in which readings gather; air and lamps change in seconds."""

_RESCAN_S = 0.01
_PAUSE_S = 0.002
"""Real time between two scans that time alone asks for, whatever a rule says of its next one."""

_LONGEST_BACK_OFF_S = 1.0
_KEEP_S = 60.0
"""What is not worth a write by itself is written down this often, in real time."""

PLAN_RECORDED = PREFIX + "plan-recorded"
"""The last step of a plan that is on the disk, with every event before it: its number."""

_STEPS_HELD = 256
"""Steps of a plan that wait for the disk; what comes later stands for those before it."""


class Recorder(Protocol):
    """The journal, as the guard needs it. `fault`: what keeps it from the disk."""

    @property
    def fault(self) -> str | None: ...

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
Answered = Callable[[Answer], None]
T = TypeVar("T")


class _Decided(NamedTuple):
    """What a scan hands to the scribe; `answered` is told the answer to the request it took."""

    number: int
    now: Now
    decision: Decision
    answered: Answered | None


class Guard:
    """Guards one room. `relays`: each output's coil, None where it could not be opened.

    `commanders` take the commands of projectors, UPSes and hosts, under the lock: they must not
    wait. Readings come by `bring`, edges by `edge`, requests by `ask`; all from any thread.
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
        # As they were claimed. A pulse may have ended since: the first scan drives those anew.
        self._driven = {
            id: (coil(room.outputs[id], memory.outputs[id], now_s), False)
            for id, relay in relays.items()
            if relay is not None and room.outputs[id].pulse_s is None
        }
        self._undriven: dict[str, str] = {}
        self._lock = threading.Lock()
        self._number = 0
        self._first = threading.Event()
        self._closed = False
        self._brought_s = 0.0
        self._wake_s = 0.0
        self._bell = threading.Event()
        self._after: queue.SimpleQueue[_Decided | None] = queue.SimpleQueue()
        self._waiting: dict[str, Answered] = {}
        self._steps: deque[tuple[int, float]] = deque(maxlen=_STEPS_HELD)
        self._durable_seq = 0
        self._listeners: list[Listener] = []
        self._points: dict[str, Reading] = {}
        self._kept_s = time.monotonic()
        self._failed_s: dict[str, float] = {}
        self.published: Published | None = None
        self.beat: Callable[[], None] = lambda: None
        self._threads = [
            Supervised("timer", self._timer, self.thread_failed, _LONGEST_BACK_OFF_S),
            Supervised("scribe", self._scribe, self.thread_failed, _LONGEST_BACK_OFF_S),
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
        # Who asks from here on is shown a room that was looked at.
        self._first.wait(timeout=5.0)

    def close(self) -> None:
        """End cleanly: outputs stay as they are, and everything decided is handed on."""
        self._threads[0].stop.set()
        self._bell.set()
        self._threads[0].end()
        self._after.put(None)
        self._threads[1].end(timeout_s=5.0)
        with self._lock:
            # What comes now is for the next start, which looks at everything.
            self._closed = True
            self._write_memory(self.clock.now())

    def edge(self, contact: str) -> None:
        """A contact moved: look at it and decide, on this thread, which must live."""
        try:
            with self._lock:
                if self._number == 0 or self._closed:
                    return  # `start` looks at everything
                self._image[contact] = self._intake.look(contact, self.clock.mono_s())
                self._scan()
        except Exception as error:
            log.exception("what an edge of %s set off has failed", contact)
            self.thread_failed(f"edge of {contact}", f"{type(error).__name__}: {error}")

    def bring(self, readings: Mapping[str, Reading]) -> None:
        """New readings: take them and decide, on this thread.

        Those that come within `_GATHER_S` of the last are decided on together, by the timer: a
        hundred sensors must not keep an edge from the lock.
        """
        with self._lock:
            self._image.update(readings)
            if not self._number or self._closed:
                return
            real_s = time.monotonic()
            if real_s - self._brought_s >= _GATHER_S:
                self._brought_s = real_s
                self._scan()
                return
            due_s = self.clock.mono_s() + _GATHER_S * self.clock.pace
            sooner = due_s < self._wake_s
            self._wake_s = min(self._wake_s, due_s)
        if sooner:
            self._bell.set()

    def tell(self, fault: str, told: str | bool) -> None:
        """Bring a fault of the shell itself: its text, or False when it is over."""
        self.bring({PREFIX + fault: Reading(told, Quality.GOOD, self.clock.mono_s())})

    def note(self, events: Sequence[Event]) -> None:
        """Have something of the shell's own recorded; nothing is decided on it."""
        with self._lock:
            if not self._closed:
                self._scan((), tuple(events))

    def recorded(self, seq: int) -> None:
        """Every event up to `seq` is on the disk. From the journal's thread: it takes no lock,
        so that neither ever waits for the other; the timer looks at it at once."""
        self._durable_seq = seq
        self._bell.set()

    def ask(self, request: Request, answered: Answered) -> None:
        """Put a request to the gate; `answered` is called for each of its answers.

        Who repeats another's id gets the refusal, and that other still gets its own answers.
        """
        with self._lock:
            if not self._closed:
                self._scan((request,), answered=answered)
                return
        answered(Answer(request.id, Status.REFUSED, why("refused.ending")))

    def forget(self, request_id: str, answered: Answered) -> None:
        """Whoever asked with `answered` has gone; another who uses the same id has not."""
        if self._waiting.get(request_id) == answered:
            self._waiting.pop(request_id, None)

    def thread_failed(self, name: str, fault: str) -> None:
        """A thread or a callback failed and goes on: an alarm, until a minute without a failure.

        The first failure is told at once. Those that follow only keep the alarm standing, so
        that something that fails at each scan does not bring on the next one.
        """
        with self._lock:
            is_known = name in self._failed_s
            self._failed_s[name] = time.monotonic()
            if is_known:
                return
            told = Reading(f"{name}: {fault}", Quality.GOOD, self.clock.mono_s())
            self._image[PREFIX + "controller.thread-failed"] = told
            self._wake_s = 0.0
        self._bell.set()

    def _scan(
        self,
        requests: Sequence[Request] = (),
        events: tuple[Event, ...] = (),
        answered: Answered | None = None,
    ) -> None:
        """Decide and act; the caller holds the lock."""
        now = self.clock.now()
        judged = judge(self.room, self._memory, self._image, requests, now)
        if self._number == 0:
            self._act(tuple(self._relays), judged.outputs, now.mono_s)
        elif judged.moved or self._undriven:
            self._act((*judged.moved, *self._undriven), judged.outputs, now.mono_s)
        decision = annunciate(self.room, judged)
        if len(decision.moved) > len(judged.moved):
            self._act(decision.moved, decision.memory.outputs, now.mono_s)
        if events:
            decision = msgspec.structs.replace(decision, events=(*events, *decision.events))
        self._memory = decision.memory
        self._number += 1
        self._after.put(_Decided(self._number, now, decision, answered))
        for command in decision.commands:
            commander = self.commanders.get(command.part)
            if commander is not None:
                commander(command)
        wake_s = min(decision.wake_at_s, self._intake.wake_s())
        if decision.events:
            # What was just done may be what a rule was waiting for.
            wake_s = min(wake_s, now.mono_s + _RESCAN_S * self.clock.pace)
        wake_s = max(wake_s, now.mono_s + _PAUSE_S * self.clock.pace)
        sooner = wake_s < self._wake_s
        self._wake_s = wake_s
        if sooner:
            self._bell.set()

    def _act(self, ids: Sequence[str], outputs: Mapping[str, OutputState], now_s: float) -> None:
        """Drive the outputs `ids`. One that fails takes no other with it, and is tried again."""
        for id in ids:
            state = outputs[id]
            wanted = (coil(self.room.outputs[id], state, now_s), state.intermittent)
            if self._driven.get(id) == wanted and id not in self._undriven:
                continue
            self._lines.write(id, state.on)
            relay = self._relays.get(id)
            try:
                if relay is None:
                    raise DeviceError("its line could not be opened")
                relay.drive(*wanted)
            except Exception as error:
                # Whatever a driver raises: the room is guarded by the other outputs.
                if id not in self._undriven:
                    ours = not isinstance(error, DeviceError)
                    log.error("%s was not driven: %s", id, error, exc_info=ours)
                self._undriven[id] = str(error) or type(error).__name__
            else:
                self._undriven.pop(id, None)
            self._driven[id] = wanted

    def _timer(self, stop: threading.Event) -> None:
        """Scan when time alone changes something, and look at every level now and then."""
        look_s = 0.0
        while not stop.is_set():
            self._bell.clear()
            step = self._recorded_step()
            if step is not None:
                with self._lock:
                    now_s = self.clock.mono_s()
                    self._image[PLAN_RECORDED] = Reading(step, Quality.GOOD, now_s)
                    self._scan()
                continue
            wait_s = self.clock.real_s(self._wake_s - self.clock.mono_s())
            wait_s = min(wait_s, look_s - time.monotonic())
            if wait_s > 0 and self._bell.wait(wait_s):
                continue
            real_s = time.monotonic()
            with self._lock:
                now_s = self.clock.mono_s()
                if real_s >= look_s or now_s >= self._intake.wake_s():
                    look_s = real_s + LOOK_S
                    seen = self._intake.look_at_all(now_s)
                    changed = any(self._image.get(id) is not r for id, r in seen.items())
                    self._image |= seen
                    changed |= self._own_state(real_s)
                    if changed or now_s >= self._wake_s:
                        self._scan()
                else:
                    self._scan()
            self.beat()

    def _recorded_step(self) -> float | None:
        """Take the last step of a plan that has become durable since; None when none has."""
        step = None
        while self._steps and self._steps[0][0] <= self._durable_seq:
            _, step = self._steps.popleft()
        return step

    def _own_state(self, real_s: float) -> bool:
        """Bring what the guard knows of itself into the image; return whether that changed."""
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
            "journal.failing": self._journal.fault or False,
        }
        if not self._failed_s:
            faults["controller.thread-failed"] = False
        changed = False
        for name, told in faults.items():
            held = self._image.get(PREFIX + name)
            if held is None or held.value != told:
                self._image[PREFIX + name] = Reading(told, Quality.GOOD, now.mono_s)
                changed = True
        return changed

    def _scribe(self, stop: threading.Event) -> None:
        """Record, publish and answer, in the order in which things were decided."""
        while True:
            batch = [self._after.get()]
            while len(batch) < 100 and not self._after.empty():
                batch.append(self._after.get())
            self._record([item for item in batch if item is not None])
            if any(item is None for item in batch):
                return

    def _record(self, batch: Sequence[_Decided]) -> None:
        recorded: list[Recorded] = []
        readings: list[Stored] = []
        published: list[tuple[Published, Answered | None]] = []
        for number, now, decision, answered in batch:
            own = []
            for event in decision.events:
                self._seq += 1
                if event.kind == "plan" and "step" in event.data:
                    # Before the journal gets it, so that it cannot be told too early.
                    self._steps.append((self._seq, float(event.data["step"])))
                own.append(Recorded(self._seq, self.boot, now.wall_s, event))
            recorded += own
            changed = self._changed(decision, now, readings)
            outcome = Published(number, now, decision, self._seq, tuple(own), changed)
            published.append((outcome, answered))
        if not batch:
            return
        memory = None
        _, now, last, _ = batch[-1]
        due = time.monotonic() - self._kept_s > _KEEP_S
        if recorded or due or any(decided.decision.durable for decided in batch):
            self._kept_s = time.monotonic()
            memory = (encode(last.memory), now.mono_s, now.wall_s)
        if recorded or memory or readings:
            self._journal.record(recorded, memory, readings)
        for outcome, answered in published:
            self.published = outcome
            self._first.set()
            for listener in self._listeners:
                self._call(listener, outcome)
            for place, answer in enumerate(outcome.decision.answers):
                # The gate answers first; what comes after it concerns requests of before.
                self._answer(answer, answered if place == 0 else None)

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

    def _answer(self, answer: Answer, asked: Answered | None) -> None:
        if asked is not None and answer.status is Status.ACCEPTED:
            self._waiting[answer.id] = asked
        elif asked is None:
            is_final = answer.status is not Status.ACCEPTED
            asked = (self._waiting.pop if is_final else self._waiting.get)(answer.id, None)
        if asked is not None:
            self._call(asked, answer)

    def _call(self, callback: Callable[[T], None], told: T) -> None:
        """Call somebody else's function; its error costs nobody else anything."""
        try:
            callback(told)
        except Exception as error:
            name = getattr(callback, "__qualname__", "a callback")
            log.exception("%s failed", name)
            self.thread_failed(name, f"{type(error).__name__}: {error}")

    def _write_memory(self, now: Now) -> None:
        self._journal.record((), (encode(self._memory), now.mono_s, now.wall_s))
