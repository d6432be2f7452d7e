"""The scan is a function: the same inputs give the same decisions, bit for bit; and an extra
scan with nothing changed decides nothing."""

from __future__ import annotations

import msgspec
import pytest

from controller.core.memory import decode, encode
from controller.core.reading import Now
from controller.core.scan import scan


def quiet(rig):
    rig.run(20.0)


def lamp(rig):
    rig.ask("release-lamp", id="hall")
    rig.ask("projector-on", id="hall")
    rig.run(60.0)
    rig.ask("projector-off", id="hall")
    rig.run(50.0)
    rig.ask("projector-on", id="hall")
    rig.run(20.0)


def fire(rig):
    rig.set("smoke-1", True)
    rig.run(3.0)
    rig.set("smoke-2", True)
    rig.run(10.0)
    rig.ask("acknowledge", alarm="all")
    rig.ask("silence")
    rig.set("smoke-1", False)
    rig.set("smoke-2", False)
    rig.run(5.0)
    rig.ask("reset", alarm="fire.confirmed")
    rig.ask("restore")
    rig.run(30.0)


def troubles(rig):
    rig.mains_fails()
    rig.silent.add("rack-air")
    rig.wire("smoke-2", (True, True))
    rig.run(5.0)
    rig.set("smoke-1", True)
    rig.set("hold-button", True)
    rig.run(30.0)
    rig.set("front-door", True)
    rig.ask("arm")
    rig.run(200.0)


STORIES = [quiet, lamp, fire, troubles]


@pytest.fixture(params=STORIES, ids=lambda story: story.__name__)
def story(request):
    return request.param


def decided(rig):
    return msgspec.json.encode(
        [encode(rig.memory), [(at, event) for at, event in rig.events], sorted(rig.alarms())]
    )


def test_the_same_story_is_decided_the_same_bit_for_bit(lakeside, story):
    told = []
    for _ in range(2):
        rig = lakeside()
        rig.run(5.0)
        story(rig)
        told.append(decided(rig))
    assert told[0] == told[1]


def published(decision):
    fields = msgspec.structs.asdict(decision)
    return [value for name, value in fields.items() if name != "memory"]


def test_the_same_scan_gives_the_same_decision(lakeside, story):
    rig = lakeside()
    rig.run(5.0)
    story(rig)
    for later_s in (0.0, 0.5, 100.0, 10_000.0):
        now = Now(rig.mono_s + later_s, rig.wall_s)
        both = [scan(rig.room, rig.memory, rig.image, (), now) for _ in range(2)]
        one, other = ([encode(d.memory), *published(d)] for d in both)
        assert one == other


def test_an_extra_scan_with_nothing_changed_decides_nothing(lakeside, story):
    rig = lakeside()
    rig.run(5.0)
    story(rig)
    # What was just done may be what a rule was waiting for: a few scans settle everything.
    for _ in range(5):
        rig.run(0.002)
    now = Now(rig.mono_s, rig.wall_s)
    again = scan(rig.room, rig.memory, rig.image, (), now)
    assert again.events == ()
    assert again.answers == ()
    assert again.changed == ()
    assert not again.durable
    assert encode(again.memory) == encode(rig.memory)
    assert again.memory.outputs is rig.memory.outputs


def test_the_written_memory_reads_back_as_it_was(lakeside, story):
    rig = lakeside()
    rig.run(5.0)
    story(rig)
    text = encode(rig.memory)
    memory, lost = decode(text, rig.room.rules)
    assert lost == []
    assert encode(memory) == text
    assert memory.rules == rig.memory.rules
    assert memory.outputs == rig.memory.outputs
    assert memory.alarms == rig.memory.alarms


def test_what_is_remembered_does_not_grow(lakeside):
    rig = lakeside()
    rig.run(60.0)
    sizes = []
    for _ in range(8):
        for _ in range(14):
            rig.set("front-door", True)
            rig.run(0.2)
            rig.set("front-door", False)
            rig.set("smoke-1", True)
            rig.run(0.5)
            rig.ask("silence")
            rig.set("smoke-1", False)
            rig.run(0.5)
        rig.request("reset", alarm="all")
        sizes.append(len(encode(rig.memory)))
    # The latest hundred activations are kept, and the trend of a quarter of an hour.
    assert sizes[-1] < 1.2 * sizes[-2]
    assert sizes[-1] < 20_000


@pytest.mark.parametrize(
    "text",
    ["", "{}", "null", "[]", '{"form":2}', '{"form":1}', "\x00", '{"form":1,"rules":[]}'],
)
def test_a_memory_that_cannot_be_read_is_said_to_be_so(lakeside, text):
    with pytest.raises(ValueError, match="memory"):
        decode(text, lakeside().room.rules)
