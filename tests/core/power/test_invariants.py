"""What holds of the outage and return plan whatever happens to the room, its UPS and its hosts.

Each property is stated where it is checked: no outlet of a running server is taken from it
without leave, nothing starts into an outage or out of order, a silent UPS on battery is not
waited for, every sequence ends, and neither clocks nor restarts make the plan bolder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from controller.core.rules.base import Command
from tests.core.lives import in_lives, live
from tests.core.powerrooms import CUTS, SMOKE, host, outlet, room, stage

STOP_S = START_S = 60.0
OFF_HOLD_S = 30.0
STABLE_S = 30.0
DEADTIME_S = 15.0

# Three kinds of evidence, all of them asked for: a dead network alone never looks like a stop.
SURE: dict[str, object] = {"needs": 3, "password_file": "bmc.secret"}


def _server(id: str, stage_: int, **keys: object) -> str:
    evidence = [f"tcp://{id}.lan:22", f"redfish://room@{id}-bmc.lan"]
    return host(id, stage_, evidence=evidence, **SURE, **keys)


ROOM = (
    room(
        SMOKE,
        CUTS,
        outlet("standby-outlet", 12),
        outlet("office-outlet", 20),
        _server("standby", 1, outlet="standby-outlet", unconfirmed="cut"),
        _server("mail", 2, after=["store"]),
        _server("store", 2, initialise=["command:/bin/mount"]),
        _server("office", 3, outlet="office-outlet", start="outlet"),
        stages=(
            stage(1, after="30s", charge_below=80),
            stage(2, after="2min", temperature_above=32),
            stage(3, runtime_below="need"),
        ),
        outage={"ups_off": True},
        return_={"charge_above": 5, "temperature_below": 28.0},
    )
    + '[fire]\nfed = "outside"\nbudget = "10s"\n'
)
HOSTS = {"standby": 1, "mail": 2, "store": 2, "office": 3}
OUTLETS = {"standby-outlet": "standby", "office-outlet": "office"}
NEEDS = {"mail": ("store",)}
CUT = ("power-cut", "ups-cut")
GOING = ("queued", "stopping")
COMING = ("waiting", "starting", "initialising")
# Every stage may take its time, an unrecorded step two seconds more, and looks come each 5 s.
DOWN_BOUND_S = 4 * (STOP_S + 20.0)
UP_BOUND_S = STABLE_S + OFF_HOLD_S + 5 * (START_S + 60.0)
NONSENSE = (
    {"battery-low": True},
    {"runtime": 0.0},
    {"runtime": 65535.0},
    {"runtime": None, "charge": None},
    {"supply": None},
    {"supply": "bypass"},
    {"self-test": "running"},
)


class PoweredRoom(RuleBasedStateMachine):
    """One room with a UPS and four servers; `make` builds it."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        rig = self.rig = make(ROOM)
        rig.doubt = True
        self.hangs_s: float | None = None
        self.last_start_s = -1000.0
        self.moves_seen = 0
        self.entered_s: dict[str, tuple[tuple[str, int], float]] = {}
        self.restarts = 0
        self.told_left_s: float | None = None
        self.told_at_s = 0.0
        self.last_word: object = None
        self.away = False
        carry_out = rig._command_host
        ask = rig._ask_ups

        def judged(command: Command) -> None:
            if command.serial != rig.servers[command.part].done:
                self._judge_command(command)
            carry_out(command)

        def heard(unit: Any) -> None:
            ask(unit)
            if not unit.silent and not unit.frozen:
                self._hear()

        rig._command_host = judged
        rig._ask_ups = heard

    # The world.

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 6.0, 12.0, 20.0]))
    def time_passes(self, seconds):
        self.rig.run(seconds)

    @rule(seconds=st.sampled_from([40.0, 70.0, 130.0]), luck=st.integers(0, 2))
    def much_time_passes(self, seconds, luck):
        self.rig.run(seconds if luck == 0 else 5.0)

    @rule(there=st.booleans())
    def the_mains_is(self, there):
        self._mains(there)

    @rule(seconds=st.sampled_from([0.5, 4.0, 9.0, 15.0]))
    def the_mains_flaps(self, seconds):
        for there in (False, True, False, True):
            self._mains(there)
            self.rig.run(seconds)

    @rule(open_=st.booleans())
    def the_breaker_is(self, open_):
        self.rig.ups.breaker = open_

    @rule(says=st.booleans())
    def the_mains_contact_says(self, says):
        self.rig.set("mains", says)

    @rule(how=st.sampled_from(["silent", "frozen", "well", "well"]))
    def the_ups_is(self, how):
        self.rig.ups.silent = how == "silent"
        self.rig.ups.frozen = how == "frozen"

    @rule(says=st.sampled_from([*NONSENSE, {}, {}, {}]))
    def the_ups_says(self, says):
        self.rig.ups.says = dict(says)

    @rule(charge=st.sampled_from([3.0, 15.0, 60.0, 100.0]))
    def the_battery_is_at(self, charge):
        self.rig.ups.battery.charge_pct = charge

    @rule(
        id=st.sampled_from(list(HOSTS)),
        how=st.sampled_from(["silent", "hang", "no-boot", "crash", "off", "normal", "normal"]),
    )
    def a_server_is(self, id, how):
        self.rig.servers[id].body.act(how)

    @rule(
        id=st.sampled_from(list(HOSTS)),
        how=st.sampled_from(["deaf", "dead_path", "reboots", "sick", "initialise_fails"]),
        so=st.booleans(),
    )
    def a_server_has_a_fault(self, id, how, so):
        setattr(self.rig.servers[id], how, so)
        self._looked_at()

    @rule(
        id=st.sampled_from(list(HOSTS)),
        how=st.sampled_from(["refuses", "misses"]),
        times=st.integers(0, 4),
    )
    def a_server_does_not_hear_its_start(self, id, how, times):
        setattr(self.rig.servers[id], how, times)

    @rule(id=st.sampled_from(list(HOSTS)))
    def somebody_presses_a_servers_button(self, id):
        self.rig.servers[id].body.act("on")
        self._looked_at()

    @rule(celsius=st.sampled_from([22.0, 22.0, 30.0, 34.0, 41.0]))
    def the_air_changes(self, celsius):
        self.rig.air["rack-air.temperature"] = celsius

    @rule(contact=st.sampled_from(["smoke-1", "smoke-2"]), luck=st.integers(0, 3))
    def a_detector_sees_smoke(self, contact, luck):
        self.rig.set(contact, luck == 0)

    @rule(how=st.sampled_from(["fails", "hangs", "well", "well"]))
    def the_journal(self, how):
        rig = self.rig
        rig.journal_fails = how == "fails"
        rig.journal_hangs = how == "hangs"
        self.hangs_s = rig.at_s if how == "hangs" else None

    @rule(seconds=st.sampled_from([-365 * 86400.0, 365 * 86400.0]))
    def the_wall_clock_jumps(self, seconds):
        """Wall time changes no timer: besides, every decision is compared with a year later."""
        self.rig.wall_jumps(seconds)

    @rule(off_s=st.sampled_from([0.0, 2.0, 30.0]), same_boot=st.booleans())
    def the_controller_restarts(self, off_s, same_boot):
        """A restart at any step yields the same or a more conservative plan: what has begun has
        begun, what was stopping is not taken for running, and an outage's time never shrinks."""
        rig = self.rig
        rig.run(0.6)
        before, begun, on_s = rig.phases(), set(rig.plan.begun), self._on_battery_s()
        outputs = rig.outputs
        rig.restart(same_boot=same_boot, off_s=0.0)
        self.restarts += 1
        if same_boot:
            assert rig.outputs == outputs
        assert begun <= set(rig.plan.begun)
        for id, phase in rig.phases().items():
            if before[id] in (*GOING, "down", "unconfirmed"):
                assert phase != "running" or self._answers(id), (id, before[id])
        assert self._on_battery_s() >= on_s - 0.1 or rig.power.mains_s is not None
        self.last_word = None
        self.told_left_s = None
        rig.leap(off_s)
        rig.run(0.01)

    @rule(seconds=st.sampled_from([10.0, 35.0, 50.0, 70.0]))
    def everything_gets_well(self, seconds):
        """So that hosts come back, and what follows comes in the middle of it."""
        self._well()
        self.rig.run(seconds)

    @rule(seconds=st.sampled_from([12.0, 40.0, 100.0]))
    def the_mains_fails_with_everything_well(self, seconds):
        self._well()
        self._mains(False)
        self.rig.run(seconds)

    # People.

    @rule(override=st.sampled_from([None, None, "charge", "stable", "temperature"]))
    def somebody_starts_the_hosts(self, override):
        self.rig.request("start-hosts", **({} if override is None else {"override": override}))

    @rule(id=st.sampled_from(list(HOSTS)))
    def somebody_sees_that_a_server_is_off(self, id):
        if not self.rig.servers[id].body.is_running:
            self.rig.request("confirm-down", host=id)

    @rule()
    def somebody_sees_that_the_mains_is_there(self):
        if self.rig.mains:
            self.rig.request("confirm-mains")

    @rule(id=st.sampled_from(list(OUTLETS)), to=st.sampled_from(["on", "off"]))
    def somebody_switches_an_outlet(self, id, to):
        self.rig.request("switch", output=id, to=to, for_="2min")

    @precondition(lambda self: any(self.rig.on(id) for id in CUT))
    @rule()
    def somebody_resets_and_restores(self):
        for contact in ("smoke-1", "smoke-2"):
            self.rig.set(contact, False)
        self.rig.run(2.0)
        self.rig.request("reset", alarm="fire.confirmed")
        self.rig.request("restore")

    # What always holds.

    @invariant()
    def no_running_server_loses_its_outlet_without_leave(self):
        """No server outlet goes off before it is confirmed down, or its time is over and it was
        said so, or there is a fire."""
        rig = self.rig
        for move in rig.moves[self.moves_seen :]:
            if move.on or move.output not in OUTLETS or move.slot <= 2:
                continue
            if move.cause == "plan.outlet-cut":
                assert move.output == "standby-outlet", move
                stop_s = [at for at, what in rig.servers["standby"].sent if what == "stop"]
                asked_s = [
                    at for at, event in rig.events
                    if event.subject == "standby" and event.kind == "plan"
                    and event.data.get("phase") == "queued" and at < move.at_s
                ]  # fmt: skip
                first_s = min(s for s in [*stop_s, *asked_s] if s >= (asked_s or stop_s)[-1])
                assert move.at_s - first_s >= STOP_S - 0.1, move
        self.moves_seen = len(rig.moves)

    @invariant()
    def a_silent_ups_on_battery_is_not_waited_for(self):
        """On battery with the communication lost never lasts longer than 15 s or the projected
        runtime without a beginning of the plan."""
        rig = self.rig
        deaf = rig.ups.silent or rig.ups.frozen
        if not deaf or self.last_word != "battery" or rig.point("mains").is_true:
            return
        left_s = self.told_left_s if self.told_left_s is not None else 0.0
        lasted_s = rig.at_s - self.told_at_s
        if lasted_s > max(DEADTIME_S, left_s) + 12.0:
            assert rig.plan.begun, rig.view()["power"]

    def _round(self, id: str, phase: str) -> int:
        """What a host's time in a phase is counted from anew."""
        host = self.rig.plan.host(id)
        if phase == "starting":
            return host.step  # one that has failed and come again between two looks is another
        # What was silent must be seen again after each restart, and that takes its time.
        is_watched = phase == "stopping" and host.tries == 0
        return self.restarts if is_watched else 0

    @invariant()
    def every_step_of_a_sequence_ends(self):
        """Any sequence terminates within its bound, also when everything is silent."""
        rig = self.rig
        for id, phase in rig.phases().items():
            way = (phase, self._round(id, phase))
            known, since_s = self.entered_s.get(id, (("", 0), 0.0))
            if known != way or rig.journal_hangs:
                self.entered_s[id] = way, rig.at_s
                continue
            lasted_s = rig.at_s - since_s
            if phase == "stopping":
                assert lasted_s <= STOP_S + 25.0 + 130.0, (id, phase)
            if phase == "queued":
                assert lasted_s <= DOWN_BOUND_S + 130.0, (id, phase)
            if phase == "starting":
                assert lasted_s <= START_S + 60.0 + 130.0, (id, phase)

    @invariant()
    def every_demand_of_the_plan_says_why(self):
        rig = self.rig
        for one in rig.view()["hosts"]:
            if one["phase"] in ("queued", "stopping", "unconfirmed", "failed", "held"):
                assert one["reason"], one

    def teardown(self):
        """With the mains gone for good every sequence ends; with everything well again every
        server comes up, at the latest when a person asks."""
        rig = self.rig
        rig.doubt = False
        rig.journal_fails = rig.journal_hangs = False
        self.hangs_s = None
        rig.air["rack-air.temperature"] = 22.0
        self._mains(False)
        rig.ups.silent = True
        rig.run(60.0)
        rig.run_until(lambda: not self._is_under_way(), DOWN_BOUND_S, 5.0)
        self._well()
        rig.run_until(lambda: not self._is_under_way(), UP_BOUND_S, 5.0)
        rig.run(STABLE_S + OFF_HOLD_S + 10.0)
        rig.run_until(lambda: not self._is_under_way(), UP_BOUND_S, 5.0)
        rig.request("start-hosts")
        rig.run_until(self._all_up, UP_BOUND_S, 5.0)
        self.no_running_server_loses_its_outlet_without_leave()

    # How it is seen.

    def _mains(self, there):
        (self.rig.mains_returns if there else self.rig.mains_fails)()

    def _well(self):
        rig = self.rig
        rig.ups.silent = rig.ups.frozen = rig.ups.breaker = False
        rig.ups.says = {}
        rig.ups.battery.charge_pct = 100.0
        rig.air["rack-air.temperature"] = 22.0
        rig.journal_fails = rig.journal_hangs = False
        self.hangs_s = None
        for server in rig.servers.values():
            if server.body.phase == "booting" and server.body.ends_s == float("inf"):
                server.body.act("crash")
            server.body.act("normal")
            server.deaf = server.dead_path = server.reboots = server.sick = False
            server.initialise_fails = False
            server.refuses = server.misses = 0
        for contact in ("smoke-1", "smoke-2"):
            rig.set(contact, False)
        self._mains(True)
        self._looked_at()
        rig.run(3.0)
        rig.request("reset", alarm="fire.confirmed")
        rig.request("restore")

    def _is_under_way(self):
        return bool({*GOING, *COMING} & set(self.rig.phases().values()))

    def _all_up(self):
        running = set(self.rig.phases().values()) == {"running"}
        return running and all(server.body.is_up for server in self.rig.servers.values())

    def _looked_at(self):
        """The next look comes now: what changes between two looks nobody can know."""
        for server in self.rig.servers.values():
            server.looked_s = -1000.0
        self.rig.run(0.05)

    def _answers(self, id):
        return self.rig.servers[id].body.is_running

    def _on_battery_s(self):
        return self.rig.view()["power"]["on_battery_s"]

    def _hear(self):
        told = self.rig.ups.values(self.rig.mains, 0)
        self.last_word = told.get("supply")
        left = told.get("runtime")
        self.told_left_s = left if isinstance(left, float) else None
        self.told_at_s = self.rig.at_s

    def _judge_command(self, command):
        rig = self.rig
        if command.action in ("stop", "start", "initialise"):
            # A step is in the record before it is done.
            assert self.hangs_s is None or rig.at_s - self.hangs_s < 1.5, command
        if command.action != "start":
            return
        # After the last stop nothing starts before everything has been off for a while.
        down_s = [
            at for at, event in rig.events
            if event.kind == "plan"
            and (event.cause == "plan.unconfirmed" or "took_s" in event.data)
        ]  # fmt: skip
        assert not down_s or rig.at_s - down_s[-1] >= OFF_HOLD_S - 1.0, command
        assert rig.at_s - self.last_start_s >= 9.9, command
        self.last_start_s = rig.at_s
        # No start into an outage, a fire or a cut.
        assert rig.point("power.state").value not in ("outage", "on-battery", "disagreement")
        assert rig.point("mains").is_true
        assert not any(rig.on(id) for id in CUT)
        assert not rig.alarm("fire.confirmed").startswith("active")
        # No stage before the one that stopped after it, and nobody before whom it needs.
        for id, number in HOSTS.items():
            if number > HOSTS[command.part]:
                assert rig.phase(id) not in COMING, (command, rig.phases())
        for id in NEEDS.get(command.part, ()):
            assert rig.phase(id) == "running", (command, rig.phases())


@in_lives(1, 12, 400)
def test_the_plan_keeps_its_promises_whatever_happens(rigged, lives, same_each_time):
    live(lambda: PoweredRoom(rigged), lives, 120, same_each_time)
