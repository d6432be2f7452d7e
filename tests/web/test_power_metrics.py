"""What Prometheus is told of the outage plan and of the records, and the page of all metrics."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.web import powerscenes, scenes
from web.metrics import FAMILIES, metrics, reference

PAGE = Path(__file__).parents[2] / "firmware/docs/metrics.md"


def lines(scene: scenes.Json) -> list[str]:
    return metrics(scene, live=True, scan_age_s=0.1).splitlines()


def test_an_outage_is_told_with_its_runtime_and_need() -> None:
    told = lines(powerscenes.outage())
    for wanted in (
        'roomwarden_power_state{state="outage"} 1',
        "roomwarden_power_charge_percent 67",
        "roomwarden_power_runtime_seconds 780",
        "roomwarden_plan_need_seconds 420",
        "roomwarden_plan_spare_seconds 360",
        'roomwarden_host_state{host="host-3",state="unconfirmed"} 1',
        "roomwarden_hosts_down 1",
    ):
        assert wanted in told
    assert sum(line.startswith("roomwarden_power_state{") for line in told) == 1


def test_a_plan_that_does_not_fit_has_a_negative_spare() -> None:
    assert "roomwarden_plan_spare_seconds -180" in lines(powerscenes.short())


def test_hosts_that_did_not_come_back_count_as_down() -> None:
    assert "roomwarden_hosts_down 4" in lines(powerscenes.returning())


def test_of_a_lost_ups_no_number_is_told() -> None:
    told = lines(powerscenes.lost())
    numbers = ("roomwarden_power_charge", "roomwarden_power_runtime", "roomwarden_plan_spare")
    assert not any(line.startswith(numbers) for line in told)
    assert 'roomwarden_power_state{state="lost"} 1' in told


def test_a_room_without_a_plan_tells_nothing_of_one() -> None:
    families = ("roomwarden_power_", "roomwarden_plan_", "roomwarden_host")
    assert not any(line.startswith(families) for line in lines(scenes.normal()))


def test_the_feed_is_told_by_the_name_of_its_condition() -> None:
    scene = scenes.normal() | {"feed": {"configured": True, "connected": False, "backlog": 7,
                                        "condition": "certificate"}}  # fmt: skip
    assert 'roomwarden_feed_condition{condition="certificate"} 1' in lines(scene)


def test_large_numbers_keep_every_digit() -> None:
    scene = scenes.normal()
    scene = scene | {
        "feed": scene["feed"] | {"backlog": 1_234_567},
        "journal": {"ok": True, "seq": 12_345_678, "bytes": 8_000_000_001, "fault": None},
        "points": [
            {"id": "meter", "value": 123_456.75, "unit": "kWh", "quality": "good"},
        ],
    }
    told = lines(scene)
    for wanted in (
        "roomwarden_feed_backlog 1234567",
        "roomwarden_journal_seq 12345678",
        "roomwarden_journal_bytes 8000000001",
        'roomwarden_point_value{point="meter",unit="kWh"} 123456.75',
    ):
        assert wanted in told


def test_the_committed_page_is_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "stale: python -m web.metrics > firmware/docs/metrics.md"
    )


@pytest.mark.parametrize("scene", [powerscenes.outage, scenes.normal])
def test_every_metric_is_told_with_the_labels_that_the_page_names(scene) -> None:
    labels = {f"roomwarden_{family.name}": set(family.labels) for family in FAMILIES}
    rows = [line for line in lines(scene()) if not line.startswith("#")]
    assert len(rows) > 10
    for row in rows:
        name, told = re.fullmatch(r"(\w+)(\{.*\})? \S+", row).groups()
        assert set(re.findall(r'(\w+)="', told or "")) == labels[name], row
