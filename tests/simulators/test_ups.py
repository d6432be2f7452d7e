from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.parts import SELF_TESTS, SUPPLIES, UPS_FAULTS, UPS_VALUES
from simulators.battery import Battery
from simulators.ups import SELF_TEST_S, SimulatedUps


@pytest.fixture
def ups() -> SimulatedUps:
    return loaded()


def loaded(load_w: float = 3000.0, charge_pct: float = 100.0) -> SimulatedUps:
    one = SimulatedUps("main-ups", battery=Battery(charge_pct=charge_pct))
    one.carry(load_w)
    return one


def test_a_ups_on_the_mains_is_healthy(ups: SimulatedUps) -> None:
    ups.advance(100.0)
    assert ups.values() == {
        "supply": "mains",
        "battery_low": False,
        "charge_pct": 100.0,
        "runtime_s": pytest.approx(1200.0),
        "load_pct": pytest.approx(60.0, abs=0.5),
        "input_voltage_v": pytest.approx(220.0, abs=1.3),
        "input_frequency_hz": pytest.approx(50.0, abs=0.06),
        "battery_age_d": 400.0,
        "self_test": "none",
        "faults": "",
    }


def test_without_its_input_it_runs_on_the_battery_gets_low_and_ends(ups: SimulatedUps) -> None:
    ups.feed(False)
    seen = []
    for now_s in (0.0, 600.0, 1079.0, 1080.0, 1199.0, 1200.0, 5000.0):
        ups.advance(now_s)
        seen.append((ups.supply, ups.battery_low, round(ups.values()["charge_pct"])))  # type: ignore[arg-type]
    assert seen == [
        ("battery", False, 100),
        ("battery", False, 50),
        ("battery", False, 10),
        ("battery", True, 10),
        ("battery", True, 0),
        ("off", False, 0),
        ("off", False, 0),
    ]


def test_what_it_foretells_is_what_happens(ups: SimulatedUps) -> None:
    ups.feed(False)
    moments = []
    while ups.next_s < float("inf"):
        ups.advance(ups.next_s)
        moments.append((round(ups.now_s), ups.supply, ups.battery_low))
    assert moments == [
        (900, "battery", False),  # where a calibration would end
        (1080, "battery", True),
        (1200, "off", False),
    ]


@given(st.lists(st.floats(0.0, 2000.0), max_size=8))
def test_looking_often_changes_nothing(moments: list[float]) -> None:
    often, once = loaded(), loaded()
    for ups in (often, once):
        ups.feed(False)
    for now_s in sorted(moments):
        often.advance(now_s)
    often.advance(2000.0)
    once.advance(2000.0)
    assert often.values() == once.values()


def test_a_dead_ups_feeds_its_load_as_soon_as_the_mains_is_back() -> None:
    ups = loaded(charge_pct=1.0)
    ups.feed(False)
    ups.advance(60.0)
    assert not ups.has_output
    ups.feed(True)
    ups.carry(3000.0)
    ups.advance(60.0 + 144.0)
    assert (ups.supply, ups.battery.charge_pct) == ("mains", pytest.approx(1.0))


def test_a_heavier_load_makes_the_battery_low_earlier() -> None:
    heavy = loaded(load_w=6000.0)
    heavy.feed(False)
    heavy.advance(479.0)
    assert heavy.battery_low is False
    heavy.advance(480.0)  # 120 s before the end, at a fifth of its charge
    assert heavy.battery_low is True


@pytest.mark.parametrize(
    ("quantity", "value", "supply"),
    [
        pytest.param("input-voltage", 159.0, "battery", id="too low"),
        pytest.param("input-voltage", 161.0, "mains", id="low"),
        pytest.param("input-voltage", 281.0, "battery", id="too high"),
        pytest.param("input-frequency", 39.0, "battery", id="too slow"),
        pytest.param("input-frequency", 53.0, "mains", id="fast"),
    ],
)
def test_an_input_out_of_its_window_is_as_none(
    ups: SimulatedUps, quantity: str, value: float, supply: str
) -> None:
    ups.held[quantity] = value
    assert ups.supply == supply


@pytest.mark.parametrize(
    ("forced", "fed", "supply"),
    [
        pytest.param("battery", True, "battery", id="on battery with the mains there"),
        pytest.param("mains", False, "mains", id="fed otherwise"),
        pytest.param("bypass", True, "bypass", id="bypass"),
        pytest.param("bypass", False, "off", id="a bypass without mains"),
        pytest.param("off", True, "off", id="switched off"),
    ],
)
def test_a_forced_supply_stands_until_it_is_normal(
    ups: SimulatedUps, forced: str, fed: bool, supply: str
) -> None:
    ups.forced = forced
    ups.feed(fed)
    assert ups.supply == ups.values()["supply"] == supply
    ups.forced = None
    ups.feed(True)
    assert ups.supply == "mains"


