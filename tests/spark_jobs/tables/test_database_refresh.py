"""Given loads that come amid a refresh of a database's table, then no row is put back, lost, or there twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.load.strategies import Append, ReplaceWindow
from spark_jobs.tables.swap import Behind
from tests.spark_jobs.plans import day
from tests.spark_jobs.tables.databases import Part

pytestmark = pytest.mark.spark  # it takes a server

BY_TIME, APPEND = ReplaceWindow(strategy="replace_window", column="at"), Append(strategy="append")


@pytest.fixture(params=["postgres", "mariadb"])
def part(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Part]:
    server: Any = request.getfixturevalue(request.param)

    def make(write: Any, back: int | None = None) -> Part:
        return Part(server, tmp_path, write, back)

    return make


def test_rows_that_a_window_beside_the_refreshed_ones_has_read_later_are_not_put_back(part: Any) -> None:
    facts = part(BY_TIME, back=2)
    for number in (1, 2, 3):
        facts.load(day(number), second=number)
    assert facts.rows() == [(1, 3), (2, 3), (3, 3)]
    rebuild = facts.refresh(day(1), day(2), second=10)
    rebuild.begin()
    assert facts.build(rebuild, second=10) == 2
    facts.load(day(3), second=20)  # it replaces the two days before, too
    with pytest.raises(Behind):
        rebuild.swap()
    assert facts.build(rebuild, second=30) == 2
    rebuild.swap()
    assert facts.rows() == [(1, 30), (2, 30), (3, 20)]


def test_a_window_that_comes_over_the_edge_meanwhile_is_not_doubled(part: Any) -> None:
    log = part(APPEND)
    for number in (1, 2, 3):
        log.load(day(number), second=number)
    rebuild = log.refresh(day(2), second=10)
    rebuild.begin()
    log.build(rebuild, second=10)
    log.load(day(1, 3), second=20)  # its rows are of all three days together
    log.build(rebuild, second=30)
    with pytest.raises(DataError, match="cuts through windows of the table"):
        rebuild.swap()
    assert log.rows() == [(1, 20), (2, 20), (3, 20)]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("write", [BY_TIME, APPEND], ids=["by_time", "append"])
def test_the_ledger_forgets_a_wider_window_whose_rows_the_swap_replaces(part: Any, write: Any, whole: bool) -> None:
    facts = part(write)
    facts.load(day(1, 3), second=1)
    facts.load(day(5), second=2)
    days = [day(number) for number in ((1, 2, 3, 5) if whole else (1, 2, 3))]
    rebuild = facts.refresh(*days, second=10, whole=whole)
    rebuild.begin()
    facts.build(rebuild, second=10)
    rebuild.swap()
    assert facts.rows() == [(1, 10), (2, 10), (3, 10), (5, 10 if whole else 2)]
    assert facts.units() == [f"2013-01-{at:02}T00:00:00Z/2013-01-{at + 1:02}T00:00:00Z" for at in (1, 2, 3, 5)]


def test_what_a_whole_refresh_would_lose_is_told_before_anything_is_built(part: Any) -> None:
    facts = part(BY_TIME)
    for number in (1, 2, 3):
        facts.load(day(number), second=number)
    with pytest.raises(Behind) as behind:
        facts.refresh(day(1), day(2), second=10, whole=True).begin()
    assert behind.value.uncovered == [day(3)]
    facts.server.run("INSERT INTO facts (id, at) VALUES (99, '2014-01-01 00:00:00')")
    days = [day(number) for number in (1, 2, 3)]
    with pytest.raises(ConfigError, match="1 rows of the table belong to no window"):
        facts.refresh(*days, second=10, whole=True).begin()
    assert facts.beside() == []
    facts.refresh(*days, second=10).begin()  # a part of the table leaves the row alone
    assert len(facts.beside()) == 1
