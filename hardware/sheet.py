"""The wiring sheet: what the electrician takes along, in Markdown, in either language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from controller.config.references import UPS_CONTACTS
from controller.config.schema import RoomFile
from controller.core.partconfig import InputConfig, OutputConfig, pins_of, role_of
from hardware.boards import BoardTable, board_table, header_places
from hardware.wiring import meaning, released

Locale = Literal["zh-CN", "en"]


def wiring_sheet(room: RoomFile, locale: Locale) -> str:
    """Return the sheet of a room that has no faults."""
    texts = _texts(locale)
    board = board_table(room.board.kind)
    place = room.room
    return "\n".join(
        [
            "# " + texts["title"].format(name=_cell(place.name)),
            "",
            texts["room"].format(site=place.site, id=place.id, board=board.name),
            "",
            f"> {texts['safety']}",
            "",
            *_table(texts["inputs"], texts["input_head"], _inputs(room, texts)),
            *_table(texts["outputs"], texts["output_head"], _outputs(room, board, texts)),
            *_table(texts["others"], texts["other_head"], _others(room, texts)),
            f"## {texts['notes']}",
            "",
            *(f"- {note}" for note in _notes(room, board, texts)),
            "",
        ]
    )


def _inputs(room: RoomFile, texts: dict[str, Any]) -> Iterator[list[str]]:
    for part in room.inputs:
        role = role_of(part)
        pins = pins_of(part)
        if not pins:
            continue
        what = _what(part, texts)
        if role == "climate":
            contacts = [(texts["data"], texts["none"], texts["none"])]
        else:
            true, false = texts["true"][role], texts["false"][role]
            means = {"no": (texts["no"], true, false), "nc": (texts["nc"], false, true)}
            contacts = [means[contact] for contact in _contacts(part)]
        for pin, contact in zip(pins, contacts, strict=True):
            yield [part.id, part.place, what, contact[0], _pin(pin), *contact[1:]]


def _what(part: InputConfig, texts: dict[str, Any]) -> str:
    """What an input is, and which UPS's where it says so."""
    role, of = role_of(part), getattr(part, "of", None)
    what: str = texts["role"][role].format(of=of or "")
    return f"{what}: {of}" if role in UPS_CONTACTS and of is not None else what


def _contacts(part: InputConfig) -> tuple[str, ...]:
    """The contact on each pin: a pair has its normally-open one first."""
    return ("no", "nc") if len(pins_of(part)) == 2 else (getattr(part, "contact", "nc"),)


def _outputs(room: RoomFile, board: BoardTable, texts: dict[str, Any]) -> Iterator[list[str]]:
    proofs = {getattr(part, "of", None): part.id for part in room.inputs}
    for output in room.outputs:
        pins = pins_of(output)
        what = texts["scope" if output.scope else "role"][output.scope or output.role]
        yield [
            output.id,
            output.place,
            what,
            ", ".join(map(_pin, pins)),
            texts[getattr(output, "active", "high")],
            _means(output, output.energised, texts),
            _means(output, released(output), texts),
            ", ".join(texts["up" if pin in board.pulled_up else "down"] for pin in pins),
            proofs.get(output.id, texts["unproven"]),
        ]


def _others(room: RoomFile, texts: dict[str, Any]) -> Iterator[list[str]]:
    unpinned = [part for part in room.inputs if not pins_of(part)]
    for part in (*unpinned, *room.projectors, *room.upses):
        address = str(getattr(part, "address", None) or getattr(part, "device", texts["none"]))
        if hasattr(part, "unit"):
            address += ", " + texts["unit"].format(unit=part.unit)
        kind = part.kind
        if isinstance(part, InputConfig) and hasattr(part, "role"):
            # Of a contact behind a bus the kind alone does not say what it is.
            kind += f", {_what(part, texts)}"
        yield [part.id, part.place, kind, address]


def _notes(room: RoomFile, board: BoardTable, texts: dict[str, Any]) -> Iterator[str]:
    if any(output.role == "cut-off" for output in room.outputs):
        yield texts["outside"]
    yield texts["levels"]
    yield texts["driver"]
    for part in room.inputs:
        if len(pins_of(part)) == 2:
            yield texts["pair"].format(id=part.id)
    for output in room.outputs:
        yield from _output_notes(room, output, board, texts)
    if room.fire.accept_risk is not None:
        yield texts["risk"].format(risk=_cell(room.fire.accept_risk))


def _output_notes(
    room: RoomFile, output: OutputConfig, board: BoardTable, texts: dict[str, Any]
) -> Iterator[str]:
    if output.pulse is not None:
        yield texts["pulse"].format(id=output.id, pulse=output.pulse)
    rests = released(output)
    lost = output.lost or meaning(room, output).lost
    if output.role == "cut-off" and rests == "on":
        yield texts["holds"].format(id=output.id)
    elif lost not in ("keep", rests):
        yield texts["differs"].format(
            id=output.id,
            lost=texts[lost],
            lost_means=_means(output, lost, texts),
            released=texts[rests],
            released_means=_means(output, rests, texts),
        )
    active = getattr(output, "active", "high")
    energising = board.pulled_up if active == "high" else board.pulled_down
    if any(pin in energising for pin in pins_of(output)):
        yield texts["twitches"].format(id=output.id)


def _means(output: OutputConfig, state: str, texts: dict[str, Any]) -> str:
    meant: str = texts["true" if state == "on" else "false"][output.role]
    return meant


def _pin(pin: int) -> str:
    return f"{pin} ({header_places()[pin]})"


def _table(title: str, head: str, rows: Iterable[list[str]]) -> list[str]:
    """A Markdown table under its heading; nothing where there are no rows."""
    written = [" | ".join(map(_cell, row)) for row in rows]
    if not written:
        return []
    rule = " | ".join("---" for _ in head.split(" | "))
    lines = [f"| {line} |" for line in (head, rule, *written)]
    return [f"## {title}", "", *lines, ""]


def _cell(text: str) -> str:
    """Text of the room file, kept from being Markdown of its own."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").split())


@cache
def _texts(locale: Locale) -> dict[str, Any]:
    with (Path(__file__).parent / "texts" / f"{locale}.toml").open("rb") as file:
        return tomllib.load(file)
