"""The page of all keys: complete, and as the program is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from controller.config import climate, feed, fire, power, schema
from controller.config.walk import element_of, struct_of
from controller.core.roles import INPUT_ROLES, OUTPUT_ROLES
from controller.docstrings import meanings_of
from firmware.commands.reference import reference
from firmware.kinds import kinds

PAGE = Path(__file__).parents[2] / "firmware/docs/configuration.md"
TABLES = [
    schema.Room,
    schema.BoardConfig,
    schema.Access,
    schema.Panel,
    schema.Store,
    schema.Simulation,
    climate.Climate,
    fire.Fire,
    feed.Feed,
    feed.FeedClient,
    power.HostConfig,
    power.Nut,
    power.Outage,
    power.OutageStage,
    power.Return,
]


def test_the_committed_page_is_what_the_program_says():
    assert PAGE.read_text(encoding="utf-8") == reference(kinds()), (
        "stale: roomwarden reference > firmware/docs/configuration.md"
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_of_a_table_has_its_meaning_and_no_other(table: type):
    _, meanings = meanings_of(table)
    assert sorted(meanings) == sorted(field.encode_name for field in fields(table))


def section(page: str, head: str) -> str:
    """What stands under a heading, up to the next."""
    found = re.search(rf"^#+ {re.escape(head)}\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None, head
    return found[1]


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each row of a table, by its first."""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_every_table_has_its_section_with_all_of_its_keys():
    page = reference(kinds())
    for field in fields(schema.RoomFile):
        if field.name in ("folder", "digest", "version"):
            continue
        element = element_of(field.type)
        form = element or struct_of(field.type)
        text = section(
            page, f"`[[{field.encode_name}]]`" if element else f"`[{field.encode_name}]`"
        )
        keys = [key.encode_name for key in fields(form) if element_of(key.type) is None]
        assert list(rows(text)) == keys
    assert list(rows(section(page, "`[[feed.client]]`"))) == ["id", "role", "actions"]
    assert "runtime_below" in rows(section(page, "`[[outage.stage]]`"))


@pytest.mark.parametrize(
    ("table", "kind"), [(table, kind) for table, known in kinds().items() for kind in known]
)
def test_every_kind_has_its_section_with_the_keys_of_its_own(table: str, kind: str):
    page = reference(kinds())
    shared = rows(section(page, f"`[[{table}]]`"))
    text = section(page, f'`[[{table}]]` with `kind = "{kind}"`')
    own = {field.encode_name for field in fields(kinds()[table][kind])} - shared.keys()
    assert {key.partition(".")[0] for key in rows(text)} == own


def test_every_role_is_explained():
    page = reference(kinds())
    assert list(rows(section(page, "Roles of an `[[input]]`"))) == list(INPUT_ROLES)
    assert rows(section(page, "Roles of an `[[output]]`")).keys() >= OUTPUT_ROLES.keys()


def test_a_row_says_what_may_stand_there_and_what_stands_there_if_nothing_does():
    page = reference(kinds())
    host = rows(section(page, "`[[host]]`"))
    assert host["stop_timeout"][:2] == ['a duration from "1s" to "2h"', '`"3min"`']
    assert host["outlet"][1] == "*none*"
    assert host["stage"][:2] == ["a whole number from 1 to 9", "must be given"]
    assert rows(section(page, "`[store]`"))["size"][1] == '`"8GB"`'
    assert '"start-hosts"' in rows(section(page, "`[[feed.client]]`"))["actions"][0]
    assert "rtu://" in rows(section(page, '`[[ups]]` with `kind = "modbus"`'))["address"][0]