def test_a_self_test_is_ten_seconds_on_battery_and_passes(ups: SimulatedUps) -> None:
    assert ups.begin_test("self-test")
    assert (ups.supply, ups.self_test) == ("battery", "running")
    ups.advance(SELF_TEST_S)
    assert (ups.supply, ups.self_test) == ("mains", "passed")


def test_an_old_battery_fails_its_self_test(ups: SimulatedUps) -> None:
    ups.faults.add("replace-battery")
    ups.begin_test("self-test")
    ups.advance(SELF_TEST_S)
    assert ups.values()["self_test"] == "failed"


def test_a_calibration_ends_at_a_quarter_of_the_charge(ups: SimulatedUps) -> None:
    ups.begin_test("calibrate")
    ups.advance(899.0)
    assert (ups.supply, ups.self_test) == ("battery", "calibrating")
    ups.advance(900.0)
    assert (ups.supply, ups.self_test) == ("mains", "passed")
    assert ups.battery.charge_pct == pytest.approx(25.0)


def test_mains_lost_in_a_test_makes_it_an_outage(ups: SimulatedUps) -> None:
    ups.begin_test("calibrate")
    ups.feed(False)
    assert (ups.supply, ups.self_test) == ("battery", "none")
    ups.feed(True)
    assert ups.supply == "mains"


def test_no_test_begins_on_battery_or_with_a_flat_one(ups: SimulatedUps) -> None:
    assert not loaded(charge_pct=20.0).begin_test("self-test")
    ups.feed(False)
    assert not ups.begin_test("self-test")


def test_switched_off_with_the_mains_there_it_is_back_after_a_while(ups: SimulatedUps) -> None:
    ups.switch_off()
    ups.advance(9.0)
    assert (ups.supply, ups.load_w) == ("off", 0.0)
    ups.advance(10.0)
    assert ups.supply == "mains"


def test_switched_off_in_an_outage_it_waits_for_the_mains(ups: SimulatedUps) -> None:
    ups.feed(False)
    ups.switch_off()
    ups.advance(9999.0)
    assert (ups.supply, ups.battery.charge_pct) == ("off", 100.0)
    ups.feed(True)
    ups.advance(9999.0)
    assert ups.supply == "mains"


def test_held_meters_stand_and_the_battery_under_them_goes_on(ups: SimulatedUps) -> None:
    ups.held["charge"] = 20.0
    ups.feed(False)
    ups.advance(60.0)
    said = ups.values()
    assert (said["charge_pct"], said["runtime_s"]) == (20.0, pytest.approx(240.0))
    assert ups.battery.charge_pct == pytest.approx(95.0)


def test_a_held_runtime_makes_the_battery_low_on_battery_alone(ups: SimulatedUps) -> None:
    ups.held["runtime"] = 119.0
    assert ups.battery_low is False
    ups.feed(False)
    assert ups.battery_low is True


def test_live_meters_never_stand_still_for_long(ups: SimulatedUps) -> None:
    said = set()
    for now_s in range(0, 60, 5):
        ups.advance(float(now_s))
        said.add(round(float(ups.values()["input_voltage_v"]), 1))
    assert len(said) > 6


def test_frozen_meters_repeat_themselves_through_an_outage(ups: SimulatedUps) -> None:
    ups.meters.freeze()
    before = ups.values()
    ups.feed(False)
    ups.advance(500.0)
    assert ups.values() == before
    ups.mend()
    assert ups.values()["supply"] == "battery"


def test_an_overloaded_ups_says_so() -> None:
    ups = loaded(load_w=1000.0)
    ups.faults.add("overload")
    said = ups.values()
    assert (said["faults"], said["load_pct"]) == ("overload", pytest.approx(120.0, abs=0.5))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda ups: ups.feed(False), id="without mains"),
        pytest.param(lambda ups: ups.carry(0.0), id="without load"),
        pytest.param(lambda ups: ups.faults.update(("overload", "replace-battery")), id="faults"),
        pytest.param(lambda ups: ups.begin_test("calibrate"), id="calibrating"),
        pytest.param(lambda ups: ups.held.update(load=1e9), id="an impossible load"),
    ],
)
def test_what_it_says_is_always_of_the_normal_form(
    ups: SimulatedUps, spoil: Callable[[SimulatedUps], object]
) -> None:
    spoil(ups)
    said = ups.values()
    assert said.keys() == UPS_VALUES.keys()
    assert said["supply"] in SUPPLIES and said["self_test"] in SELF_TESTS
    assert set(str(said["faults"]).split()) <= set(UPS_FAULTS)
    for key, value in said.items():
        if isinstance(value, float):
            assert UPS_VALUES[key].low <= value <= UPS_VALUES[key].high
