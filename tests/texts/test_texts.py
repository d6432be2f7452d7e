"""Sentences: both languages say the same, and no value can make one fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import controller.core
from controller.texts import LOCALES, nearest, text, texts

CONDITIONS = re.split(
    r"\s+",
    """
prealarm detector-fault confirmed supply-fault countdown temperature-high temperature-critical
temperature-low temperature-critical-low humidity-high humidity-low dew-point-high dew-point-low
rising-fast not-cooling silent frozen implausible disagreeing held-open intrusion open tamper leak
stuck not-proven unexpected hot-cut off-failed lost absent failing down clock-unsynchronised
thread-failed flood on-battery battery-low
""".strip(),
)

REASONS = re.split(
    r"\s+",
    """
default operator fire.prealarm fire.confirmed fire.held-off cut.manual cut.fire cut.emergency
interlock.cooling interlock.rest projector.demanded restore.outlets-off restore.spacing lock-up
refused.role refused.origin refused.unknown-action refused.unknown-subject refused.expired
refused.future refused.repeated refused.expectation refused.clock refused.latched
refused.not-latched refused.detector-active refused.nothing-to-hold refused.hold-spent
refused.switch-never refused.emergency-active refused.already refused.bad-argument
refused.needs-reason permissive.mains-absent permissive.mains-unknown permissive.fire
permissive.cut
""".strip(),
)


def names(sentence: str) -> list[str]:
    return sorted(re.findall(r"\{([a-z_]+)\}", sentence))


def test_both_languages_hold_the_same_sentences() -> None:
    assert set(texts("en")) == set(texts("zh-CN"))


def test_both_languages_use_the_same_values_in_each_sentence() -> None:
    differing = [id for id in texts("en") if names(texts("en")[id]) != names(texts("zh-CN")[id])]
    assert differing == []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_alarm_says_what_it_is_and_what_to_do(locale: str) -> None:
    wanted = {f"{kind}.{each}" for each in CONDITIONS for kind in ("alarm", "advice")}
    assert wanted - set(texts(locale)) == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_reason_and_refusal_has_its_sentence(locale: str) -> None:
    assert set(REASONS) - set(texts(locale)) == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_no_sentence_fails_for_want_of_a_value(locale: str) -> None:
    for id in texts(locale):
        assert not re.search(r"[{}\[\]]", text(locale, id, {})), id


@pytest.mark.parametrize(
    ("id", "values", "shown"),
    [
        ("fire.confirmed", {"detectors": ("smoke-1", "smoke-2")}, "smoke-1, smoke-2"),
        ("alarm.temperature-high", {"subject": "a", "value": 27.0}, "a: temperature high, 27 °C"),
        ("alarm.temperature-high", {"subject": "a", "value": 31.55}, "31.6 °C"),
        ("alarm.silent", {}, "?: sensor is silent"),
        ("no.such.sentence", {"a": 1}, "no.such.sentence"),
    ],
    ids=["list", "whole-number", "rounded", "missing-value", "unknown-id"],
)
def test_values_are_written_as_people_read_them(
    id: str, values: dict[str, object], shown: str
) -> None:
    assert shown in text("en", id, values)


def test_a_clause_whose_value_is_not_known_is_left_out() -> None:
    assert text("en", "alarm.temperature-high", {"subject": "a"}) == "a: temperature high"


@pytest.mark.parametrize(
    ("tag", "have"),
    [("zh", "zh-CN"), ("zh-Hans-CN", "zh-CN"), ("en-GB", "en"), ("EN", "en"), ("fr", None)],
)
def test_the_nearest_language_is_found(tag: str, have: str | None) -> None:
    assert nearest(tag) == have


def test_a_language_we_do_not_have_reads_english() -> None:
    assert text("fr", "alarm.down") == text("en", "alarm.down")


def test_every_reason_and_alarm_that_the_core_names_has_its_sentence() -> None:
    core = Path(controller.core.__file__).parent
    sources = "\n".join(path.read_text(encoding="utf-8") for path in core.rglob("*.py"))
    reasons = set(re.findall(r'why\(\s*"([a-z.-]+)"', sources))
    alarms = set(re.findall(r'Condition\(\s*f?"[^"]*\.([a-z-]+)"', sources))
    wanted = reasons | {f"{kind}.{each}" for each in alarms for kind in ("alarm", "advice")}
    assert len(reasons) > 20
    assert wanted - set(texts("en")) == set()
