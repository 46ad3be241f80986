"""A table is fresh by its last commit that changed rows, or by the largest value of a column; real Delta tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.sensors.table import Table
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window
from tests.sensors.asking import DAY, ask


def write(path: Path, **columns: list[Any]) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    write_deltalake(path, pa.table(columns), mode="append")


def around(now: datetime) -> Window:
    """A window that ends in an hour."""
    return Window(start=now - timedelta(hours=1), end=now + timedelta(hours=1))


def test_a_table_that_isnt_there_yet_is_waited_for(tmp_path: Path) -> None:
    assert ask(Table(path=str(tmp_path / "t"))).seen == "there is no table yet"


def test_a_commit_after_the_windows_end_or_start(tmp_path: Path) -> None:
    write(tmp_path / "t", n=[1])
    table, now = str(tmp_path / "t"), datetime.now(UTC)
    assert ask(Table(path=table), window=DAY).found, "it was changed after 2013"
    assert not ask(Table(path=table), window=around(now)).found
    assert ask(Table(path=table, newer_than="window.start"), window=around(now)).found
    with pytest.raises(ConfigError, match="the run has no window"):
        ask(Table(path=table), window=None)


def test_a_commit_within_a_length_of_time(tmp_path: Path) -> None:
    write(tmp_path / "t", n=[1])
    condition, now = Table(path=str(tmp_path / "t"), newer_than=timedelta(hours=6)), datetime.now(UTC)
    assert ask(condition, now=now, window=None).found
    assert not ask(condition, now=now + timedelta(hours=7), window=None).found


def test_upkeep_brings_nothing_new(tmp_path: Path) -> None:
    from deltalake import DeltaTable

    for number in range(3):
        write(tmp_path / "t", n=[number])
    changed = DeltaTable(tmp_path / "t").history(1)[0]["timestamp"]
    DeltaTable(tmp_path / "t").optimize.compact()
    DeltaTable(tmp_path / "t").alter.set_table_properties({"delta.logRetentionDuration": "interval 30 days"})
    operations = [item["operation"] for item in DeltaTable(tmp_path / "t").history(2)]
    assert operations == ["SET TBLPROPERTIES", "OPTIMIZE"]
    seen = ask(Table(path=str(tmp_path / "t"))).seen
    assert f"{datetime.fromtimestamp(changed / 1000, UTC):%H:%M:%S}" in seen


def test_the_largest_value_of_a_column(tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    write(tmp_path / "t", at=[datetime(2013, 1, 1, 23, tzinfo=UTC)], day=[date(2013, 1, 1)], n=[1])
    assert not ask(Table(path=path, column="at")).found
    assert not ask(Table(path=path, column="day")).found
    write(tmp_path / "t", at=[datetime(2013, 1, 2, tzinfo=UTC), None], day=[date(2013, 1, 2), None], n=[1, 2])
    assert ask(Table(path=path, column="at")).found
    assert ask(Table(path=path, column="day")).seen == "its newest is 2013-01-02"
    assert ask(Table(path=path, column="day")).found
    with pytest.raises(ConfigError, match="no column 'dya'; expected one of at, day, n"):
        ask(Table(path=path, column="dya"))
    with pytest.raises(ConfigError, match="'n' has no largest date or time"):
        ask(Table(path=path, column="n"))


def test_a_column_that_lays_the_table_out(tmp_path: Path) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    write_deltalake(tmp_path / "t", pa.table({"day": [date(2013, 1, 2)], "n": [1]}), partition_by=["day"])
    assert ask(Table(path=str(tmp_path / "t"), column="day")).found
