"""One alarm after ISA-18.2: its states, its delays, its latch; a table of transitions."""

from __future__ import annotations

import pytest

from controller.core.alarms import (
    QUIET,
    AlarmSpec,
    Condition,
    Priority,
    Shelf,
    acknowledge,
    reset,
    shelve,
    silence,
    step,
)

PLAIN = AlarmSpec("rack-air.temperature-high", Priority.HIGH)
LATCHED = AlarmSpec("rack-air.temperature-critical", Priority.CRITICAL, latched=True)
DELAYED = AlarmSpec("rack-air.humidity-high", Priority.LOW, on_delay_s=60.0, off_delay_s=120.0)

A, B, C = "normal", "active-unacknowledged", "active-acknowledged"
D, E, F = "returned-unacknowledged", "latched-unacknowledged", "latched-acknowledged"
SHELVED = "shelved"


def held(spec, on, at_s):
    return lambda alarm: step(spec, alarm, Condition(spec.id, on), at_s)


def states(spec, moves):
    """The state after each of the moves, a second apart: on, off, blind, ack, reset, silence."""
    alarm = QUIET
    found = []
    for number, move in enumerate(moves.split()):
        at_s = 100.0 + number
        match move:
            case "on" | "off" | "blind":
                active = {"on": True, "off": False, "blind": None}[move]
                alarm = step(spec, alarm, Condition(spec.id, active), at_s)
            case "ack":
                alarm = acknowledge(alarm, "anna")
            case "silence":
                alarm = silence(alarm)
            case "reset":
                alarm = reset(alarm, "anna")
            case "shelve":
                alarm = shelve(alarm, Shelf(at_s + 1000.0, "paint", "anna"))
            case "unshelve":
                alarm = shelve(alarm, None)
        found.append(alarm.state(out_of_service=False).value)
    return found


@pytest.mark.parametrize(
    ("spec", "moves", "expected"),
    [
        pytest.param(PLAIN, "on", [B], id="A to B: the condition comes"),
        pytest.param(PLAIN, "on ack", [B, C], id="B to C: acknowledged"),
        pytest.param(PLAIN, "on off", [B, D], id="B to D: gone before anybody saw it"),
        pytest.param(LATCHED, "on off", [B, E], id="B to E: gone, latched"),
        pytest.param(PLAIN, "on ack off", [B, C, A], id="C to A: gone"),
        pytest.param(LATCHED, "on ack off", [B, C, F], id="C to F: gone, latched"),
        pytest.param(PLAIN, "on off ack", [B, D, A], id="D to A: acknowledged"),
        pytest.param(PLAIN, "on off on", [B, D, B], id="D to B: it comes again"),
        pytest.param(LATCHED, "on off ack", [B, E, F], id="E to F: acknowledged"),
        pytest.param(LATCHED, "on off on", [B, E, B], id="E to B: it comes again"),
        pytest.param(LATCHED, "on ack off reset", [B, C, F, A], id="F to A: reset"),
        pytest.param(LATCHED, "on ack off on", [B, C, F, B], id="F to B: it comes again"),
        pytest.param(LATCHED, "on reset ack reset", [B, B, C, C], id="no reset while active"),
        pytest.param(PLAIN, "on silence off silence", [B, B, D, D], id="silence is no state"),
        pytest.param(PLAIN, "ack reset silence", [A, A, A], id="commands on a quiet alarm"),
        pytest.param(PLAIN, "on on on", [B, B, B], id="a level that stands is one alarm"),
        pytest.param(PLAIN, "on ack on", [B, C, C], id="a level that stands stays acknowledged"),
        pytest.param(PLAIN, "on blind", [B, B], id="what cannot be told clears nothing"),
        pytest.param(PLAIN, "blind", [A], id="what cannot be told raises nothing"),
        pytest.param(
            PLAIN, "on shelve ack off unshelve", [B, *[SHELVED] * 3, A], id="shelved and over"
        ),
        pytest.param(PLAIN, "on shelve unshelve", [B, SHELVED, B], id="shelved, back to B"),
        pytest.param(PLAIN, "shelve on unshelve", [SHELVED, SHELVED, B], id="comes while shelved"),
        pytest.param(
            LATCHED, "shelve on off unshelve", [SHELVED] * 3 + [E], id="latches while shelved"
        ),
    ],
)
def test_the_states_follow_the_standard(spec, moves, expected):
    assert states(spec, moves) == expected


