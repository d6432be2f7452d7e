"""The feed's bench, on a small scale."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.bench import feed


@pytest.mark.system
def test_the_feeds_bench_measures_alarms_a_replay_and_its_floor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as base:  # sockets want short paths
        monkeypatch.setenv("ROOMWARDEN_RUN", f"{base}/run")
        rows = {row.name: row for row in feed.rows(Path(base), 5, backlog=8000)}
    assert all(row.value > 0 for name, row in rows.items() if "memory" not in name)
    assert {row.unit for row in rows.values()} == {"ms", "alarms", "events/s", "s", "MB"}
    assert rows["backlog of 8,000, drained"].value == pytest.approx(
        1e6 / rows["backlog of 8,000, 1,000 events"].value
    )
    assert rows["alarm to subscriber, idle, p50"].floor
    assert rows["backlog of 8,000, drained at all"].floor
    assert rows["alarm to subscriber, idle, p99"].target == 20.0
    assert rows["alarm to subscriber, backlog of 8,000, p99"].target == 50.0


def test_the_time_of_a_drain_is_from_the_first_to_the_last(tmp_path: Path) -> None:
    came = tmp_path / "came"
    came.write_text("1795367525.000000000\n1795367526.250000000\n1795367527.500000000\n")
    assert feed._span_s(came) == 2.5
    assert came.stat().st_size == 3 * feed._STAMP_BYTES
