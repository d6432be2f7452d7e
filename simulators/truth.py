"""Everything that is so in a simulated world, whatever the controller knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.world import World


def truth_of(world: World) -> dict[str, Any]:
    """Return what is so.

    Keys: mono_s, clock_synchronised, air, supply; contacts, sensors, outputs, projectors, upses
    and hosts by their ids; lines (of the controller) and pins (its inputs) by number, true is
    high.
    """
    return {
        "mono_s": world.now_s,
        "clock_synchronised": world.clock_synchronised,
        "air": {
            "temperature_c": world.air.temperature_c,
            "humidity_pct": world.air.humidity_pct,
            "cooling": world.air.cooling,
            "heat_w": world.air.heat_w,
        },
        "supply": {
            "mains": world.mains.value,
            "room_cut": world.is_cut("room"),
            "ups_cut": world.is_cut("ups"),
        },
        "contacts": {
            id: {
                "role": contact.part.role,
                "value": contact.value,
                "closed": contact.closed(),
                "wire_cut": contact.wire_cut,
            }
            for id, contact in world.contacts.items()
        },
        "sensors": {
            id: {"state": probe.state, "held": probe.held} for id, probe in world.probes.items()
        },
        "outputs": {
            id: {
                "role": gear.part.role,
                "energised": gear.energised,
                "on": gear.is_on,
                "stuck": gear.stuck,
            }
            for id, gear in world.switchgear.items()
        },
        "projectors": {
            id: {
                "power": projector.power,
                "lit": projector.is_lit,
                "lamp_c": projector.lamp_c,
                "hot_cuts": projector.hot_cuts,
                "fault": world.projector_faults.get(id),
            }
            for id, projector in world.projectors.items()
        },
        "upses": {
            id: {
                "supply": ups.supply,
                "charge_pct": ups.battery.charge_pct,
                "runtime_s": ups.runtime_s,
                "load_w": ups.load_w,
                "self_test": ups.self_test,
                "faults": sorted(ups.faults),
                "held": ups.held,
                "fault": world.ups_faults.get(id),
            }
            for id, ups in world.power.upses.items()
        },
        "hosts": {
            id: {
                "phase": host.phase,
                "answers": host.answers,
                "fault": host.fault,
                "starts": host.starts,
                "stops": host.stops,
                "hard_cuts": host.hard_cuts,
            }
            for id, host in world.power.hosts.items()
        },
        "lines": {str(pin): high for pin, high in world.lines.items()},
        "pins": {str(pin): high for pin, high in world.levels.items()},
    }