@pytest.mark.parametrize("state", [B, C, D, E, F])
def test_out_of_service_covers_every_state(state):
    moves = {B: "on", C: "on ack", D: "on off", E: "on off", F: "on ack off"}[state]
    alarm = QUIET
    spec = LATCHED if state in (E, F) else PLAIN
    for move in moves.split():
        if move == "ack":
            alarm = acknowledge(alarm, "anna")
        else:
            alarm = step(spec, alarm, Condition(spec.id, move == "on"), 1.0)
    assert alarm.state(out_of_service=True).value == "out-of-service"
    assert alarm.state(out_of_service=False).value == state


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([(0, True), (59, True)], [A, A], id="waits out the on-delay"),
        pytest.param([(0, True), (60, True)], [A, B], id="comes on the on-delay"),
        pytest.param([(0, True), (59, False), (61, True)], [A, A, A], id="begins anew"),
        pytest.param([(0, True), (30, None), (61, True)], [A, A, A], id="blind begins anew"),
        pytest.param(
            [(0, True), (60, True), (70, False), (189, False)], [A, B, B, B],
            id="waits out the off-delay",
        ),
        pytest.param(
            [(0, True), (60, True), (70, False), (190, False)], [A, B, B, D],
            id="goes on the off-delay",
        ),
        pytest.param(
            [(0, True), (60, True), (70, False), (180, True), (200, False), (310, False)],
            [A, B, B, B, B, B],
            id="the off-delay begins anew",
        ),
        pytest.param(
            [(0, True), (60, True), (70, False), (100, None), (195, False)], [A, B, B, B, B],
            id="blind clears nothing",
        ),
    ],
)  # fmt: skip
def test_delays(samples, expected):
    alarm = QUIET
    found = []
    for at_s, active in samples:
        alarm = step(DELAYED, alarm, Condition(DELAYED.id, active), float(at_s))
        found.append(alarm.state(out_of_service=False).value)
    assert found == expected


def test_an_alarm_is_said_to_stand_since_its_condition_began():
    alarm = step(DELAYED, QUIET, Condition(DELAYED.id, True), 100.0)
    alarm = step(DELAYED, alarm, Condition(DELAYED.id, True), 160.0)
    assert alarm.since_s == 100.0


def test_a_shelf_expires_by_itself():
    alarm = step(PLAIN, QUIET, Condition(PLAIN.id, True), 0.0)
    alarm = shelve(alarm, Shelf(100.0, "paint", "anna"))
    at = [step(PLAIN, alarm, Condition(PLAIN.id, True), s) for s in (99.9, 100.0)]
    assert [a.state(out_of_service=False).value for a in at] == [SHELVED, B]


def test_an_unchanged_alarm_is_the_same_object():
    for spec in (PLAIN, LATCHED, DELAYED):
        alarm = QUIET
        for at_s, on in [(0.0, True), (100.0, True), (200.0, False), (400.0, False)]:
            alarm = step(spec, alarm, Condition(spec.id, on), at_s)
            assert step(spec, alarm, Condition(spec.id, on), at_s) is alarm
        assert acknowledge(acknowledge(alarm, "anna"), "anna") == acknowledge(alarm, "anna")


def test_who_acknowledged_is_kept():
    alarm = step(PLAIN, QUIET, Condition(PLAIN.id, True), 0.0)
    assert acknowledge(alarm, "anna").by == "anna"


def test_an_alarm_that_is_annunciated_again_comes_back_unacknowledged():
    spec = AlarmSpec("power-cut.not-proven", Priority.CRITICAL, again_s=30.0)
    alarm = acknowledge(step(spec, QUIET, Condition(spec.id, True), 0.0), "anna")
    at = [step(spec, alarm, Condition(spec.id, True), s) for s in (29.0, 30.0)]
    assert [a.state(out_of_service=False).value for a in at] == [C, B]
