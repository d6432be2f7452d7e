"""When a fire is confirmed: every policy, pairs and plain loops, faulty detectors."""

from __future__ import annotations

import pytest

OUTPUTS = """
[[output]]
id = "power-cut"
kind = "relay"
role = "cut-off"
scope = "room"
pin = 16
[[output]]
id = "siren"
kind = "relay"
role = "siren"
pin = 12
[[output]]
id = "aircon"
kind = "relay"
role = "cooling"
pin = 20
default = "on"
energised = "off"
"""
SENSOR = """
[[input]]
id = "rack-air"
kind = "dht22"
pin = 4
"""
TWO_PAIRS = """
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
"""
ONE_PAIR = TWO_PAIRS[: TWO_PAIRS.index("[[input]]", 5)]
THREE_PAIRS = (
    TWO_PAIRS
    + """
[[input]]
id = "smoke-3"
kind = "contact-pair"
role = "smoke"
pins = [19, 13]
"""
)
TWO_LOOPS = """
[[input]]
id = "smoke-1"
kind = "contact"
role = "smoke"
pin = 17
[[input]]
id = "smoke-2"
kind = "contact"
role = "smoke"
pin = 18
"""
BUTTONS = """
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
pin = 6
contact = "no"
[[input]]
id = "hold-button"
kind = "contact"
role = "hold"
pin = 25
contact = "no"
"""
FAULT = """
[[input]]
id = "smoke-2-fault"
kind = "contact"
role = "detector-fault"
pin = 22
"""
FED = '[fire]\nfed = "outside"\n'
POLICIES = ["two-detectors", "detector-and-heat", "verified-single", "alarm-only"]


def fire(policy, detectors=TWO_PAIRS, keys=""):
    return SENSOR + detectors + BUTTONS + OUTPUTS + FED + f'confirm = "{policy}"\n' + keys


def is_prealarm(rig):
    """Siren and notice, but nothing cut."""
    return rig.on("siren") and not rig.on("power-cut") and rig.alarm("fire.confirmed") == "normal"


def is_confirmed(rig):
    return rig.on("power-cut") and rig.alarm("fire.confirmed") == "active-unacknowledged"


@pytest.mark.parametrize("policy", POLICIES)
def test_one_detector_is_a_prealarm_under_every_policy(rigged, policy):
    rig = rigged(fire(policy))
    rig.set("smoke-1", True)
    rig.run(0.3)
    assert is_prealarm(rig)
    assert rig.alarm("smoke-1.prealarm") == "active-unacknowledged"
    assert not rig.on("aircon")
    assert rig.output("siren").slot == rig.output("aircon").slot == 2


def test_a_prealarm_leaves_the_cooling_running_where_the_room_file_says_so(rigged):
    rig = rigged(fire("two-detectors", keys="prealarm_stops_cooling = false\n"))
    rig.set("smoke-1", True)
    rig.run(1.0)
    assert is_prealarm(rig)
    assert rig.on("aircon")


def test_cooling_comes_back_by_itself_after_a_prealarm_that_was_no_fire(rigged):
    rig = rigged(fire("two-detectors"))
    rig.set("smoke-1", True)
    rig.run(5.0)
    rig.set("smoke-1", False)
    rig.run(300.0)
    assert rig.on("aircon")


@pytest.mark.parametrize("contact", ["call-point", "emergency"])
@pytest.mark.parametrize("policy", POLICIES)
def test_the_call_point_and_the_emergency_contact_confirm_under_every_policy(
    rigged, policy, contact
):
    rig = rigged(fire(policy))
    rig.set(contact, True)
    rig.run(0.2)
    assert is_confirmed(rig)
    assert not rig.on("aircon")


@pytest.mark.parametrize("contact", ["call-point", "emergency"])
def test_a_call_point_pressed_before_the_start_is_acted_on_in_the_first_scan(rigged, contact):
    rig = rigged(fire("two-detectors"))
    rig.loops[contact] = (True,)
    rig.restart(same_boot=False)
    assert rig.on("power-cut")


def test_two_detectors_confirm_when_both_are_active(rigged):
    rig = rigged(fire("two-detectors"))
    rig.set("smoke-1", True)
    rig.run(3600.0)
    assert is_prealarm(rig)
    rig.set("smoke-2", True)
    rig.run(0.3)
    assert is_confirmed(rig)


