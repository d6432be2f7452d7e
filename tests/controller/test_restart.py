"""A controller that was killed, and the one that comes after it, on real files."""

from __future__ import annotations

import pytest


@pytest.fixture
def cut_and_killed(bench):
    """A room that was cut by its emergency contact, and whose controller is gone."""
    bench.start()
    bench.press()
    bench.events()
    bench.press(False)
    bench.kill()
    return bench


def test_a_line_is_driven_only_after_the_line_file_says_so(bench):
    bench.start()
    bench.door.request("switch", {"output": "lamp", "to": "on"})
    bench.press()
    driven = [one for one in bench.driven if not one.claimed and one.output != "shunt"]
    assert {one.output for one in driven} >= {"lamp", "power-cut"}
    assert all(one.kept is one.on for one in driven)


def test_the_lines_are_claimed_with_the_levels_they_have(bench):
    bench.start()
    bench.door.request("switch", {"output": "lamp", "to": "on"})
    bench.door.request("switch", {"output": "fan", "to": "off"})
    bench.events()
    before = {id: bench.line(id) for id in ("power-cut", "siren", "lamp", "fan")}
    bench.kill()
    bench.start()
    claimed = {one.output: one.on for one in bench.driven if one.claimed}
    assert {id: claimed[id] for id in before} == before
    assert before == {"power-cut": False, "siren": False, "lamp": True, "fan": False}
    moved = [one for one in bench.driven if not one.claimed and one.output != "shunt"]
    assert moved == []


def test_a_cut_stands_over_a_kill_and_no_line_moves(cut_and_killed):
    bench = cut_and_killed
    bench.start()
    state = next(o for o in bench.state()["outputs"] if o["id"] == "power-cut")
    assert (state["commanded"], state["slot"]) == ("on", 1)
    assert [o.on for o in bench.driven if o.output == "power-cut"] == [True]


def test_a_cut_that_the_journal_has_not_got_is_latched_and_recorded(bench):
    bench.start()
    bench.events()
    earlier = bench.copy("earlier")
    bench.press()
    bench.kill(journal=earlier)
    bench.wired[5] = True
    bench.start()
    assert [o.on for o in bench.driven if o.output == "power-cut"] == [True]
    assert ("room", "cut.found") in bench.recorded("fire")
    assert bench.state()["fire"]["cut"]
    refused = bench.door.request("switch", {"output": "power-cut", "to": "off"})
    assert refused["status"] == "refused"


def test_a_cut_stands_where_the_journal_was_lost(cut_and_killed):
    bench = cut_and_killed
    for file in bench.store.parent.glob("room.db*"):
        file.unlink()
    bench.start()
    assert [o.on for o in bench.driven if o.output == "power-cut"] == [True]
    assert ("room", "cut.found") in bench.recorded("fire")


def test_a_cut_stands_where_the_journal_is_of_an_earlier_boot(bench):
    """The disk failed for the whole of this boot: the line file alone knows of the cut."""
    bench.start()
    bench.events()
    earlier = bench.copy("earlier")
    bench.close()
    bench.boot = "boot-2"
    bench.start()
    bench.press()
    bench.kill(journal=earlier)
    bench.wired[5] = True
    bench.start()
    assert [o.on for o in bench.driven if o.output == "power-cut"] == [True]
    assert ("room", "cut.found") in bench.recorded("fire")


def test_a_shunt_that_may_never_have_been_pulsed_is_pulsed_again(bench, wait):
    bench.start()
    bench.events()
    earlier = bench.copy("earlier")
    bench.press()
    bench.kill(journal=earlier)
    bench.wired[5] = True
    bench.start()
    assert next(o.on for o in bench.driven if o.output == "shunt")
    wait(lambda: bench.level("shunt") is False)


def test_without_the_line_file_the_record_tells_how_the_lines_are(bench):
    bench.start()
    bench.door.request("switch", {"output": "lamp", "to": "on"})
    bench.events()
    bench.kill(lines=False)
    bench.start()
    assert [o.on for o in bench.driven if o.output == "lamp"] == [True]
    assert bench.line("lamp") is True


def test_after_a_boot_everything_is_relinquished_but_a_latched_cut(bench):
    bench.start()
    bench.door.request("switch", {"output": "lamp", "to": "on"})
    bench.press()
    bench.events()
    bench.kill()
    bench.wired[5] = True
    bench.boot = "boot-2"
    controller = bench.open()
    # The coils fell with the power: claiming them moves nothing.
    assert {o.output: o.on for o in bench.driven} == {
        "power-cut": False, "shunt": False, "siren": False, "lamp": False, "fan": True,
    }  # fmt: skip
    controller.start()
    assert bench.level("power-cut") is True  # in the first scan
    assert any(one.on for one in bench.driven if one.output == "shunt")
    assert bench.level("lamp") is False


def test_a_memory_of_another_form_is_an_alarm_and_the_cut_stands(
    cut_and_killed, wait, monkeypatch
):
    bench = cut_and_killed
    monkeypatch.setattr("controller.core.memory.FORM", 99)
    bench.start()
    assert [o.on for o in bench.driven if o.output == "power-cut"] == [True]
    wait(lambda: "form 1" in bench.alarm("controller.memory-lost"))


def test_a_siren_that_sounded_in_turns_does_so_after_a_restart(bench, wait, monkeypatch):
    monkeypatch.setattr("drivers.relay.TURN_S", 0.005)
    bench.start()
    bench.wire(18, True)
    bench.wire(17, False)
    bench.settle()
    wait(lambda: len([one for one in bench.driven if one.output == "siren"]) > 5)
    bench.kill()
    bench.start()
    wait(lambda: len([one for one in bench.driven if one.output == "siren"]) > 5)
