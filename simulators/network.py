"""The network of a simulated room: every address at which something answers."""

from __future__ import annotations

import selectors
import time
from typing import Protocol

from simulators.aside import Aside, AsideServer
from simulators.busparts import bus_parts
from simulators.host_server import Call, HostServer
from simulators.modbus_server import ModbusServer
from simulators.nut_server import NutServer
from simulators.pjlink_server import PjlinkServer
from simulators.powerplan import Address, NutEnd
from simulators.wake import WakeCatcher
from simulators.world import World

_RETRY_S = 1.0


class Endpoint(Protocol):
    """Something at an address, on the world's loop."""

    def follow(self) -> None:
        """Open, close, send what is due: as the world is now."""
        ...

    def wait_s(self) -> float:
        """Return how long `follow` has nothing to do unless something happens, in real time."""
        ...

    def close(self) -> None: ...


class Network:
    """`follow` is called on each turn of the loop. `wake_address` is where magic packets are
    caught, None in a room without hosts that are started so."""

    def __init__(self, selector: selectors.BaseSelector, world: World, call: Call) -> None:
        plan = world.plan
        ends = [part.end for part in plan.upses]
        nut = {end.address for end in ends if isinstance(end, NutEnd)}
        nut |= {plan.upsd.address} if plan.upsd is not None else set()
        self._hosts = [HostServer(selector, world, part, call) for part in plan.hosts]
        self._endpoints: list[Endpoint] = [
            *(
                PjlinkServer(selector, world, part)
                for part in plan.projectors
                if part.address is not None
            ),
            *(
                ModbusServer(selector, address, units)
                for address, units in bus_parts(world).items()
            ),
            *(NutServer(selector, world, address) for address in sorted(nut)),
            *self._hosts,
        ]
        wakes = any(part.mac is not None for part in plan.hosts)
        self._wake = WakeCatcher(selector, world) if wakes else None
        self._aside = Aside() if any(host.has_aside for host in self._hosts) else None
        self._wanted: frozenset[AsideServer] | None = None
        self._wanted_s = 0.0

    @property
    def wake_address(self) -> Address | None:
        return self._wake.address if self._wake is not None else None

    def follow(self) -> None:
        for endpoint in self._endpoints:
            endpoint.follow()
        if self._aside is not None:
            self._follow_aside(self._aside)

    def wait_s(self) -> float:
        return min((endpoint.wait_s() for endpoint in self._endpoints), default=float("inf"))

    def close(self) -> None:
        for endpoint in self._endpoints:
            endpoint.close()
        if self._wake is not None:
            self._wake.close()
        if self._aside is not None:
            self._aside.close()

    def _follow_aside(self, aside: Aside) -> None:
        """Tell what changed, and again after a while, for what could not be opened."""
        wanted = frozenset(server for host in self._hosts for server in host.wanted())
        now_s = time.monotonic()
        if wanted != self._wanted or now_s >= self._wanted_s + _RETRY_S:
            self._wanted, self._wanted_s = wanted, now_s
            aside.want(wanted)
