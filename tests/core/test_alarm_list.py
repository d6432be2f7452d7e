"""The room's alarms together: commands, first-out, causes, shelves, floods and chatter."""

from __future__ import annotations

import pytest

from controller.core.alarmlist import AlarmList
from controller.core.alarmlist import step as list_step
from controller.core.alarms import AlarmSpec, Condition, Priority
from controller.core.request import Status
from controller.core.restart import Boot
from controller.texts import text

LEAKS = "".join(
    f"""
[[input]]
id = "leak-{number}"
kind = "contact"
role = "leak"
pin = {number}
contact = "no"
"""
    for number in range(2, 16)
)
MAINS = """
[[input]]
id = "mains"
kind = "contact"
role = "mains"
pin = 23
contact = "no"
[[input]]
id = "rack-air"
kind = "dht22"
pin = 4
"""


def specs(*ids, **keys):
    return {id: AlarmSpec(id, Priority.HIGH, **keys) for id in ids}


def stepped(known, was, conditions, now_s):
    list_, _, events, _ = list_step(known, was, conditions, (), now_s)
    return list_, events


@pytest.mark.parametrize("order", [("a.x", "b.x", "c.x"), ("c.x", "b.x", "a.x")])
def test_the_first_out_is_told_by_the_inputs_time_not_by_the_order_of_rules(order):
    known = specs("a.x", "b.x", "c.x")
    at_s = {"a.x": 9.3, "b.x": 9.1, "c.x": 9.2}
    conditions = [Condition(id, True, at_s=at_s[id]) for id in order]
    list_, _ = stepped(known, AlarmList(), conditions, 10.0)
    assert {id for id, alarm in list_.alarms.items() if alarm.first_out} == {"b.x"}


def test_the_first_out_keeps_its_mark_until_its_group_is_quiet():
    known = specs("a.x", "b.x")
    list_, _ = stepped(known, AlarmList(), [Condition("a.x", True)], 1.0)
    list_, _ = stepped(known, list_, [Condition("b.x", True)], 2.0)
    list_, _ = stepped(known, list_, [Condition("a.x", False)], 3.0)
    assert [list_.of(id).first_out for id in known] == [True, False]
    list_, _ = stepped(known, list_, [Condition("b.x", False)], 4.0)
    list_, _ = stepped(known, list_, [Condition("b.x", True)], 5.0)
    assert list_.of("b.x").first_out


def test_groups_have_a_first_out_each():
    known = specs("a.x") | specs("b.x", group="fire")
    list_, _ = stepped(known, AlarmList(), [Condition("a.x", True)], 1.0)
    list_, _ = stepped(known, list_, [Condition("b.x", True)], 2.0)
    assert [list_.of(id).first_out for id in known] == [True, True]


def test_a_consequence_is_filed_under_its_cause():
    known = specs("mains.absent") | specs("hall.silent", caused_by=("mains.absent",))
    list_, _ = stepped(known, AlarmList(), [Condition("mains.absent", True)], 1.0)
    list_, _ = stepped(known, list_, [Condition("hall.silent", True)], 5.0)
    assert list_.of("hall.silent").cause == "mains.absent"
    assert not list_.of("hall.silent").first_out


def test_what_was_there_before_is_no_consequence():
    known = specs("mains.absent") | specs("hall.silent", caused_by=("mains.absent",))
    list_, _ = stepped(known, AlarmList(), [Condition("hall.silent", True)], 1.0)
    list_, _ = stepped(known, list_, [Condition("mains.absent", True)], 5.0)
    assert list_.of("hall.silent").cause is None


def test_one_mains_failure_is_one_incident(rigged):
    rig = rigged(MAINS)
    rig.mains_fails()
    rig.silent.add("rack-air")
    rig.run(30.0)
    assert rig.alarms() == {"mains.absent", "rack-air.silent"}
    assert rig.memory.alarms.of("rack-air.silent").cause == "mains.absent"


def test_a_flood_is_more_than_ten_new_alarms_in_ten_minutes(rigged):
    rig = rigged(LEAKS)
    for number in range(2, 12):
        rig.set(f"leak-{number}", True)
        rig.run(10.0)
    assert not rig.memory.alarms.flood
    rig.set("leak-12", True)
    rig.run(10.0)
    assert rig.memory.alarms.flood
    assert ("room", "alarm.flood") in rig.causes("alarm")
    rig.run(700.0)
    assert not rig.memory.alarms.flood
    assert ("room", "alarm.flood-over") in rig.causes("alarm")


def test_three_activations_in_a_minute_are_chatter():
    known = specs("a.x")
    list_, told = AlarmList(), []
    for now_s in (0.0, 20.0, 40.0):
        for active, later_s in ((True, 0.0), (False, 5.0)):
            list_, events = stepped(known, list_, [Condition("a.x", active)], now_s + later_s)
            told += [event.cause for event in events if event.cause == "alarm.chatter"]
    assert told == ["alarm.chatter"]


