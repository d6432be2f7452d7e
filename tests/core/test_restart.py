"""Restart: on the same boot nothing moves; after a new boot latched trips stand and lamps cool."""

from __future__ import annotations

import pytest

from controller.core.memory import decode, encode
from controller.core.request import Status
from controller.core.restart import Boot
from simulators.projector import Power

pytestmark = pytest.mark.slow

COOLING_S = 300.0
YEAR_S = 365 * 86400.0


@pytest.fixture
def begun(lakeside):
    """Build the example room, its projector off and, as a person says, cold."""

    def make():
        rig = lakeside()
        rig.run(5.0)
        rig.ask("release-lamp", id="hall")
        rig.run(2.0)
        assert not rig.on("hall-outlet")
        return rig

    return make


@pytest.fixture
def rig(begun):
    return begun()


def lit(rig):
    rig.ask("projector-on", id="hall")
    rig.run(60.0)


def cooling(rig):
    lit(rig)
    rig.ask("projector-off", id="hall")
    rig.run(100.0)


def prealarm(rig):
    rig.set("smoke-1", True)
    rig.run(5.0)


def countdown(rig):
    rig.wire("smoke-2", (True, True))
    rig.run(1.0)
    rig.set("smoke-1", True)
    rig.run(20.0)


def fire(rig):
    lit(rig)
    rig.set("smoke-1", True)
    rig.run(1.0)
    rig.set("smoke-2", True)
    rig.run(10.0)


def fire_reset(rig):
    fire(rig)
    for id in ("smoke-1", "smoke-2"):
        rig.set(id, False)
    rig.run(1.0)
    rig.ask("reset", alarm="fire.confirmed")
    rig.run(1.0)


def restored(rig):
    fire_reset(rig)
    rig.ask("restore")
    rig.run(2.0)


def switched(rig):
    rig.ask("switch", output="aircon", to="off", for_="30min")
    rig.run(10.0)


def resting(rig):
    rig.ask("switch", output="aircon", to="off")
    rig.run(10.0)
    rig.ask("release", output="aircon")
    rig.run(10.0)


def quiet(rig):
    rig.run(1.0)


PHASES = [
    quiet, lit, cooling, prealarm, countdown, fire, fire_reset, restored, switched, resting,
]  # fmt: skip


def phase(which):
    return which.__name__


@pytest.mark.parametrize("off_s", [0.0, 3.0])
@pytest.mark.parametrize("begin", PHASES, ids=phase)
def test_a_restart_on_the_same_boot_moves_no_output(rig, begin, off_s):
    begin(rig)
    before = rig.outputs
    since_s = rig.at_s
    rig.restart(same_boot=True, off_s=off_s)
    assert rig.outputs == before
    rig.run(2.0)
    assert rig.moved(since_s) == []
    held = {id: state.slot for id, state in rig.memory.outputs.items()}
    assert held.keys() == before.keys()


@pytest.mark.parametrize("begin", PHASES, ids=phase)
def test_restarts_on_the_same_boot_change_nothing_that_comes_later(begun, begin):
    """The same minutes with and without three restarts: the same moves, within a moment."""
    told = []
    for restarts in (False, True):
        rig = begun()
        begin(rig)
        since_s = rig.at_s
        for _ in range(3):
            rig.run(13.0)
            if restarts:
                rig.restart(same_boot=True)
        rig.run(180.0)
        moves = [move for move in rig.moves if move.at_s >= since_s]
        told.append([(m.output, m.on, m.slot, round((m.at_s - since_s) / 5.0)) for m in moves])
    assert told[0] == told[1]


@pytest.mark.parametrize("begin", [fire, fire_reset], ids=phase)
def test_a_latched_cut_is_exerted_at_once_after_a_new_boot(rig, begin):
    begin(rig)
    rig.loops |= {"smoke-1": (False, True), "smoke-2": (False, True)}
    rig.restart(same_boot=False, off_s=60.0)
    assert [rig.on(id) for id in ("power-cut", "ups-cut")] == [True, True]
    assert rig.memory.outputs["power-cut"].slot <= 2


def test_the_fire_latch_stands_after_a_new_boot(rig):
    fire(rig)
    rig.loops |= {"smoke-1": (False, True), "smoke-2": (False, True)}
    rig.restart(same_boot=False, off_s=60.0)
    rig.run(5.0)
    assert rig.alarm("fire.confirmed").startswith(("active", "latched"))
    assert rig.request("restore").status is Status.REFUSED
    assert not rig.on("aircon")
    rig.ask("reset", alarm="fire.confirmed")
    rig.ask("restore")


