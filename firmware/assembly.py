"""The controller, put together: the one place that builds objects and hands kinds in."""

from __future__ import annotations

import fcntl
import logging
import threading
import uuid
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from controller.build import Measures, build, contact_specs, secret_parts
from controller.clock import Clock, boot_id
from controller.config.schema import RoomFile
from controller.core.event import Event
from controller.core.memory import Memory, decode
from controller.core.parts import DeviceError
from controller.core.priority import coil
from controller.core.restart import Boot, restored
from controller.core.room import Room
from controller.door import Door
from controller.guard import Guard, Published
from controller.intake import Intake
from controller.journal.codec import PointStore
from controller.journal.journal import Journal
from controller.journal.store import Kept
from controller.lines import LineFile, make_run_dir
from controller.pollers import ProjectorPoller, SensorPoller
from controller.rundir import run_dir
from controller.snapshot import About, Snapshots, stamp
from controller.threads import Supervised
from firmware import kinds
from firmware.boards import open_board

log = logging.getLogger(__name__)


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
        self.clock = Clock(file.simulation.pace, self._vouched() if file.simulated else None)
        # Faults from before the first scan; None once they are told.
        self._early: dict[str, str | bool] | None = {}
        self._telling = threading.Lock()
        sensors = self._open_sensors()
        self.room: Room = build(
            file, {id: Measures(s.quantities, s.period_s) for id, s in sensors.items()}
        )
        contacts = self._open_contacts()
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
        )
        kept = self.journal.open()
        memory, events = self._remember(kept, lines, boot)
        run_id = str(uuid.uuid4())
        self.guard = Guard(
            self.room,
            self.clock,
            memory,
            Intake(contact_specs(file), contacts),
            self._open_relays(memory),
            lines,
            self.journal,
            run_id,
            kept.last_seq,
        )
        self._began = [Event("system", "controller", "started", data=self._began_data()), *events]
        self._contacts = contacts
        self._pollers = self._make_pollers(sensors)
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
            for fault, told in {**self._secrets(), **(early or {})}.items():
                self.guard.tell(fault, told)
        self._threads = [
            Supervised(f"poll-{poller.part}", poller, self.guard.thread_failed)
            for poller in self._pollers
        ]
        self._threads.append(Supervised("door", self._door.serve, self.guard.thread_failed))
        for thread in self._threads:
            thread.start()
        if self.feed is not None:
            self.feed.start()

    def close(self) -> None:
        """End cleanly; no output moves because of it."""
        for thread in self._threads:
            thread.stop.set()
        for poller in self._pollers:
            poller.wake()
        self._door.wake()
        if self.feed is not None:
            self.feed.close()
        self.guard.close()
        for thread in self._threads:
            thread.end(timeout_s=1.5)
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

    def _vouched(self) -> Any:
        return lambda: bool(getattr(self._board.pins, "synchronised", True))

    def _journal_fault(self, fault: str | None) -> None:
        """From the writer's thread; the last word of it is the last that is told."""
        with self._telling:
            self._tell("journal.failing", fault or False)

    def _tell(self, fault: str, told: str | bool) -> None:
        if self._early is None:
            self.guard.tell(fault, told)
        else:
            self._early[fault] = told

    def _open_sensors(self) -> dict[str, Any]:
        sensors = {}
        for part in self.file.inputs:
            driver = kinds.modules()[part.kind]
            if not hasattr(part, "debounce"):
                sensors[part.id] = driver.open_device(part, self._board)
        return sensors

    def _open_contacts(self) -> dict[str, Any]:
        """Open the contacts; one that cannot be opened is bad, and guarding goes on."""
        contacts: dict[str, Any] = {}
        for part in self.file.inputs:
            if not hasattr(part, "debounce"):
                continue
            try:
                driver = kinds.modules()[part.kind]
                contacts[part.id] = driver.open_device(part, self._board)
            except DeviceError as error:
                log.error("%s cannot be opened: %s", part.id, error)
                contacts[part.id] = None
        return contacts

    def _open_relays(self, memory: Memory) -> dict[str, Any]:
        """Claim every line with the level it has to have, in one step."""
        relays: dict[str, Any] = {}
        now_s = self.clock.mono_s()
        for part in self.file.outputs:
            spec = self.room.outputs[part.id]
            energised = coil(spec, memory.outputs[part.id], now_s)
            try:
                driver = kinds.modules()[part.kind]
                relays[part.id] = driver.open_device(part, self._board, energised)
            except DeviceError as error:
                log.error("%s cannot be opened: %s", part.id, error)
                relays[part.id] = None
        return relays

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

    def _make_pollers(self, sensors: Mapping[str, Any]) -> list[Any]:
        pollers: list[Any] = [
            SensorPoller(id, sensor, self.clock, self.guard.bring)
            for id, sensor in sensors.items()
        ]
        for part in self.file.projectors:
            password = getattr(part, "password_file", None)
            if password is not None:
                resolved = str(self.file.resolve(password))
                part = msgspec.structs.replace(part, password_file=resolved)
            device = kinds.modules()[part.kind].open_device(part, self._board)
            if device is None:
                continue
            poller = ProjectorPoller(part.id, device, self.clock, self.guard.bring)
            self.guard.commanders[part.id] = poller.command
            pollers.append(poller)
        return pollers

    def _secrets(self) -> dict[str, str | bool]:
        """Which secret files are missing: a named alarm that disables that one part."""
        files: dict[str, str | None] = {
            p.id: getattr(p, "password_file", None) for p in self.file.projectors
        }
        if self.file.feed is not None:
            files["feed"] = self.file.feed.password_file
        told: dict[str, str | bool] = {}
        for part in secret_parts(self.file):
            path = self.file.resolve(files[part] or "")
            told[f"{part}.secret-missing"] = False if path.is_file() else str(path)
        return told

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
