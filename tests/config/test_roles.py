"""What an output's role means depends on what hangs on it and on what the room holds."""

from __future__ import annotations

import pytest

from controller.core.roles import output_role


@pytest.mark.parametrize(
    ("role", "feeds", "standing", "meant"),
    [
        ("cut-off", None, True, (True, "off", "keep", "keep", "cut")),
        ("siren", None, True, (True, "off", "off", "off", "silence")),
        ("beacon", None, True, (True, "off", "off", "off", "silence")),
        ("cooling", None, True, (False, "on", "on", "keep", "free")),
        ("cooling", None, False, (False, "off", "on", "off", "free")),
        ("outlet", "projector", True, (True, "off", "on", "off", "projector")),
        ("outlet", "host", True, (True, "on", "on", "keep", "host-down")),
        ("outlet", None, True, (False, "off", "keep", "off", "free")),
        ("light", None, True, (False, "off", "keep", "off", "free")),
        ("door-release", None, True, (True, "off", "on", "off", "free")),
        ("detector-reset", None, True, (False, "off", "off", "off", "reset")),
    ],
)
def test_a_role_says_where_its_output_rests_and_who_may_switch_it(role, feeds, standing, meant):
    is_ = output_role(role, feeds, standing)
    assert (is_.on_wins, is_.default, is_.lost, is_.lock_up, is_.switch) == meant


def test_there_is_no_meaning_for_an_unknown_role():
    with pytest.raises(KeyError):
        output_role("fountain")
