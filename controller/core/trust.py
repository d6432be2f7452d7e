"""Trust: what the raw readings of the measured points are worth, before any rule sees them.

A single reading never decides anything: the DHT's checksum lets about one wrong value in seventy
noisy reads through (measured), so a jump must be confirmed. Silence is never health: a value ages
until it is stale, and a value that never moves is suspected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from controller.core.dewpoint import dew_point_c
from controller.core.reading import NEVER_READ, Quality, Reading

CONFIRMING_READINGS = 3
"""Readings in a row that must agree before a jump is believed (facts: accept after 3)."""

DISAGREE_DELAY_S = 60.0
"""How long two sensors of one place must differ; air takes that long to mix (guess)."""


class PointSpec(msgspec.Struct, frozen=True):
    """One point of the room.

    `low` and `high`: the part's own range. `stale_s`: how old a value may become. `jump`: the
    largest step between two readings that is believed at once. `frozen_s`: how long a value may
    stay bit-identical. `dew_of`: (temperature, humidity) where the point is derived from them.
    A point without `stale_s` is not measured by polling and passes through as it is.
    """

    id: str
    part: str
    kind: str
    role: str
    unit: str | None = None
    place: str = ""
    low: float = float("-inf")
    high: float = float("inf")
    step: float = 0.0
    stale_s: float | None = None
    jump: float | None = None
    frozen_s: float | None = None
    dew_of: tuple[str, str] | None = None


class Twins(msgspec.Struct, frozen=True):
    """Two points that measure the same thing in the same place, and how far they may differ."""

    first: str
    second: str
    limit: float


class Trust(msgspec.Struct, frozen=True):
    """What is remembered of one measured point."""

    seen_s: float = 0.0
    value: bool | float | str | None = None
    value_s: float = 0.0
    moved_s: float = 0.0
    fault: Quality | None = None
    jump_to: float | None = None
    jumps: int = 0


NO_TRUST = Trust()


class Judged(msgspec.Struct, frozen=True):
    """A reading as rules see it, what it was made of, and until when age alone keeps it so.

    It is kept so that what did not change is the same object in the next scan.
    """

    of: tuple[Reading, ...]
    reading: Reading
    until_s: float


class Trusted(msgspec.Struct, frozen=True):
    """The memory of all measured points; `differ_s`: since when each pair of twins differs."""

    points: dict[str, Trust] = {}
    differ_s: dict[str, float] = {}
    judged: dict[str, Judged] = {}


def _taken(spec: PointSpec, was: Trust, raw: Reading) -> Trust:
    """Return the trust after one new raw reading."""
    value = raw.value
    if raw.quality is Quality.FROZEN:
        # Its poller has seen the part as a whole stand still: what it says is worth nothing.
        return Trust(raw.at_s, value, raw.at_s, was.moved_s, Quality.FROZEN)
    if isinstance(value, str | bool) and raw.quality is Quality.GOOD:
        return Trust(raw.at_s, value, raw.at_s, raw.at_s)
    if raw.quality is not Quality.GOOD or not isinstance(value, float):
        return msgspec.structs.replace(was, seen_s=raw.at_s, fault=Quality.BAD)
    if not spec.low <= value <= spec.high:
        return msgspec.structs.replace(was, seen_s=raw.at_s, fault=Quality.BAD)
    before = was.value
    if spec.jump is not None and isinstance(before, float) and abs(value - before) > spec.jump:
        agrees = was.jump_to is not None and abs(value - was.jump_to) <= spec.jump
        jumps = was.jumps + 1 if agrees else 1
        if jumps < CONFIRMING_READINGS:
            return msgspec.structs.replace(
                was, seen_s=raw.at_s, fault=Quality.BAD, jump_to=value, jumps=jumps
            )
    moved_s = was.moved_s if value == was.value else raw.at_s
    return Trust(raw.at_s, value, raw.at_s, moved_s)


def _worth(spec: PointSpec, trust: Trust, now_s: float) -> tuple[Reading, float]:
    """Return the trusted reading and until when age leaves it so.

    A failed read alone spoils nothing until the value is old.
    """
    assert spec.stale_s is not None
    forever = float("inf")
    if trust.value is None:
        return Reading(None, trust.fault or Quality.MISSING, trust.seen_s), forever
    stale_at_s = trust.value_s + spec.stale_s
    if now_s >= stale_at_s:
        silent_at_s = trust.seen_s + spec.stale_s
        if trust.fault is Quality.BAD and now_s < silent_at_s:
            return Reading(None, Quality.BAD, trust.value_s), silent_at_s
        return Reading(None, Quality.STALE, trust.value_s), forever
    if trust.fault is Quality.FROZEN:
        return Reading(trust.value, Quality.FROZEN, trust.value_s), stale_at_s
    frozen_at_s = forever if spec.frozen_s is None else trust.moved_s + spec.frozen_s
    if now_s >= frozen_at_s:
        return Reading(trust.value, Quality.FROZEN, trust.value_s), stale_at_s
    return Reading(trust.value, Quality.GOOD, trust.value_s), min(stale_at_s, frozen_at_s)


def assess(
    specs: Sequence[PointSpec],
    twins: Sequence[Twins],
    was: Trusted,
    image: Mapping[str, Reading],
    now_s: float,
) -> tuple[Trusted, dict[str, Reading], float]:
    """Return the new trust, the readings as rules may see them, and when age alone changes one.

    `specs` are the measured and derived points only; all other points of the image pass through.
    """
    points = dict(image)
    trusts: dict[str, Trust] = {}
    judged: dict[str, Judged] = {}
    wake_s = float("inf")
    for spec in specs:
        id = spec.id
        before = was.judged.get(id)
        if spec.dew_of is not None:
            temperature, humidity = (points.get(of, NEVER_READ) for of in spec.dew_of)
            of: tuple[Reading, ...] = (temperature, humidity)
            if before is None or before.of[0] is not temperature or before.of[1] is not humidity:
                before = judged[id] = Judged(of, _dew_point(temperature, humidity), float("inf"))
        else:
            raw = image.get(id, NEVER_READ)
            is_new = before is None or before.of[0] is not raw
            if before is None or is_new or now_s >= before.until_s:
                trust = was.points.get(id, NO_TRUST)
                if is_new and raw.quality is not Quality.MISSING:
                    trust = trusts[id] = _taken(spec, trust, raw)
                before = judged[id] = Judged((raw,), *_worth(spec, trust, now_s))
            if before.until_s < wake_s:
                wake_s = before.until_s
        points[id] = before.reading
    differ_s, differ_wake_s = _compare(twins, was.differ_s, points, now_s)
    if judged or differ_s is not was.differ_s:
        was = Trusted({**was.points, **trusts}, differ_s, {**was.judged, **judged})
    return was, points, min(wake_s, differ_wake_s)


def _compare(
    twins: Sequence[Twins], was: dict[str, float], points: dict[str, Reading], now_s: float
) -> tuple[dict[str, float], float]:
    differ_s = was
    wake_s = float("inf")
    for pair in twins:
        first, second = points[pair.first], points[pair.second]
        if first.number is None or second.number is None:
            differs = False
        else:
            differs = abs(first.number - second.number) > pair.limit
        if differs:
            since_s = differ_s.get(pair.first, now_s)
            if pair.first not in differ_s:
                differ_s = {**differ_s, pair.first: now_s}
            if now_s - since_s >= DISAGREE_DELAY_S:
                points[pair.first] = Reading(first.value, Quality.DISAGREEING, first.at_s)
                points[pair.second] = Reading(second.value, Quality.DISAGREEING, second.at_s)
            else:
                wake_s = min(wake_s, since_s + DISAGREE_DELAY_S)
        elif pair.first in differ_s:
            differ_s = {key: value for key, value in differ_s.items() if key != pair.first}
    return differ_s, wake_s


def _dew_point(temperature: Reading, humidity: Reading) -> Reading:
    """Derive the dew point; it is worth no more than the worse of what it is made of."""
    worse = temperature if not temperature.is_good else humidity
    at_s = min(temperature.at_s, humidity.at_s)
    if isinstance(temperature.value, float) and isinstance(humidity.value, float):
        value = round(dew_point_c(temperature.value, humidity.value), 1)
        return Reading(value, worse.quality, at_s)
    return Reading(None, worse.quality, at_s)
