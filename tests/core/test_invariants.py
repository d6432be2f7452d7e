"""What holds whatever happens: a state machine does to a room what people and faults do."""

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

from controller.core.reading import Now
from controller.core.request import Origin, Status
from controller.core.scan import scan
from simulators.projector import Power
from tests.core.lives import in_lives, live

ROOM = """
[[input]]
id = "rack-air"
kind = "dht22"
pin = 4
[[input]]
id = "smoke-1"
kind = "contact-pair"
role = "smoke"
pins = [17, 18]
[[input]]
id = "smoke-2"
kind = "contact-pair"
role = "smoke"
pins = [27, 26]
[[input]]
id = "call-point"
kind = "contact"
role = "call-point"
pin = 5
contact = "no"
[[input]]
id = "emergency"
kind = "contact"
role = "emergency"
pin = 19
contact = "no"
[[input]]
id = "front-door"
kind = "contact"
role = "door"
pin = 22
[[input]]
id = "mains"
kind = "contact"
role = "mains"
pin = 23
contact = "no"
[[input]]
id = "cut-proof"
kind = "contact"
role = "feedback"
of = "power-cut"
pin = 24
contact = "no"
[[input]]
id = "hold-button"
kind = "contact"
role = "hold"
pin = 25
contact = "no"
[[output]]
id = "power-cut"
kind = "relay"
role = "cut-off"
scope = "room"
pin = 16
[[output]]
id = "ups-cut"
kind = "relay"
role = "cut-off"
scope = "ups"
pin = 13
[[output]]
id = "siren"
kind = "relay"
role = "siren"
pin = 12
[[output]]
id = "exit"
kind = "relay"
role = "door-release"
pin = 9
[[output]]
id = "aircon"
kind = "relay"
role = "cooling"
pin = 20
default = "on"
energised = "off"
minimum_off = "3min"
[[output]]
id = "lights"
kind = "relay"
role = "light"
pin = 10
[[output]]
id = "hall-outlet"
kind = "relay"
role = "outlet"
pin = 21
energised = "off"
[[projector]]
id = "hall"
outlet = "hall-outlet"
kind = "pjlink"
address = "127.0.0.1:4352"
[fire]
fed = "outside"
budget = "20s"
"""
CUTS = ("power-cut", "ups-cut")
PAIRS = ("smoke-1", "smoke-2")
CONTACTS = (*PAIRS, "call-point", "emergency", "front-door", "hold-button")
ALARMS = ("all", "fire.confirmed", "smoke-1.prealarm", "rack-air.temperature-critical",
          "hall.hot-cut", "front-door.intrusion")  # fmt: skip
FINAL = (Status.REFUSED, Status.DONE, Status.FAILED, Status.EXPIRED)


