"""Read a register map: all of its faults at once, or a map whose parts fit together.

The shipped ones stand in `hardware/ups/`; a site may write its own in the same form, which
`hardware/ups/apc-smart-ups.toml` explains.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from controller.config.faults import Fault, bare, show
from controller.config.walk import Walk
from controller.core.parts import UPS_VALUES
from controller.core.registers import Block, Match, RegisterMap, Type, Value, Write
from hardware.upsmapcheck import check_map
from hardware.upsmapform import (
    COMMANDS,
    NUMBERS,
    WORDS,
    CommandForm,
    FileForm,
    NumberForm,
    WordForm,
)

FOLDER = Path(__file__).parent / "ups"
# The longest of ours has 6 kB.
LARGEST_BYTES = 100_000

_EPOCH = datetime.date(1970, 1, 1)


class MapFaults(ValueError):
    """The register map cannot be used: `faults` says all that is wrong with it."""

    def __init__(self, file: Path, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{file}: {fault}" for fault in self.faults))


def find_map(name: str, folder: Path) -> Path:
    """Return the file of a map: a shipped one by its name, or a site's own, a file whose name
    ends in .toml, relative to `folder`. Raises: MapFaults when there is none."""
    if name.endswith(".toml"):
        file = folder / name
        if not file.is_file():
            raise MapFaults(file, [Fault("", "", "no such file")])
        return file
    shipped = {file.stem: file for file in sorted(FOLDER.glob("*.toml"))}
    if name not in shipped:
        names = ", ".join(f'"{known}"' for known in shipped)
        told = f"no register map; {names}, or a file of the site's own, such as "
        raise MapFaults(Path(name), [Fault("", "", f'{told}"our-ups.toml"')])
    return shipped[name]


def read_map(path: Path) -> RegisterMap:
    """Read the register map in the file `path`. Raises: MapFaults."""
    tree = _parsed(path)
    reading = _Reading(tree)
    map = reading.map(path.stem)
    if reading.faults:
        raise MapFaults(path, reading.faults)
    return map


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        if len(content) > LARGEST_BYTES:
            raise ValueError(f"is larger than {LARGEST_BYTES} bytes")
        return tomllib.loads(content.decode())
    except OSError as error:
        told = f"cannot be read: {error.strerror or error}"
        raise MapFaults(path, [Fault("", "", told)]) from error
    except tomllib.TOMLDecodeError as error:
        raise MapFaults(path, [Fault("", "", f"is not TOML: {error}")]) from error
    except (ValueError, RecursionError) as error:
        raise MapFaults(path, [Fault("", "", str(error))]) from error


class _Reading:
    """One reading of one file; `faults` grows as it goes. What is faulty is left out."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        walk = Walk({})
        self._file: FileForm = walk.table(FileForm, tree, "")
        self.faults: list[Fault] = walk.faults

    def map(self, name: str) -> RegisterMap:
        file = self._file
        blocks = [
            (
                number,
                Block(block.address, block.count, block.function or file.function, block.optional),
            )
            for number, block in enumerate(file.block or (), 1)
            if block.address is not None and block.count is not None
        ]
        values = [*self._numbers(), *self._told(), *self._live()]
        self.faults += check_map(blocks, values)
        return RegisterMap(
            name=name,
            source=file.source,
            blocks=tuple(block for _, block in blocks),
            values=tuple(value for _, value in values),
            commands=dict(self._commands()),
            reply_timeout_s=None if file.reply_timeout is None else float(file.reply_timeout),
            gap_s=float(file.gap or 0.0),
        )

    def _fault(self, key: str, value: object, allowed: str) -> None:
        self.faults.append(Fault(key, show(value), allowed))

    def _tables(self, section: str, form: type[Any]) -> Iterator[tuple[str, str, Any]]:
        """Each table of a section that is whole: its name, its full key, and what it says."""
        written = getattr(self._file, section) or {}
        for name, table in written.items():
            key = f"{section}.{bare(name)}"
            if not isinstance(table, dict):
                self._fault(key, table, f"a table: [{key}]")
                continue
            walk = Walk({})
            said = walk.table(form, table, key)
            self.faults += walk.faults
            # Without these nothing more can be said of it.
            if said is not None and getattr(said, "address", 0) is not None:
                yield name, key, said

    def _numbers(self) -> Iterator[tuple[str, Value]]:
        for name, key, said in self._tables("value", NumberForm):
            normal = UPS_VALUES.get(name)
            if name not in NUMBERS or normal is None:
                self.faults.append(Fault(key, "", "no such value; " + ", ".join(NUMBERS)))
                continue
            if said.unit is not None and said.unit != normal.unit:
                self._fault(f"{key}.unit", said.unit, f'"{normal.unit}", after scale')
            since = None if said.since is None else (said.since - _EPOCH).days
            yield from self._value(
                key, said, name=name, key=name, low=normal.low, high=normal.high, since=since
            )

    def _live(self) -> Iterator[tuple[str, Value]]:
        for name, key, said in self._tables("live", NumberForm):
            if name in NUMBERS:
                told = f'another name, or [value.{name}] with "live = true"'
                self.faults.append(Fault(key, "", told))
            said.live = True
            yield from self._value(key, said, name=name, key=None)

    def _told(self) -> Iterator[tuple[str, Value]]:
        for name, key, said in self._tables("word", WordForm):
            if said.type is None:
                continue
            matches = tuple(self._matches(key, said))
            if not (said.bits or said.numbers or said.masks):
                self._fault(key, None, "bits, numbers or masks, with the words that they tell")
            yield from self._value(key, said, name=name, matches=matches)

    def _value(
        self, full_key: str, said: NumberForm | WordForm, **given: Any
    ) -> Iterator[tuple[str, Value]]:
        type: Type | None = said.type
        if type is None:
            return
        scale = getattr(said, "scale", 1.0)
        if scale == 0:
            self._fault(f"{full_key}.scale", scale, "a number other than 0")
        value = Value(
            address=said.address,
            type=type,
            function=said.function or self._file.function,
            low_word_first=said.order == "low-first",
            scale=scale,
            unit=getattr(said, "unit", None),
            invalid=_ones(type) if said.invalid is None else said.invalid,
            absent=said.absent,
            live=said.live,
            source=said.source,
            **given,
        )
        for name, patterns in (("invalid", value.invalid), ("absent", value.absent)):
            for pattern in patterns:
                if not 0 <= pattern < 1 << value.bits:
                    allowed = f"raw patterns from 0 to {(1 << value.bits) - 1:#x}"
                    self._fault(f"{full_key}.{name}", pattern, allowed)
        yield full_key, value

    def _matches(self, key: str, said: WordForm) -> Iterator[Match]:
        """What the words of one register are told by."""
        width = 32 if said.type == "bits32" else 16
        whole = (1 << width) - 1
        is_enum = said.type == "enum"
        if said.numbers and not is_enum:
            self._fault(f"{key}.numbers", said.numbers, 'none: they are for type = "enum"')
        if (said.bits or said.masks) and is_enum:
            name = "bits" if said.bits else "masks"
            self._fault(f"{key}.{name}", getattr(said, name), 'none: type = "enum" has numbers')
        for text, word in said.bits.items():
            place = f"{key}.bits.{bare(text)}"
            bit = _whole(text)
            if bit is None or bit >= width:
                self._fault(place, word, f"a bit from 0 to {width - 1}")
            elif self._is_word(place, word):
                yield Match(1 << bit, 1 << bit, WORDS[word], word)
        for text, word in said.numbers.items():
            place = f"{key}.numbers.{bare(text)}"
            number = _whole(text)
            if number is None or number > whole:
                self._fault(place, word, f"a number from 0 to {whole}")
            elif self._is_word(place, word):
                yield Match(whole, number, WORDS[word], word)
        for count, item in enumerate(said.masks, 1):
            place = f"{key}.masks[{count}]"
            match item:
                case [int(mask), int(equals), word] if (
                    0 < mask <= whole and equals >= 0 and not equals & ~mask
                ):
                    if self._is_word(place, word):
                        yield Match(mask, equals, WORDS[word], word)
                case _:
                    allowed = f"[mask, bits of it that are set, word], with {width} bits"
                    self._fault(place, item, allowed)

    def _is_word(self, key: str, word: object) -> bool:
        if isinstance(word, str) and word in WORDS:
            return True
        self._fault(key, word, " or ".join(f'"{known}"' for known in WORDS))
        return False

    def _commands(self) -> Iterator[tuple[str, tuple[Write, ...]]]:
        for name, key, said in self._tables("command", CommandForm):
            if name not in COMMANDS:
                self.faults.append(Fault(key, "", "no such command; " + ", ".join(COMMANDS)))
            if said.write is not None and not said.write:
                self._fault(f"{key}.write", [], "one write at least")
            writes = []
            for number, write in enumerate(said.write or (), 1):
                place = f"{key}.write[{number}]"
                if write.words is None or write.address is None:
                    continue
                most = 1 if write.function == 6 else 123
                if not 1 <= len(write.words) <= most:
                    self._fault(f"{place}.words", list(write.words), f"1 to {most} words")
                elif write.address + len(write.words) > 0x10000:
                    self._fault(f"{place}.address", write.address, "words up to address 65535")
                writes.append(Write(write.address, write.words, write.function))
            yield name, tuple(writes)


def _whole(text: str) -> int | None:
    """A whole number as a key of TOML says it."""
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) else None


def _ones(type: Type) -> tuple[int, ...]:
    """Never are all bits of a register of flags set, but by a line or a gateway gone wrong."""
    match type:
        case "bits" | "enum":
            return (0xFFFF,)
        case "bits32":
            return (0xFFFF_FFFF,)
    return ()