@pytest.mark.parametrize(("after_s", "confirmed"), [(119.0, True), (121.0, False)])
def test_a_detector_that_cleared_counts_as_the_first_of_two_for_the_window(
    rigged, after_s, confirmed
):
    rig = rigged(fire("two-detectors"))
    rig.set("smoke-1", True)
    rig.run(2.0)
    rig.set("smoke-1", False)
    rig.run(after_s)
    rig.set("smoke-2", True)
    rig.run(0.3)
    assert is_confirmed(rig) is confirmed


def test_one_detector_twice_is_not_two(rigged):
    rig = rigged(fire("two-detectors"))
    for _ in range(4):
        rig.set("smoke-1", True)
        rig.run(2.0)
        rig.set("smoke-1", False)
        rig.run(2.0)
    assert rig.alarm("fire.confirmed") == "normal"
    assert not rig.on("power-cut")


def test_a_detector_bouncing_for_less_than_its_debounce_is_nothing(rigged):
    rig = rigged(fire("two-detectors"))
    for _ in range(20):
        rig.set("smoke-1", True)
        rig.run(0.15)
        rig.set("smoke-1", False)
        rig.run(0.05)
    assert rig.alarms() == set()
    assert rig.moves == []


def test_two_detectors_is_the_default_with_two_and_alarm_only_with_one(rigged):
    two = rigged(TWO_PAIRS + OUTPUTS + FED)
    for id in ("smoke-1", "smoke-2"):
        two.set(id, True)
    two.run(0.3)
    assert is_confirmed(two)
    one = rigged(ONE_PAIR + OUTPUTS + FED)
    one.set("smoke-1", True)
    one.run(600.0)
    assert is_prealarm(one)


def test_alarm_only_never_cuts_for_detectors(rigged):
    rig = rigged(fire("alarm-only"))
    rig.set("smoke-1", True)
    rig.set("smoke-2", True)
    rig.air["rack-air.temperature"] = 79.0
    rig.run(600.0)
    assert not rig.on("power-cut")
    assert rig.on("siren")


@pytest.mark.parametrize(("temperature", "confirmed"), [(56.8, False), (57.2, True)])
def test_one_detector_and_heat_confirm(rigged, temperature, confirmed):
    rig = rigged(fire("detector-and-heat"))
    rig.flicker = 0.0
    # Warmed up slowly enough that only the fixed limit can judge it.
    while rig.air["rack-air.temperature"] < temperature:
        rig.air["rack-air.temperature"] = min(temperature, rig.air["rack-air.temperature"] + 2)
        rig.run(60.0)
    rig.run(120.0)
    rig.set("smoke-1", True)
    rig.run(0.3)
    assert is_confirmed(rig) is confirmed


@pytest.mark.parametrize(("rise", "confirmed"), [(6.0, False), (11.0, True)])
def test_one_detector_and_a_fast_rise_confirm(rigged, rise, confirmed):
    rig = rigged(fire("detector-and-heat"))
    rig.flicker = 0.0
    rig.run(120.0)
    rig.set("smoke-1", True)
    for _ in range(48):  # two minutes
        rig.air["rack-air.temperature"] += rise / 24.0
        rig.run(2.5)
    assert rig.on("power-cut") is confirmed


def test_two_detectors_without_heat_do_not_confirm_under_detector_and_heat(rigged):
    rig = rigged(fire("detector-and-heat"))
    rig.set("smoke-1", True)
    rig.set("smoke-2", True)
    rig.run(1.0)
    assert is_prealarm(rig)


@pytest.mark.parametrize("fault", ["silent", "garbled"])
def test_heat_that_is_not_well_measured_confirms_nothing(rigged, fault):
    rig = rigged(fire("detector-and-heat"))
    rig.air["rack-air.temperature"] = 60.0
    getattr(rig, fault).add("rack-air")
    rig.run(30.0)
    rig.set("smoke-1", True)
    rig.run(60.0)
    assert is_prealarm(rig)


def test_a_single_garbled_reading_is_no_heat(rigged):
    rig = rigged(fire("detector-and-heat"))
    rig.set("smoke-1", True)
    rig.run(1.0)
    rig.air["rack-air.temperature"] = 75.0
    rig.run(2.5)
    rig.air["rack-air.temperature"] = 22.0
    rig.run(60.0)
    assert is_prealarm(rig)


def test_heat_alone_cuts_nothing(rigged):
    rig = rigged(fire("detector-and-heat"))
    rig.air["rack-air.temperature"] = 60.0
    rig.run(300.0)
    assert not rig.on("power-cut")


