"""The room file as a whole. Parts of a kind are the drivers'; the rest stands by topic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from controller.config.climate import Climate
from controller.config.feed import Feed
from controller.config.fire import Fire
from controller.config.forms import FileName, Listen, Text, TimeZone
from controller.config.power import HostConfig, Nut, Outage, Return
from controller.config.size import Size
from controller.config.table import Table
from controller.core.duration import Duration, Within
from controller.core.partconfig import (
    Id,
    InputConfig,
    OutputConfig,
    ProjectorConfig,
    UpsConfig,
)


class Room(Table, frozen=True, kw_only=True):
    """Which room this is.

    * `site`: names the site in topics.
    * `id`: names the room in topics.
    * `name`: what people call it.
    * `locale`: the language of the feed's texts and of people who ask for none.
    * `timezone`: the room's wall clock.
    """

    site: Id
    id: Id
    name: Text
    locale: Literal["zh-CN", "en"] = "en"
    timezone: TimeZone


class BoardConfig(Table, frozen=True, kw_only=True):
    """What the room is wired to; always said: real pins, or none, never by accident.

    * `kind`: a Raspberry Pi, or a simulated room.
    """

    kind: Literal["simulated", "rpi3", "rpi4", "rpi5"]


class Access(Table, frozen=True, kw_only=True):
    """Doors.

    * `held_open`: how long a door may stand open.
    * `entry_delay`: how long an armed room waits for a disarm after a door has opened.
    * `exit_delay`: how long doors may still open after arming.
    """

    held_open: Annotated[Duration, Within("5s", "2h")] = Duration(120.0)
    entry_delay: Annotated[Duration, Within("0s", "10min")] = Duration(30.0)
    exit_delay: Annotated[Duration, Within("0s", "10min")] = Duration(30.0)


class Panel(Table, frozen=True, kw_only=True):
    """The web panel.

    * `listen`: where it listens; beyond loopback, viewing needs a sign-in too.
    * `remote_operate`: whether people signed in over the network may switch things.
    * `person_file`: who may sign in; made by `roomwarden person`.
    """

    listen: Listen = "127.0.0.1:8080"
    remote_operate: bool = False
    person_file: FileName = "people.json"


class Store(Table, frozen=True, kw_only=True):
    """The journal.

    * `path`: its file.
    * `size`: the bytes it may take; the oldest readings go first.
    """

    path: FileName = "room.db"
    size: Size = Size(8 * 10**9)


class Simulation(Table, frozen=True, kw_only=True):
    """Only on a simulated board.

    * `real`: ids of parts that are really there: they are reached at their address, not
      simulated.
    * `pace`: how fast the simulated room's time runs, and all of the controller's with it.
    """

    real: tuple[Id, ...] = ()
    pace: Annotated[float, Meta(ge=1, le=1000)] = 1.0


class RoomFile(Table, frozen=True, kw_only=True):
    """One room. `folder` is where the file stands, `digest` the SHA-256 of its bytes in hex.

    * `version`: of this form of file.
    """

    version: Literal[1] = 1
    room: Room
    board: BoardConfig
    inputs: tuple[InputConfig, ...] = field(name="input", default=())
    outputs: tuple[OutputConfig, ...] = field(name="output", default=())
    projectors: tuple[ProjectorConfig, ...] = field(name="projector", default=())
    upses: tuple[UpsConfig, ...] = field(name="ups", default=())
    hosts: tuple[HostConfig, ...] = field(name="host", default=())
    nut: Nut = Nut()
    outage: Outage | None = None
    return_: Return | None = field(name="return", default=None)
    climate: Climate = Climate()
    fire: Fire = Fire()
    access: Access = Access()
    feed: Feed | None = None
    panel: Panel = Panel()
    store: Store = Store()
    simulation: Simulation = Simulation()
    folder: Path = Path(".")
    digest: str = ""

    @property
    def simulated(self) -> bool:
        return self.board.kind == "simulated"

    def resolve(self, name: str) -> Path:
        """Where a file that the room file names is: relative to the room file."""
        return self.folder / name
