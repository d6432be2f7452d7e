"""A UPS that is known by its contacts alone: on battery, battery low, fault.

The contacts are `[[input]]`s with the roles ups-on-battery, ups-battery-low and ups-fault; the
core reads the UPS from them.
"""

from __future__ import annotations

from controller.core.partconfig import UpsConfig
from controller.core.parts import Board

TABLE = "ups"


class Config(UpsConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing beyond what every UPS has; `period` does not matter, for contacts tell at once."""


def open_device(config: Config, board: Board) -> None:
    """There is nobody to ask."""
