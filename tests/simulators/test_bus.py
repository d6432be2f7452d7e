"""Transmitters and contacts on a simulated Modbus line, read by their real drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.config.schema import BoardConfig, Room, RoomFile
from controller.core.parts import BadReply, DeviceError, DeviceTimeout
from drivers import modbus_climate, modbus_contact
from drivers.modbus_climate import Place
from simulators import control
from simulators.pins import WorldPins
from simulators.plan import plan_of
from simulators.powerplan import Address
from simulators.subject import Refused

pytestmark = pytest.mark.slow


class Line:
    """A room whose inputs stand on one line, and the real drivers on it."""

    def __init__(self, path: Path, address: str) -> None:
        self.path = path
        self.climate = modbus_climate.open_device(climate(address), None)  # type: ignore[arg-type]
        self.contacts = {
            config.id: modbus_contact.open_device(config, None)  # type: ignore[arg-type]
            for config in contacts(address)
        }

    def sim(self, subject: str, value: str) -> None:
        control.sim(self.path, subject, value)

    def read(self) -> dict[str, bool]:
        return {id: contact.read() for id, contact in self.contacts.items()}

    def close(self) -> None:
        for device in (self.climate, *self.contacts.values()):
            device.close()


def climate(address: str) -> modbus_climate.Config:
    return modbus_climate.Config(
        id="room-air",
        address=address,
        unit=4,
        function="input",
        temperature=Place(register=1, scale=0.1, low=-20.0),
        humidity=Place(register=10, type="f32", scale=1.0, order="low-first"),
    )


def contacts(address: str) -> list[modbus_contact.Config]:
    given: list[dict[str, Any]] = [
        {"id": "leak", "role": "leak", "function": "discrete", "register": 0},
        {"id": "far-door", "role": "door", "function": "discrete", "register": 9, "invert": True},
        {"id": "mains", "role": "mains", "function": "holding", "register": 5, "bit": 3},
        {"id": "tamper", "role": "tamper", "function": "holding", "register": 5, "bit": 0},
    ]
    return [modbus_contact.Config(address=address, unit=7, **keys) for keys in given]


@pytest.fixture
def line(start_world: Callable[..., Path], free_address: Callable[[], Address]) -> Iterator[Line]:
    host, port = free_address()
    address = f"tcp://{host}:{port}"
    file = RoomFile(
        room=Room(site="lakeside-school", id="server-room", name="Server room", timezone="UTC"),
        board=BoardConfig(kind="simulated"),
        inputs=(climate(address), *contacts(address)),
    )
    path = start_world(plan_of(file))
    pins = WorldPins(path)
    one = Line(path, address)
    yield one
    one.close()
    pins.close()


def test_a_transmitter_tells_the_rooms_air(line: Line) -> None:
    said = line.climate.read()
    assert said["temperature_c"] == pytest.approx(23.0, abs=0.11)
    line.sim("room-air.temperature", "-7.5")
    line.sim("room-air.humidity", "61.5")
    said = line.climate.read()
    assert said["temperature_c"] == pytest.approx(-7.5, abs=0.11)
    assert said["humidity_pct"] == pytest.approx(61.5, abs=0.11)


def test_what_a_transmitter_cannot_measure_is_refused(line: Line) -> None:
    with pytest.raises(Refused, match=r"room-air.temperature: '-21' is not one of -20..85"):
        line.sim("room-air.temperature", "-21")


@pytest.mark.parametrize(
    ("fault", "error"),
    [("short", BadReply), ("exception", DeviceError), ("garbage", DeviceError)],
)
def test_a_faulty_transmitter_fails_until_normal(
    line: Line, fault: str, error: type[DeviceError]
) -> None:
    line.sim("room-air", fault)
    with pytest.raises(error):
        line.climate.read()
    line.sim("room-air", "normal")
    assert line.climate.read()["temperature_c"] == pytest.approx(23.0, abs=0.11)


def test_contacts_of_every_wiring_say_what_is_so(line: Line) -> None:
    assert line.read() == {"leak": False, "far-door": False, "mains": True, "tamper": False}
    line.sim("leak", "on")
    line.sim("far-door", "open")
    line.sim("mains", "off")
    line.sim("tamper", "on")
    assert line.read() == {"leak": True, "far-door": True, "mains": False, "tamper": True}
    assert control.truth(line.path)["supply"]["mains"] is False


@pytest.mark.system  # the driver's whole time has to pass
def test_a_contact_whose_wire_is_cut_is_silent(line: Line) -> None:
    line.sim("leak", "cut-wire")
    with pytest.raises(DeviceTimeout):
        line.contacts["leak"].read()
    line.sim("leak", "normal")
    assert line.contacts["leak"].read() is False
