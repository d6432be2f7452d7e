"""The snapshot: the contract's shape, and nothing in it that is not known."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from controller.clock import Clock
from controller.core.reading import Now, Quality, Reading
from controller.plain import Stamps, point_value
from controller.snapshot import state_of

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

SHAPE = {
    "": {
        "room", "state", "scan", "points", "outputs", "alarms", "fire", "projectors", "access",
        "feed", "journal", "plan",
    },
    "room": {
        "site", "id", "name", "locale", "timezone", "simulated", "software", "boot", "since",
    },
    "scan": {"number", "at", "age_s"},
    "points": {
        "id", "part", "kind", "role", "place", "value", "unit", "quality", "at", "limits",
    },
    "outputs": {
        "id", "role", "scope", "commanded", "actual", "slot", "reason", "why", "since", "until",
        "slots",
    },
    "alarms": {
        "id", "subject", "condition", "state", "priority", "active", "acknowledged",
        "shelved_until", "since", "cause", "first_out", "silenced", "by", "text", "values",
    },
    "fire": {
        "phase", "detectors", "since", "seconds_left", "held", "hold_left_s", "budget_s", "cuts",
        "cut", "latched", "accept_risk",
    },
    "access": {"armed", "entry_left_s"},
    "feed": {"configured", "connected", "backlog", "condition"},
    "journal": {"ok", "seq", "bytes", "fault"},
}  # fmt: skip


def test_the_snapshot_has_the_contracts_shape(bench):
    bench.start()
    bench.press()
    state = bench.state()
    for name, keys in SHAPE.items():
        part = state[name] if name else state
        for one in part if isinstance(part, list) else [part]:
            assert set(one) >= keys, name
    assert state["alarms"]
    slot = state["outputs"][0]["slots"][0]
    assert set(slot) == {"slot", "value", "why", "until"}


def test_every_stamp_is_utc_with_milliseconds(bench):
    bench.start()
    bench.press()
    state = bench.state()
    stamps = [state["room"]["since"], state["scan"]["at"], state["fire"]["since"]]
    stamps += [point["at"] for point in state["points"]]
    stamps += [output["since"] for output in state["outputs"]]
    stamps += [alarm["since"] for alarm in state["alarms"]]
    assert [one for one in stamps if not STAMP.fullmatch(one)] == []
    age_s = datetime.now(UTC).timestamp() - datetime.fromisoformat(stamps[1]).timestamp()
    assert -0.1 < age_s < 3.0


def test_what_is_not_known_is_null_and_says_why(bench, wait):
    bench.start()
    bench.pins.unreadable[22] = OSError("I/O error")
    wait(lambda: bench.point("front-door").quality is Quality.BAD)
    door = next(p for p in bench.state()["points"] if p["id"] == "front-door")
    assert (door["value"], door["quality"]) == (None, "bad")
    state = bench.state()
    assert [output["actual"] for output in state["outputs"]] == [None] * 5  # no feedback, no echo
    assert state["fire"]["seconds_left"] is None
    assert state["access"]["entry_left_s"] is None


def test_a_value_that_is_only_doubted_is_shown_and_one_that_is_gone_is_not():
    shown = {q: point_value(Reading(21.0, q, 1.0)) for q in Quality}
    assert {q for q, value in shown.items() if value is None} == {
        Quality.STALE, Quality.BAD, Quality.MISSING,
    }  # fmt: skip


def test_who_holds_an_output_stands_first_and_the_default_last(bench):
    bench.start()
    bench.door.request("switch", {"output": "lamp", "to": "on", "for": "1h"})
    lamp = next(o for o in bench.state()["outputs"] if o["id"] == "lamp")
    assert [(s["slot"], s["value"]) for s in lamp["slots"]] == [(8, "on"), (16, "off")]
    assert (lamp["commanded"], lamp["slot"]) == ("on", 8)
    until = datetime.fromisoformat(lamp["until"]).timestamp()
    assert abs(until - datetime.now(UTC).timestamp() - 3600) < 5
    assert lamp["slots"][0]["until"] == lamp["until"]


def test_a_cut_is_shown_with_its_cause_and_the_room_is_in_alarm(bench):
    bench.start()
    assert bench.state()["state"] == "normal"
    bench.press()
    state = bench.state()
    assert state["state"] == "fire"
    assert state["fire"]["cut"]
    assert state["fire"]["cuts"] == ["power-cut", "shunt"]
    cut = next(o for o in state["outputs"] if o["id"] == "power-cut")
    assert (cut["commanded"], cut["slot"], cut["why"]["id"]) == ("on", 1, "cut.emergency")
    assert cut["reason"]


def test_shelved_alarms_do_not_make_the_room_an_alarmed_one():
    def alarm(priority, state="active-unacknowledged"):
        return {"priority": priority, "state": state}

    assert state_of("normal", []) == "normal"
    assert state_of("normal", [alarm("journal")]) == "normal"
    assert state_of("normal", [alarm("low")]) == "attention"
    assert state_of("normal", [alarm("low"), alarm("high")]) == "alarm"
    assert state_of("normal", [alarm("critical", "shelved")]) == "normal"
    assert state_of("normal", [alarm("critical", "out-of-service")]) == "normal"
    assert state_of("latched", []) == "fire"


def test_instants_of_a_paced_clock_are_stamped_in_real_time():
    clock = Clock(pace=60.0)
    stamps = Stamps(Now(6000.0, 1_764_000_000.0), clock)
    assert stamps.at(6000.0 - 60.0) == "2025-11-24T15:59:59.000Z"
    assert stamps.at(6000.0 + 3600.0) == "2025-11-24T16:01:00.000Z"
    assert stamps.at(None) is None
