"""`airflow-etl checks`: two tables of what was kept."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_etl.cli.checks import bars, told


def row(
    day: int, name: str, percent: float | None = 0.0, value: float | None = None, *, success: bool = True
) -> dict[str, Any]:
    start, end = f"2013-01-{day:02}T00:00:00+00:00", f"2013-01-{day + 1:02}T00:00:00+00:00"
    return {
        "window_start": start,
        "window_end": end,
        "attempt": day,
        "state": "loaded" if success else "failed",
        "dataset": "result",
        "name": name,
        "column": "a" if value is None else "",
        "success": success,
        "unexpected_percent": percent,
        "value": value,
    }


def test_bars_show_none_little_and_all() -> None:
    assert bars([0, 0.1, 50, 100, None]) == "▁▂▅█·"


def test_windows_and_trends_are_told() -> None:
    rows = [row(1, "not_null"), row(1, "rows", value=10), row(2, "not_null", 50, success=False)]
    assert list(told(rows, kept=True)) == [
        "window                                               attempt  state   checks  failed  which",
        "2013-01-01T00:00:00+00:00/2013-01-02T00:00:00+00:00  1        loaded  2       0       -",
        "2013-01-02T00:00:00+00:00/2013-01-03T00:00:00+00:00  2        failed  1       1       not_null(a)",
        "",
        "dataset  check     column  failing  last  figure  failed",
        "result   not_null  a       ▁▅       50 %  -       1 of 2",
        "result   rows      -       ▁·       -     10      0 of 1",
    ]


def test_two_checks_of_one_kind_on_one_column_are_two_lines() -> None:
    failing = row(1, "in_range", 50, success=False)
    rows = [failing, row(1, "in_range"), failing | {"dataset": "other"}, row(2, "in_range"), row(2, "in_range")]
    assert list(told(rows, kept=True))[4:] == [
        "dataset  check       column  failing  last  figure  failed",
        "result   in_range    a       ▅▁       0 %   -       1 of 2",
        "result   in_range 2  a       ▁▁       0 %   -       0 of 2",
        "other    in_range    a       ▅·       50 %  -       1 of 1",
    ]


@pytest.mark.parametrize("percent", [None, 0.0])
def test_a_figure_that_fails_is_seen_in_its_trend(percent: float | None) -> None:
    rows = [row(1, "mean", percent, 1.5), row(2, "mean", percent, 9.0, success=False)]
    assert list(told(rows, kept=True))[5:] == ["result   mean   -       ▁█       -     9       1 of 2"]


def test_without_results_it_says_how_to_keep_them() -> None:
    assert list(told([], kept=True)) == ["no results are kept"]
    assert list(told([], kept=False)) == [
        "no results are kept: `results: true` in the pipeline file keeps those of later runs"
    ]


def test_a_figure_that_isn_t_shown_fails_all_the_same() -> None:
    rows = [row(1, "mean"), row(2, "mean", success=False)]
    assert list(told(rows, kept=True))[5:] == ["result   mean   a       ▁█       -     -       1 of 2"]
