"""Dew point from temperature and humidity, by the Magnus formula."""

from __future__ import annotations

import math

_B = 17.62  # Sonntag 1990, as the WMO uses it; valid -45..60 °C over water
_C = 243.12  # °C


def dew_point_c(temperature_c: float, humidity_pct: float) -> float:
    """Return the dew point. `humidity_pct` below 1 counts as 1: the logarithm needs it."""
    ratio = math.log(max(humidity_pct, 1.0) / 100.0)
    gamma = ratio + _B * temperature_c / (_C + temperature_c)
    return _C * gamma / (_B - gamma)
