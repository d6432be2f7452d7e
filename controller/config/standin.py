"""What stands in for a part whose own table is faulty, so that the other checks still see it.

A stand-in never leaves the reader: a file that needed one has faults.
"""

from __future__ import annotations

from controller.core.partconfig import (
    InputConfig,
    OutputConfig,
    PartConfig,
    Pin,
    ProjectorConfig,
    UpsConfig,
)


class FaultyInput(InputConfig, frozen=True, kw_only=True):
    role: str | None = None
    pin: Pin | None = None
    pins: tuple[Pin, ...] | None = None


class FaultyOutput(OutputConfig, frozen=True, kw_only=True):
    pin: Pin | None = None


STAND_INS: dict[type[PartConfig], type[PartConfig]] = {
    InputConfig: FaultyInput,
    OutputConfig: FaultyOutput,
    ProjectorConfig: ProjectorConfig,
    UpsConfig: UpsConfig,
}