def test_a_single_detector_is_verified_by_staying_active(rigged):
    rig = rigged(fire("verified-single", ONE_PAIR))
    rig.set("smoke-1", True)
    rig.run(0.2 + 59.5)
    assert is_prealarm(rig)
    rig.run(1.0)
    assert is_confirmed(rig)


def test_a_single_detector_that_clears_while_verified_begins_anew(rigged):
    rig = rigged(fire("verified-single", ONE_PAIR))
    rig.set("smoke-1", True)
    rig.run(50.0)
    rig.set("smoke-1", False)
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.run(55.0)
    assert not rig.on("power-cut")
    rig.run(7.0)
    assert rig.on("power-cut")


def test_the_verify_time_is_the_room_files(rigged):
    rig = rigged(fire("verified-single", ONE_PAIR, 'verify = "20s"\n'))
    rig.set("smoke-1", True)
    rig.run(21.0)
    assert is_confirmed(rig)


@pytest.mark.parametrize("loops", [(True, True), (False, False)], ids=["shorted", "unplugged"])
def test_a_pair_that_contradicts_itself_is_a_fault_and_no_smoke(rigged, loops):
    rig = rigged(fire("two-detectors"))
    rig.wire("smoke-1", loops)
    rig.run(0.45)
    assert rig.alarm("smoke-1.fault") == "normal"
    rig.run(0.1)
    assert rig.alarm("smoke-1.fault") == "active-unacknowledged"
    rig.run(60.0)
    assert rig.alarm("smoke-1.prealarm") == "normal"
    assert rig.moves == []


def test_a_detector_in_fault_has_no_vote_and_the_last_voter_starts_a_countdown(rigged):
    rig = rigged(fire("two-detectors"))
    rig.wire("smoke-2", (True, True))
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.run(0.2 + 59.5)
    assert is_prealarm(rig)
    assert rig.alarm("fire.countdown") == "active-unacknowledged"
    rig.run(1.0)
    assert is_confirmed(rig)


def test_a_detector_that_cannot_be_read_has_no_vote(rigged):
    rig = rigged(fire("two-detectors"))
    rig.wire("smoke-2", None)
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.run(61.0)
    assert is_confirmed(rig)


def test_a_detector_that_reports_its_own_fault_has_no_vote(rigged):
    rig = rigged(fire("two-detectors", TWO_PAIRS + FAULT + 'of = "smoke-2"\n'))
    rig.set("smoke-2-fault", True)
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.run(30.0)
    assert is_prealarm(rig)
    rig.run(31.0)
    assert is_confirmed(rig)


def test_smoke_is_told_also_while_the_detectors_report_a_fault(rigged):
    rig = rigged(fire("two-detectors", TWO_PAIRS + FAULT))
    rig.set("smoke-2-fault", True)
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.run(5.0)
    assert is_prealarm(rig)
    assert rig.alarm("smoke-1.prealarm") == "active-unacknowledged"


def test_the_second_detector_well_again_ends_the_last_voters_countdown(rigged):
    rig = rigged(fire("two-detectors"))
    rig.wire("smoke-2", (True, True))
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.run(20.0)
    rig.set("smoke-2", False)
    rig.run(120.0)
    assert is_prealarm(rig)


def test_a_detector_out_of_service_has_no_vote(rigged):
    rig = rigged(fire("two-detectors"))
    rig.ask("out-of-service", point="smoke-2", reason="dust")
    rig.set("smoke-2", True)
    rig.run(600.0)
    assert rig.moves == []
    rig.set("smoke-1", True)
    rig.run(59.0)
    assert is_prealarm(rig)
    rig.run(2.0)
    assert is_confirmed(rig)


def test_the_last_voter_that_clears_ends_its_countdown(rigged):
    rig = rigged(fire("two-detectors"))
    rig.wire("smoke-2", (True, True))
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.run(30.0)
    rig.set("smoke-1", False)
    rig.run(600.0)
    assert not rig.on("power-cut")
    assert rig.alarm("fire.countdown") != "active-unacknowledged"


def test_with_two_voters_left_of_three_there_is_no_countdown(rigged):
    rig = rigged(fire("two-detectors", THREE_PAIRS))
    rig.wire("smoke-3", (True, True))
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.run(300.0)
    assert is_prealarm(rig)
    rig.set("smoke-2", True)
    rig.run(0.3)
    assert is_confirmed(rig)


