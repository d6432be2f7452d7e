"""`[[host]]`, `[nut]`, `[outage]`, `[return]`: who goes when, and who comes when."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from controller.config.climate import Celsius
from controller.config.forms import (
    Command,
    Evidence,
    FileName,
    Listen,
    Path,
    Ready,
    Start,
    Stop,
    Text,
    Word,
)
from controller.config.table import Table
from controller.core.duration import Duration, Within
from controller.core.partconfig import Id

Percent = Annotated[float, Meta(ge=0, le=100)]
Volts = Annotated[float, Meta(ge=80, le=300)]
Hertz = Annotated[float, Meta(ge=40, le=70)]
StageNumber = Annotated[int, Meta(ge=1, le=9)]
Wait = Annotated[Duration, Within("0s", "24h")]

# A minute each (drivers/hosts/command.py): they end before the plan gives an initialisation up.
_MOST_COMMANDS = 8


class HostConfig(Table, frozen=True, kw_only=True):
    """A server: how it is stopped, started, and known to be down or ready.

    A kind of evidence is network (ping, tcp), client (ssh, a NUT session), management
    controller (redfish) or outlet power (outlet); two probes of one kind fail together and
    count once. A kind answers when any of its probes does. Missing files are a named alarm and
    disable the stopping of this one host.

    * `id`: names the host in points, alarms and requests.
    * `name`: what people call it.
    * `stage`: the stage of the outage that stops it; stage 1 stops first and starts last.
    * `stop`: how it is asked to shut down. `ssh://user@host[:port]` logs in with `key_file`; the
      server's forced command shuts it down. `redfish://user@host[:port][/system]` asks its
      management controller for a graceful shutdown, over TLS. `nut`: it runs upsmon as a
      secondary of our own upsd (see `[nut]`), on a virtual UPS named like the host.
      `command:/path word ..` runs a program here, without a shell; it is ended after 60 s.
    * `start`: how it is started: `wol://MAC` sends a magic packet, `wol://MAC@address` to that
      broadcast address; `redfish://..` as above; `command:..` as above; `outlet` switches its
      outlet off and on, for a server that starts when its power comes. Left out: by hand.
    * `evidence`: what answers while it is up: `ping://host`, `tcp://host:port`,
      `ssh://[user@]host[:port]` (the banner), `redfish://..`, `nut` (its session with our
      upsd), `outlet` (what the feedback of its outlet says). Its way of stopping counts, too.
    * `needs`: how many kinds of evidence must say that it is down before it counts as down.
    * `path`: a neighbour that answers as long as the way to the host is alive, such as its
      gateway: `ping://host` or `tcp://host:port`. While the neighbour is silent, the silence of
      the host proves nothing. It must not be reached by way of the host itself.
    * `stop_timeout`: how long it may take to stop; also what the plan reckons with until a stop
      has been measured.
    * `unconfirmed`: what becomes of its outlet when `stop_timeout` is over and it is not
      confirmed down: keep it on, or cut it.
    * `outlet`: the output of role outlet that feeds this host and nothing else. It is supplied
      by default, may be switched only while the host is confirmed down, and is cut by the plan
      only then or by `unconfirmed = "cut"`.
    * `ready`: what must answer, all of it, before a started host counts as ready:
      `tcp://host:port`, `http://..` or `https://..` (a status of 200 to 399),
      `ssh://[user@]host[:port]`, `ping://host`, `command:..` (exit status 0). Left out: all of
      `evidence`.
    * `start_timeout`: how long it may take from its start until it is ready; then its start
      has failed, and what depends on it is held.
    * `initialise`: commands that are run one after the other once it is ready, 8 at most, and
      each has a minute; the first that fails ends it, is told, and holds what depends on it.
    * `after`: hosts that must be ready, and initialised, before this one starts.
    * `key_file`: the private key for `stop = "ssh://.."`; mode 600.
    * `host_key`: the server's public host key, one line as in its `/etc/ssh/ssh_host_*_key.pub`;
      a server that shows another key is not talked to. Left out: the file `<id>.host-key`.
    * `password_file`: holds the password of the user of the `redfish://` addresses.
    * `ca`: a certificate that `redfish://` and `https://` servers must prove themselves by: their
      own, or the authority's. Left out: the system's authorities.
    """

    id: Id
    name: Text | None = None
    stage: StageNumber
    stop: Stop
    start: Start | None = None
    evidence: tuple[Evidence, ...] = ()
    needs: Annotated[int, Meta(ge=1, le=4)] = 2
    path: Path | None = None
    stop_timeout: Annotated[Duration, Within("1s", "2h")] = Duration(180.0)
    unconfirmed: Literal["keep", "cut"] = "keep"
    outlet: Id | None = None
    ready: tuple[Ready, ...] | None = None
    start_timeout: Annotated[Duration, Within("1s", "2h")] = Duration(300.0)
    initialise: tuple[Command, ...] = ()
    after: tuple[Id, ...] = ()
    key_file: FileName | None = None
    host_key: FileName | None = None
    password_file: FileName | None = None
    ca: FileName | None = None

    def __post_init__(self) -> None:
        if len(self.initialise) > _MOST_COMMANDS:
            raise ValueError(f"initialise: a list of {_MOST_COMMANDS} commands at most")


class Nut(Table, frozen=True, kw_only=True):
    """Our own upsd, for hosts with `stop = "nut"`; each has a virtual UPS there, named like it.

    * `address`: where it listens.
    * `username`: the user that may change the virtual UPSes.
    * `password_file`: the password of that user.
    """

    address: Listen = "127.0.0.1:3493"
    username: Word = "roomwarden"
    password_file: FileName = "nut.secret"


class OutageStage(Table, frozen=True, kw_only=True):
    """A stage of the outage: its hosts stop when the first of these comes true. A low battery
    begins every stage. What the UPS cannot tell makes `after` necessary.

    * `stage`: its number; 1 is first, and a host names it.
    * `after`: time without mains, added up until the mains has been stable.
    * `charge_below`: the battery's charge, in %.
    * `runtime_below`: the runtime that is left; `need` is the time that everything still to be
      stopped takes, measured, and `reserve`.
    * `temperature_above`: the room's temperature, in °C.
    """

    stage: StageNumber
    after: Wait | None = None
    charge_below: Percent | None = None
    runtime_below: Annotated[Duration, Within("1s", "24h")] | Literal["need"] | None = None
    temperature_above: Celsius | None = None


class Outage(Table, frozen=True, kw_only=True):
    """What is done when the mains fails.

    * `ride_through`: shorter outages start nothing.
    * `reserve`: added to the time that what is left needs to stop.
    * `stage`: the stages, each an `[[outage.stage]]`.
    * `temperature_shutdown`: above this temperature (°C, good readings) for
      `temperature_shutdown_for`, all stages begin, outage or not.
    * `temperature_shutdown_for`: see `temperature_shutdown`.
    * `unstable_sheds`: whether an input voltage that keeps leaving `[return] voltage` begins
      the first stage that has hosts.
    * `lost_sheds`: whether all stages begin when a UPS falls silent after it said that its battery
      may not hold (bypass, overload, a fault, a test), and no mains contact tells of the mains.
    * `ups_off`: whether the UPS itself is switched off after the last stage.
    """

    ride_through: Annotated[Duration, Within("0s", "10min")] = Duration(10.0)
    reserve: Annotated[Duration, Within("0s", "1h")] = Duration(120.0)
    stages: tuple[OutageStage, ...] = field(name="stage", default=())
    temperature_shutdown: Celsius = 40.0
    temperature_shutdown_for: Annotated[Duration, Within("10s", "1h")] = Duration(300.0)
    unstable_sheds: bool = False
    lost_sheds: bool = False
    ups_off: bool = False


class Return(Table, frozen=True, kw_only=True):
    """What must hold, all of it, before anything starts again; a limit that is left out is not
    asked for, and one that no UPS or sensor can tell is refused.

    * `stable`: how long the mains must have been there.
    * `charge_above`: the battery's charge, in %.
    * `voltage`: the band of the input voltage, in V.
    * `frequency`: the band of the input frequency, in Hz.
    * `temperature_below`: the room's temperature, in °C.
    * `spacing`: lies between two starts.
    """

    stable: Annotated[Duration, Within("0s", "2h")] = Duration(180.0)
    charge_above: Percent | None = None
    voltage: tuple[Volts, Volts] | None = None
    frequency: tuple[Hertz, Hertz] | None = None
    temperature_below: Celsius | None = None
    spacing: Annotated[Duration, Within("0s", "10min")] = Duration(10.0)
