"""Magic packets, caught on a socket."""

from __future__ import annotations

import errno
import socket

import pytest

from controller.core.parts import DeviceError, DeviceUnreachable
from drivers.hosts.wol import MagicPacket


@pytest.fixture
def air():
    """A socket that hears what is sent to its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(2.0)
        yield listener


def heard(air: socket.socket) -> list[bytes]:
    """The three packets, and that there is no fourth."""
    packets = [air.recv(2048) for _ in range(3)]
    air.setblocking(False)
    with pytest.raises(BlockingIOError):
        air.recv(2048)
    return packets


@pytest.mark.parametrize("mac", ["02:00:0a:0B:ff:01", "02-00-0a-0b-FF-01"])
def test_a_host_is_woken_by_three_magic_packets(host, air, mac):
    host(start=f"wol://{mac}@127.0.0.1:{air.getsockname()[1]}").start()
    assert heard(air) == [b"\xff" * 6 + bytes.fromhex("02000a0bff01") * 16] * 3


def test_trying_to_wake_a_host_sends_nothing(host, air):
    server = host(start=f"wol://02:00:00:00:00:01@127.0.0.1:{air.getsockname()[1]}")
    server.test_start()
    air.setblocking(False)
    with pytest.raises(BlockingIOError):
        air.recv(2048)


def test_the_address_may_be_a_name(host, air):
    host(start=f"wol://02:00:00:00:00:01@localhost:{air.getsockname()[1]}").start()
    assert len(heard(air)) == 3


def test_without_an_address_everybody_is_asked_on_the_port_of_custom():
    packet = MagicPacket("wol://02:00:00:00:00:01")
    assert (packet._host, packet._port) == ("255.255.255.255", 9)


def test_a_broadcast_may_be_sent(air):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.255.255.255", 0))
        listener.settimeout(2.0)
        port = listener.getsockname()[1]
        MagicPacket(f"wol://02:00:00:00:00:01@127.255.255.255:{port}").start()
        assert len(heard(listener)) == 3


def test_a_name_that_does_not_resolve_is_told_by_the_start_and_its_test(host):
    server = host(start="wol://02:00:00:00:00:01@no-such-host.invalid")
    for ask in (server.start, server.test_start):
        with pytest.raises(DeviceUnreachable, match=r"no-such-host\.invalid: no such host name"):
            ask()


def test_an_address_without_broadcast_is_told_by_the_start_and_its_test():
    packet = MagicPacket("wol://02:00:00:00:00:01")
    packet._host = "::1"
    for ask in (packet.start, packet.test_start):
        with pytest.raises(DeviceError, match="no address of IPv4"):
            ask()


def test_a_machine_without_a_way_to_the_host_finds_it_out_by_the_test(monkeypatch):
    packet = MagicPacket("wol://02:00:00:00:00:01@127.255.255.255")

    class Line(socket.socket):
        def connect(self, address: object) -> None:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    packet.test_start()
    monkeypatch.setattr("drivers.hosts.wol.socket.socket", Line)
    with pytest.raises(DeviceUnreachable, match=r"^wol://.*: Network is unreachable"):
        packet.test_start()


@pytest.mark.parametrize(
    "text",
    [
        "wol://",
        "wol://02:00:00:00:00",
        "wol://02:00:00:00:00:01:02",
        "wol://02:00:00:00:00:0g",
        "wol://02:00:00:00:00:01@",
        "wol://02:00:00:00:00:01@10.0.0.255:0",
        "wol://02:00:00:00:00:01@10.0.0.255:65536",
    ],
)
def test_an_address_that_is_none_is_named_when_the_host_is_opened(host, text):
    with pytest.raises(ValueError, match=r"^wol://"):
        host(start=text)
