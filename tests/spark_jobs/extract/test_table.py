"""Given a table that others load, when a window runs, then it reads the window's rows of one version of it."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import kinds
from spark_jobs import run as entry
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract.table import Table
from spark_jobs.ledger import Ledger
from spark_jobs.plan import Plan
from spark_jobs.window import Window
from tests.spark_jobs.extract.drops import Drops, Read
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

ROWS = "id INT, at TIMESTAMP, day DATE, `ä.b` STRING"


def at(number: int, hour: int = 0, second: int = 0) -> datetime:
    return datetime(2013, 1, number, hour, 0, second, tzinfo=UTC)


class Bronze:
    """A Delta table and what a source makes of it."""

    def __init__(self, drops: Drops) -> None:
        self.drops, self.spark, self.path = drops, drops.spark, str(drops.folder / "bronze")

    def write(self, rows: list[tuple[Any, ...]], mode: str = "append", schema: str = ROWS, **options: str) -> None:
        writer = frame(self.spark, rows, schema).coalesce(1).write.format("delta").mode(mode)
        for name, value in options.items():
            writer = writer.option(name, value)
        writer.partitionBy("day").save(self.path)

    def read(self, **options: Any) -> Read:
        return Read(self.flow(**options))

    def flow(self, **options: Any) -> Any:
        columns = options.pop("columns", {})
        given = {"path": self.path, "columns": {name: _column(kind) for name, kind in columns.items()}} | options
        return kinds.build(Table, given).read(self.drops.context())

    def ids(self, **options: Any) -> list[int]:
        return sorted(row[0] for row in self.read(**options).rows)


def _column(kind: Any) -> dict[str, Any]:
    return {"type": kind} if isinstance(kind, str) else kind


@pytest.fixture
def bronze(drops: Drops) -> Bronze:
    return Bronze(drops)


def test_a_window_reads_only_the_partitions_it_lies_in(bronze: Bronze) -> None:
    bronze.write([(number, at(number), date(2013, 1, number), "x") for number in (1, 2, 3)] + [(9, None, None, None)])
    bronze.drops.window = day(2)
    by_day = bronze.flow(window={"column": "day"})
    assert [row["id"] for row in by_day.rows.collect()] == [2]
    read = by_day.rows.inputFiles()
    assert len(read) == 1
    assert "day=2013-01-02" in read[0]
    by_time = bronze.read(window={"column": "at"})
    assert [row[0] for row in by_time.rows] == [2]
    assert (by_time.counts.read, by_time.counts.filtered) == (1, 0)
    assert bronze.ids(window="all") == [1, 2, 3, 9]


def test_the_contract_chooses_columns_and_sets_rows_without_a_required_value_aside(bronze: Bronze) -> None:
    bronze.write([(1, at(1), date(2013, 1, 1), 'ä"b\n'), (None, at(1), date(2013, 1, 1), None)])
    read = bronze.read(window="all", columns={"ä.b": "string", "id": {"type": "int", "required": True}})
    assert read.columns == ["ä.b", "id"]
    assert read.rows == [('ä"b\n', 1)]
    assert read.rules == ["required id"]
    assert read.refused[0]["source_file"] == bronze.path
    with pytest.raises(DataError, match=r"1 bad records, the first: .*'id' is required"):
        bronze.read(window="all", columns={"id": {"type": "int", "required": True}}, bad_records="fail")
    for columns, words in (
        ({"ID": "int"}, "the table has no column 'ID'; expected one of 'id', 'at', 'day', 'ä.b'"),
        ({"id": "bigint"}, "column 'id' is int in the table; expected bigint; write int here"),
    ):
        with pytest.raises(ConfigError, match=words):
            bronze.read(window="all", columns=columns)


def test_a_version_and_a_moment_of_the_past_are_read_as_they_were(bronze: Bronze) -> None:
    rows = [(number, at(1), date(2013, 1, 1), "x") for number in (1, 2, 3)]
    moments = []
    for row in rows:
        bronze.write([row])
        moments.append(datetime.now(UTC))
        time.sleep(0.05)
    assert bronze.ids(window="all", version=1) == [1, 2]
    assert [bronze.ids(window="all", as_of=moment.isoformat()) for moment in moments] == [[1], [1, 2], [1, 2, 3]]
    naive = moments[0].replace(tzinfo=None).isoformat()  # the pipeline's zone, which is UTC here
    assert bronze.ids(window="all", as_of=naive) == [1]
    with pytest.raises(ConfigError, match=r"2999-01-01T00:00:00Z hasn't come yet"):
        bronze.read(window="all", as_of="2999-01-01")
    with pytest.raises(DataError, match=r"as of 2000-01-01T00:00:00Z isn't there: .*expected a version that log clean"):
        bronze.read(window="all", as_of="2000-01-01")
    with pytest.raises(DataError, match=r"version 7 isn't there: .*Available versions: \[0, 2\]"):
        bronze.read(window="all", version=7)
    own = bronze.spark.newSession()
    own.conf.set("spark.sql.runSQLOnFiles", "true")
    short = "'delta.deletedFileRetentionDuration' = 'interval 0 seconds'"
    own.sql(f"ALTER TABLE delta.`{bronze.path}` SET TBLPROPERTIES ({short})")
    Ledger(bronze.spark, bronze.path).forget()
    time.sleep(1.1)
    with pytest.raises(DataError, match=r"version 1 isn't there: .*BEYOND_DELETED_FILE_RETENTION.*VACUUM"):
        bronze.read(window="all", version=1)


def test_a_table_that_is_not_there_stops(bronze: Bronze) -> None:
    with pytest.raises(DataError, match="there is no Delta table; expected a table that another pipeline has loaded"):
        bronze.read(window="all")


def test_all_reads_of_a_run_see_one_version_and_the_report_names_it(bronze: Bronze, tmp_path: Path) -> None:
    bronze.write([(1, at(1), date(2013, 1, 1), "x")])
    source = {"type": "table", "path": bronze.path, "window": "all"}
    made = plan(tmp_path, day(1), attempt(1)).to_json() | {
        "extract": {"one": source, "two": source, "old": source | {"version": 0}},
        "transform": {
            "result": {"from": "one", "steps": [{"join": {"with": "two", "on": ["id"], "how": "inner"}}]},
            "old_rows": {"from": "old", "steps": []},
        },
        "load": {
            "lake": {
                "from": "old_rows",
                "type": "delta",
                "path": str(tmp_path / "lake"),
                "write": {"strategy": "snapshot"},
            }
        },
        "verbs": ["extract"],
    }
    read, sources = kinds_read(), Plan.from_json(json.loads(json.dumps(made)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "read", read.then(lambda: bronze.write([(read.times, at(1), date(2013, 1, 1), "x")])))
        report = entry.run(sources, lambda *_: bronze.spark)
    assert report.error is None
    assert report.sources == {"one": {"version": 0}, "two": {"version": 0}, "old": {"version": 0}}
    assert {name: counts.rows for name, counts in report.datasets.items()} == {"one": 1, "two": 1, "old": 1}


class kinds_read:  # noqa: N801 - reads like a function
    """The source's own method, and after each call somebody else's commit."""

    def __init__(self) -> None:
        self.times, self.real = 1, Table.read

    def then(self, act: Any) -> Any:
        def read(source: Table, context: Any) -> Any:
            flow = self.real(source, context)
            self.times += 1
            act()
            return flow

        return read


def test_a_pipeline_does_not_read_what_it_writes_but_what_was_there_before(bronze: Bronze, tmp_path: Path) -> None:
    bronze.write([(1, at(1), date(2013, 1, 1), "x")])
    load = {"from": "r", "type": "delta", "path": f"{bronze.path}/", "write": {"strategy": "append"}}
    made = plan(tmp_path, day(1), attempt(1)).to_json() | {"load": {"lake": load}}
    context = bronze.drops.context()
    context = type(context)(spark=context.spark, plan=Plan.from_json(made), where="extract.rows", dataset="rows")
    with pytest.raises(ConfigError, match="load 'lake' writes the table that is read here: a repeat"):
        Table(path=bronze.path, window="all").read(context)
    assert Table(path=bronze.path, window="all", version=0).read(context).rows.count() == 1


def test_days_of_a_clock_change_are_local_days(bronze: Bronze) -> None:
    spring = Window(
        start=datetime(2013, 3, 10, 5, tzinfo=UTC),
        end=datetime(2013, 3, 11, 4, tzinfo=UTC),
        timezone="America/New_York",
    )
    edges = [spring.start, spring.end]
    bronze.write([(place, edge, date(2013, 3, 10 + place), "x") for place, edge in enumerate(edges)])
    bronze.drops.window = spring
    assert bronze.ids(window={"column": "at"}) == [0]
    assert bronze.ids(window={"column": "day"}) == [0]
