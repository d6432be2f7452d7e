"""Detectors: which of them vote, which are active, and whether that makes a fire. Keeps REG-03.

Behaviour section 3: a detector in fault, silent or out of service has no vote. Two plain loops
that open within a second of each other look like a lost detector supply, not like a fire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from controller.core.rules.base import Seen
from controller.core.rules.trend import TrendState

SAME_CAUSE_S = 1.0
"""Two plain loops opening this close together share a cause: their supply."""

HEAT_WINDOW_S = 60.0
"""`heat_rise` is in K per minute."""


class Policy(StrEnum):
    TWO_DETECTORS = "two-detectors"
    DETECTOR_AND_HEAT = "detector-and-heat"
    VERIFIED_SINGLE = "verified-single"
    ALARM_ONLY = "alarm-only"


class Detector(msgspec.Struct, frozen=True):
    """One smoke detector. `pair`: its health is told apart from its alarm; a plain loop's is not.
    `faults` are the fault contacts that speak for it."""

    id: str
    pair: bool = True
    faults: tuple[str, ...] = ()


class Vote(msgspec.Struct, frozen=True):
    """What one detector has said. `first_scan`: it was active when the controller first looked."""

    active: bool = False
    since_s: float = 0.0
    cleared_s: float | None = None
    first_scan: bool = False


class Verdict(StrEnum):
    QUIET = "quiet"
    ONE = "one"  # pre-alarm
    LAST_VOTER = "last-voter"  # one active, and nobody left who could confirm it
    SUPPLY_FAULT = "supply-fault"  # plain loops that opened together
    CONFIRMED = "confirmed"


NO_VOTE = Vote()


def may_vote(detector: Detector, seen: Seen) -> bool:
    """Whether this detector's word counts now."""
    if detector.id in seen.out_of_service:
        return False
    if any(seen[fault].is_true for fault in detector.faults):
        return False
    return seen[detector.id].is_good


def heard(
    detectors: Sequence[Detector],
    was: dict[str, Vote],
    seen: Seen,
    first_scan: bool,
    muted: bool,
) -> dict[str, Vote]:
    """Return what each detector says after this scan; `muted` while their supply is interrupted.

    A detector whose own contact is good is heard, for the siren and the pre-alarm, also while
    its fault contact takes its vote.
    """
    votes = was
    for detector in detectors:
        old = was.get(detector.id, NO_VOTE)
        in_service = detector.id not in seen.out_of_service
        active = not muted and in_service and seen[detector.id].is_true
        if active == old.active:
            continue
        if active:
            new = Vote(True, seen[detector.id].at_s, old.cleared_s, first_scan)
        else:
            new = Vote(False, old.since_s, seen.now_s, old.first_scan)
        votes = {**votes, detector.id: new}
    return votes


def judge(
    policy: Policy,
    detectors: Sequence[Detector],
    votes: Mapping[str, Vote],
    seen: Seen,
    window_s: float,
    verify_s: float,
    heat: bool | None,
) -> tuple[Verdict, tuple[str, ...]]:
    """Return the verdict and the detectors that made it.

    `heat`: whether a good climate reading confirms, None when no climate reading is good. Under
    `detector-and-heat` a second detector does not confirm: the site chose heat as the second
    kind of witness.
    """
    active = [
        detector
        for detector in detectors
        if votes.get(detector.id, NO_VOTE).active and may_vote(detector, seen)
    ]
    names = tuple(detector.id for detector in active)
    if not active:
        return Verdict.QUIET, ()
    match policy:
        case Policy.ALARM_ONLY:
            return Verdict.ONE, names
        case Policy.VERIFIED_SINGLE:
            verified = any(seen.now_s >= votes[name].since_s + verify_s for name in names)
            return (Verdict.CONFIRMED if verified else Verdict.ONE), names
        case Policy.DETECTOR_AND_HEAT:
            if heat:
                return Verdict.CONFIRMED, names
            return (Verdict.LAST_VOTER if heat is None else Verdict.ONE), names
        case Policy.TWO_DETECTORS:
            return _two(active, detectors, votes, seen, window_s)


def _two(
    active: Sequence[Detector],
    detectors: Sequence[Detector],
    votes: Mapping[str, Vote],
    seen: Seen,
    window_s: float,
) -> tuple[Verdict, tuple[str, ...]]:
    together: tuple[str, ...] = ()
    for second in active:
        for first in detectors:
            if votes.get(first.id, NO_VOTE).active and not may_vote(first, seen):
                continue
            if first.id == second.id or not _before(first, second, votes, window_s):
                continue
            if not _same_cause(first, second, votes):
                return Verdict.CONFIRMED, tuple(sorted((first.id, second.id)))
            together = tuple(sorted((first.id, second.id)))
    if together:
        return Verdict.SUPPLY_FAULT, together
    names = tuple(detector.id for detector in active)
    others = [d for d in detectors if d.id not in names and may_vote(d, seen)]
    return (Verdict.ONE if others else Verdict.LAST_VOTER), names


def _before(first: Detector, second: Detector, votes: Mapping[str, Vote], window_s: float) -> bool:
    """Whether `second` became active while `first` was, or within the window after it cleared."""
    one, two = votes.get(first.id, NO_VOTE), votes[second.id]
    if one.active:
        return True
    return one.cleared_s is not None and 0.0 <= two.since_s - one.cleared_s <= window_s


def _same_cause(first: Detector, second: Detector, votes: Mapping[str, Vote]) -> bool:
    if first.pair or second.pair:
        return False
    one, two = votes[first.id], votes[second.id]
    if one.first_scan and two.first_scan:
        return True
    return abs(one.since_s - two.since_s) <= SAME_CAUSE_S


def is_hot(
    temperatures: Sequence[str], seen: Seen, heat_above_c: float, heat_rise_k: float
) -> bool | None:
    """Return whether any good temperature of the room says fire; None when none is good."""
    trend = seen.states.get("trend")
    told = False
    for point in temperatures:
        value = seen[point].number
        if value is None:
            continue
        told = True
        if value >= heat_above_c:
            return True
        rising = isinstance(trend, TrendState) and (
            trend.rise(point, value, seen.now_s, HEAT_WINDOW_S) > heat_rise_k
        )
        if rising:
            return True
    return False if told else None
