from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.projector import Power, Projector


def supplied(cooling_s: float = 300.0) -> Projector:
    projector = Projector(cooling_s)
    projector.supply(True)
    return projector


def lit() -> Projector:
    projector = supplied()
    projector.switch(True)
    projector.advance(60.0)
    assert projector.power is Power.ON
    return projector


def test_it_warms_up_shines_cools_and_is_in_standby_again() -> None:
    projector = supplied()
    seen = [projector.power]
    assert projector.switch(True)
    for now_s in (19.9, 20.0, 100.0):
        projector.advance(now_s)
        seen.append(projector.power)
    assert projector.switch(False)
    for now_s in (399.9, 400.0):
        projector.advance(now_s)
        seen.append(projector.power)
    assert seen == ["standby", "warm-up", "on", "on", "cooling", "standby"]


def test_a_lamp_is_cool_when_its_fan_stops() -> None:
    projector = lit()
    assert projector.lamp_c > 850.0
    projector.switch(False)
    projector.advance(360.0)
    assert projector.power is Power.STANDBY
    assert projector.lamp_c < 35.0


def test_without_its_fan_a_lamp_stays_hot_far_longer() -> None:
    projector = lit()
    projector.supply(False)
    projector.advance(360.0)
    assert projector.lamp_c > 300.0


@pytest.mark.parametrize("power", [Power.WARM_UP, Power.ON, Power.COOLING])
def test_losing_the_supply_while_the_lamp_is_hot_is_a_hot_cut(power: Power) -> None:
    projector = supplied()
    projector.switch(True)
    if power is not Power.WARM_UP:
        projector.advance(60.0)
    if power is Power.COOLING:
        projector.switch(False)
    assert projector.power is power
    projector.supply(False)
    projector.supply(False)
    assert projector.hot_cuts == 1


def test_losing_the_supply_in_standby_is_no_hot_cut() -> None:
    projector = supplied()
    projector.supply(False)
    assert (projector.power, projector.hot_cuts) == (Power.UNPOWERED, 0)


def test_it_forgets_everything_without_supply() -> None:
    projector = lit()
    projector.supply(False)
    projector.supply(True)
    assert projector.power is Power.STANDBY


def test_a_cooling_lamp_cannot_be_struck_and_nothing_answers_without_supply() -> None:
    projector = lit()
    projector.switch(False)
    assert not projector.switch(True)
    assert projector.power is Power.COOLING
    assert not Projector(300.0).switch(True)


@given(st.lists(st.floats(0.0, 500.0), max_size=10))
def test_many_steps_take_the_lamp_where_one_long_step_does(steps_s: list[float]) -> None:
    once, often = supplied(), supplied()
    for projector in (once, often):
        projector.switch(True)
        projector.advance(30.0)
        projector.switch(False)
    now_s = 30.0
    for step_s in steps_s:
        now_s += step_s
        often.advance(now_s)
    once.advance(now_s)
    assert often.power is once.power
    assert often.lamp_c == pytest.approx(once.lamp_c, abs=1e-6)
