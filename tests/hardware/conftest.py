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
    dht22,
    dry_contacts,
    iio_dht,
    modbus,
    modbus_contact,
    nut,
    pjlink,
    relay,
    relay_only,
)
from hardware.supply import check_supply
from hardware.wiring import check_wiring

LAKESIDE = Path(__file__).parents[1] / "rooms" / "lakeside.toml"
KINDS: Kinds = {
    "input": {
        "contact": contact.Config,
        "contact-pair": contact_pair.Config,
        "dht22": dht22.Config,
        "iio-dht": iio_dht.Config,
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

Lakeside = Callable[..., RoomFile]


@pytest.fixture
def lakeside(tmp_path: Path) -> Lakeside:
    """The lakeside room with pieces of its text replaced and more of it added."""

    def lakeside(*replaced: tuple[str, str], added: str = "") -> RoomFile:
        text = LAKESIDE.read_text()
        for old, new in replaced:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the room"
            text = text.replace(old, new)
        file = tmp_path / "room.toml"
        file.write_text(text + added)
        return read_room(file, KINDS, [check_wiring, check_supply])

    return lakeside


@pytest.fixture
def faults(lakeside: Lakeside) -> Callable[..., list[Fault]]:
    def faults(*replaced: tuple[str, str], added: str = "") -> list[Fault]:
        try:
            lakeside(*replaced, added=added)
        except ConfigFaults as found:
            return list(found.faults)
        return []

    return faults
