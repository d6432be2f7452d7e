"""`[[ups]]`, `[[host]]`, `[outage]`, `[return]`: what feeds the room, and who goes when."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from controller.config.climate import Celsius
from controller.config.forms import Command, Evidence, FileName, Start, Stop, Text, UpsAddress
from controller.config.table import Table
from controller.core.duration import Duration, Within
from controller.core.partconfig import Id, PartConfig

Percent = Annotated[float, Meta(ge=0, le=100)]
Volts = Annotated[float, Meta(ge=80, le=300)]
Hertz = Annotated[float, Meta(ge=40, le=70)]
StageNumber = Annotated[int, Meta(ge=1, le=9)]
Wait = Annotated[Duration, Within("0s", "24h")]

UPS_MAPS = ("apc-smart-ups", "huawei-ups2000", "socomec-jbus", "phoenix-quint4")


class UpsConfig(PartConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[ups]]`, asked each `period`. `map` is a register map that is shipped, or a file of
    the site's own; `unit` the Modbus unit id on the wire. A nut UPS has neither."""

    kind: Literal["modbus", "nut"]
    address: UpsAddress
    map: FileName | None = None
    unit: Annotated[int, Meta(ge=1, le=255)] = 1
    period: Annotated[Duration, Within("500ms", "60s")] = Duration(1.0)


class HostConfig(Table, frozen=True, kw_only=True):
    """A `[[host]]`: how it is stopped, started, and known to be down or ready.

    `evidence` is what answers while it is up, `needs` how many kinds of evidence say that it
    is down; `ready` what must answer before it counts as started (None: all of `evidence`).
    `unconfirmed` is what becomes of its `outlet` when `stop_timeout` is over.
    """

    id: Id
    name: Text | None = None
    stage: StageNumber
    stop: Stop
    key_file: FileName | None = None
    password_file: FileName | None = None
    host_key_file: FileName | None = None
    start: Start | None = None
    evidence: tuple[Evidence, ...] = ()
    needs: Annotated[int, Meta(ge=1, le=4)] = 2
    stop_timeout: Annotated[Duration, Within("1s", "2h")] = Duration(180.0)
    start_timeout: Annotated[Duration, Within("1s", "2h")] = Duration(300.0)
    unconfirmed: Literal["keep", "cut"] = "keep"
    outlet: Id | None = None
    ready: tuple[Evidence, ...] | None = None
    initialise: tuple[Command, ...] = ()
    after: tuple[Id, ...] = ()


class OutageStage(Table, frozen=True, kw_only=True):
    """An `[[outage.stage]]`: the hosts of `stage` stop by whichever comes first: time on
    battery, charge (%), runtime, or the room's temperature (°C)."""

    stage: StageNumber
    after: Wait | None = None
    charge_below: Percent | None = None
    runtime_below: Annotated[Duration, Within("1s", "24h")] | Literal["need"] | None = None
    temperature_above: Celsius | None = None


class Outage(Table, frozen=True, kw_only=True):
    """`[outage]`: outages shorter than `ride_through` start nothing; `reserve` is added to
    the time that what is left needs to stop. Above `temperature_shutdown` (°C; good readings)
    for `temperature_shutdown_for`, all stages start."""

    ride_through: Annotated[Duration, Within("0s", "10min")] = Duration(10.0)
    reserve: Annotated[Duration, Within("0s", "1h")] = Duration(120.0)
    stages: tuple[OutageStage, ...] = field(name="stage", default=())
    temperature_shutdown: Celsius = 40.0
    temperature_shutdown_for: Annotated[Duration, Within("10s", "1h")] = Duration(300.0)
    unstable_sheds: bool = False
    ups_off: bool = False


class Return(Table, frozen=True, kw_only=True):
    """`[return]`: what must hold, all of it and for `stable`, before anything starts; a limit
    that is left out is not asked for. `spacing` lies between two starts."""

    stable: Annotated[Duration, Within("0s", "2h")] = Duration(180.0)
    charge_above: Percent | None = None
    voltage: tuple[Volts, Volts] | None = None
    frequency: tuple[Hertz, Hertz] | None = None
    temperature_below: Celsius | None = None
    spacing: Annotated[Duration, Within("0s", "10min")] = Duration(10.0)
