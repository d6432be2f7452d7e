"""Hosts: servers that are stopped, started and looked at from outside.

One file per means: `ssh`, `redfish`, `command`, `wol`, `nut`, and `probes` for what answers while
a host is up; `host` puts them together. Like the drivers beside this folder they import the core
only, and no vendor library at all.
"""

from __future__ import annotations

from controller.core.partconfig import HostAccess
from controller.core.parts import Host


def open_host(access: HostAccess) -> Host:
    """Touch nothing yet: a host that cannot be reached is a fault of its commands and evidence.

    Raises: ValueError, naming the address that cannot be used.
    """
    # Imported here, for a room without hosts needs neither TLS nor HTTP in its memory.
    from drivers.hosts.host import ServerHost

    return ServerHost(access)
