"""A projector that says nothing: only its outlet is switched, and a person tells of its lamp."""

from __future__ import annotations

from controller.core.partconfig import ProjectorConfig
from controller.core.parts import Board

TABLE = "projector"


class Config(ProjectorConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing beyond what every projector has."""


def open_device(config: Config, board: Board) -> None:
    """There is nothing to talk to."""
