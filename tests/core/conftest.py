"""The rig: the real core of a room read from a real room file, in a simulated world.

Time is virtual and leaps from one instant at which something may change to the next. The world
is as small as it can be: loops of wire, sensors that give numbers, lamps (the simulators' own
physics) and supplies that the outputs switch. What the shell does around a scan is repeated
here: polling, carrying out commands, one more scan after events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from controller.build import Measures, build, contact_specs
from controller.clock import Clock
from controller.config.order import evidence_kinds
from controller.config.read import read_room
from controller.core import contacts
from controller.core.contacts import UNSEEN, Contact
from controller.core.event import Event
from controller.core.memory import Memory, decode, encode
from controller.core.priority import OutputState, coil
from controller.core.reading import Now, Quality, Reading
from controller.core.request import Answer, Origin, Request, Role, Status
from controller.core.restart import Boot, restored
from controller.core.rules.base import Command, Seen
from controller.core.rules.planstate import PlanState
from controller.core.rules.power import PowerState
from controller.core.scan import Decision, scan
from controller.plain import Stamps
from controller.snapshotpower import plan_object
from drivers.dht22 import Dht22
from firmware.kinds import kinds
from simulators.battery import Battery
from simulators.host import SimulatedHost
from simulators.projector import Power, Projector
from tests.core.powerworld import Server, Unit

HEAD = """
[room]
site = "school"
id = "room-1"
name = "Room 1"
timezone = "Europe/Paris"
[board]
kind = "simulated"
"""

SENSOR_PERIOD_S = 2.5
PROJECTOR_PERIOD_S = 2.0
UPS_PERIOD_S = 1.0
LOOK_S = 5.0
BUSY_LOOK_S = 1.0
BUSY_S = 600.0
RESCAN_S = 0.01
TICK_S = 0.001
"""The least step of time, so that a wake-up that is due now cannot stop the clock."""
OVERDUE_S = 0.02
"""The step where the wake-up lies in the past: what a shell would make of it is a busy loop."""


@dataclass(frozen=True)
class Move:
    """One change of an output's level."""

    at_s: float
    output: str
    on: bool
    slot: int
    cause: str


@dataclass
class Lamp:
    """A projector: its lamp, and its way of talking. `sleeps`: its network is down in standby."""

    body: Projector
    talks: bool
    on_mains: bool
    outlet: str
    mute: bool = False
    deaf: bool = False
    sleeps: bool = False
    says: str | None = None
    done: int = -1
    sent: list[str] = field(default_factory=list)