def test_cooling_stays_off_after_a_fire_also_across_a_new_boot(rig):
    fire_reset(rig)
    rig.restart(same_boot=False, off_s=60.0)
    rig.run(200.0)
    assert not rig.on("aircon")


def test_a_detector_still_active_after_a_new_boot_is_acted_on_in_the_first_scan(rig):
    prealarm(rig)
    rig.restart(same_boot=False, off_s=5.0)
    assert rig.on("siren")


def test_an_exerted_trip_that_the_journal_has_not_got_is_latched_and_recorded(rig):
    lines = {**rig.outputs, "power-cut": True}
    rig.start(rig.memory, lines, Boot(same=True))
    assert rig.on("power-cut")
    assert rig.on("ups-cut"), "a cut of the room is a cut of the UPS too"
    rig.run(60.0)
    assert rig.on("power-cut")
    assert ("room", "cut.found") in rig.causes("fire")
    assert rig.request("restore").status in (Status.ACCEPTED, Status.REFUSED)


def test_the_line_file_is_the_truth_also_without_a_journal(lakeside):
    rig = lakeside()
    lines = {**rig.outputs, "power-cut": True, "ups-cut": True, "hall-outlet": True}
    rig.start(rig.room.first_memory(rig.mono_s), lines, Boot(same=True))
    rig.run(60.0)
    assert rig.on("power-cut")
    assert rig.on("ups-cut")
    assert rig.on("hall-outlet")
    # Nobody knows that it was no fire: it is latched as one, which sounds and stops the air.
    assert rig.moved() == [("siren", True), ("aircon", False)]
    assert rig.request("restore").reason.id == "refused.latched"


def test_after_a_new_boot_a_lit_lamp_is_left_on_and_taken_as_demanded(rig):
    lit(rig)
    rig.restart(same_boot=False, off_s=5.0)
    rig.run(500.0)
    assert rig.lamps["hall"].body.power is Power.ON
    assert rig.lamps["hall"].sent == ["on"]
    assert rig.on("hall-outlet")
    assert rig.lamps["hall"].body.hot_cuts == 0
    assert rig.memory.rules["projector.hall"].wanted


@pytest.mark.parametrize("mains", [True, False], ids=["board only", "mains too"])
def test_after_a_new_boot_a_projector_in_standby_or_cooling_cools_its_full_time(rig, mains):
    cooling(rig)
    rig.restart(same_boot=False, off_s=30.0, mains=mains)
    rig.run(COOLING_S - 3.0)
    assert rig.on("hall-outlet")
    rig.run(15.0)
    assert not rig.on("hall-outlet")


def test_a_projector_that_says_nothing_after_a_new_boot_is_hot(rig):
    cooling(rig)
    rig.lamps["hall"].mute = True
    rig.restart(same_boot=False, off_s=600.0)
    rig.run(700.0)
    assert rig.on("hall-outlet")


def test_cooling_is_not_shortened_by_restarts_on_the_same_boot(rig):
    lit(rig)
    rig.ask("projector-off", id="hall")
    began_s = rig.at_s
    for _ in range(10):
        rig.run(17.0)
        rig.restart(same_boot=True, off_s=2.0)
    rig.run_until(lambda: not rig.on("hall-outlet"), 400.0, 0.5)
    assert COOLING_S - 1.0 <= rig.at_s - began_s <= COOLING_S + 15.0
    assert rig.lamps["hall"].body.hot_cuts == 0


def test_a_command_is_not_sent_twice_by_a_restart(rig):
    cooling(rig)
    rig.restart(same_boot=True)
    rig.run(60.0)
    assert rig.lamps["hall"].sent == ["on", "off"]


def test_the_compressor_rests_its_full_time_across_a_restart(rig):
    resting(rig)
    rig.restart(same_boot=True)
    rig.run(150.0)
    assert not rig.on("aircon")
    rig.run(30.0)
    assert rig.on("aircon")


def test_the_compressor_rests_after_a_new_boot(rig):
    """On the NC contact it ran while the board was off; nothing is known of how long."""
    switched(rig)
    rig.restart(same_boot=False, off_s=1.0)
    assert rig.on("aircon"), "the line is at its power-on state, and nobody asks for another"


