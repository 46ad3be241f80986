"""`window: {column}`: which rows of a source belong to the window."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract.contract import WindowColumn
from spark_jobs.extract.table import Table
from spark_jobs.window import Window
from tests.spark_jobs.extract.drops import Drops, Read
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

BY_TIME: dict[str, Any] = {"columns": {"id": "int", "at": "timestamp"}, "window": {"column": "at"}}
BY_DATE: dict[str, Any] = {"columns": {"id": "int", "at": "date"}, "window": {"column": "at"}}


def test_rows_from_start_until_before_end_are_kept_and_the_others_filtered(drops: Drops) -> None:
    drops.put(
        "a.csv",
        "id,at\n1,2012-12-31T23:59:59.999999\n2,2013-01-01 00:00:00\n3,2013-01-01 23:59:59.999999\n4,2013-01-02\n",
    )
    read = drops.read("a.csv", **BY_TIME)
    assert [row[0] for row in read.rows] == [2, 3]
    assert (read.counts.read, read.counts.filtered, read.counts.quarantined) == (4, 2, 0)


def test_a_row_without_a_value_belongs_to_no_window_and_is_set_aside(drops: Drops) -> None:
    drops.put("a.csv", "id,at\n1,\n2,2013-01-01 10:00:00\n3,x\n4,2014-01-01\n,2013-01-01 99:00:00\n")
    read = drops.read("a.csv", **BY_TIME)
    assert [row[0] for row in read.rows] == [2]
    assert (read.counts.filtered, read.counts.quarantined) == (1, 3)
    assert [row["rules"] for row in read.refused] == [["window"], ["type at"], ["type at"]]
    assert "belongs to no window" in read.refused[0]["message"]


def test_dates_are_compared_with_local_days(drops: Drops) -> None:
    drops.window = Window(
        start=datetime(2013, 3, 10, 5, tzinfo=UTC),
        end=datetime(2013, 3, 11, 4, tzinfo=UTC),
        timezone="America/New_York",
    )
    drops.put("a.csv", "id,at\n1,2013-03-09\n2,2013-03-10\n3,2013-03-11\n")
    assert drops.read("a.csv", **BY_DATE).rows == [(2, date(2013, 3, 10))]


def test_a_date_can_not_cut_hours(drops: Drops) -> None:
    drops.window = Window(start=datetime(2013, 1, 1, 5, tzinfo=UTC), end=datetime(2013, 1, 1, 6, tzinfo=UTC))
    drops.put("a.csv", "id,at\n1,2013-01-01\n")
    with pytest.raises(ConfigError, match=r"'at' is a date, but 2013-01-01T05:00:00Z.* isn't whole days in UTC"):
        drops.read("a.csv", **BY_DATE)


@pytest.mark.parametrize(
    ("columns", "message"), [({"id": "int"}, "'at' is string"), ({"id": "int", "at": "int"}, "'at' is int")]
)
def test_a_column_that_is_no_time_can_not_cut_windows(drops: Drops, columns: dict[str, str], message: str) -> None:
    drops.put("a.csv", "id,at\n1,2013-01-01\n")
    with pytest.raises(ConfigError, match=message):
        drops.read("a.csv", columns=columns, window={"column": "at"})


def test_a_file_without_the_windows_column_stops(drops: Drops) -> None:
    drops.put("a.csv", "id\n1\n")
    with pytest.raises(DataError, match="required column 'at' is missing"):
        drops.read("a.csv", **BY_TIME)


def table(drops: Drops, **options: Any) -> Read:
    return Read(Table(path=str(drops.folder / "table"), **options).read(drops.context()))


def test_a_table_gives_the_rows_of_the_window(drops: Drops) -> None:
    rows = "SELECT id, TIMESTAMP '2013-01-01' + make_dt_interval(id) AS at, DATE '2013-01-01' + id AS d FROM range(3)"
    drops.spark.sql(rows.replace("(id)", "(int(id))").replace("+ id", "+ int(id)")).coalesce(1).write.format(
        "delta"
    ).save(str(drops.folder / "table"))
    assert table(drops, window="all").counts.read == 3
    drops.window = day(2)
    for column in ("at", "d"):
        read = table(drops, window=WindowColumn(column=column))
        assert [row[0] for row in read.rows] == [1]
        assert (read.counts.read, read.counts.filtered) == (1, 0)
    with pytest.raises(ConfigError, match="'id' is bigint"):
        table(drops, window=WindowColumn(column="id"))
    with pytest.raises(ConfigError, match="'nope' isn't there"):
        table(drops, window=WindowColumn(column="nope"))
