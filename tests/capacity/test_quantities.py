"""Numbers as people write them are read, told again, and refused where they say nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_etl.capacity.quantities import (
    bytes_told,
    count,
    memory_told,
    number,
    share,
    share_told,
    size,
    span,
    span_told,
)
from spark_jobs.errors import ConfigError


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (count, "500", 500), (count, "100M", 1e8), (count, "100m", 1e8), (count, "2.5k", 2500), (count, "3 G", 3e9),
        (count, "1_000", 1000), (size, "1000", 1000), (size, "1 KB", 1000), (size, "10TB", 1e13),
        (size, "1.5 gb", 1.5e9),
        (size, "64GiB", 64 * 2**30), (size, "2 PiB", 2 * 2**50), (share, "60%", 0.6), (share, "60 %", 0.6),
        (share, "0.6", 0.6), (span, "15m", 900), (span, "1h", 3600), (span, "90d", 90 * 86_400),
    ],
)  # fmt: skip
def test_they_are_read(read: Callable[[str, str], float], text: str, value: float) -> None:
    assert read(text, "--x") == pytest.approx(value)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        *((count, text, "100M") for text in ("", "many", "-5", "1e9", "100 MB", "1,000", "1.", "٣", "1" * 40)),
        *((size, text, "10TB") for text in ("1 XB", "-1KB", "KB", "1 K B", "10%")),
        *((share, text, "60%") for text in ("60 percent", "60k", "half")),
        *((span, text, "15m") for text in ("1", "1.5h", "1 hour", "hourly")),
        (span, "0s", "longer than nothing"),
    ],
)
def test_what_says_nothing_is_refused_with_its_place_and_an_example(
    read: Callable[[str, str], float], text: str, expected: str
) -> None:
    with pytest.raises(ConfigError, match=f"^--x: .*expected .*{re.escape(expected)}"):
        read(text, "--x")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (number(0.0), "0"), (number(0.04383), "0.0438"), (number(1.5), "1.5"), (number(27_777.8), "27,778"),
        (number(99.96), "100"), (number(0.00001), "0.00001"), (bytes_told(2.4e12), "2.4 TB"),
        (bytes_told(906), "906 B"),
        (bytes_told(999_999), "1 MB"), (memory_told(10 * 2**30), "10 GiB"), (span_told(40), "40 s"),
        (span_told(750), "12.5 min"), (span_told(86_400), "1 d"), (span_told(float("inf")), "no time at all"),
        (share_told(0.6), "60 %"),
    ],
)  # fmt: skip
def test_they_are_told(told: str, expected: str) -> None:
    assert told == expected


@given(st.floats(min_value=1, max_value=9e17))
def test_what_is_told_of_bytes_is_read_as_nearly_the_same(value: float) -> None:
    assert size(bytes_told(value).replace(",", ""), "x") == pytest.approx(value, rel=0.06)
