"""Parts that share a line: each is asked when it is due, and a dead one costs little.

Virtual time: a poll takes as long as its part says, and waiting takes as long as it is waited.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from controller.clock import Clock
from controller.core.rules.base import Command
from controller.pollers import Line
from controller.pollers.orders import CommandedPoller, Orders


class Leaping(Clock):
    """Time leaps over whatever is waited for."""

    now_s = 0.0

    def mono_s(self):
        return self.now_s

    def real_s(self, paced_s):
        self.now_s += max(paced_s, 0.0)
        return 0.0


class Until:
    """Set once the clock is there."""

    def __init__(self, clock, end_s):
        self.clock, self.end_s = clock, end_s

    def is_set(self):
        return self.clock.now_s >= self.end_s


class Part(CommandedPoller):
    """A part that takes `takes_s` to answer, or to be given up. `asked`: when it was asked."""

    def __init__(self, name, clock, period_s, takes_s=0.02, answers=True):
        self.part, self.clock = name, clock
        self._period_s, self.takes_s, self.answers = period_s, takes_s, answers
        self.asked, self.obeyed, self.brought = [], [], []
        self.error = None
        self._orders = Orders()
        self._clock = clock
        self._bring = self.brought.append

    @property
    def period_s(self):
        return self._period_s

    def poll(self):
        self.asked.append(round(self.clock.now_s, 3))
        self.clock.now_s += self.takes_s
        if self.error:
            raise self.error
        return self.answers

    def close(self):
        pass

    def _ask(self):
        raise AssertionError

    def _without(self, error):
        raise AssertionError

    def _send(self, action):
        self.obeyed.append((round(self.clock.now_s, 3), action))

    def gaps(self):
        return [round(after - before, 3) for before, after in pairwise(self.asked)]


@pytest.fixture
def clock():
    return Leaping()


def run(clock, parts, for_s, failed=lambda *_: None):
    line = Line("rs485", parts, clock, failed)
    line(Until(clock, clock.now_s + for_s))
    return line


def test_each_part_is_asked_at_its_own_period(clock):
    leak, air = Part("leak", clock, 1.0), Part("air", clock, 5.0)
    run(clock, [leak, air], 20.0)
    assert leak.asked == pytest.approx(range(20), abs=0.05)
    assert len(air.asked) == 4
    assert max(air.gaps()) <= 5.05


def test_a_dead_part_costs_the_others_one_timeout_a_round_at_most(clock):
    parts = [Part(f"air-{n}", clock, 5.0, 0.04) for n in range(15)]
    dead = Part("dead", clock, 5.0, 1.0, answers=False)
    run(clock, [dead, *parts], 60.0)
    assert [max(part.gaps()) for part in parts] == pytest.approx([5.0] * 15, abs=1.05)
    assert {len(part.asked) for part in parts} == {12}


def test_ten_dead_parts_make_a_live_one_wait_for_one_timeout_only(clock):
    leak = Part("leak", clock, 1.0)
    dead = [Part(f"dead-{n}", clock, 1.0, 1.5, answers=False) for n in range(10)]
    run(clock, [leak, *dead], 300.0)
    # A period at the longest, one timeout, and its own time.
    assert max(leak.gaps()) <= 1.0 + 1.5 + 0.05
    assert all(len(part.asked) > 5 for part in dead)


@pytest.mark.parametrize("others", [0, 3])
def test_a_dead_part_is_asked_no_more_often_than_its_period(clock, others):
    live = [Part(f"air-{n}", clock, 0.7, 0.3) for n in range(others)]
    dead = Part("dead", clock, 5.0, 2.0, answers=False)
    run(clock, [*live, dead], 100.0)
    assert len(dead.asked) > 5
    assert min(dead.gaps()) >= 5.0


def test_a_dead_part_is_asked_even_on_a_line_that_is_never_free(clock):
    busy = [Part(f"air-{n}", clock, 0.5, 0.4) for n in range(4)]
    dead = Part("dead", clock, 5.0, 1.0, answers=False)
    run(clock, [*busy, dead], 100.0)
    assert max(dead.gaps()) <= 5.0 + 4 * 0.4 + 1.0 + 0.1


def test_a_part_that_comes_back_keeps_its_period_again(clock):
    part = Part("air", clock, 5.0, 1.0, answers=False)
    line = run(clock, [part, Part("leak", clock, 1.0)], 30.0)
    part.answers, part.takes_s = True, 0.02
    part.asked.clear()
    line(Until(clock, clock.now_s + 60.0))
    assert max(part.gaps()) <= 5.1


def test_what_was_missed_is_not_made_up_for(clock):
    part = Part("air", clock, 1.0)
    line = run(clock, [part], 3.0)
    clock.now_s += 100.0
    part.asked.clear()
    line(Until(clock, clock.now_s + 2.5))
    assert len(part.asked) <= 4


def test_a_part_alone_on_its_line_rests_between_two_polls_whatever_its_period(clock):
    clock.pace = 60.0
    part = Part("air", clock, 0.001, 0.0)
    run(clock, [part], 60.0)
    assert min(part.gaps()) >= 0.02 * 60.0


def test_an_error_of_our_own_in_one_part_costs_the_others_nothing_and_is_told(clock):
    broken, leak = Part("broken", clock, 1.0), Part("leak", clock, 1.0)
    broken.error = RuntimeError("a fault of our own")
    told = []
    run(clock, [broken, leak], 10.0, lambda *fault: told.append(fault))
    assert set(told) == {("poll-broken", "RuntimeError: a fault of our own")}
    assert len(broken.asked) == len(leak.asked) == 10


def test_a_command_is_carried_out_before_the_next_poll_and_looked_after_at_once(clock):
    ups, air = Part("ups", clock, 30.0), Part("air", clock, 1.0)
    line = run(clock, [ups, air], 4.5)
    ups.asked.clear()
    given_s = round(clock.now_s, 3)
    ups.command(Command("ups", 1, "off"))
    line(Until(clock, clock.now_s + 3.0))
    assert ups.obeyed == [(given_s, "off")]
    assert ups.asked[0] - given_s <= 0.05
    assert [b["ups.reply"].value for b in ups.brought] == ["1 ok"]


def test_a_command_wakes_the_line_that_waits_for_a_part():
    ups = Part("ups", Clock(), 3600.0)
    line = Line("tcp", [ups], Clock(), lambda *_: None)
    line._bell.clear()
    ups.command(Command("ups", 1, "off"))
    assert line._bell.is_set()


def test_a_live_part_among_ten_dead_ones_is_asked_to_the_end(clock):
    leak = Part("leak", clock, 1.0)
    dead = [Part(f"dead-{n}", clock, 1.0, 1.5, answers=False) for n in range(10)]
    run(clock, [leak, *dead], 300.0)
    assert 300.0 - leak.asked[-1] <= 1.0 + 1.5 + 0.05