class Rig:
    """One guarded room. `at_s` is the time since the rig was built; restarts do not set it back.

    `broken_feedback`: outputs whose effect does not come (a welded contact). `doubt`: decide
    now and then again under other circumstances that must not matter, and compare.
    """

    def __init__(self, path: Path) -> None:
        self.file = read_room(path, kinds())
        sensors = {
            part.id: Measures(Dht22.quantities, SENSOR_PERIOD_S)
            for part in self.file.inputs
            if part.kind == "dht22"
        }
        self.room = build(self.file, sensors)
        self.specs = contact_specs(self.file)
        self.mono_s = 1000.0
        self.wall_s = 1_800_000_000.0
        self.at_s = 0.0
        self.synchronised = True
        self.memory: Memory = self.room.first_memory(self.mono_s)
        self.image: dict[str, Reading] = {}
        self.events: list[tuple[float, Event]] = []
        self.moves: list[Move] = []
        self.scans = 0
        self.answers: dict[str, list[Answer]] = {}
        self.decision: Decision | None = None
        self.broken_feedback: set[str] = set()
        self.silent: set[str] = set()
        self.garbled: set[str] = set()
        self.flicker = 0.1
        self.doubt = False
        self.mains = True
        self.air: dict[str, float] = {}
        for id in sensors:
            self.air |= {f"{id}.temperature": 22.0, f"{id}.humidity": 45.0}
        self._contacts: dict[str, Contact] = dict.fromkeys(self.specs, UNSEEN)
        self.loops: dict[str, tuple[bool, ...] | None] = {}
        self._proves: dict[str, str] = {}
        self._mains_contacts: list[str] = []
        self._ups_contacts: dict[str, tuple[str | None, str]] = {}
        for part in self.file.inputs:
            if part.id in self.specs:
                role = getattr(part, "role", "")
                self.loops[part.id] = self._loop(part.id, role == "mains")
                if role == "feedback":
                    self._proves[part.id] = part.of  # type: ignore[attr-defined]
                if role == "mains":
                    self._mains_contacts.append(part.id)
                if role in ("ups-on-battery", "ups-battery-low"):
                    self._ups_contacts[part.id] = (getattr(part, "of", None), role)
        self.lamps = {
            part.id: Lamp(
                Projector(float(part.cooling), now_s=0.0),
                part.kind != "relay-only",
                part.supply == "mains",
                part.outlet,
            )
            for part in self.file.projectors
        }
        self.upses = {
            spec.part: Unit(spec.part, Battery(), spec.kind != "dry-contacts")
            for spec in self.room.points.values()
            if spec.id.endswith(".supply")
        }
        self.servers = {
            host.id: Server(
                SimulatedHost(boots_with_power=host.start == "outlet"),
                tuple(sorted(evidence_kinds(host))),
                host.outlet,
            )
            for host in self.file.hosts
        }
        self.journal_fails = False
        self.journal_hangs = False
        self._asked = 0
        self._unrecorded = 0
        self._polls = 0
        self._sensor_s = self._lamp_s = self._ups_s = self.mono_s
        self._wake_s = self.mono_s
        self._physics()

    # What a person at the bench does to the world.

    def set(self, contact: str, value: bool) -> None:
        """Make what the contact's role names so, or not."""
        self.wire(contact, self._loop(contact, value))

    def wire(self, contact: str, loops: tuple[bool, ...] | None) -> None:
        """Put the loops into any state (closed or open); None: they cannot be read."""
        self.loops[contact] = loops
        self._scan()

    def press(self, contact: str, seconds: float) -> None:
        self.set(contact, True)
        self.run(seconds)
        self.set(contact, False)

    def mains_fails(self) -> None:
        self._mains(False)

    def mains_returns(self) -> None:
        self._mains(True)

    def _mains(self, present: bool) -> None:
        self.mains = present
        for contact in self._mains_contacts:
            self.loops[contact] = self._loop(contact, present)
        self._physics()
        self._scan()

    def wall_jumps(self, seconds: float) -> None:
        self.wall_s += seconds

    def remote(self, projector: str, on: bool) -> None:
        """Somebody uses the projector's remote control."""
        self.lamps[projector].body.switch(on)

    # What a person asks of the gate.

    def request(
        self,
        action: str,
        *,
        origin: Origin = Origin.LOCAL_SCREEN,
        role: Role = Role.OPERATE,
        actor: str = "keeper",
        privileged: bool = False,
        issued_s: float | None = None,
        expires_s: float | None = None,
        expect: dict[str, Any] | None = None,
        repeated: bool = False,
        **args: str,
    ) -> Answer:
        """Ask, and return the gate's first answer; `answers` keeps all of them by id.

        An argument that is a word of Python is written with an underscore: `for_`.
        """
        self._asked += 1
        asked = Request(
            f"r{self._asked}",
            action,
            {name.rstrip("_"): value for name, value in args.items()},
            actor,
            role,
            origin,
            privileged,
            issued_s,
            expires_s,
            expect,
            repeated,
        )
        self._scan((asked,))
        return self.answers[asked.id][0]

    def ask(self, action: str, **keys: Any) -> Answer:
        """Ask something that must be let through."""
        answer = self.request(action, **keys)
        assert answer.status in (Status.ACCEPTED, Status.DONE), answer
        return answer

    def end_of(self, answer: Answer) -> Status:
        """How far a request has come."""
        return self.answers[answer.id][-1].status

    # Time.

    def run(self, seconds: float) -> None:
        """Let time pass, from one instant at which something may change to the next."""
        end_s = self.mono_s + seconds
        while self.mono_s < end_s:
            due_s = min(self._next_s(), end_s)
            overdue = due_s < self.mono_s
            due_s = min(max(due_s, self.mono_s + (OVERDUE_S if overdue else TICK_S)), end_s)
            self._pass(due_s - self.mono_s)
            self.mono_s = due_s
            self._poll()
            self._scan()

    def leap(self, seconds: float) -> None:
        """Let time pass without a scan: the controller is not running."""
        self._pass(seconds)
        self.mono_s += seconds
        self._sensor_s = self._lamp_s = self._ups_s = self.mono_s

    def run_until(self, done: Callable[[], bool], limit_s: float, step_s: float = 1.0) -> float:
        """Run until something is so; return how long it took."""
        began_s = self.at_s
        while not done():
            assert self.at_s - began_s < limit_s, f"not within {limit_s:g} s"
            self.run(step_s)
        return self.at_s - began_s

    def restart(self, same_boot: bool = True, off_s: float = 0.0, mains: bool = True) -> None:
        """End the controller and start it again `off_s` later, by what the journal keeps.

        On a new boot the coils fall meanwhile and the monotonic clock begins anew; `mains`:
        whether the room was supplied meanwhile. Before and after, the mains is as it was.
        """
        kept, kept_mono_s, kept_wall_s = encode(self.memory), self.mono_s, self.wall_s
        lines = {id: state.on for id, state in self.memory.outputs.items()}
        present = self.mains
        if not same_boot:
            self._fall(mains)
        self.leap(off_s)
        shift_s = 0.0
        if not same_boot:
            self.mono_s = 20.0
            self._sensor_s = self._lamp_s = self._ups_s = self.mono_s
            shift_s = self.mono_s - kept_mono_s - (self.wall_s - kept_wall_s)
            self.mains = present
            lines = {}
        memory, lost = decode(kept, self.room.rules)
        assert lost == []
        self.start(memory, lines, Boot(same_boot, shift_s))

    def start(self, memory: Memory, lines: Mapping[str, bool], boot: Boot) -> None:
        """Start with this memory on these lines, nothing read yet but the contacts."""
        self.memory, events = restored(self.room, memory, lines, self.mono_s, boot)
        self.events += [(self.at_s, event) for event in events]
        self.image = {}
        self._contacts = dict.fromkeys(self.specs, UNSEEN)
        for lamp in self.lamps.values():
            lamp.done = -1
        for server in self.servers.values():
            server.done, server.looked_s, server.busy_until_s = None, 0.0, 0.0
        self._physics()
        self._scan()

    # What is seen.

    @property
    def outputs(self) -> dict[str, bool]:
        return {id: state.on for id, state in self.memory.outputs.items()}

    def on(self, output: str) -> bool:
        return self.memory.outputs[output].on

    def output(self, output: str) -> OutputState:
        return self.memory.outputs[output]

    def energised(self, output: str) -> bool:
        return coil(self.room.outputs[output], self.output(output), self.mono_s)

    def alarm(self, id: str) -> str:
        """The alarm's state in the contract's words."""
        spec = self.room.alarms[id]
        listed = self.memory.alarms
        return listed.of(id).state(listed.is_out_of_service(spec)).value

    def alarms(self) -> set[str]:
        """The alarms that are not normal."""
        return {id for id in self.room.alarms if self.alarm(id) != "normal"}

    def point(self, id: str) -> Reading:
        assert self.decision is not None
        return self.decision.points[id]

    def causes(self, kind: str, since_s: float = 0.0) -> list[tuple[str, str]]:
        """(subject, cause) of the events of one kind."""
        return [(e.subject, e.cause) for at, e in self.events if at >= since_s and e.kind == kind]

    def moved(self, since_s: float = 0.0) -> list[tuple[str, bool]]:
        return [(move.output, move.on) for move in self.moves if move.at_s >= since_s]

    def supplied(self, output: str) -> bool:
        """Whether an outlet has power: it is on, and what feeds it is neither cut nor failed."""
        cut = any(
            self.on(spec.id) and spec.id not in self.broken_feedback
            for spec in self.room.outputs.values()
            if spec.role == "cut-off" and spec.scope == "room"
        )
        return self.on(output) and self.mains and not cut

    @property
    def fed(self) -> bool:
        """Whether the racks have power: by the UPSes where there are any, else by the mains."""
        cut = any(
            self.on(spec.id) and spec.id not in self.broken_feedback
            for spec in self.room.outputs.values()
            if spec.role == "cut-off" and spec.scope == ("ups" if self.upses else "room")
        )
        if not self.upses:
            return self.mains and not cut
        return not cut and all(unit.feeds(self.mains) for unit in self.upses.values())

    @property
    def ups(self) -> Unit:
        return next(iter(self.upses.values()))

    @property
    def plan(self) -> PlanState:
        state = self.memory.rules["plan"]
        assert isinstance(state, PlanState)
        return state

    @property
    def power(self) -> PowerState:
        state = self.memory.rules["power"]
        assert isinstance(state, PowerState)
        return state

    def phase(self, host: str) -> str:
        return self.plan.host(host).phase.value

    def phases(self) -> dict[str, str]:
        return {host: self.phase(host) for host in self.servers}

    def view(self) -> dict[str, Any]:
        """The plan as the snapshot shows it."""
        assert self.decision is not None
        now = Now(self.mono_s, self.wall_s)
        seen = Seen(self.decision.points, self.memory.outputs, now)
        seen.states = self.memory.rules
        plan = plan_object(self.room, "en", seen, self.mono_s, Stamps(now, Clock()))
        assert plan is not None
        return plan

    def sent(self, host: str) -> list[str]:
        """What a host was told, in order."""
        return [action for _, action in self.servers[host].sent]

    # The world, and what the shell does.

    def _loop(self, contact: str, value: bool) -> tuple[bool, ...]:
        spec = self.specs[contact]
        if spec.pair:
            return (value, not value)
        return (value is not spec.normally_closed,)

    def _next_s(self) -> float:
        times = [self._wake_s]
        if self.air:
            times.append(self._sensor_s)
        times += [contacts.wake_s(self.specs[id], c) for id, c in self._contacts.items()]
        if self.lamps:
            times.append(self._lamp_s)
            times += [
                self.mono_s + lamp.body.ends_s - lamp.body.now_s for lamp in self.lamps.values()
            ]
        if self.upses:
            times.append(self._ups_s)
            times += [
                self.mono_s + unit.battery.empty_s - unit.battery.now_s
                for unit in self.upses.values()
            ]
        for server in self.servers.values():
            times.append(self._look_due_s(server))
            times.append(self.mono_s + server.body.ends_s - server.body.now_s)
        return min(times)

    def _look_due_s(self, server: Server) -> float:
        busy = self.mono_s < server.busy_until_s
        return server.looked_s + (BUSY_LOOK_S if busy else LOOK_S)

    def _pass(self, seconds: float) -> None:
        self.at_s += seconds
        self.wall_s += seconds
        for lamp in self.lamps.values():
            lamp.body.advance(lamp.body.now_s + seconds)
        for unit in self.upses.values():
            unit.battery.advance(unit.battery.now_s + seconds)
        for server in self.servers.values():
            server.body.advance(server.body.now_s + seconds)
            server.tick()

    def _poll(self) -> None:
        if self.mono_s >= self._sensor_s:
            self._sensor_s = self.mono_s + SENSOR_PERIOD_S
            self._polls += 1
            for id, value in self.air.items():
                part = id.partition(".")[0]
                if part in self.silent:
                    continue
                if part in self.garbled:
                    self.image[id] = Reading(None, Quality.BAD, self.mono_s)
                else:
                    shown = value + self.flicker * (self._polls % 2)
                    self.image[id] = Reading(shown, Quality.GOOD, self.mono_s)
        if self.mono_s >= self._lamp_s:
            self._lamp_s = self.mono_s + PROJECTOR_PERIOD_S
            for id in self.lamps:
                self._ask_lamp(id)
        if self.upses and self.mono_s >= self._ups_s:
            # Nobody waits for its word in a room without a plan: with the sensors it is cheaper.
            self._ups_s = self.mono_s + (UPS_PERIOD_S if self.servers else SENSOR_PERIOD_S)
            self._polls += 1
            for unit in self.upses.values():
                self._ask_ups(unit)
        for id, server in self.servers.items():
            if self.mono_s >= self._look_due_s(server):
                server.looked_s = self.mono_s
                self._look(id, server)

    def _ask_ups(self, unit: Unit) -> None:
        if unit.talks and not unit.silent:
            quality = Quality.FROZEN if unit.frozen else Quality.GOOD
            for name, value in unit.values(self.mains, self._polls).items():
                known = Quality.BAD if value is None else quality
                self.image[f"{unit.id}.{name}"] = Reading(value, known, self.mono_s)
        link = unit.link if unit.silent else "ok"
        self.image[f"{unit.id}.link"] = Reading(link, Quality.GOOD, self.mono_s)

    def _look(self, id: str, server: Server) -> None:
        for kind, told in server.look().items():
            known = Quality.BAD if told is None else Quality.GOOD
            self.image[f"{id}.{kind}"] = Reading(told, known, self.mono_s)

    def _ask_lamp(self, id: str) -> None:
        lamp = self.lamps[id]
        power = lamp.body.power
        asleep = lamp.sleeps and power is Power.STANDBY
        if not lamp.talks or lamp.mute or asleep or power is Power.UNPOWERED:
            return
        self.image[f"{id}.power"] = Reading(lamp.says or power.value, Quality.GOOD, self.mono_s)

    def _scan(self, requests: tuple[Request, ...] = ()) -> None:
        for id, spec in self.specs.items():
            contact = contacts.observe(spec, self._contacts[id], self.loops[id], self.mono_s)
            self._contacts[id] = contact
            self.image[id] = contact.reading
        was = self.memory
        now = Now(self.mono_s, self.wall_s, self.synchronised)
        decision = scan(self.room, was, self.image, requests, now)
        if self.doubt and (requests or self.scans % 8 == 0):
            self._compare(decision, was, requests, now)
        self._record(was, decision)
        self.memory = decision.memory
        self.decision = decision
        self.scans += 1
        self._wake_s = decision.wake_at_s
        if decision.events:
            self._wake_s = min(self._wake_s, self.mono_s + RESCAN_S)
        told = [e.data["step"] for e in decision.events if e.kind == "plan" and "step" in e.data]
        failing = "disk full" if self.journal_fails else False
        self.image["system.journal.failing"] = Reading(failing, Quality.GOOD, self.mono_s)
        self._unrecorded = max(told, default=self._unrecorded)
        if self._unrecorded and not (self.journal_fails or self.journal_hangs):
            recorded = Reading(float(self._unrecorded), Quality.GOOD, self.mono_s)
            self.image["system.plan-recorded"] = recorded
            self._unrecorded = 0
        for command in decision.commands:
            if command.part in self.servers:
                self._command_host(command)
                continue
            if command.part in self.upses:
                self.upses[command.part].sent.append(command.action)
                if command.action == "off" and not self.upses[command.part].deaf:
                    self.upses[command.part].switched_off = True
                continue
            lamp = self.lamps[command.part]
            if command.serial != lamp.done:
                lamp.done = command.serial
                heard = lamp.talks and not lamp.mute and lamp.body.power is not Power.UNPOWERED
                heard = heard and not (lamp.sleeps and lamp.body.power is Power.STANDBY)
                if heard:
                    lamp.sent.append(command.action)
                taken = heard and (lamp.deaf or lamp.body.switch(command.action == "on"))
                told = f"{command.serial} {'ok' if taken else 'failed'}"
                self.image[f"{command.part}.reply"] = Reading(told, Quality.GOOD, self.mono_s)
                self._ask_lamp(command.part)
                self._wake_s = self.mono_s
        self._physics()

    def _command_host(self, command: Command) -> None:
        server = self.servers[command.part]
        if command.serial == server.done:
            return
        server.done = command.serial
        server.busy_until_s = self.mono_s + BUSY_S
        end = server.do(command.action, self.at_s)
        hangs = server.initialise_hangs if command.action == "initialise" else server.mute
        if hangs:
            return
        told = Reading(f"{command.serial} {end}", Quality.GOOD, self.mono_s)
        self.image[f"{command.part}.reply"] = told
        self._wake_s = self.mono_s

    def _compare(
        self, decision: Decision, was: Memory, requests: tuple[Request, ...], now: Now
    ) -> None:
        """The same must be decided a year later by the wall clock, and with nothing skipped."""
        bare = msgspec.structs.replace(was, steps={})
        later = Now(now.mono_s, now.wall_s + 365 * 86400.0, now.synchronised)
        for memory, at in ((bare, now), (was, later)):
            if any(request.expires_s is not None for request in requests):
                continue
            again = scan(self.room, memory, self.image, requests, at)
            assert again.events == decision.events
            assert again.answers == decision.answers
            assert again.commands == decision.commands
            assert again.wake_at_s == decision.wake_at_s
            assert again.memory.outputs == decision.memory.outputs
            assert again.memory.alarms == decision.memory.alarms
            assert _unstamped(again.memory) == _unstamped(decision.memory)

    def _record(self, was: Memory, decision: Decision) -> None:
        """Keep what was decided, and see what holds of every decision in every test.

        Each change of an output has exactly one event, with its cause. Only life safety takes
        its supply from a lamp that is lit or cooling.
        """
        assert not decision.memory.alarms.of("controller.rule-failed").active, decision.events
        for answer in decision.answers:
            self.answers.setdefault(answer.id, []).append(answer)
        told = [e for e in decision.events if e.kind == "output" and "to" in e.data]
        changed = {
            id: state
            for id, state in decision.memory.outputs.items()
            if state.on is not was.outputs[id].on
        }
        assert sorted(e.subject for e in told) == sorted(changed)
        for event in told:
            state = changed[event.subject]
            assert event.cause == state.reason.id != ""
            assert event.data["to"] == ("on" if state.on else "off")
            assert event.subject in decision.moved
            move = Move(self.at_s, event.subject, state.on, int(state.slot), event.cause)
            self.moves.append(move)
            hot = any(
                lamp.outlet == move.output
                and (lamp.body.is_lit or lamp.body.power is Power.COOLING)
                for lamp in self.lamps.values()
            )
            assert move.on or move.slot <= 2 or not hot, move
            running = any(
                server.outlet == move.output and server.body.is_running and server.seen_running
                for server in self.servers.values()
            )
            assert move.on or move.slot <= 2 or move.cause == "plan.outlet-cut" or not running, (
                move
            )
        self.events += [(self.at_s, event) for event in decision.events]

    def _physics(self) -> None:
        """The outputs act on the world: supplies, and the contacts that prove them."""
        for contact, output in self._proves.items():
            if output not in self.broken_feedback and self.loops[contact] is not None:
                loop = self._loop(contact, self.on(output))
                if self.loops[contact] != loop:
                    self.loops[contact] = loop
                    self._wake_s = self.mono_s
        for lamp in self.lamps.values():
            lamp.body.supply(self.supplied(lamp.outlet))
        for unit in self.upses.values():
            unit.settle(self.mains)
        for contact, (ups, role) in self._ups_contacts.items():
            unit = self.upses[ups] if ups is not None else self.ups
            told = unit.values(self.mains, 0)
            so = told["battery-low"] if role == "ups-battery-low" else told["supply"] == "battery"
            loop = self._loop(contact, bool(so))
            if self.loops[contact] is not None and self.loops[contact] != loop:
                self.loops[contact] = loop
                self._wake_s = self.mono_s
        for server in self.servers.values():
            fed = self.fed and (server.outlet is None or self.on(server.outlet))
            server.body.supply(fed)

    def _fall(self, mains: bool) -> None:
        """The board is off: every coil is released, and the supplies are what that makes them."""
        self.mains = mains
        for lamp in self.lamps.values():
            lamp.body.supply(self.room.outputs[lamp.outlet].unpowered and mains)


