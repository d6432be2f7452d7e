"""The controller, put together: the one place that builds objects and hands kinds in."""

from __future__ import annotations

import fcntl
import logging
import threading
import time
import uuid
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from controller.build import build, contact_specs
from controller.clock import Clock, KernelClock, boot_id
from controller.config.schema import RoomFile
from controller.core.event import Event
from controller.core.memory import Memory, decode
from controller.core.restart import Boot, restored
from controller.core.room import Room
from controller.door import Door
from controller.guard import Guard, Published
from controller.intake import Intake
from controller.journal.codec import PointStore
from controller.journal.journal import Journal
from controller.journal.store import Kept
from controller.journal.writer import Unsent
from controller.lines import LineFile, make_run_dir
from controller.plain import stamp
from controller.rundir import run_dir
from controller.secretfiles import missing_secrets
from controller.snapshot import About, Snapshots
from controller.threads import Supervised
from firmware.boards import open_board
from firmware.devices import (
    close_all,
    measures,
    open_contacts,
    open_pollers,
    open_relays,
    open_sensors,
)

log = logging.getLogger(__name__)

_END_S = 3.0
"""How long all parts together, and then all threads, may take to end."""


class AlreadyRunning(Exception):
    """Another controller guards this room."""


class Controller:
    """One room's controller with all its processes' threads. `start`, then `close`.

    Raises: AlreadyRunning, OSError when the run directory cannot be used, ConnectionError when
    a simulated room has no world, DeviceUnreachable when the board has no pins.
    """

    def __init__(self, file: RoomFile, config: Path) -> None:
        self.file = file
        self.run = run_dir(file.resolve(file.store.path))
        make_run_dir(self.run)
        self._lock = _take_lock(self.run / "lock")
        self._board = open_board(file, config, self.run)
        self.clock = Clock(file.simulation.pace, self._vouched())
        # Faults from before the first scan; None once they are told.
        self._early: dict[str, str | bool] | None = {}
        # What was wrong with the journal as it was opened; it may be mended by the first scan.
        self._opened_with: list[Event] = []
        self._lost: list[Event] = []
        self._telling = threading.Lock()
        sensors = open_sensors(file, self._board)
        self.room: Room = build(file, {id: measures(s) for id, s in sensors.items()})
        contacts = open_contacts(file, self._board)
        boot = boot_id()
        lines = LineFile(
            self.run / "lines",
            # Another pace is another clock: its instants mean nothing here.
            f"{boot} {file.simulation.pace:g}",
            {id: spec.unpowered for id, spec in self.room.outputs.items()},
        )
        self.journal = Journal(
            file.resolve(file.store.path),
            int(file.store.size),
            self.clock,
            self._journal_fault,
            points={
                id: PointStore(spec.step or 0.1, spec.unit or "")
                for id, spec in self.room.points.items()
            },
            on_recorded=self._recorded,
            on_unsent_lost=self._unsent_lost if file.feed is not None else None,
        )
        kept = self.journal.open()
        memory, events = self._remember(kept, lines, boot)
        run_id = str(uuid.uuid4())
        self.guard = Guard(
            self.room,
            self.clock,
            memory,
            Intake(contact_specs(file), contacts),
            open_relays(file, self._board, self.room, memory, self.clock.mono_s()),
            lines,
            self.journal,
            run_id,
            kept.last_seq,
        )
        began = Event("system", "controller", "started", data=self._began_data())
        self._began = [began, *self._opened_with, *events]
        self._contacts = contacts
        self._lines, self._hosts = open_pollers(file, self._board, sensors, self.guard)
        self._snapshots = Snapshots(self.room, self._about(run_id), self.clock)
        self.feed: Any = self._open_feed(run_id)
        self._door = Door(
            self.run / "door.sock", self.guard, self.journal, self.snapshot, file.room.locale
        )

    def start(self) -> None:
        """Guard: first the scan, then everything that may be late."""
        for contact, device in self._contacts.items():
            if device is not None:
                device.watch(lambda id=contact: self.guard.edge(id))
        self.guard.start(self._began)
        with self._telling:
            early, self._early = self._early, None
            for fault, told in {**missing_secrets(self.file), **(early or {})}.items():
                self.guard.tell(fault, told)
            if self._lost:
                self.guard.note(self._lost)
        works: dict[str, Callable[[threading.Event], None]] = {"door": self._door.serve}
        works |= {f"poll-{line.name}": line for line in self._lines}
        works |= {f"host-{host.part}": host.obey for host in self._hosts}
        works |= {f"look-{host.part}": host.watch for host in self._hosts}
        self._threads = [
            Supervised(name, work, self.guard.thread_failed) for name, work in works.items()
        ]
        for thread in self._threads:
            thread.start()
        if self.feed is not None:
            self.feed.start()

    def close(self) -> None:
        """End cleanly; no output moves because of it."""
        for thread in self._threads:
            thread.stop.set()
        for line in self._lines:
            line.wake()
        for host in self._hosts:
            host.wake()
        self._door.wake()
        if self.feed is not None:
            self.feed.close()
        self.guard.close()
        # From here on nobody hears that a part falls silent, or gives it a command.
        parts = {poller.part: poller.close for line in self._lines for poller in line.pollers}
        parts |= {host.part: host.close for host in self._hosts}
        close_all(parts, _END_S)
        until_s = time.monotonic() + _END_S
        for thread in self._threads:
            thread.end(timeout_s=max(until_s - time.monotonic(), 0.0))
        self._door.close()
        self.journal.close()
        self._board.close()
        self._lock.close()

    def snapshot(self) -> dict[str, Any]:
        published = self.guard.published
        assert published is not None, "the door opens after the first scan"
        journal = {
            "ok": self.journal.fault is None,
            "bytes": self.journal.used_bytes,
            "fault": self.journal.fault,
            "written": self.journal.bytes_written,
        }
        return self._snapshots.of(published, self._feed_state(), journal)

    def _feed_state(self) -> dict[str, Any]:
        if self.feed is None:
            configured = self.file.feed is not None
            return {"configured": configured, "connected": False, "backlog": 0, "condition": "off"}
        state: dict[str, Any] = self.feed.state()
        return state

    def _vouched(self) -> Callable[[], bool]:
        """What vouches for wall time: the kernel, or whoever plays the world."""
        if not self.file.simulated:
            return KernelClock().is_synchronised
        return lambda: bool(getattr(self._board.pins, "synchronised", True))

    def _journal_fault(self, fault: str | None) -> None:
        """From the writer's thread; the last word of it is the last that is told."""
        with self._telling:
            if fault and self._early is not None:
                told = {"fault": fault}
                self._opened_with.append(
                    Event("system", "journal.failing", "journal.fault", data=told)
                )
            self._tell("journal.failing", fault or False)

    def _unsent_lost(self, lost: Unsent | None) -> None:
        """From the writer's thread: the outbox has reached the journal's stated size."""
        with self._telling:
            # An alarm keeps the words it came with: where the loss begins stays true.
            self._tell("feed.events-lost", str(lost.first) if lost else False)
            if lost is None or lost.new_from > lost.last:
                return
            data = {"from": lost.new_from, "to": lost.last, "count": 1 + lost.last - lost.new_from}
            event = Event("system", "feed", "events-lost", data=data)
            if self._early is None:
                self.guard.note([event])
            else:
                self._lost.append(event)

    def _tell(self, fault: str, told: str | bool) -> None:
        if self._early is None:
            self.guard.tell(fault, told)
        else:
            self._early[fault] = told

    def _remember(self, kept: Kept, lines: LineFile, boot: str) -> tuple[Memory, list[Event]]:
        now = self.clock.now()
        memory = self.room.first_memory(now.mono_s)
        levels = lines.kept
        same = levels is not None
        shift_s = 0.0
        if kept.memory is not None:
            try:
                memory, lost = decode(kept.memory.text, self.room.rules)
            except ValueError as error:
                lost = [str(error)]
            if lost:
                log.error("memory could not be read: %s", "; ".join(lost))
                self._tell("controller.memory-lost", "; ".join(lost))
            same_boot = kept.memory.boot_id == boot
            if lines.was_missing and same_boot:
                # Somebody cleared the run directory: the last record is the next best.
                levels = {id: state.on for id, state in memory.outputs.items()}
            same = same_boot and levels is not None
            if not same:
                between_s = max(now.wall_s - kept.memory.wall_s, 0.0) * self.clock.pace
                shift_s = now.mono_s - kept.memory.mono_s - between_s
        boot_now = Boot(same, shift_s)
        memory, events = restored(self.room, memory, levels or {}, now.mono_s, boot_now)
        for id, state in memory.outputs.items():
            lines.write(id, state.on)
        return memory, events

    def _began_data(self) -> dict[str, Any]:
        return {
            "software": software(),
            "configuration": self.file.digest,
            "simulated": self.file.simulated,
        }

    def _open_feed(self, run_id: str) -> Any:
        """Open the feed where one is configured; the library is loaded only then."""
        if self.file.feed is None:
            return None
        from controller.feed.feed import Feed

        return Feed(
            self.file.feed,
            self.file.resolve,
            self.guard,
            self.journal,
            self._about(run_id),
            self.file.board.kind,
        )

    def _recorded(self, seq: int) -> None:
        """From the journal's thread, which may have something to tell before the others exist."""
        guard = getattr(self, "guard", None)
        if guard is not None:
            guard.recorded(seq)
        feed = getattr(self, "feed", None)
        if feed is not None:
            feed.recorded(seq)

    def _about(self, run_id: str) -> About:
        room = self.file.room
        return About(
            room.site,
            room.id,
            room.name,
            room.locale,
            room.timezone,
            self.file.simulated,
            software(),
            run_id,
            stamp(self.clock.now().wall_s),
            float(self.file.fire.budget),
            self.file.fire.accept_risk,
        )


def software() -> str:
    return version("roomwarden")


def _take_lock(path: Path) -> Any:
    lock = path.open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise AlreadyRunning(f"another roomwarden guards this room ({path})") from error
    return lock


__all__ = ["AlreadyRunning", "Controller", "Published", "software"]
