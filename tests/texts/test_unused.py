"""No sentence stands there for nothing, and none is missing of those that the code makes up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.core.rules.planstate import Phase
from controller.core.rules.power import Power
from controller.texts import LOCALES, texts

ROOT = Path(__file__).parents[2]
CODE = ("controller", "drivers", "firmware", "hardware", "simulators", "web")
NAMED = re.compile(r"""["'`]([a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*)["'`]""")
MADE = re.compile(r"""(?:f["']|`)([a-z][a-z-]*\.[^"'`\s]*?)["'`]""")
VALUE = re.compile(r"\$?\{[^}]*\}")


def test_every_sentence_is_said_somewhere() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in CODE
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".js") and "vendor" not in path.parts
    )
    named = {id for id in NAMED.findall(sources) if id in texts("en")}
    made = re.compile(
        "|".join(
            ".+".join(re.escape(part) for part in VALUE.split(pattern))
            for pattern in set(MADE.findall(sources))
            if VALUE.search(pattern)
        )
    )
    assert len(named) > 200
    unsaid = [id for id in texts("en") if id not in named and not made.fullmatch(id)]
    assert unsaid == []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_way_in_which_a_room_is_fed_and_a_host_stands_has_its_sentences(locale: str) -> None:
    wanted = {
        *(f"permissive.{state}" for state in Power if state not in (Power.MAINS, Power.UNKNOWN)),
        *(f"permit.power-{state}" for state in Power),
        *(f"ui.word.state.{state}" for state in (*Power, *Phase)),
    }
    assert wanted - set(texts(locale)) == set()
