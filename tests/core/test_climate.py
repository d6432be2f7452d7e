"""Temperature, humidity and dew point: each limit waits, trips, holds its deadband, and never
takes silence for health."""

from __future__ import annotations

import pytest

from controller.core.dewpoint import dew_point_c

ROOM = """
[[input]]
id = "rack-air"
kind = "dht22"
pin = 4
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
"""
LIMITS = """
[climate]
profile = "custom"
temperature_critical_low = 10.0
temperature_low = 18.0
temperature_high = 27.0
temperature_critical = 35.0
humidity_low = 20.0
humidity_high = 60.0
on_delay = "60s"
off_delay = "120s"
humidity_on_delay = "60s"
humidity_off_delay = "120s"
"""
NORMAL, ACTIVE, RETURNED = "normal", "active-unacknowledged", "returned-unacknowledged"
LATCHED = "latched-unacknowledged"


@pytest.fixture
def rig(rigged):
    rig = rigged(ROOM + LIMITS)
    rig.flicker = 0.0
    return rig


def walk(rig, point, value, seconds):
    """Bring the air to a value as air moves, and stay there; None: the sensor is silent."""
    if value is None:
        rig.silent.add(point.partition(".")[0])
    else:
        rig.silent.clear()
        step = 4.0 if point.endswith("temperature") else 15.0
        while abs(rig.air[point] - value) > step:
            rig.air[point] += step if value > rig.air[point] else -step
            rig.run(2.5)
        rig.air[point] = value
    rig.run(seconds)


T, H = "rack-air.temperature", "rack-air.humidity"


@pytest.mark.parametrize(
    ("alarm", "point", "samples"),
    [
        pytest.param(
            "temperature-high", T, [(56, 27.5, NORMAL), (10, 27.5, ACTIVE)],
            id="high: waits out the delay and trips on it",
        ),
        pytest.param("temperature-high", T, [(300, 27.0, NORMAL)],
            id="high: the limit itself is well"),
        pytest.param(
            "temperature-high", T, [(50, 27.5, NORMAL), (10, 26.9, NORMAL), (55, 27.5, NORMAL)],
            id="high: begins anew",
        ),
        pytest.param(
            "temperature-high", T, [(70, 27.5, ACTIVE), (300, 26.5, ACTIVE)],
            id="high: nothing changes in the deadband",
        ),
        pytest.param(
            "temperature-high", T,
            [(70, 27.5, ACTIVE), (115, 25.9, ACTIVE), (15, 25.9, RETURNED)],
            id="high: clears below the deadband after its delay",
        ),
        pytest.param(
            "temperature-high", T,
            [(70, 27.5, ACTIVE), (100, 25.9, ACTIVE), (5, 27.5, ACTIVE), (100, 25.9, ACTIVE)],
            id="high: the off-delay begins anew",
        ),
        pytest.param(
            "temperature-high", T, [(70, 27.5, ACTIVE), (600, None, ACTIVE)],
            id="high: silence clears nothing",
        ),
        pytest.param(
            "temperature-high", T, [(30, 27.5, NORMAL), (600, None, NORMAL), (50, 27.5, NORMAL)],
            id="high: silence counts for no delay",
        ),
        pytest.param(
            "temperature-critical", T, [(6, 35.5, NORMAL), (8, 35.5, ACTIVE)],
            id="critical: its delay is short",
        ),
        pytest.param(
            "temperature-critical", T, [(20, 35.5, ACTIVE), (600, 22.0, LATCHED)],
            id="critical: stays latched",
        ),
        pytest.param(
            "temperature-critical", T, [(20, 35.5, ACTIVE), (300, 34.5, ACTIVE)],
            id="critical: deadband",
        ),
        pytest.param(
            "temperature-low", T, [(56, 17.5, NORMAL), (10, 17.5, ACTIVE), (300, 18.5, ACTIVE),
            (130, 19.5, RETURNED)],
            id="low: waits, trips, holds, clears",
        ),
        pytest.param("temperature-low", T, [(300, 18.0, NORMAL)], id="low: the limit is allowed"),
        pytest.param(
            "temperature-low", T, [(70, 17.5, ACTIVE), (600, None, ACTIVE)],
            id="low: silence clears nothing",
        ),
        pytest.param(
            "temperature-critical-low", T, [(6, 9.5, NORMAL), (8, 9.5, ACTIVE)],
            id="critically low: its delay is short",
        ),
        pytest.param(
            "humidity-high", H, [(56, 60.5, NORMAL), (10, 60.5, ACTIVE), (300, 58.0, ACTIVE),
            (130, 56.9, RETURNED)],
            id="humidity: waits, trips, holds in 3 %, clears",
        ),
        pytest.param(
            "humidity-low", H, [(56, 19.5, NORMAL), (10, 19.5, ACTIVE), (300, 22.0, ACTIVE),
            (130, 23.5, RETURNED)],
            id="dry: waits, trips, holds, clears",
        ),
        pytest.param(
            "humidity-high", H, [(70, 60.5, ACTIVE), (600, None, ACTIVE)],
            id="humidity: silence clears nothing",
        ),
    ],
)  # fmt: skip
def test_each_limit_waits_trips_and_holds(rig, alarm, point, samples):
    found = []
    for seconds, value, _ in samples:
        walk(rig, point, value, float(seconds))
        found.append(rig.alarm(f"rack-air.{alarm}"))
    assert found == [state for _, _, state in samples]


