"""`[climate]`: limits of temperature and humidity, by profile or one by one."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from controller.config.table import Table
from controller.core.duration import Duration, Within

# The AM2302's own range; no sensor of ours measures beyond it.
Celsius = Annotated[float, Meta(ge=-40, le=80)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Kelvin = Annotated[float, Meta(ge=0, le=50)]
Delay = Annotated[Duration, Within("0s", "1h")]

DEFAULT_PROFILE = "gb50174-2017"


class Climate(Table, frozen=True, kw_only=True):
    """Limits of the room's air. One that is left out is the profile's; where that has none, there
    is no such limit.

    Source of the delays and deadbands: ISA-18.2 starting values (60 s for temperature), critical
    ones shorter, and a dew point that a DHT22 cannot tell finer than 2 K.

    * `profile`: whose limits these are; custom has none of its own.
    * `temperature_critical_low`: in °C; below it, a critical alarm.
    * `temperature_low`: in °C.
    * `temperature_high`: in °C.
    * `temperature_critical`: in °C; above it, a critical alarm.
    * `humidity_low`: in % of relative humidity.
    * `humidity_high`: in % of relative humidity.
    * `dew_point_low`: in °C.
    * `dew_point_high`: in °C.
    * `rise`: a rise of so many K within `rise_window` is an alarm.
    * `rise_window`: see `rise`.
    * `on_delay`: how long a temperature stays beyond a limit before its alarm comes.
    * `off_delay`: how long it stays within before the alarm goes.
    * `critical_on_delay`: the same as `on_delay`, for the critical limits.
    * `humidity_on_delay`: the same, for humidity and dew point.
    * `humidity_off_delay`: the same as `off_delay`, for humidity and dew point.
    * `temperature_deadband`: in K; so far within its limit an alarm goes.
    * `humidity_deadband`: in % of relative humidity.
    * `dew_point_deadband`: in K.
    * `disagree_temperature`: in K; two sensors in one place that differ by more disagree.
    * `disagree_humidity`: in % of relative humidity.
    * `frozen_after`: a value that has not moved for so long is not trusted.
    """

    profile: Literal[
        "gb50174-2017", "ashrae-a1", "ashrae-a2", "ashrae-a3", "ashrae-a4", "custom"
    ] = "gb50174-2017"
    temperature_critical_low: Celsius | None = None
    temperature_low: Celsius | None = None
    temperature_high: Celsius | None = None
    temperature_critical: Celsius | None = None
    humidity_low: Percent | None = None
    humidity_high: Percent | None = None
    dew_point_low: Celsius | None = None
    dew_point_high: Celsius | None = None
    rise: Annotated[float, Meta(ge=0.5, le=50)] | None = None
    rise_window: Annotated[Duration, Within("1min", "2h")] = Duration(900.0)
    on_delay: Delay = Duration(60.0)
    off_delay: Delay = Duration(120.0)
    critical_on_delay: Delay = Duration(10.0)
    humidity_on_delay: Delay = Duration(300.0)
    humidity_off_delay: Delay = Duration(300.0)
    temperature_deadband: Kelvin = 1.0
    humidity_deadband: Percent = 3.0
    dew_point_deadband: Kelvin = 2.0
    disagree_temperature: Kelvin = 3.0
    disagree_humidity: Percent = 10.0
    frozen_after: Annotated[Duration, Within("5min", "7d")] = Duration(7200.0)


@cache
def profiles() -> dict[str, dict[str, float]]:
    """The limits of each profile, by its name."""
    with Path(__file__).with_name("profiles.toml").open("rb") as file:
        return tomllib.load(file)


def with_profile(written: dict[str, Any]) -> dict[str, Any]:
    """The `[climate]` table as written, filled up with the limits of the profile it names."""
    name = written.get("profile", DEFAULT_PROFILE)
    return {**(profiles().get(name, {}) if isinstance(name, str) else {}), **written}
