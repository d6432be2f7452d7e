"""What Home Assistant is told of the room, so that it finds each point and output by itself.

Keys and device classes are those of its MQTT discovery. It takes the text `None` as not known, and
`online` and `offline` as what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from controller.core.parts import UPS_VALUES
from controller.core.priority import OutputSpec
from controller.core.roles import INPUT_ROLES
from controller.core.room import Room
from controller.core.trust import PointSpec
from controller.feed.link import Link
from controller.feed.messages import encoded
from controller.snapshot import About


class Device(msgspec.Struct, frozen=True):
    """The room, to which all its entities belong."""

    identifiers: tuple[str, ...]
    name: str
    manufacturer: str
    sw_version: str


class Entity(msgspec.Struct, frozen=True, omit_defaults=True):
    """One point or output. `payload_on` and `payload_off`: what the template of a binary sensor
    gives; a sensor has none."""

    unique_id: str
    name: str
    state_topic: str
    value_template: str
    availability_topic: str
    device: Device
    device_class: str | None = None
    unit_of_measurement: str | None = None
    payload_on: str | None = None
    payload_off: str | None = None


_POINT = "{{ value_json.value if value_json.quality == 'good' else none }}"
_OUTPUT = "{{ value_json.commanded }}"
_POINT_WORDS = ("True", "False")  # how a template writes JSON's true and false
_OUTPUT_WORDS = ("on", "off")

# A role that is not listed has no class in which "on" says the same.
_CONTACTS: Mapping[str, str] = MappingProxyType(
    {
        "smoke": "smoke",
        "call-point": "safety",
        "emergency": "safety",
        "detector-fault": "problem",
        "door": "door",
        "window": "window",
        "leak": "moisture",
        "tamper": "tamper",
        "mains": "power",
        "ups-battery-low": "battery",
        "ups-fault": "problem",
    }
)
_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "°C": "temperature",
        "V": "voltage",
        "Hz": "frequency",
        "W": "power",
        "s": "duration",
        "d": "duration",
    }
)
_PERCENTAGES: Mapping[str, str] = MappingProxyType({"humidity": "humidity", "charge": "battery"})


def discovery(room: Room, about: About, root: str) -> dict[str, Entity]:
    """Return what to say on which topic. `root`: of the room's own topics."""
    found = _Found(about, root)
    points = (found.point(spec) for spec in room.points.values())
    outputs = (found.output(spec) for spec in room.outputs.values())
    return dict((*points, *outputs))


def announce(link: Link, left: Iterator[tuple[str, Entity]]) -> bool:
    """Send what is left to say, retained; False when the link could not take all of it now.

    At QoS 0, as states are: a broker that does not allow these topics is to get all else.
    """
    while link.room_for(qos=0):
        topic, entity = next(left, (None, None))
        if topic is None or entity is None:
            return True
        link.publish(topic, encoded(entity), qos=0, retain=True)
    return False


class _Found:
    def __init__(self, about: About, root: str) -> None:
        self._node = f"{about.site}-{about.id}"
        # Ids have no underscore: two rooms cannot come out the same.
        self._unique = f"roomwarden_{about.site}_{about.id}"
        self._root = root
        self._device = Device((self._unique,), about.name, "Roomwarden", about.software)

    def point(self, spec: PointSpec) -> tuple[str, Entity]:
        if _is_contact(spec):
            kind = _CONTACTS.get(spec.role, "battery" if spec.role == "ups" else None)
            return self._entity(spec, _POINT, kind, words=_POINT_WORDS)
        kind = _UNITS.get(spec.unit or "", _PERCENTAGES.get(_measure(spec)))
        return self._entity(spec, _POINT, kind, unit=spec.unit)

    def output(self, spec: OutputSpec) -> tuple[str, Entity]:
        return self._entity(spec, _OUTPUT, None, words=_OUTPUT_WORDS)

    def _entity(
        self,
        spec: PointSpec | OutputSpec,
        template: str,
        device_class: str | None,
        unit: str | None = None,
        words: tuple[str, str] | None = None,
    ) -> tuple[str, Entity]:
        name = spec.id.replace(".", "_")
        component = "sensor" if words is None else "binary_sensor"
        on, off = words or (None, None)
        return f"homeassistant/{component}/{self._node}/{name}/config", Entity(
            f"{self._unique}_{name}",
            f"{spec.place} ({spec.id})" if spec.place else spec.id,
            f"{self._root}/state/{spec.id}",
            template,
            f"{self._root}/availability",
            self._device,
            device_class,
            unit,
            on,
            off,
        )


def _measure(spec: PointSpec) -> str:
    return spec.id.rpartition(".")[2]


def _is_contact(spec: PointSpec) -> bool:
    battery_low = spec.role == "ups" and _measure(spec) == UPS_VALUES["battery_low"].point
    return spec.role in INPUT_ROLES or battery_low
