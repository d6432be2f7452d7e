"""Whatever stands in the file: a room, or faults that can be told; never another exception."""

from __future__ import annotations

import copy
import datetime
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.config.faults import ConfigFaults
from controller.config.read import read_tree
from controller.config.schema import RoomFile
from controller.config.walk import Kinds
from hardware.supply import check_supply
from hardware.wiring import check_wiring

ROOMS = Path(__file__).parents[1] / "rooms"
EXAMPLE = tomllib.loads((ROOMS / "lakeside-servers.toml").read_text())

WORDS = st.sampled_from(
    ["", "on", "off", "ups", "smoke", "feedback", "cut-off", "outlet", "siren", "nut", "10s",
     "custom", "5", "mqtts://h", "ssh://a:b@h", "tcp://[", "rtu:///dev/x", "front-door",
     "dry-contacts", "modbus", "modbus-contact", "ups-on-battery", "main-ups", "x.toml"]
)  # fmt: skip
LEAVES = (
    st.none().map(lambda _: datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=8)
    | WORDS
)
KEYS = (
    st.sampled_from(["id", "kind", "role", "pin", "pins", "of", "stage", "password", "profile"])
    | st.sampled_from(sorted(EXAMPLE))
    | st.text(max_size=5)
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)


def holds(tree: dict[str, Any], kinds: Kinds) -> None:
    try:
        room = read_tree(tree, Path("room.toml"), kinds, [check_wiring, check_supply])
    except ConfigFaults as error:
        told = error
    else:
        assert isinstance(room, RoomFile)
        return
    assert told.faults
    assert len(str(told).splitlines()) == len(told.faults)


QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@QUICK
@given(tree=st.dictionaries(KEYS, TREES, max_size=6))
def test_any_tree_is_a_room_or_faults(kinds: Kinds, tree: dict[str, Any]):
    holds(tree, kinds)


@QUICK
@given(data=st.data())
def test_a_room_with_anything_put_anywhere_is_a_room_or_faults(kinds: Kinds, data: st.DataObject):
    tree = copy.deepcopy(EXAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = tree
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            inner = place[key]
            if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
                break
            place = inner
        if data.draw(st.integers(0, 3)) == 0 and len(place) > 1:
            del place[key]
        else:
            place[key] = data.draw(TREES)
    holds(tree, kinds)
