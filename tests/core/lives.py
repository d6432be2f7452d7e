"""Random lives of a room, for the tests of what must always hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def in_lives(few: int, many: int, for_minutes: int) -> pytest.MarkDecorator:
    """A few lives in the quick run, more with `make test`, other ones each time for long."""
    return pytest.mark.parametrize(
        ("lives", "same_each_time"),
        [
            (few, True),
            pytest.param(many, True, marks=pytest.mark.system),
            pytest.param(for_minutes, False, marks=pytest.mark.long),
        ],
        ids=["a few lives", "many lives", "lives for minutes"],
    )


def live(
    machine: Callable[[], RuleBasedStateMachine], lives: int, steps: int, same_each_time: bool
) -> None:
    """Live so many lives of at most so many steps."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            derandomize=same_each_time,
            report_multiple_bugs=True,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # shrinking takes minutes; add it to look closer
        ),
    )
