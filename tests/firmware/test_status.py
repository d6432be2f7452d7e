"""`roomwarden status` for people: the outage plan as a timeline."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from firmware.commands.status import as_text
from tests.web import powerscenes, scenes


def status(scene: dict[str, Any], locale: str = "en") -> list[str]:
    scene["room"]["locale"] = locale
    return as_text(scene).splitlines()


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def one(lines: list[str], start: str) -> str:
    found = [line for line in lines if line.startswith(start)]
    assert len(found) == 1, start
    return found[0]


def test_a_room_without_a_plan_has_no_timeline() -> None:
    assert not any("Outage plan" in line for line in status(scenes.normal()))


def test_an_outage_is_told_with_the_margin_in_words() -> None:
    lines = status(powerscenes.outage())
    assert "Mains lost" in one(lines, "Outage plan: ")
    assert "on battery 2 min" in one(lines, "Outage plan: ")
    assert one(lines, "6 min to spare").endswith("Proven by the drill of 2026-02-14")


def test_runtime_need_and_stages_are_drawn_to_one_scale() -> None:
    lines = status(powerscenes.outage())
    assert one(lines, "Runtime").count("=") == 48
    assert one(lines, "Need").count("#") == round(48 * 420 / 780)
    assert f"  {'-' * round(48 * 150 / 780)}  " in one(lines, "Stage 1")
    later = one(lines, "Stage 2")
    axis_begins = one(lines, "Runtime").index("=")
    assert later.index("-") - axis_begins == round(48 * 360 / 780)
    assert later.endswith("in 6 min")


def test_a_runtime_far_beyond_the_plan_leaves_the_axis() -> None:
    scene = powerscenes.well()
    scene["plan"]["stages"][1]["begins_in_s"] = None  # as that of a stage of time or charge alone
    assert "=>   52 min" in one(status(scene), "Runtime")


def test_what_is_not_known_is_drawn_as_not_known() -> None:
    lines = status(powerscenes.lost())
    assert "?" * 48 in one(lines, "Runtime")
    assert one(lines, "Time to spare not known")
    assert one(lines, "main-ups ").endswith("silent: no answer from tcp://127.0.0.1:1502")


def test_a_frozen_value_is_shown_with_its_quality() -> None:
    scene = powerscenes.well()
    ups = scene["plan"]["upses"][0]
    ups["quality"] = ups["quality"] | {"charge_pct": "frozen"}
    assert "100 % (frozen)" in one(status(scene), "main-ups ")


def test_each_host_stands_with_its_state_evidence_and_reason() -> None:
    line = one(status(powerscenes.outage()), "1  host-2")
    for told in ("stopping", "Net-", "Client?", "BMC+", "1/2", "已请求关机"):
        assert told in line


def test_the_return_says_what_is_met_missing_and_not_known() -> None:
    lines = status(powerscenes.returning())
    assert "28 °C" in one(lines, "No start yet, not met: ")
    assert "28 °C" in one(lines, "✕  Temperature")
    assert one(lines, "?  Frequency")
    assert one(lines, "✓  Charge")


def test_a_drill_shows_its_steps() -> None:
    lines = status(powerscenes.drilling())
    assert one(lines, "✕  Stop host-2").endswith("主机密钥不符  1.2 s")
    assert one(lines, "…  Stop host-3")


def test_chinese_stands_in_columns_too() -> None:
    lines = status(powerscenes.outage(), "zh-CN")
    assert one(lines, "余量 6 分钟")
    bars = [one(lines, start) for start in ("续航", "需要", "阶段 1")]
    starts = {columns(bar[: min(bar.find(mark) for mark in "=#-" if mark in bar)]) for bar in bars}
    assert len(starts) == 1


@pytest.mark.parametrize("scene", [powerscenes.well(0), powerscenes.well(6, 0)], ids=["0h", "0u"])
def test_a_room_with_no_hosts_or_no_ups_has_a_timeline_too(scene: dict[str, Any]) -> None:
    assert one(status(scene), "Outage plan: ")
