from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.air import Air, saturated_g_m3

seconds = st.floats(0.0, 1e6)
kelvin = st.floats(-20.0, 60.0)


def air(temperature_c: float, heat_w: float, cooling: bool) -> Air:
    return Air(heat_w=heat_w, cooling=cooling, temperature_c=temperature_c)


@given(kelvin, st.floats(0.0, 9000.0), st.booleans(), seconds, seconds)
def test_two_steps_take_the_air_where_one_long_step_does(
    start_c: float, heat_w: float, cooling: bool, first_s: float, second_s: float
) -> None:
    once, twice = air(start_c, heat_w, cooling), air(start_c, heat_w, cooling)
    once.advance(first_s + second_s)
    twice.advance(first_s)
    twice.advance(second_s)
    assert twice.temperature_c == pytest.approx(once.temperature_c, abs=1e-6)
    assert twice.water_g_m3 == pytest.approx(once.water_g_m3, abs=1e-6)


@given(kelvin, st.floats(0.0, 9000.0), st.booleans(), seconds)
def test_the_air_never_goes_past_where_its_heat_takes_it(
    start_c: float, heat_w: float, cooling: bool, dt_s: float
) -> None:
    now, end = air(start_c, heat_w, cooling), air(start_c, heat_w, cooling)
    now.advance(dt_s)
    end.advance(1e9)
    low, high = sorted((start_c, end.temperature_c))
    assert low - 1e-9 <= now.temperature_c <= high + 1e-9


def test_one_time_constant_is_63_percent_of_the_way() -> None:
    room = air(23.0, 3000.0, cooling=False)
    room.advance(room.tau_s)
    assert room.temperature_c == pytest.approx(23.0 + 0.632 * (45.0 - 23.0), abs=0.01)


def test_the_air_takes_up_and_gives_off_water_in_its_own_time() -> None:
    room = Air(cooling=False, water_g_m3=10.0)
    room.advance(room.water_tau_s)
    assert room.water_g_m3 == pytest.approx(10.0 + 0.632 * 2.0, abs=0.001)
    room.cooling = True
    room.advance(1e6)
    assert room.water_g_m3 == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("heat_w", "cooling", "settled_c"),
    [
        pytest.param(3000.0, True, 23.0, id="racks and cooling"),
        pytest.param(3000.0, False, 45.0, id="racks without cooling"),
        pytest.param(3300.0, True, 25.0, id="racks, a lamp and cooling"),
        pytest.param(0.0, False, 25.0, id="everything off"),
    ],
)
def test_the_room_settles_by_its_heat_and_its_cooling(
    heat_w: float, cooling: bool, settled_c: float
) -> None:
    room = air(30.0, heat_w, cooling)
    room.advance(1e6)
    assert room.temperature_c == pytest.approx(settled_c, abs=0.01)


def test_warmer_air_with_the_same_water_is_drier() -> None:
    cool, warm = Air(temperature_c=20.0), Air(temperature_c=30.0)
    assert cool.water_g_m3 == warm.water_g_m3
    assert cool.humidity_pct > warm.humidity_pct


def test_humidity_stops_at_saturation() -> None:
    assert Air(temperature_c=5.0, water_g_m3=12.0).humidity_pct == 100.0


@pytest.mark.parametrize(
    ("temperature_c", "g_m3"),
    # Common table values of saturated water vapour density.
    [(0.0, 4.85), (10.0, 9.4), (20.0, 17.3), (30.0, 30.4)],
)
def test_saturated_air_holds_what_the_tables_say(temperature_c: float, g_m3: float) -> None:
    assert saturated_g_m3(temperature_c) == pytest.approx(g_m3, rel=0.01)
