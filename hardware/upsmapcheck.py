"""Whether the blocks and values of a register map fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from controller.config.faults import MISSING, Fault, show
from controller.core.registers import Block, Register, Value

Named = Sequence[tuple[str, Value]]
"""Values with the full keys that name them."""


def check_map(blocks: Sequence[tuple[int, Block]], values: Named) -> list[Fault]:
    """Return every fault of blocks, with their numbers in the file, and values, each whole."""
    return [*_blocks(blocks), *_places(blocks, values), *_supply(values)]


def _blocks(blocks: Sequence[tuple[int, Block]]) -> Iterator[Fault]:
    owners: dict[Register, str] = {}
    for number, block in blocks:
        key = f"block[{number}]"
        if block.address + block.count > 0x10000:
            yield Fault(f"{key}.count", show(block.count), "registers up to address 65535")
        others = {owners.setdefault(at, key) for at in block.registers} - {key}
        for other in sorted(others):
            told = f"no overlap; {other} has some of it"
            yield Fault(f"{key}.address", show(block.address), told)


def _places(blocks: Sequence[tuple[int, Block]], values: Named) -> Iterator[Fault]:
    inside = [set(block.registers) for _, block in blocks]
    owners: dict[Register, str] = {}
    for key, value in values:
        address = show(value.address)
        if not any(block.issuperset(value.registers) for block in inside):
            at = f"{value.address} of function {value.function}"
            told = f"{len(value.registers)} registers at {at} within one block"
            yield Fault(f"{key}.address", address, told)
        others = {owners.setdefault(at, key) for at in value.registers} - {key}
        for other in sorted(others):
            yield Fault(f"{key}.address", address, f"no overlap; {other} stands there")


def _supply(values: Named) -> Iterator[Fault]:
    """A UPS that cannot say that it is on the mains or on its battery guards nothing."""
    told = {match.word for _, value in values for match in value.matches}
    missing = [word for word in ("mains", "battery") if word not in told]
    if missing:
        words = " and ".join(f'"{word}"' for word in missing)
        yield Fault("word", MISSING, f"a register that tells {words}")