def test_a_slow_return_is_no_chatter():
    known = specs("a.x")
    list_ = AlarmList()
    for now_s in (0.0, 40.0, 80.0, 120.0):
        for active, later_s in ((True, 0.0), (False, 5.0)):
            list_, events = stepped(known, list_, [Condition("a.x", active)], now_s + later_s)
            assert all(event.cause != "alarm.chatter" for event in events)


def leaking(rigged):
    rig = rigged(LEAKS)
    rig.set("leak-2", True)
    rig.run(10.0)
    assert rig.alarm("leak-2.leak") == "active-unacknowledged"
    return rig


def test_acknowledge_all_acknowledges_all(rigged):
    rig = leaking(rigged)
    rig.set("leak-3", True)
    rig.run(10.0)
    rig.ask("acknowledge", alarm="all")
    assert {rig.alarm(id) for id in rig.alarms()} == {"active-acknowledged"}


def test_acknowledge_silence_and_reset_are_three_commands(rigged):
    rig = leaking(rigged)
    rig.ask("silence")
    assert rig.alarm("leak-2.leak") == "active-unacknowledged"
    assert rig.memory.alarms.of("leak-2.leak").silenced
    assert rig.request("reset", alarm="leak-2.leak").reason.id == "refused.still-active"
    rig.ask("acknowledge", alarm="leak-2.leak")
    assert rig.alarm("leak-2.leak") == "active-acknowledged"


def test_a_shelf_has_its_reason_person_and_end(rigged):
    rig = leaking(rigged)
    rig.ask("shelve", alarm="leak-2.leak", for_="10min", reason="plumber", actor="anna")
    shelf = rig.memory.alarms.of("leak-2.leak").shelf
    assert (shelf.reason, shelf.by, shelf.until_s) == ("plumber", "anna", rig.mono_s + 600.0)
    rig.run(599.0)
    assert rig.alarm("leak-2.leak") == "shelved"
    rig.run(1.5)
    assert rig.alarm("leak-2.leak") == "active-unacknowledged"
    states = [e.data["state"] for _, e in rig.events if e.subject == "leak-2.leak"]
    assert states == ["active-unacknowledged", "shelved", "active-unacknowledged"]


@pytest.mark.parametrize("length", ["25h", "30d"])
def test_nothing_is_shelved_for_ever(rigged, length):
    rig = leaking(rigged)
    answer = rig.request("shelve", alarm="leak-2.leak", for_=length, reason="plumber")
    assert answer.status is Status.REFUSED


def test_a_permit_takes_a_part_out_of_service_until_it_ends(rigged):
    rig = rigged(LEAKS)
    rig.ask("out-of-service", point="leak-2", reason="works", for_="10min")
    rig.set("leak-2", True)
    rig.run(300.0)
    assert rig.alarm("leak-2.leak") == "out-of-service"
    rig.run(301.0)
    assert rig.alarm("leak-2.leak") == "active-unacknowledged"
    assert ("leak-2", "permit.expired") in rig.causes("alarm")


def test_a_permit_is_called_back(rigged):
    rig = rigged(LEAKS)
    rig.ask("out-of-service", point="leak-2", reason="works")
    rig.set("leak-2", True)
    rig.run(30.0)
    rig.ask("in-service", point="leak-2")
    rig.run(5.0)
    assert rig.alarm("leak-2.leak") == "active-unacknowledged"


def test_an_alarm_already_there_at_the_start_is_acted_on_in_the_first_scan(rigged):
    rig = rigged(LEAKS)
    rig.loops["leak-2"] = (True,)
    rig.start(rig.room.first_memory(rig.mono_s), {}, Boot(same=False))
    rig.run(5.0)
    assert rig.alarm("leak-2.leak") == "active-unacknowledged"


def test_every_change_of_state_is_an_event_and_nothing_else_is(rigged):
    rig = rigged(LEAKS)
    rig.set("leak-2", True)
    rig.run(100.0)
    rig.ask("acknowledge", alarm="leak-2.leak")
    rig.set("leak-2", False)
    rig.run(100.0)
    told = [(e.data["was"], e.data["state"], e.actor) for _, e in rig.events if e.kind == "alarm"]
    assert told[0] == ("normal", "active-unacknowledged", "rule")
    assert told[1] == ("active-unacknowledged", "active-acknowledged", "keeper")
    assert [state for _, state, _ in told[2:]] in (["normal"], ["latched-acknowledged"])


def test_every_alarm_has_a_text_in_both_languages(lakeside):
    for id in lakeside().room.alarms:
        key = f"alarm.{id.rpartition('.')[2]}"
        assert all(text(locale, key) != key for locale in ("en", "zh-CN")), key
