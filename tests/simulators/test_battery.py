from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.battery import Battery

seconds = st.floats(0.0, 1e6)
watts = st.floats(0.0, 9000.0)


@given(st.floats(0.0, 100.0), watts, st.booleans(), seconds, seconds)
def test_two_steps_take_the_charge_where_one_long_step_does(
    charge_pct: float, drawn_w: float, charging: bool, first_s: float, second_s: float
) -> None:
    once, twice = (
        Battery(charge_pct=charge_pct, drawn_w=drawn_w, charging=charging) for _ in range(2)
    )
    once.advance(first_s + second_s)
    twice.advance(first_s)
    twice.advance(first_s + second_s)
    assert twice.charge_pct == pytest.approx(once.charge_pct, abs=1e-6)
    assert 0.0 <= once.charge_pct <= 100.0


@pytest.mark.parametrize(
    ("charge_pct", "drawn_w", "charging", "after_s", "left_pct"),
    [
        pytest.param(100.0, 3000.0, True, 600.0, 50.0, id="half its energy in half its time"),
        pytest.param(100.0, 3000.0, True, 1200.0, 0.0, id="empty after 20 min at 3 kW"),
        pytest.param(100.0, 3000.0, True, 9999.0, 0.0, id="empty stays empty"),
        pytest.param(100.0, 1500.0, True, 1200.0, 50.0, id="half the load lasts twice as long"),
        pytest.param(0.0, 0.0, True, 7200.0, 50.0, id="half full after half of 4 h"),
        pytest.param(90.0, 0.0, True, 99_999.0, 100.0, id="full stays full"),
        pytest.param(42.0, 0.0, False, 99_999.0, 42.0, id="nothing in and nothing out"),
    ],
)
def test_the_charge_follows_the_energy(
    charge_pct: float, drawn_w: float, charging: bool, after_s: float, left_pct: float
) -> None:
    battery = Battery(charge_pct=charge_pct, drawn_w=drawn_w, charging=charging, now_s=500.0)
    battery.advance(500.0 + after_s)
    assert battery.charge_pct == pytest.approx(left_pct)


@given(st.floats(0.1, 100.0), st.floats(1.0, 9000.0), st.floats(0.0, 1e9))
def test_a_battery_is_empty_at_the_instant_that_it_foretells(
    charge_pct: float, drawn_w: float, now_s: float
) -> None:
    battery = Battery(charge_pct=charge_pct, drawn_w=drawn_w, now_s=now_s)
    battery.advance(battery.empty_s)
    assert battery.charge_pct == 0.0


def test_a_full_battery_carries_3_kw_for_20_minutes_and_no_load_for_ever() -> None:
    battery = Battery()
    assert battery.lasts_s(3000.0) == pytest.approx(1200.0)
    assert battery.lasts_s(3000.0, charge_pct=50.0) == pytest.approx(600.0)
    assert battery.lasts_s(0.0) == float("inf")
    assert battery.lasts_s(0.0, charge_pct=0.0) == 0.0


def test_a_clock_that_steps_back_changes_no_charge() -> None:
    battery = Battery(charge_pct=50.0, drawn_w=3000.0, now_s=1000.0)
    battery.advance(0.0)
    assert (battery.charge_pct, battery.now_s) == (50.0, 1000.0)


def test_a_mark_is_reached_later_than_now_however_coarse_the_clock() -> None:
    battery = Battery(capacity_wh=0.5, charge_pct=50.0 + 1e-9, drawn_w=3000.0, now_s=1e11)
    assert battery.reaches_s(50.0) > battery.now_s