@pytest.mark.parametrize(
    ("temperature", "humidity", "state"),
    [
        (24.0, 57.0, NORMAL),  # dew point 14.9
        (24.0, 59.0, ACTIVE),  # 15.5
        (26.0, 53.0, ACTIVE),  # 15.6
    ],
)
def test_the_dew_point_trips_beyond_15_degrees_by_the_default_profile(
    rigged, temperature, humidity, state
):
    rig = rigged(ROOM)
    rig.flicker = 0.0
    walk(rig, T, temperature, 0.1)
    walk(rig, H, humidity, 310.0)
    assert rig.alarm("rack-air.dew-point-high") == state
    assert rig.alarm("rack-air.humidity-high") == NORMAL


def test_dry_air_is_judged_by_its_dew_point(rigged):
    rig = rigged(ROOM)
    rig.flicker = 0.0
    walk(rig, H, 30.0, 310.0)
    assert rig.alarm("rack-air.dew-point-low") == ACTIVE


@pytest.mark.parametrize(
    ("temperature", "humidity", "expected"),
    [
        (18, 60, 10.11), (20, 50, 9.26), (22, 50, 11.09), (24, 60, 15.75), (18, 8, -16.84),
        (25, 60, 16.69), (25, 80, 21.31), (27, 50, 15.69), (27, 60, 18.57), (30, 70, 23.93),
    ],
)  # fmt: skip
def test_the_dew_point_is_magnus(temperature, humidity, expected):
    assert dew_point_c(float(temperature), float(humidity)) == pytest.approx(expected, abs=0.05)


def test_bone_dry_air_has_a_dew_point_all_the_same():
    assert dew_point_c(20.0, 0.0) == dew_point_c(20.0, 1.0)


def test_the_dew_point_is_worth_no_more_than_what_it_is_made_of(rig):
    assert rig.point("rack-air.dew-point").is_good
    rig.silent.add("rack-air")
    rig.run(10.0)
    dew = rig.point("rack-air.dew-point")
    assert (dew.value, dew.quality) == (None, "stale")


def rise(rig, kelvin, seconds):
    for _ in range(int(seconds / 10)):
        rig.air[T] += kelvin * 10.0 / seconds
        rig.run(10.0)


@pytest.mark.parametrize(("kelvin", "state"), [(4.6, NORMAL), (6.0, ACTIVE)])
def test_rising_fast_is_more_than_5_kelvin_in_a_quarter_of_an_hour(rigged, kelvin, state):
    rig = rigged(ROOM)
    rig.flicker = 0.0
    rig.air[T] = 19.0
    rig.run(60.0)
    rise(rig, kelvin, 890.0)
    assert rig.alarm("rack-air.rising-fast") == state


def test_cooling_that_runs_while_the_room_warms_is_told(rigged):
    rig = rigged(ROOM)
    rig.flicker = 0.0
    rig.ask("switch", output="aircon", to="on")
    rig.air[T] = 26.0
    rig.run(300.0)
    rise(rig, 7.0, 900.0)
    assert rig.on("aircon")
    assert rig.alarm("aircon.not-cooling") == ACTIVE


def test_a_room_that_warms_without_cooling_is_not_the_air_conditioners_fault(rigged):
    rig = rigged(ROOM)
    rig.flicker = 0.0
    rig.air[T] = 26.0
    rig.run(300.0)
    rise(rig, 7.0, 900.0)
    assert rig.alarm("aircon.not-cooling") == NORMAL


@pytest.mark.parametrize("command", ["acknowledge", "silence", "shelve", "out-of-service"])
def test_commands_on_a_climate_alarm_move_nothing_but_the_sound(rig, command):
    walk(rig, T, 36.0, 20.0)
    before = rig.outputs
    args = {
        "acknowledge": {"alarm": "all"},
        "silence": {},
        "shelve": {"alarm": "rack-air.temperature-critical", "for_": "1h", "reason": "test"},
        "out-of-service": {"point": "rack-air", "reason": "test"},
    }[command]
    rig.ask(command, **args)
    rig.run(5.0)
    assert {**rig.outputs, "siren": False} == {**before, "siren": False}


def test_the_hot_room_sounds_the_siren_until_somebody_knows(rig):
    walk(rig, T, 36.0, 20.0)
    assert rig.on("siren")
    assert rig.output("siren").slot == 12
    rig.ask("acknowledge", alarm="rack-air.temperature-critical")
    rig.run(1.0)
    assert not rig.on("siren")


@pytest.mark.parametrize(
    ("profile", "high", "critical"),
    [("gb50174-2017", 27.0, 35.0), ("ashrae-a1", 27.0, 32.0), ("ashrae-a4", 27.0, 45.0)],
)
def test_a_profile_sets_the_limits(rigged, profile, high, critical):
    rig = rigged(ROOM + f'[climate]\nprofile = "{profile}"\n')
    rig.flicker = 0.0
    walk(rig, T, high + 0.2, 70.0)
    assert rig.alarm("rack-air.temperature-high") == ACTIVE
    assert rig.alarm("rack-air.temperature-critical") == NORMAL
    walk(rig, T, critical + 0.2, 20.0)
    assert rig.alarm("rack-air.temperature-critical") == ACTIVE
