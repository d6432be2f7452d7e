"""How power goes through a room: from the mains through its UPSes to racks, hosts and outlets."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulators.host import RUNNING_W, SimulatedHost
from simulators.powerplan import HostPart, UpsPart
from simulators.ups import SimulatedUps

RACKS_W = 3000.0
"""What the racks draw with all their hosts; what no host draws stays on as long as it is fed."""

NUT_IDLE = "OL"


class Power:
    """The UPSes and hosts of a room. `has_ups` without a simulated one: a real UPS, which is
    taken to hold for ever."""

    def __init__(
        self,
        upses: Iterable[UpsPart],
        hosts: Iterable[HostPart],
        *,
        has_ups: bool,
        now_s: float,
    ) -> None:
        self.host_parts = {part.id: part for part in hosts}
        self.upses = {part.id: SimulatedUps(part.id, now_s=now_s) for part in upses}
        self.hosts = {
            id: SimulatedHost(boots_with_power=part.starts_with_outlet, now_s=now_s)
            for id, part in self.host_parts.items()
        }
        self.nut_status = dict.fromkeys(self.hosts, NUT_IDLE)
        self.ups_fed = True
        self.racks_w = 0.0
        self._has_ups = has_ups
        self._others_w = max(0.0, RACKS_W - RUNNING_W * len(self.hosts))

    @property
    def next_s(self) -> float:
        """When something happens by itself the next time."""
        return min(
            [ups.next_s for ups in self.upses.values()]
            + [host.ends_s for host in self.hosts.values()],
            default=float("inf"),
        )

    def advance(self, now_s: float) -> None:
        for ups in self.upses.values():
            ups.advance(now_s)
        for host in self.hosts.values():
            host.advance(now_s)

    def settle(
        self, mains: bool, ups_cut: bool, outlet: Callable[[str], bool], projectors_w: float
    ) -> None:
        """Carry the supply through the room.

        `mains`: whether the room's supply is there; `ups_cut`: whether the UPSes' output is cut;
        `outlet` tells whether an output of that id supplies; `projectors_w` hangs on the UPSes.
        """
        for ups in self.upses.values():
            ups.feed(mains)
        giving = [ups for ups in self.upses.values() if ups.has_output]
        self.ups_fed = not ups_cut and (bool(giving) or not self.upses)
        fed = self.ups_fed if self._has_ups else mains
        for id, host in self.hosts.items():
            part = self.host_parts[id]
            host.supply(fed and (part.outlet is None or outlet(part.outlet)))
            if part.runs_upsmon and host.answers and "FSD" in self.nut_status[id].split():
                host.stop()
        hosts_w = sum(host.drawn_w for host in self.hosts.values())
        self.racks_w = hosts_w + self._others_w * fed
        load_w = (self.racks_w + projectors_w) * (self.ups_fed and self._has_ups)
        for ups in self.upses.values():
            # Several share the load: racks with two supplies each.
            ups.carry(load_w / len(giving) if ups in giving else 0.0)
