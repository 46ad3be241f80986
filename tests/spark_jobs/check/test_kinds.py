"""Each kind of check: given these rows, so many count and so many fail."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs import kinds
from spark_jobs.errors import ConfigError
from tests.spark_jobs.check.checking import checks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
NAN = float("nan")


def test_not_null_counts_every_row_and_nan_is_a_value(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1.0, "a"), (None, None), (NAN, None)], "`n.n` double, `t t` string")
    done = checks(rows, {"not_null": ["n.n", "t t"]})
    assert done.numbers == [(3, 1, False), (3, 2, False)]
    assert [result.column for result in done.results] == ["n.n", "t t"]
    assert done.results[1].unexpected_percent == pytest.approx(200 / 3)
    assert done.results[1].message == "2 of 3 values (66.7 %) are null; at least 100 % must pass"


def test_unique_fails_every_row_of_a_repeated_key_and_ignores_nulls(spark: SparkSession) -> None:
    data = [(1, "a"), (1, "a"), (1, "b"), (None, "c"), (None, "c"), (2, None), (2, None)]
    rows = spark.createDataFrame(data, "`a.b` int, c string")
    done = checks(rows, {"unique": ["a.b", "c"]}, {"unique": ["a.b"]}, {"unique": ["c"]})
    assert done.numbers == [(3, 2, False), (5, 5, False), (5, 4, False)]
    assert done.results[0].column == "a.b, c"


def test_nan_is_unique_once_and_both_zeros_are_one_key(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(NAN,), (NAN,), (0.0,), (-0.0,), (1.0,)], "n double")
    assert checks(rows, {"unique": ["n"]}).numbers == [(5, 4, False)]


@pytest.mark.parametrize(
    ("kind", "values", "bounds", "failing"),
    [
        ("int", [-1, 0, 5, 10, 11, None], {"min": 0, "max": 10}, 2),
        ("int", [0, 5, 10, None], {"min": 0, "max": 10, "strict_min": True, "strict_max": True}, 2),
        ("double", [0.0, NAN, None], {"min": 0}, 1),
        ("double", [0.0, NAN, float("inf"), None], {"max": 1}, 2),
        ("float", [0.1], {"min": 0.1, "max": 0.1}, 0),
        ("bigint", [2**53, 2**53 + 1], {"max": 2**53}, 1),
        ("bigint", [1, 2], {"min": 1.5}, 1),
        ("bigint", [1, 2], {"max": 10**30}, 0),
        ("bigint", [1, 2], {"max": float("inf")}, 0),
        ("decimal(20,2)", [Decimal("0.10"), Decimal("0.11")], {"max": 0.1}, 1),
        ("date", [date(2013, 1, 1), date(2013, 1, 2), None], {"max": "2013-01-01"}, 1),
        ("string", ["a", "b", None], {"max": "a"}, 1),
    ],
)
def test_in_range_compares_in_the_columns_own_type(
    spark: SparkSession, kind: str, values: list[Any], bounds: dict[str, Any], failing: int
) -> None:
    rows = spark.createDataFrame([(value,) for value in values], f"`x.y` {kind}")
    done = checks(rows, {"in_range": {"column": "x.y"} | bounds})
    assert done.numbers == [(sum(value is not None for value in values), failing, failing == 0)]


def test_timestamp_bounds_are_read_in_the_pipelines_timezone_unless_they_say_theirs(spark: SparkSession) -> None:
    at = datetime(2013, 1, 1, 5, tzinfo=UTC)
    rows = spark.createDataFrame([(at,)], "t timestamp")
    local, utc = {"column": "t", "min": "2013-01-01"}, {"column": "t", "max": "2013-01-01T05:00:00Z"}
    done = checks(
        rows,
        {"in_range": local},
        {"in_range": utc},
        {"in_set": {"column": "t", "values": ["2013-01-01"]}},
        zone="America/New_York",
    )
    assert [result.success for result in done.results] == [True, True, True]
    assert checks(rows, {"in_range": {"column": "t", "max": "2013-01-01"}}).numbers == [(1, 1, False)]
    for micros, text, zone in (
        (253402318799000000, "9999-12-31T23:59:59", "America/New_York"),
        (-62135629200000000, "0001-01-01T00:00:00+09:00", "UTC"),
    ):
        end = spark.range(1).selectExpr(f"timestamp_micros({micros}L) AS t")
        exactly = {"in_range": {"column": "t", "min": text, "max": text}}
        assert checks(end, exactly, zone=zone).numbers == [(1, 0, True)], "in UTC it isn't in the years 1 to 9999"


@pytest.mark.parametrize(
    ("kind", "values", "allowed", "failing"),
    [
        ("string", ["a", "A", "", None], ["a", ""], 1),
        ("int", [1, 2, None], [1], 1),
        ("double", [1.0, NAN, None], [1], 1),
        ("boolean", [True, False], [True], 1),
        ("date", [date(2013, 1, 1)], ["2013-01-01"], 0),
        ("decimal(10,2)", [Decimal("0.10")], [0.1], 0),
    ],
)
def test_in_set_allows_what_is_listed(
    spark: SparkSession, kind: str, values: list[Any], allowed: list[Any], failing: int
) -> None:
    rows = spark.createDataFrame([(value,) for value in values], f"x {kind}")
    done = checks(rows, {"in_set": {"columns": ["x"], "values": allowed}})
    assert done.numbers == [(sum(value is not None for value in values), failing, failing == 0)]


def test_matches_searches_anywhere_in_the_text(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("N123",), ("xN1",), ("n1",), ("",), (None,)], "x string")
    done = checks(rows, {"matches": {"column": "x", "regex": r"N\d"}}, {"matches": {"column": "x", "regex": r"^N\d+$"}})
    assert done.numbers == [(4, 2, False), (4, 3, False)]


def test_references_looks_values_up_whatever_the_other_side_repeats(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1,), (1,), (2,), (None,)], "id int")
    other = spark.createDataFrame([(1,), (1,), (None,)], "`k.k` bigint")
    done = checks(rows, {"references": {"column": "id", "dataset": "other", "key": "k.k"}}, other=other)
    assert done.numbers == [(3, 1, False)]
    empty = checks(rows, {"references": {"column": "id", "dataset": "other", "key": "k.k"}}, other=other.where("false"))
    assert empty.numbers == [(3, 3, False)]


def test_a_dataset_may_refer_to_itself(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, None), (2, 1), (3, 9)], "id int, boss int")
    assert checks(rows, {"references": {"column": "boss", "dataset": "result", "key": "id"}}).numbers == [(2, 1, False)]


def test_row_count_is_answered_without_reading_a_row(spark: SparkSession) -> None:
    rows = spark.range(3)
    done = checks(rows, {"row_count": {"min": 4}}, {"row_count": {"max": 3}}, {"row_count": {"min": 3, "max": 3}})
    assert [(result.success, result.observed, result.answered_by) for result in done.results] == [
        (False, 3, "statistics"),
        (True, 3, "statistics"),
        (True, 3, "statistics"),
    ]
    assert done.results[0].message == "3 rows, expected at least 4"


def test_no_rows_pass_every_check_but_row_count(spark: SparkSession) -> None:
    rows = spark.createDataFrame([], "a int, t string")
    done = checks(
        rows,
        {"not_null": ["a"]},
        {"unique": ["a"]},
        {"in_range": {"column": "a", "min": 1}},
        {"in_set": {"column": "t", "values": ["x"], "on_fail": "quarantine"}},
        {"matches": {"column": "t", "regex": "x"}},
        {"references": {"column": "a", "dataset": "other"}},
        {"row_count": {"min": 1}},
        other=rows,
    )
    assert [result.success for result in done.results] == [True] * 6 + [False]


@pytest.fixture
def typed(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([("a", 1, date(2013, 1, 1), {"a": 1})], "t string, n int, d date, m map<string,int>")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"not_null": ["nn"]}, "check.result[0].not_null: unknown column 'nn'; expected one of"),
        ({"not_null": []}, "no column"),
        ({"unique": ["m"]}, "check.result[0].unique"),
        ({"in_range": {"column": "n"}}, "no bound"),
        ({"in_range": {"min": 1}}, "neither column nor columns"),
        ({"in_range": {"column": "n", "columns": ["n"], "min": 1}}, "both column and columns"),
        (
            {"in_range": {"column": "t", "min": 1}},
            "check.result[0].in_range.min: 1 can't be compared with a column of type string",
        ),
        ({"in_range": {"column": "n", "max": "5"}}, "'5' can't be compared with a column of type int"),
        ({"in_range": {"column": "n", "max": NAN}}, "NaN"),
        ({"in_range": {"column": "d", "max": "tomorrow"}}, "'tomorrow' is no date; expected a date such as 2013-01-31"),
        ({"in_range": {"column": "m", "min": 1}}, "map<string,int>"),
        ({"in_set": {"column": "n", "values": ["1"]}}, "check.result[0].in_set.values"),
        ({"in_set": {"column": "n", "values": [True]}}, "True can't be compared"),
        ({"in_set": {"column": "n", "values": []}}, "no value is allowed"),
        ({"matches": {"column": "n", "regex": "1"}}, "column 'n' is int; expected a text column"),
        ({"matches": {"column": "t", "regex": "("}}, "'(' is no regular expression"),
        ({"references": {"column": "n", "dataset": "othr"}}, "did you mean 'other'?"),
        ({"references": {"column": "n", "dataset": "other", "key": "x"}}, "unknown column of other 'x'"),
        ({"references": {"column": "n", "dataset": "other", "key": "t"}}, "'n' is int, 't' of other is string"),
        ({"row_count": {}}, "no bound"),
        ({"row_count": {"min": 2, "max": 1}}, "row_count.max: it is smaller than min, 2"),
    ],
)
def test_a_check_that_does_not_fit_is_an_error_of_the_file(typed: DataFrame, item: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        checks(typed, item, other=typed)
    assert words in str(error.value)


def test_conforms_names_each_column_that_is_missing_or_another_or_unwanted(spark: SparkSession) -> None:
    rows = spark.createDataFrame([], "id int, `a b` decimal(10,2), deep struct<x: int>, Late timestamp")
    right = {"id": "INTEGER", "a b": "dec(10, 2)", "deep": "struct<x int>"}
    wrong = {"id": "bigint", "late": "timestamp", "gone": "string"}
    done = checks(
        rows, {"conforms": {"columns": right}}, {"conforms": {"columns": wrong, "closed": True, "name": "c: conforms"}}
    )
    assert [(item.name, item.success, item.message) for item in done.results] == [
        ("conforms", True, ""),
        (
            "c: conforms",
            False,
            "id is int, bigint is wanted; late (timestamp) is missing; gone (string) is missing; a b isn't wanted; deep isn't wanted; Late isn't wanted",  # noqa: E501
        ),
    ]


def test_the_conditions_of_a_contract_set_the_same_rows_aside_as_its_checks(spark: SparkSession) -> None:
    from airflow_provider_etl.spec.contracts.checks import conditions, of_rows
    from airflow_provider_etl.spec.contracts.contract import Contract
    from airflow_provider_etl.spec.contracts.language import ContractColumn, ContractFile
    from airflow_provider_etl.spec.nodes import MapNode, Source

    columns = {
        "n": ContractColumn(type="double", min=0),
        "t": ContractColumn(type="timestamp", min="2013-01-01T06:00", max="2013-01-01T07:00+01:00"),
        "d": ContractColumn(type="date", max="2013-01-01"),
        "s": ContractColumn(type="string", values=("it's", "b\\"), regex="^[a-z']+$"),
        "x": ContractColumn(type="decimal(10,2)", values=(1.5, 2)),
        "f": ContractColumn(type="real", min=0.1, max=0.1),  # the nearest float to it is larger than the double
    }
    contract = Contract(told="c", path="c", file=ContractFile(columns=columns), node=MapNode(Source("c")))
    at = datetime(2013, 1, 1, 6, tzinfo=UTC)
    data = [
        (0.0, at, date(2013, 1, 1), "it's", Decimal("1.50"), 0.1),
        (None, None, None, None, None, None),
        (NAN, datetime(2013, 1, 1, 5, 59, tzinfo=UTC), date(2013, 1, 2), "b\\", Decimal(2), 0.11),
        (-1.0, datetime(2013, 1, 1, 6, 1, tzinfo=UTC), date(2012, 1, 1), "c", Decimal("1.51"), 0.09),
    ]
    rows = spark.createDataFrame(data, "n double, t timestamp, d date, s string, x decimal(10,2), f float")
    done = checks(rows, *({name: kinds.dump(kind)} for name, kind in of_rows(contract, list(columns), "stop")))
    texts = conditions(contract, "UTC").values()
    left = rows.selectExpr(*(f"count_if(not ({text})) as c{place}" for place, text in enumerate(texts))).collect()[0]
    assert list(left) == [failing for _, failing, _ in done.numbers] == [2, 2, 1, 1, 1, 1, 2]