def test_a_switch_by_hand_does_not_outlive_the_boot_nor_its_end(rig):
    switched(rig)
    rig.restart(same_boot=True)
    rig.run(190.0)  # its rest is over, and the hand alone holds it
    until_s = rig.output("aircon").until_s
    assert until_s is not None
    assert until_s - rig.mono_s == pytest.approx(1600.0, abs=1.0)
    rig.restart(same_boot=False, off_s=1.0)
    rig.run(200.0)
    assert rig.on("aircon")


@pytest.mark.parametrize(("off_s", "state"), [(1100.0, "shelved"), (1300.0, "normal")])
def test_shelving_never_lengthens_by_a_new_boot(rig, off_s, state):
    rig.ask("shelve", alarm="front-door.held-open", for_="20min", reason="painting")
    rig.run(10.0)
    rig.restart(same_boot=False, off_s=off_s)
    assert rig.alarm("front-door.held-open") == state
    rig.run(max(1200.0 - 10.0 - off_s, 0.0) + 5.0)
    assert rig.alarm("front-door.held-open") == "normal"


def test_a_wall_clock_set_back_during_the_restart_does_not_lengthen_a_shelf(rig):
    rig.ask("shelve", alarm="front-door.held-open", for_="2min", reason="painting")
    rig.run(10.0)
    memory, _ = decode(encode(rig.memory), rig.room.rules)
    old_s = rig.mono_s
    rig.mono_s = 20.0
    # Wall clocks tell nothing: the shell hands in a shift that counts no time between.
    rig.start(memory, {}, Boot(False, rig.mono_s - old_s))
    rig._sensor_s = rig._lamp_s = rig.mono_s
    rig.run(115.0)
    assert rig.alarm("front-door.held-open") == "normal"


def test_a_countdown_runs_on_across_a_restart_of_the_same_boot(rig):
    countdown(rig)
    rig.restart(same_boot=True, off_s=2.0)
    rig.run(36.0)
    assert not rig.on("power-cut")
    rig.run(3.0)
    assert rig.on("power-cut")


def test_a_countdown_ends_in_a_cut_also_across_a_new_boot(rig):
    countdown(rig)
    rig.restart(same_boot=False, off_s=2.0)
    rig.run(62.0)
    assert rig.on("power-cut")


def test_the_hold_that_was_spent_stays_spent(rig):
    countdown(rig)
    rig.press("hold-button", 170.0)
    rig.restart(same_boot=True)
    rig.set("hold-button", True)
    rig.run(10.0 + 37.0)
    assert not rig.on("power-cut")
    rig.run(6.0)
    assert rig.on("power-cut")


def test_what_is_not_yet_read_is_missing_in_the_first_scan(rig):
    rig.restart(same_boot=True)
    for point in ("rack-air.temperature", "rack-air.dew-point"):
        assert rig.point(point).quality == "missing"
        assert rig.point(point).value is None


def test_an_acknowledged_alarm_stays_acknowledged(rig):
    prealarm(rig)
    rig.ask("acknowledge", alarm="smoke-1.prealarm")
    rig.restart(same_boot=True)
    rig.run(1.0)
    assert rig.alarm("smoke-1.prealarm") == "active-acknowledged"


def test_a_silence_is_not_forgotten(rig):
    prealarm(rig)
    rig.ask("silence")
    rig.run(1.0)
    rig.restart(same_boot=True)
    rig.run(5.0)
    assert not rig.on("siren")


def test_an_armed_room_stays_armed(rig):
    rig.ask("arm")
    rig.run(60.0)
    for same_boot in (True, False):
        rig.restart(same_boot=same_boot)
        rig.run(1.0)
        assert rig.memory.rules["access"].armed


def test_a_detector_out_of_service_stays_so(rig):
    rig.ask("out-of-service", point="smoke-2", reason="dust")
    for same_boot in (True, False):
        rig.restart(same_boot=same_boot)
        rig.set("smoke-2", True)
        rig.run(5.0)
        assert not rig.on("siren")
        rig.set("smoke-2", False)
        rig.run(1.0)


@pytest.mark.parametrize("begin", PHASES, ids=phase)
def test_jumps_of_the_wall_clock_change_no_decision(begun, begin):
    told = []
    for jump_s in (0.0, YEAR_S):
        rig = begun()
        begin(rig)
        rig.run(10.0)
        rig.wall_jumps(jump_s)
        rig.run(70.0)
        rig.wall_jumps(-2 * jump_s)
        rig.run(150.0)
        told.append((rig.moves, rig.events, rig.alarms()))
    assert told[0] == told[1]