def _unstamped(memory: Memory) -> dict[str, Any]:
    """What the rules remember, without the one wall time that is kept for showing."""
    return {
        id: msgspec.structs.replace(
            state, last_run=msgspec.structs.replace(state.last_run, at_wall_s=0.0)
        )
        if getattr(state, "last_run", None) is not None
        else state
        for id, state in memory.rules.items()
    }


Rigged = Callable[..., Rig]


@pytest.fixture
def rigged(tmp_path: Path) -> Rigged:
    """Build a room of these tables, in good order and with its first scans behind it; of the UPSes
    `silent` nothing is ever heard."""

    def make(tables: str, silent: Sequence[str] = ()) -> Rig:
        path = tmp_path / "room.toml"
        path.write_text(HEAD + tables, encoding="utf-8")
        rig = Rig(path)
        for ups in silent:
            rig.upses[ups].silent = True
        rig.run(5.0)
        return rig

    return make


@pytest.fixture
def lakeside() -> Callable[[], Rig]:
    """Build the example room of the contract; nothing has been scanned yet."""
    path = Path(__file__).parents[1] / "rooms" / "lakeside.toml"
    return lambda: Rig(path)


@pytest.fixture
def rig(lakeside: Callable[[], Rig]) -> Rig:
    """The example room, in good order: its outlet has cooled what may have been hot."""
    rig = lakeside()
    rig.run(5.0)
    return rig
