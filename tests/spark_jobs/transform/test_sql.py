"""`sql` and `aggregate`: steps after which a row is something else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([("a", 1), ("a", 2), (None, 3), ("b", None)], "k string, `n.n` int")


def test_a_query_reads_the_incoming_rows_as_input_and_other_datasets_by_name(
    spark: SparkSession, rows: DataFrame
) -> None:
    other = spark.createDataFrame([("a", "A")], "k string, name string")
    query = """
        WITH sums AS (SELECT k, sum(`n.n`) AS n FROM input GROUP BY k)
        SELECT name, n, '{x}' AS x FROM sums JOIN `o.t` USING (k) -- done"""
    done = run(rows, {"sql": query}, **{"o.t": other})
    assert (done.columns, done.rows) == (["name", "n", "x"], [("A", 3, "{x}")])
    assert done.counts.reshaped == [{"step": "sql", "rows_in": 4, "rows_out": 1}]


def test_a_query_that_stops_early_does_not_hide_rows_from_the_counts(spark: SparkSession) -> None:
    many = spark.range(5000).repartition(3)
    done = run(many, {"filter": "id < 4000"}, {"sql": "SELECT * FROM input LIMIT 3"})
    assert (done.counts.filtered, done.counts.reshaped) == (1000, [{"step": "sql", "rows_in": 4000, "rows_out": 3}])


def test_no_view_is_left_behind(spark: SparkSession, rows: DataFrame) -> None:
    before = {table.name for table in spark.catalog.listTables()}
    run(rows, {"sql": "SELECT * FROM input"})
    assert {table.name for table in spark.catalog.listTables()} == before


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM inptu", "transform.result[0].sql"),
        ("SELECT m FROM input", "unknown column 'm'"),
        ("DROP TABLE input", "transform.result[0].sql"),
        ("SELECT 1; SELECT 2", "transform.result[0].sql"),
        ("", "transform.result[0].sql"),
        ("SELECT k, k FROM input", "two columns are called 'k'"),
        ("SELECT * FROM csv.`/etc/passwd`", "cannot be found"),
    ],
)
def test_what_is_no_query_over_the_datasets_is_an_error_of_the_file(rows: DataFrame, query: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        run(rows, {"sql": query})
    assert words in str(error.value)


@pytest.mark.parametrize("before", ["true", "false"])
def test_reading_files_by_path_is_afterwards_as_it_was(spark: SparkSession, rows: DataFrame, before: str) -> None:
    usual = str(spark.conf.get("spark.sql.runSQLOnFiles"))
    spark.conf.set("spark.sql.runSQLOnFiles", before)
    try:
        run(rows, {"sql": "SELECT * FROM input"})
        assert spark.conf.get("spark.sql.runSQLOnFiles") == before
    finally:
        spark.conf.set("spark.sql.runSQLOnFiles", usual)


def test_a_dataset_called_input_is_refused(rows: DataFrame) -> None:
    with pytest.raises(ConfigError, match="rename the dataset"):
        run(rows, {"sql": "SELECT * FROM input"}, input=rows)


def test_one_row_per_group_null_is_a_group(rows: DataFrame) -> None:
    done = run(rows, {"aggregate": {"by": ["k"], "values": {"to tal": "sum(`n.n`)", "rows": "count(*)"}}})
    assert done.columns == ["k", "to tal", "rows"]
    assert sorted(done.rows, key=repr) == [("a", 3, 2), ("b", None, 1), (None, 3, 1)]
    assert done.counts.reshaped == [{"step": "aggregate", "rows_in": 4, "rows_out": 3}]


def test_subtotals_are_rows_of_their_own_told_from_groups_of_null(spark: SparkSession) -> None:
    given = [("a", 1, 10), ("a", 2, 20), (None, 1, 30)]
    rows = spark.createDataFrame(given, "`k.k` string, day int, n int")
    values = {"total": "sum(n)", "all_keys": "grouping(`k.k`)", "who": "approx_count_distinct(n)"}

    def sums(sets: Any) -> list[Any]:
        done = run(rows, {"aggregate": {"by": ["k.k", "day"], "values": values, "sets": sets}})
        assert done.columns == ["k.k", "day", "total", "all_keys", "who"]
        assert done.counts.reshaped == [{"step": "aggregate", "rows_in": 3, "rows_out": len(done.rows)}]
        return sorted(done.rows, key=repr)

    groups = [("a", 1, 10, 0, 1), ("a", 2, 20, 0, 1), (None, 1, 30, 0, 1)]
    keys, days = [("a", None, 30, 0, 2), (None, None, 30, 0, 1)], [(None, 1, 40, 1, 2), (None, 2, 20, 1, 1)]
    every = [(None, None, 60, 1, 3)]
    assert sums("rollup") == sorted([*groups, *keys, *every], key=repr)
    assert sums("cube") == sorted([*groups, *keys, *days, *every], key=repr)
    assert sums([["k.k"], ["day"]]) == sorted([*keys, *days], key=repr)
    assert sums([["day", "k.k"], []]) == sorted([*groups, *every], key=repr)


def test_an_approximate_count_is_the_same_wherever_rows_lie(spark: SparkSession) -> None:
    rows = spark.range(20_000).selectExpr("id % 7 AS k", "id")
    step = {"aggregate": {"by": ["k"], "values": {"n": "approx_count_distinct(id, 0.01)"}}}
    found = [sorted(run(rows.repartition(parts, "id"), step).rows) for parts in (1, 5)]
    assert found[0] == found[1]
    assert all(abs(n - 20_000 / 7) < 0.04 * 20_000 / 7 for _, n in found[0])


def test_without_groups_there_is_one_row_even_of_nothing(rows: DataFrame) -> None:
    assert run(rows.where("false"), {"aggregate": {"values": {"rows": "count(*)"}}}).rows == [(0,)]
    assert run(rows.where("false"), {"aggregate": {"by": ["k"], "values": {"rows": "count(*)"}}}).rows == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": ["kk"], "values": {"x": "count(*)"}}, "did you mean 'k'?"),
        ({"by": ["k"], "values": {"x": "sum(nn)"}}, "transform.result[0].aggregate.values.x: unknown column 'nn'"),
        ({"by": ["k"], "values": {"x": "`n.n`"}}, "transform.result[0].aggregate.values.x"),
        ({"by": ["k"], "values": {"K": "count(*)"}}, "columns 'k' and 'K' collide"),
        ({"by": ["k"], "values": {}}, "no value is computed"),
        ({"by": ["k"], "values": {"x": "count(*) y"}}, "is no expression"),
        ({"by": ["k"], "values": {"x": "*"}}, "is several columns"),
        ({"by": ["k"], "values": {"x": "count(*)"}, "sets": [["n.n"]]}, "aggregate.sets: 'n.n' isn't in `by`"),
    ],
)
def test_what_is_no_aggregate_is_an_error_of_the_file(rows: DataFrame, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        run(rows, {"aggregate": options})
    assert words in str(error.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT TRANSFORM(k) USING 'touch {there}' AS (x STRING) FROM input",
        "SELECT * FROM (FROM input SELECT TRANSFORM(k) /**/ USING 'touch {there}')",
        "WITH c AS (FROM input MAP k USING 'touch {there}' AS x) SELECT * FROM c",
        "SELECT k FROM input WHERE EXISTS (FROM input REDUCE k USING 'touch {there}' AS x)",
        "SELECT TRANSFORM(k) U\u017f\u0131NG 'touch {there}' AS (x STRING) FROM input",
    ],
)
def test_no_query_runs_a_program(rows: DataFrame, query: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="runs a program"):
        run(rows, {"sql": query.format(there=tmp_path / "there")})
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("kind", ["filter", "derive", "validate"])
def test_no_expression_runs_a_program(rows: DataFrame, kind: str, tmp_path: Path) -> None:
    query = "SELECT TRANSFORM(id) USING 'touch {there}' AS (y STRING) FROM VALUES ('a') AS t(id)"
    condition = f"k IN ({query.format(there=tmp_path / 'there')})"
    with pytest.raises(ConfigError):
        run(rows, {kind: condition if kind == "filter" else {"x": condition}})
    assert not (tmp_path / "there").exists()


def test_using_is_a_word_of_joins_and_texts_too(rows: DataFrame) -> None:
    query = "SELECT count(*) FROM input JOIN input AS other USING (k) WHERE 'TRANSFORM k USING cat' <> ''"
    assert len(run(rows, {"sql": query}).rows) == 1


@pytest.mark.parametrize(
    "step",
    [
        {"sql": "SELECT reflect('java.lang.System', 'getenv') FROM input"},
        {"derive": {"x": "java_method/**/('java.lang.System', 'lineSeparator')"}},
        {"filter": "`try_reflect`('java.lang.System', 'lineSeparator') IS NULL"},
        {"aggregate": {"by": ["k"], "values": {"x": "max(reflect('java.lang.System', 'lineSeparator'))"}}},
    ],
)
def test_java_code_is_refused_wherever_it_is_called(rows: DataFrame, step: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="runs Java code"):
        run(rows, step)


def test_a_text_reads_what_it_is_given_and_no_other_table(spark: SparkSession, rows: DataFrame, tmp_path: Path) -> None:
    spark.sql(f"CREATE DATABASE others LOCATION '{tmp_path / 'd'}'")
    spark.sql(f"CREATE TABLE others.secret USING delta LOCATION '{tmp_path / 's'}' AS SELECT 'x' AS k")
    spark.sql(f"CREATE TABLE hidden USING delta LOCATION '{tmp_path / 'h'}' AS SELECT 'x' AS k")
    try:
        for step in (
            {"sql": "SELECT * FROM others.secret"},
            {"sql": "SELECT k FROM input WHERE k IN (TABLE spark_catalog.others.secret)"},
            {"sql": "SELECT k FROM input WHERE EXISTS (SELECT * FROM others . `secret` VERSION AS OF 0)"},
            {"sql": "WITH c AS (SELECT * FROM hidden) SELECT k FROM c"},
            {"sql": "SELECT h.k FROM hidden h CROSS JOIN (WITH hidden AS (SELECT 1) SELECT * FROM hidden)"},
            {"sql": "SELECT * FROM table_changes('others.secret', 0)"},
            {"filter": "k IN (SELECT k FROM others.secret)"},
            {"derive": {"x": "(SELECT max(k) FROM hidden)"}},
        ):
            with pytest.raises(ConfigError, match=r"reads the table|reads what isn't given"):
                run(rows, step)
        given = spark.table("others.secret")
        query = (
            "WITH `a.b` AS (SELECT * FROM `o.t`) SELECT `c.d`.k, '${system:user.dir}' AS x FROM `a.b` AS `c.d`, input"
        )
        assert run(rows, {"sql": query}, **{"o.t": given}).rows[:1] == [("x", "${system:user.dir}")]
    finally:
        spark.sql("DROP DATABASE others CASCADE")
        spark.sql("DROP TABLE hidden")