def test_the_second_detector_failing_during_a_prealarm_starts_the_countdown(rigged):
    rig = rigged(fire("two-detectors"))
    rig.set("smoke-1", True)
    rig.run(10.0)
    rig.wire("smoke-2", (True, True))
    rig.run(0.5 + 59.0)
    assert is_prealarm(rig)
    rig.run(2.0)
    assert is_confirmed(rig)


def test_a_fault_of_every_detector_cuts_nothing(rigged):
    rig = rigged(fire("two-detectors"))
    rig.wire("smoke-1", (True, True))
    rig.wire("smoke-2", (False, False))
    rig.run(600.0)
    assert rig.moves == []
    assert rig.alarm("smoke-1.fault") == rig.alarm("smoke-2.fault") == "active-unacknowledged"


def test_plain_loops_that_open_one_after_the_other_are_a_fire(rigged):
    rig = rigged(fire("two-detectors", TWO_LOOPS))
    rig.set("smoke-1", True)
    rig.run(1.5)
    rig.set("smoke-2", True)
    rig.run(0.3)
    assert is_confirmed(rig)


@pytest.mark.parametrize("apart_s", [0.0, 0.9])
def test_plain_loops_that_open_within_a_second_are_a_supply_fault(rigged, apart_s):
    rig = rigged(fire("two-detectors", TWO_LOOPS))
    rig.set("smoke-1", True)
    rig.run(apart_s)
    rig.set("smoke-2", True)
    rig.run(59.0)
    assert not rig.on("power-cut")
    assert rig.alarm("fire.supply-fault") == "active-unacknowledged"
    rig.run(2.5)
    assert rig.on("power-cut")


def test_plain_loops_open_at_the_first_scan_are_a_supply_fault(rigged):
    rig = rigged(fire("two-detectors", TWO_LOOPS))
    rig.loops |= {"smoke-1": (False,), "smoke-2": (False,)}
    rig.restart(same_boot=False)
    rig.run(1.0)
    assert rig.alarm("fire.supply-fault") == "active-unacknowledged"
    rig.run(58.0)
    assert not rig.on("power-cut")
    rig.run(2.0)
    assert rig.on("power-cut")


def test_the_supplys_countdown_ends_when_the_supply_is_back(rigged):
    rig = rigged(fire("two-detectors", TWO_LOOPS))
    rig.set("smoke-1", True)
    rig.set("smoke-2", True)
    rig.run(30.0)
    rig.set("smoke-1", False)
    rig.set("smoke-2", False)
    rig.run(600.0)
    assert not rig.on("power-cut")


def test_the_supplys_countdown_can_be_held(rigged):
    rig = rigged(fire("two-detectors", TWO_LOOPS))
    rig.set("smoke-1", True)
    rig.set("smoke-2", True)
    rig.run(30.0)
    rig.press("hold-button", 60.0)
    rig.run(29.0)
    assert not rig.on("power-cut")
    rig.run(4.0)
    assert rig.on("power-cut")


def test_pairs_active_at_once_are_a_fire(rigged):
    rig = rigged(fire("two-detectors"))
    rig.loops |= {"smoke-1": (True, False), "smoke-2": (True, False)}
    rig.restart(same_boot=False)
    assert rig.on("power-cut")


def test_a_pair_and_a_plain_loop_at_once_are_a_fire(rigged):
    mixed = ONE_PAIR + TWO_LOOPS[TWO_LOOPS.index("[[input]]", 5) :].replace("18", "19")
    rig = rigged(fire("two-detectors", mixed))
    rig.set("smoke-1", True)
    rig.set("smoke-2", True)
    rig.run(0.3)
    assert is_confirmed(rig)


def test_smoke_there_before_the_start_is_acted_on_in_the_first_scan(rigged):
    rig = rigged(fire("two-detectors"))
    rig.loops["smoke-1"] = (True, False)
    rig.restart(same_boot=False)
    assert is_prealarm(rig)


def test_the_contacts_by_which_a_fire_was_seen_are_told(rigged):
    rig = rigged(fire("two-detectors"))
    rig.set("smoke-1", True)
    rig.run(1.0)
    rig.set("smoke-2", True)
    rig.run(1.0)
    reason = rig.output("power-cut").reason
    assert set(reason.values["detectors"]) == {"smoke-1", "smoke-2"}
