from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from controller.config.faults import ConfigFaults, Fault
from controller.config.read import read_room
from controller.config.schema import RoomFile
from controller.config.walk import Kinds
from drivers import (
    contact,
    contact_pair,
    dht11,
    dht22,
    dry_contacts,
    iio_dht,
    modbus,
    modbus_climate,
    modbus_contact,
    nut,
    pjlink,
    relay,
    relay_only,
)

MINIMAL = """
[room]
site = "school"
id = "room-1"
name = "Room 1"
timezone = "Europe/Paris"
[board]
kind = "simulated"
"""

Read = Callable[[str], RoomFile]
Faults = Callable[[str], list[Fault]]


@pytest.fixture
def kinds() -> Kinds:
    return {
        "input": {
            "contact": contact.Config,
            "contact-pair": contact_pair.Config,
            "dht11": dht11.Config,
            "dht22": dht22.Config,
            "iio-dht": iio_dht.Config,
            "modbus-climate": modbus_climate.Config,
            "modbus-contact": modbus_contact.Config,
        },
        "output": {"relay": relay.Config},
        "projector": {"pjlink": pjlink.Config, "relay-only": relay_only.Config},
        "ups": {
            "dry-contacts": dry_contacts.Config,
            "modbus": modbus.Config,
            "nut": nut.Config,
        },
    }


@pytest.fixture
def rooms() -> Path:
    return Path(__file__).parents[1] / "rooms"


@pytest.fixture
def read(tmp_path: Path, kinds: Kinds) -> Read:
    """Read a smallest room with `text` added."""

    def read(text: str) -> RoomFile:
        file = tmp_path / "room.toml"
        file.write_text(MINIMAL + text)
        return read_room(file, kinds)

    return read


@pytest.fixture
def faults(read: Read) -> Faults:
    """All faults of a smallest room with `text` added."""

    def faults(text: str) -> list[Fault]:
        try:
            read(text)
        except ConfigFaults as found:
            return list(found.faults)
        return []

    return faults