class GuardedRoom(RuleBasedStateMachine):
    """One room; `make` builds it. Kept small, for the rig itself checks every decision."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self.rig = make(ROOM)
        self.rig.doubt = True
        self.rig.ask("release-lamp", id="hall")
        self.rig.run(2.0)
        self.moves_seen = len(self.rig.moves)
        self.may_release_the_cut = False
        self.troubled_s: dict[str, float] = {}

    # The world.

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0, 3.0, 10.0, 25.0]))
    def time_passes(self, seconds):
        self.rig.run(seconds)

    @rule(seconds=st.sampled_from([65.0, 150.0, 310.0]), luck=st.integers(0, 3))
    def much_time_passes(self, seconds, luck):
        self.rig.run(seconds if luck == 0 else 2.0)

    @rule(contact=st.sampled_from(CONTACTS), value=st.booleans())
    def a_contact_moves(self, contact, value):
        self.rig.set(contact, value)

    @rule(contact=st.sampled_from(CONTACTS))
    def a_contact_cannot_be_read(self, contact):
        self.rig.wire(contact, None)

    @rule(pair=st.sampled_from(PAIRS), level=st.booleans())
    def a_pair_contradicts_itself(self, pair, level):
        self.rig.wire(pair, (level, level))

    @rule(celsius=st.sampled_from([22.0, 26.6, 27.5, 36.0, 60.0, -50.0]))
    def the_air_changes(self, celsius):
        self.rig.air["rack-air.temperature"] = celsius

    @rule(how=st.sampled_from(["silent", "garbled", "well"]))
    def the_sensor_is(self, how):
        self.rig.silent.clear()
        self.rig.garbled.clear()
        self.troubled_s.clear()
        if how != "well":
            getattr(self.rig, how).add("rack-air")
            self.troubled_s["rack-air"] = self.rig.at_s

    @rule(there=st.booleans())
    def the_mains_is(self, there):
        (self.rig.mains_returns if there else self.rig.mains_fails)()

    @rule(on=st.booleans())
    def somebody_uses_the_remote(self, on):
        self.rig.remote("hall", on)

    @rule(how=st.sampled_from(["mute", "deaf", "sleeps"]), so=st.booleans())
    def the_projector_is(self, how, so):
        setattr(self.rig.lamps["hall"], how, so)

    @rule(seconds=st.sampled_from([-365 * 86400.0, -1.0, 365 * 86400.0]))
    def the_wall_clock_jumps(self, seconds):
        self.rig.wall_jumps(seconds)

    @rule(off_s=st.sampled_from([0.0, 2.0, 40.0]))
    def the_controller_restarts_on_the_same_boot(self, off_s):
        rig = self.rig
        rig.run(0.6)  # a contact that has just moved would be taken at once by the new program
        self._settle()
        before, left = rig.outputs, rig.point("hall.cooling-left").value
        rig.restart(same_boot=True)
        assert rig.outputs == before
        after = rig.point("hall.cooling-left").value
        assert left is None or after is None or after >= left - 0.1
        rig.leap(off_s)  # and it may be slow to scan again
        rig.run(0.01)
        self.troubled_s = dict.fromkeys(self.troubled_s, rig.at_s)

    # People.

    @rule(on=st.booleans())
    def the_projector_is_switched(self, on):
        self.rig.request("projector-on" if on else "projector-off", id="hall")

    @precondition(
        lambda self: self.rig.lamps["hall"].body.power in (Power.STANDBY, Power.UNPOWERED)
    )
    @rule()
    def a_cold_lamp_is_released(self):
        self.rig.request("release-lamp", id="hall")

    @rule(output=st.sampled_from(["aircon", "lights"]), to=st.sampled_from(["on", "off"]))
    def an_output_is_switched(self, output, to):
        self.rig.request("switch", output=output, to=to, for_="10min")

    @rule(action=st.sampled_from(["hold", "arm", "disarm", "cut"]))
    def somebody_asks_for(self, action):
        self.rig.request(action)

    @rule()
    def somebody_resets_and_restores(self):
        self.rig.request("reset", alarm="fire.confirmed")
        self._judge_moves()
        if self.rig.request("restore").status is not Status.REFUSED:
            self.may_release_the_cut = True

    @rule(
        action=st.sampled_from(["acknowledge", "silence", "shelve", "unshelve", "out-of-service"]),
        alarm=st.sampled_from(ALARMS),
    )
    def an_alarm_is_handled(self, action, alarm):
        """Only the sound may change."""
        self._settle()
        before = self.rig.outputs
        args = {"alarm": alarm, "for_": "10min", "reason": "test"}
        self.rig.request(action, **({} if action == "silence" else args))
        assert {**self.rig.outputs, "siren": None} == {**before, "siren": None}

    @rule(
        keys=st.sampled_from([
            {"origin": Origin.MQTT},
            {"origin": Origin.NETWORK_PANEL},
            {"origin": Origin.BUTTON},
            {"repeated": True},
            {"issued_s": 1.0, "expires_s": 2.0},
            {"expect": {"hall-outlet": "neither"}},
        ]),
        asked=st.sampled_from([
            ("projector-on", {"id": "hall"}),
            ("projector-off", {"id": "hall"}),
            ("switch", {"output": "aircon", "to": "off"}),
            ("cut", {}),
            ("restore", {}),
        ]),
    )  # fmt: skip
    def a_request_that_may_not_be(self, keys, asked):
        action, args = asked
        self._settle()
        before, rules = self.rig.outputs, self.rig.memory.rules
        answer = self.rig.request(action, **keys, **args)
        assert answer.status in (Status.REFUSED, Status.EXPIRED)
        assert answer.reason is not None
        assert self.rig.outputs == before
        assert self.rig.memory.rules == rules

    # What always holds.

    @invariant()
    def a_cut_ends_only_by_a_restore(self):
        self._judge_moves()

    @invariant()
    def a_confirmed_fire_stops_the_cooling(self):
        if self.rig.alarm("fire.confirmed").startswith("active"):
            assert not self.rig.on("aircon")
            assert self.rig.on("exit")

    @invariant()
    def the_emergency_contact_cuts(self):
        if self.rig.point("emergency").is_true:
            assert all(self.rig.on(id) for id in CUTS)

    @invariant()
    def every_held_output_says_why(self):
        for state in self.rig.memory.outputs.values():
            assert state.reason.id
            assert state.until_s is None or state.until_s > self.rig.mono_s - 1.0

    @invariant()
    def a_bad_sensor_never_looks_normal(self):
        for part, since_s in self.troubled_s.items():
            if self.rig.at_s - since_s > 15.0:
                for quantity in ("temperature", "humidity", "dew-point"):
                    reading = self.rig.point(f"{part}.{quantity}")
                    assert not reading.is_good
                    assert reading.value is None
            if self.rig.at_s - since_s > 20.0:
                told = {self.rig.alarm(f"{part}.{how}") for how in ("silent", "implausible")}
                assert any(state.startswith(("active", "shelved", "out")) for state in told)
        for contact, loops in self.rig.loops.items():
            if loops is None:
                assert not self.rig.point(contact).is_good

    def teardown(self):
        """With everything well again, every request has come to an end."""
        rig = self.rig
        rig.doubt = False
        for contact in CONTACTS:
            rig.set(contact, False)
        rig.silent.clear()
        rig.garbled.clear()
        rig.mains_returns()
        lamp = rig.lamps["hall"]
        lamp.mute = lamp.deaf = lamp.sleeps = False
        rig.run(5.0)
        rig.request("reset", alarm="fire.confirmed")
        rig.request("restore")
        self.may_release_the_cut = True
        rig.run(1300.0)  # a request may wait a quarter of an hour beyond the cooling
        self._judge_moves()
        open_ = [answers for answers in rig.answers.values() if answers[-1].status not in FINAL]
        assert open_ == []
        assert not any(rig.on(id) for id in CUTS)

    def _judge_moves(self):
        for move in self.rig.moves[self.moves_seen :]:
            if move.output in CUTS:
                assert move.on or self.may_release_the_cut, move
        if any(self.rig.on(id) for id in CUTS) and any(
            move.on and move.output in CUTS for move in self.rig.moves[self.moves_seen :]
        ):
            self.may_release_the_cut = False
        self.moves_seen = len(self.rig.moves)

    def _settle(self):
        """An extra scan with nothing changed decides nothing, once what was done is seen."""
        rig = self.rig
        rig.run(0.01)
        for _ in range(6):
            now = Now(rig.mono_s, rig.wall_s)
            again = scan(rig.room, rig.memory, rig.image, (), now)
            if not again.events and not again.durable:
                return
            rig.run(0.001)
        raise AssertionError((again.events, again.changed, again.moved))


@in_lives(2, 20, 300)
def test_a_room_keeps_its_promises_whatever_happens(rigged, lives, same_each_time):
    live(lambda: GuardedRoom(rigged), lives, 200, same_each_time)
