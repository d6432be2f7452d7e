"""What the bench says: rows with their ratios and targets, as a table and as bench.json."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One measured quantity. `floor` is the bare script's; `target` is a ceiling, on the ratio
    where there is a floor, else on the value; None where nothing was promised."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    target: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def is_over(self) -> bool:
        judged = self.value if self.ratio is None else self.ratio
        return self.target is not None and judged > self.target

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "floor": self.floor,
            "ratio": self.ratio,
            "target": self.target,
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` (above 0, to 100) of `values` do not exceed."""
    assert values, "nothing was measured"
    assert 0 < percent <= 100, "the nearest rank of 0 % is none"
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def trip_rows(
    load: str, ours_ms: Sequence[float], floor_ms: Sequence[float], targets: dict[int, float]
) -> list[Row]:
    """Return p50, p99 and the longest of both; `targets` are on ratios, by percent."""
    return [
        Row(
            f"smoke to relay, {load}, {'max' if percent == 100 else f'p{percent}'}",
            percentile(ours_ms, percent),
            "ms",
            percentile(floor_ms, percent),
            targets.get(percent),
        )
        for percent in (50, 99, 100)
    ]


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as the README shows it."""
    lines = [
        "| measured | Roomwarden | bare script | ratio | target | |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        floor = "" if row.floor is None else f"{_short(row.floor)} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        unit = f" {row.unit}" if row.ratio is None else "x"
        target = "" if row.target is None else f"{_short(row.target)}{unit}"
        verdict = "" if row.target is None else "**over**" if row.is_over else "kept"
        value = f"{_short(row.value)} {row.unit}"
        lines.append(f"| {row.name} | {value} | {floor} | {ratio} | {target} | {verdict} |")
    return "\n".join(lines)


def _short(number: float) -> str:
    """Return three significant digits, and never an exponent."""
    if number == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(number))))
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
