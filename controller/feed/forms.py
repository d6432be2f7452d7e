"""What the fields of messages look like, from which the JSON Schemas have their patterns.

All are plain texts and numbers to the code that sends them; nothing is checked on the way out.
The patterns are ECMA's, as JSON Schema asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from controller.core.alarms import Priority, State
from controller.core.priority import Slot
from controller.core.reading import Quality
from controller.core.request import Status


def _one_of(words: Iterable[str | int]) -> msgspec.Meta:
    return msgspec.Meta(extra_json_schema={"enum": list(words)})


_NAME = "[a-z0-9]+(-[a-z0-9]+)*"

Name = Annotated[str, msgspec.Meta(pattern=f"^{_NAME}$")]
"""An id: small letters, digits and single hyphens."""

DottedName = Annotated[str, msgspec.Meta(pattern=rf"^{_NAME}(\.{_NAME})?$")]
"""A point or an alarm: `rack-air.temperature`, `smoke-1`, `smoke-1.prealarm`."""

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

Stamp = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        extra_json_schema={"format": "date-time"},
    ),
]
"""RFC 3339 in UTC, with milliseconds."""

LastSeq = Annotated[int, msgspec.Meta(ge=0)]
"""The number of the last event before a message; 0 before the first."""

Seq = Annotated[int, msgspec.Meta(ge=1)]
"""An event's own number."""

Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""

OnOff = Annotated[str, _one_of(["on", "off"])]
QualityWord = Annotated[str, _one_of(quality.value for quality in Quality)]
PriorityWord = Annotated[str, _one_of(priority.value for priority in Priority)]
AlarmStateWord = Annotated[str, _one_of(state.value for state in State)]
StatusWord = Annotated[str, _one_of(status.value for status in Status)]
SlotNumber = Annotated[int, _one_of(slot.value for slot in Slot)]
