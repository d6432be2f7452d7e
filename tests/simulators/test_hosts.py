"""Simulated hosts at their addresses, asked by the real drivers and by plain clients."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from controller.config.power import HostConfig, Nut
from controller.config.schema import BoardConfig, Room, RoomFile
from controller.core.partconfig import HostAccess
from controller.core.parts import DeviceError
from drivers.hosts import open_host
from simulators import control
from simulators.keys import private_key, private_text
from simulators.pins import WorldPins
from simulators.plan import plan_of
from simulators.powerplan import Address
from simulators.secretfiles import write_missing

pytestmark = pytest.mark.slow

Eventually = Callable[..., None]


class House:
    """A room with hosts, and its world."""

    def __init__(self, file: RoomFile, path: Path, pins: WorldPins) -> None:
        self.file = file
        self.path = path
        self.pins = pins

    def sim(self, subject: str, value: str) -> None:
        control.sim(self.path, subject, value)

    def phase(self, host: str) -> str:
        return str(control.truth(self.path)["hosts"][host]["phase"])

    def access(self, id: str) -> HostAccess:
        host = next(host for host in self.file.hosts if host.id == id)
        assert self.pins.wake is not None
        address, _, port = self.file.nut.address.rpartition(":")
        user, secret = self.file.nut.username, str(self.file.resolve("nut.secret"))
        start = host.start or ""
        return HostAccess(
            id=id,
            stop=host.stop,
            start=url_at(start, self.pins.wake) if start.startswith("wol:") else start,
            evidence=host.evidence,
            ready=host.ready or (),
            key_file=str(self.file.resolve(host.key_file or "")),
            host_key=str(self.file.resolve(f"{id}.host-key")),
            password_file=str(self.file.resolve(host.password_file or "")),
            ca=None if host.ca is None else str(self.file.resolve(host.ca)),
            nut=(address, int(port), user, secret) if host.stop == "nut" else None,
        )


def url(scheme: str, address: Address, user: str = "", path: str = "") -> str:
    return f"{scheme}://{user}{'@' if user else ''}{address[0]}:{address[1]}{path}"


def url_at(start: str, address: Address) -> str:
    return f"{start}@{address[0]}:{address[1]}"


@pytest.fixture
def ports(free_address: Callable[[], Address]) -> dict[str, Address]:
    return {name: free_address() for name in ("ssh", "tcp", "http", "https", "bmc", "nut")}


@pytest.fixture
def house(
    tmp_path: Path, ports: dict[str, Address], start_world: Callable[..., Path]
) -> Iterator[House]:
    file = RoomFile(
        room=Room(site="lakeside-school", id="server-room", name="Server room", timezone="UTC"),
        board=BoardConfig(kind="simulated"),
        hosts=(
            HostConfig(
                id="standby-1",
                stage=1,
                stop=url("ssh", ports["ssh"], "room"),
                key_file="standby-1.key",
                start="wol://02:00:00:00:00:01",
                evidence=(url("tcp", ports["ssh"]), url("tcp", ports["tcp"])),
                ready=(url("http", ports["http"], path="/up"),),
            ),
            HostConfig(
                id="storage",
                stage=2,
                stop=url("redfish", ports["bmc"], "admin"),
                start=url("redfish", ports["bmc"], "admin"),
                password_file="bmc.secret",
                ca="bmc.pem",
                ready=(url("https", ports["https"], path="/"),),
            ),
            HostConfig(id="files", stage=3, stop="nut", start="wol://02:00:00:00:00:03"),
        ),
        nut=Nut(address=f"{ports['nut'][0]}:{ports['nut'][1]}"),
        folder=tmp_path,
    )
    write_missing(file)
    path = start_world(plan_of(file), pace=100.0)
    pins = WorldPins(path)
    yield House(file, path, pins)
    pins.close()


def answers(address: Address) -> bool:
    try:
        socket.create_connection(address, 2.0).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_host_answers_at_its_addresses_while_it_is_up(
    house: House, ports: dict[str, Address], eventually: Eventually
) -> None:
    names = ("ssh", "tcp", "http", "https", "bmc")
    eventually(lambda: all(answers(ports[name]) for name in names))
    house.sim("standby-1", "off")
    house.sim("storage", "off")
    eventually(lambda: not answers(ports["ssh"]) and not answers(ports["https"]))
    assert [answers(ports[name]) for name in ("tcp", "http", "bmc")] == [False, False, True]
    house.sim("standby-1", "on")
    eventually(lambda: all(answers(ports[name]) for name in ("ssh", "tcp", "http")))


def test_a_silent_host_runs_on_and_answers_nowhere(
    house: House, ports: dict[str, Address], eventually: Eventually
) -> None:
    house.sim("storage", "silent")
    eventually(lambda: not answers(ports["bmc"]) and not answers(ports["https"]))
    assert house.phase("storage") == "up"


def test_whoever_is_connected_when_a_host_goes_down_is_cut_off(
    house: House, ports: dict[str, Address]
) -> None:
    with socket.create_connection(ports["tcp"], 2.0) as held:
        house.sim("standby-1", "off")
        assert held.recv(10) == b""


def test_the_page_of_a_host_says_that_it_is_up(house: House, ports: dict[str, Address]) -> None:
    line = http.client.HTTPConnection(*ports["http"], timeout=5.0)
    line.request("GET", "/up")
    reply = line.getresponse()
    assert (reply.status, reply.read()) == (200, b"up\n")
    line.close()


def test_what_is_no_http_is_refused(house: House, ports: dict[str, Address]) -> None:
    with socket.create_connection(ports["http"], 2.0) as sock:
        sock.sendall(b"hello\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.system
def test_the_real_ssh_stops_its_host_and_a_packet_wakes_it(
    house: House, ports: dict[str, Address], eventually: Eventually
) -> None:
    eventually(lambda: answers(ports["ssh"]))
    host = open_host(house.access("standby-1"))
    host.test()
    assert house.phase("standby-1") == "up"
    host.stop()
    eventually(lambda: house.phase("standby-1") == "off")
    host.start()
    eventually(lambda: house.phase("standby-1") == "up")
    host.close()


@pytest.mark.system
def test_a_stranger_with_another_key_stops_nothing(
    house: House, ports: dict[str, Address], eventually: Eventually
) -> None:
    eventually(lambda: answers(ports["ssh"]))
    stranger = house.file.folder / "stranger.key"
    stranger.write_bytes(private_text(private_key("a stranger", "client"), openssh=True))
    stranger.chmod(0o600)
    access = msgspec.structs.replace(house.access("standby-1"), key_file=str(stranger))
    host = open_host(access)
    with pytest.raises(DeviceError):
        host.stop()
    host.close()
    assert house.phase("standby-1") == "up"


@pytest.mark.system
def test_a_hanging_host_takes_the_login_and_stays_up(
    house: House, ports: dict[str, Address], eventually: Eventually
) -> None:
    eventually(lambda: answers(ports["ssh"]))
    house.sim("standby-1", "hang")
    host = open_host(house.access("standby-1"))
    host.stop()
    host.close()
    assert house.phase("standby-1") == "up"


def test_the_real_redfish_stops_and_starts_its_host(
    house: House, ports: dict[str, Address], eventually: Eventually
) -> None:
    eventually(lambda: answers(ports["bmc"]) and answers(ports["https"]))
    host = open_host(house.access("storage"))
    host.test()
    seen = [host.look()]
    host.stop()
    eventually(lambda: house.phase("storage") == "off")
    eventually(lambda: not answers(ports["https"]))
    seen.append(host.look())
    host.start()
    eventually(lambda: house.phase("storage") == "up")
    host.close()
    assert [found["management"] for found in seen] == [True, False]
    assert [found["ready"] for found in seen] == [True, False]


def ask_bmc(house: House, address: Address, path: str, password: str, **how: str) -> int:
    context = ssl.create_default_context(cafile=house.file.folder / "bmc.pem")
    line = http.client.HTTPSConnection(*address, timeout=5.0, context=context)
    pair = base64.b64encode(f"admin:{password}".encode()).decode()
    method, body = ("POST", how["body"]) if "body" in how else ("GET", None)
    line.request(method, path, body, {"Authorization": f"Basic {pair}"})
    status = line.getresponse().status
    line.close()
    return status


def test_a_management_controller_asks_for_its_password_and_refuses_nonsense(
    house: House, ports: dict[str, Address], eventually: Eventually
) -> None:
    eventually(lambda: answers(ports["bmc"]))
    system = "/redfish/v1/Systems/storage"
    reset = f"{system}/Actions/ComputerSystem.Reset"
    right = (house.file.folder / "bmc.secret").read_text().strip()
    asked = [
        ask_bmc(house, ports["bmc"], system, right),
        ask_bmc(house, ports["bmc"], system, "wrong"),
        ask_bmc(house, ports["bmc"], "/redfish/v1/Chassis", right),
        ask_bmc(house, ports["bmc"], reset, right, body='{"ResetType": "Nmi"}'),
        ask_bmc(house, ports["bmc"], reset, right, body="[["),
        ask_bmc(house, ports["bmc"], reset, right, body='{"ResetType": "ForceOff"}'),
    ]
    assert asked == [200, 401, 404, 400, 400, 204]
    eventually(lambda: house.phase("storage") == "off")
    assert control.truth(house.path)["hosts"]["storage"]["hard_cuts"] == 1


def test_the_real_driver_stops_a_host_by_its_upsmon(
    house: House, ports: dict[str, Address], eventually: Eventually
) -> None:
    host = open_host(house.access("files"))
    host.test()
    assert host.look()["client"] is True
    host.stop()
    eventually(lambda: house.phase("files") == "off")
    assert host.look()["client"] is False
    host.start()
    eventually(lambda: house.phase("files") == "up")
    host.close()


def test_a_taken_address_leaves_the_rest_of_the_world_running(
    start_world: Callable[..., Path],
    house: House,
    caplog: pytest.LogCaptureFixture,
    eventually: Eventually,
) -> None:
    path = start_world(plan_of(house.file), name="second.sock")
    assert control.truth(path)["hosts"]["standby-1"]["phase"] == "up"
    eventually(lambda: "standby-1: ssh on" in caplog.text)
    assert "standby-1: cannot listen on" in caplog.text
