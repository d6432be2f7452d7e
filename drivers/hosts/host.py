"""One host, put together of its means."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from controller.core.partconfig import EVIDENCE_KINDS, HostAccess
from controller.core.parts import DeviceError
from drivers.hosts import redfish, ssh
from drivers.hosts.address import parse, scheme_of
from drivers.hosts.command import Command
from drivers.hosts.evidence import Evidence
from drivers.hosts.probes import Answer, Probe, probe
from drivers.hosts.redfish import Redfish
from drivers.hosts.ssh import Ssh
from drivers.hosts.wol import MagicPacket

if TYPE_CHECKING:
    from drivers.hosts.nut import VirtualUps


class Stopper(Protocol):
    """A way of stopping a host, as `controller.core.parts.Host` says."""

    def stop(self) -> None: ...

    def test(self) -> None: ...


class Starter(Protocol):
    """A way of starting a host, as `controller.core.parts.Host` says."""

    def start(self) -> None: ...

    def test_start(self) -> None: ...


class ServerHost:
    """Satisfies `controller.core.parts.Host`; one thread may look while another commands."""

    def __init__(self, access: HostAccess) -> None:
        """Raises: ValueError, naming the address that cannot be used."""
        self._access = access
        self._ended = threading.Event()
        evidence = list(access.evidence)
        ready = access.ready or access.evidence
        if scheme_of(access.stop) in EVIDENCE_KINDS:
            evidence.append(access.stop)
        asked = dict.fromkeys((*evidence, *ready))
        self._virtual_ups = self._open_virtual_ups() if "nut" in asked else None
        self._stopper = self._open_stopper()
        self._starter = self._open_starter()
        self._initialise = [Command(text, self._ended) for text in access.initialise]
        probes = {url: self._probe(url) for url in asked}
        path = None if access.path is None else self._probe(access.path)
        self._evidence = Evidence(probes, evidence, ready, path)

    def stop(self) -> None:
        self._stopper.stop()

    def clear(self) -> None:
        # Of all ways of stopping only the virtual UPS's is a state, which stands until changed.
        if self._stopper is self._virtual_ups:
            self._virtual_ups.clear()

    def start(self) -> None:
        self.clear()
        if self._access.start is None:
            raise DeviceError(f"{self._access.id}: no way of starting it is given")
        if self._starter is not None:
            self._starter.start()

    def initialise(self) -> None:
        for command in self._initialise:
            command.run()

    def test(self) -> None:
        self._stopper.test()

    def test_start(self) -> None:
        if self._stopper is self._virtual_ups:
            self._virtual_ups.test_signal()  # whose signal is taken back before any start
        if self._starter is not None:
            self._starter.test_start()

    def look(self) -> Mapping[str, bool | None]:
        return self._evidence.look()

    def close(self) -> None:
        """End the programs that run for this host; who waits for them gets a DeviceError."""
        self._ended.set()

    def _open_stopper(self) -> Stopper:
        access = self._access
        match scheme_of(access.stop):
            case "nut":
                assert self._virtual_ups is not None
                return self._virtual_ups
            case "ssh":
                address = parse(access.stop, ssh.PORT)
                return Ssh(address, access.id, access.key_file, access.host_key, self._ended)
            case "redfish":
                return self._redfish(access.stop)
            case "command":
                return Command(access.stop, self._ended)
        raise ValueError(f"{access.stop}: not a way of stopping a host")

    def _open_starter(self) -> Starter | None:
        """What is told to start it; nothing is where its outlet does, which the plan switches."""
        url = self._access.start
        if url is None or url == "outlet":
            return None
        match scheme_of(url):
            case "wol":
                return MagicPacket(url)
            case "redfish":
                return self._redfish(url)
            case "command":
                return Command(url, self._ended)
        raise ValueError(f"{url}: not a way of starting a host")

    def _probe(self, url: str) -> Probe:
        """Return what asks whether `url` answers."""
        match scheme_of(url):
            case "redfish":
                return _told(self._redfish(url).is_up)
            case "nut":
                assert self._virtual_ups is not None
                return _told(self._virtual_ups.is_logged_in)
        return probe(url, self._ended, self._access.ca)

    def _redfish(self, url: str) -> Redfish:
        address = parse(url, redfish.PORT)
        return Redfish(address, self._access.password_file, self._access.ca)

    def _open_virtual_ups(self) -> VirtualUps:
        from drivers.hosts.nut import VirtualUps

        if self._access.nut is None:
            raise ValueError(f"{self._access.id}: nut: no upsd of ours is given")
        return VirtualUps(self._access.id, self._access.nut, self._ended)


def _told(is_up: Callable[[], bool]) -> Probe:
    """Make a probe of what tells by itself whether the host is up."""
    return lambda: Answer.ANSWERS if is_up() else Answer.SILENT
