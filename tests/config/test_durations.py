"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest

from controller.config.size import Size
from controller.core.duration import Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("0s", 0), ("10s", 10), ("1.5min", 90), ("5 min", 300), ("2h", 7200)],
)
def test_a_duration_is_read_as_seconds(text, seconds):
    assert Duration.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "5m", "-5s", "5s ", "5s\n", "1e3s", "٣s", "400d", 5])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="a duration"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["500ms", "90s", "5min", "2h", "1d", "1500ms"])
def test_a_duration_is_written_as_it_was_read(text):
    assert str(Duration.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "count"), [("10MB", 10**7), ("8GB", 8 * 10**9), ("1 TB", 10**12)]
)
def test_a_size_is_read_as_bytes(text, count):
    assert Size.parse(text) == count


@pytest.mark.parametrize("text", ["", "8", "8G", "9MB", "11TB", "-8GB", "1.5GB", 8])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="a size"):
        Size.parse(text)
