"""`[fire]`: when a fire is confirmed, and what time is given to whom."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from controller.config.forms import Text
from controller.config.table import Table
from controller.core.duration import Duration, Within

Policy = Literal["two-detectors", "detector-and-heat", "verified-single", "alarm-only"]


class Fire(Table, frozen=True, kw_only=True):
    """Fire and smoke; call points and the emergency contact count under each policy.

    * `confirm`: what makes a fire of a detector's alarm. Left out: two-detectors where there are
      two, else alarm-only.
    * `window`: how long a detector that has cleared still counts as the first of two.
    * `budget`: the time given to hosts before the cut; 0: it cuts at once.
    * `verify`: how long one detector must stay active under verified-single.
    * `heat_above`: confirms one detector under detector-and-heat, in °C. Source of this and the
      next: the fixed 57 °C and 8 K/min of heat detectors.
    * `heat_rise`: confirms one detector under detector-and-heat, in K/min.
    * `prealarm_stops_cooling`: whether one detector's alarm stops the air conditioning.
    * `countdown`: runs before the cut where only one voter is left.
    * `hold_total`: how long all holds together may freeze the countdown.
    * `fed`: whether the controller, its network path and the door release are fed from outside
      the cut; a room with a cut-off must say outside.
    * `accept_risk`: who, when, why; takes a UPS that stays live after the cut.
    """

    confirm: Policy | None = None
    window: Annotated[Duration, Within("1s", "10min")] = Duration(120.0)
    budget: Annotated[Duration, Within("0s", "10min")] = Duration(0.0)
    verify: Annotated[Duration, Within("10s", "10min")] = Duration(60.0)
    heat_above: Annotated[float, Meta(ge=40, le=80)] = 57.0
    heat_rise: Annotated[float, Meta(ge=1, le=60)] = 8.0
    prealarm_stops_cooling: bool = True
    countdown: Annotated[Duration, Within("10s", "10min")] = Duration(60.0)
    hold_total: Annotated[Duration, Within("0s", "10min")] = Duration(180.0)
    fed: Literal["outside", "inside"] | None = None
    accept_risk: Text | None = None
