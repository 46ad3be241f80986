"""What the staged files' statistics answer is what reading the rows answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from spark_jobs.check.flow import check
from spark_jobs.report import CheckResult
from spark_jobs.staging import Staging
from spark_jobs.statistics import of_delta
from tests.spark_jobs.check.checking import built
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
NAN, INF = float("nan"), float("inf")
_AT: Final = datetime(2020, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
_LOCAL: Final = _AT.replace(tzinfo=None)
_LONG: Final = "x" * 5000

# Column -> its type, its values, bounds and lists that are asked of it; each with every nasty value that it may hold.
_NASTY: Final[Mapping[str, tuple[str, Sequence[Any], Sequence[Any]]]] = {
    "whole": ("int", [1, 2, 3, 3], [0, 1, 3, 2.5]),
    "holes": ("bigint", [None, 2**53 + 1, None, 2**53], [2**53, 2**53 + 1, 0]),
    "none": ("int", [None] * 4, [1]),
    "alike": ("smallint", [7] * 4, [7, 6]),
    "with_nan": ("double", [1.0, NAN, 2.0, None], [0, 1, 5]),
    "nan_alone": ("double", [NAN] * 4, [0]),
    "endless": ("double", [-INF, 1.0, INF, None], [0, 1, 1e308, INF, -INF]),
    "zeros": ("double", [-0.0, 0.0, -0.0, 0.0], [0, -0.0, 1]),
    "single": ("float", [0.1, 0.2, None, 0.1], [0.1, 0.2, 1]),
    "money": ("decimal(9,2)", [Decimal("-0.10"), Decimal("0.10"), None, Decimal(0)], [0.1, -0.1, 0, 0.105]),
    "long_money": ("decimal(38,2)", [Decimal(10**35) + Decimal("0.01"), None, Decimal(-1), Decimal(2)], [10**35, -1]),
    "day": ("date", [date(2020, 1, 1), None, date(2020, 1, 3), None], ["2020-01-01", "2020-01-02"]),
    "never": ("date", [date(9999, 12, 31), None, date(2020, 1, 1), None], ["2020-01-01"]),
    "old_day": ("date", [date(1500, 1, 1), date(2020, 1, 1), None, None], ["1500-01-01", "1600-01-01"]),
    "at": (
        "timestamp",
        [_AT, None, _AT + timedelta(microseconds=1), _AT],
        ["2020-03-29", "2020-03-29T01:30:00.123456Z"],
    ),
    "local": ("timestamp_ntz", [_LOCAL, _LOCAL, None, _LOCAL], ["2020-03-29", "2020-03-29T01:30:00.123456"]),
    "text": ("string", ["a", "ä", "", "a"], ["", "a", "ä", "\U0001f600"]),
    "same_text": ("string", ["a"] * 4, ["a", "b"]),
    "cut_text": ("string", ["x" * 40, "x" * 41, None, "x" * 40], ["x" * 40, "a", "z"]),
    "long_text": ("string", [_LONG, _LONG + "y", None, "x" * 40], [_LONG, "a", "z"]),
    "flag": ("boolean", [True, False, None, True], []),
    "struct.x": ("int", [1, 2, None, 4], [1]),
    "struct": ("struct<x:int>", [(1,), (None,), None, (4,)], []),
    "list": ("array<int>", [[1], [None], None, []], []),
    "map": ("map<string,int>", [{"a": 1}, {"a": None}, None, {}], []),
    "bytes": ("binary", [b"a", b"\xff", None, b""], []),
    "nothing_known": ("string collate UTF8_LCASE", ["a", "A", None, "b"], []),
}


def asked() -> Iterator[dict[str, Any]]:
    for name, (kind, _, bounds) in _NASTY.items():
        yield {"not_null": [name]}
        yield {"null_share": {"column": name, "max": 0.3}}
        yield {"completeness": {"columns": [name, "flag"] if name != "flag" else [name], "share": 0.8}}
        for bound in bounds:
            yield from ({"in_range": {"column": name, "columns": [], end: bound}} for end in ("min", "max"))
            yield from ({"in_range": {"column": name, end: bound, f"strict_{end}": True}} for end in ("min", "max"))
            yield from ({listed: {"column": name, "values": [bound]}} for listed in ("in_set", "not_in_set"))
        if bounds:
            yield from ({listed: {"column": name, "values": list(bounds)}} for listed in ("in_set", "not_in_set"))
        if kind.startswith(("date", "timestamp")):
            yield from (
                {"freshness": {"column": name, "within": within}}
                for within in (timedelta(hours=1), timedelta(days=10**6))
            )
    yield {"in_set": {"column": "flag", "values": [True, False]}}
    yield {"in_set": {"column": "flag", "values": [True]}}
    yield {"not_in_set": {"column": "flag", "values": [True]}}
    yield {"in_set": {"column": "whole", "values": [1, 2, 3]}}


def without(results: list[CheckResult]) -> list[CheckResult]:
    return [replace(result, answered_by="aggregate") for result in results]


@pytest.fixture(scope="module")
def nasty(spark: SparkSession) -> DataFrame:
    schema = ", ".join(f"`{name}` {kind}" for name, (kind, _, _) in _NASTY.items())
    rows = list(zip(*(values for _, values, _ in _NASTY.values()), strict=True))
    return spark.createDataFrame(rows, schema)


def test_answers_by_footers_are_those_of_reading_the_rows(
    spark: SparkSession, nasty: DataFrame, tmp_path: Path
) -> None:
    here = context(nasty, "Europe/Berlin")
    staging = Staging(spark=spark, plan=replace(here.plan, staging=str(tmp_path)))
    wanted = built(asked())
    by: dict[str, set[str]] = {}
    for name, frame in {"empty": nasty.where("false"), "some": nasty.repartition(3)}.items():
        staged = staging.write(frame, "transform", name)
        rows = staging.read(staged, "transform")
        read = check(wanted, rows, staged.rows, here)
        told = check(wanted, rows, staged.rows, here, statistics=partial(staging.statistics, staged, rows.schema))
        assert without(told.results) == without(read.results)
        by = {kind: _columns_of(told.results, kind) for kind in ("in_range", "in_set", "not_in_set", "freshness")}
    hidden = {"with_nan", "nan_alone", "old_day", "long_text", "struct.x", "nothing_known"}
    assert by["in_range"] == {name for name, (_, _, bounds) in _NASTY.items() if bounds} - hidden
    assert by["in_set"] == {"none", "alike", "same_text", "whole", "flag", "holes", "local"}
    assert by["not_in_set"] >= {"alike", "money", "text"}
    assert by["freshness"] == {"day", "at", "local"}


def _columns_of(results: list[CheckResult], kind: str) -> set[str | None]:
    return {result.column for result in results if result.kind == kind and result.answered_by == "statistics"}


def test_what_delta_knows_answers_alike(spark: SparkSession, nasty: DataFrame, tmp_path: Path) -> None:
    rows = nasty.select("whole", "endless", "with_nan", "single", "money", "day", "at", "local", "cut_text", "flag")
    path = str(tmp_path / "table")
    rows.repartition(2).write.format("delta").option("delta.dataSkippingNumIndexedCols", "-1").save(path)
    log = spark.read.json(f"{path}/_delta_log/*.json").where("add IS NOT NULL").select("add.stats").collect()
    types = {field.name: field.dataType.simpleString() for field in rows.schema}
    wanted = tuple(item for item in built(asked()) if set(_columns(item[1])) <= set(types))
    here, there = context(rows), spark.read.format("delta").load(path)
    read = check(wanted, there, 4, here)
    told = check(wanted, there, 4, here, statistics=lambda _: of_delta([row["stats"] for row in log], types))
    assert without(told.results) == without(read.results)
    assert "statistics" in {result.answered_by for result in told.results}


def _columns(kind: Any) -> tuple[str, ...]:
    return getattr(kind, "columns", ()) or (kind.column,)


def test_nothing_is_read_where_statistics_answer_all(spark: SparkSession, tmp_path: Path) -> None:
    rows = spark.range(3).selectExpr("id", "CAST(NULL AS int) nothing")
    here = context(rows)
    staging = Staging(spark=spark, plan=replace(here.plan, staging=str(tmp_path)))
    staged = staging.write(rows, "transform", "result")
    broken = rows.selectExpr("id + assert_true(false) id", "nothing")  # reading a row would fail
    wanted = built([{"not_null": ["id", "nothing"]}, {"in_range": {"column": "id", "min": 0, "max": 2}}])
    done = check(wanted, broken, 3, here, statistics=lambda names: staging.statistics(staged, rows.schema, names))
    assert [(item.success, item.unexpected_count, item.answered_by) for item in done.results] == [
        (True, 0, "statistics"),
        (False, 3, "statistics"),
        (True, 0, "statistics"),
    ]
