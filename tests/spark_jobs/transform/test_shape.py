"""Steps after which a row is something else: union, unpivot, pivot, explode, flatten; and rank, which looks around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_union_is_by_name_and_keeps_equal_rows(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, "a")], "id int, name string")
    more = spark.createDataFrame([("a", 1), (None, 2)], "name string, id int")
    wider = spark.createDataFrame([(3, 9.5)], "id int, `x.y` double")
    done = run(rows, {"union": ["more", "wider"]}, more=more, wider=wider)
    assert done.columns == ["id", "name", "x.y"]
    assert sorted(done.rows) == [(1, "a", None), (1, "a", None), (2, None, None), (3, None, 9.5)]
    assert done.counts.reshaped == [{"step": "union", "rows_in": 1, "rows_out": 4}]


def test_union_with_itself_and_with_nothing(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1,)], "id int")
    assert run(rows, {"union": ["again"]}, again=rows).rows == [(1,), (1,)]
    assert run(rows, {"union": ["none"]}, none=rows.limit(0)).rows == [(1,)]


def test_unpivot_and_pivot_are_each_others_way_back(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 10, None), (2, 30, 40)], "id int, `q.1` int, q2 int")
    turned = run(rows, {"unpivot": {"columns": ["q.1", "q2"], "name": "q", "value": "sold"}})
    assert turned.columns == ["id", "q", "sold"]
    assert sorted(turned.rows, key=str) == [(1, "q.1", 10), (1, "q2", None), (2, "q.1", 30), (2, "q2", 40)]
    again = {"pivot": {"by": ["id"], "column": "q", "values": ["q.1", "q2"], "aggregate": "max(sold)"}}
    back = run(rows, {"unpivot": {"columns": ["q.1", "q2"], "name": "q", "value": "sold"}}, again)
    assert (back.columns, sorted(back.rows)) == (["id", "q.1", "q2"], [(1, 10, None), (2, 30, 40)])


def test_unpivot_may_leave_nulls_out(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 10, None)], "id int, a int, b int")
    assert run(rows, {"unpivot": {"columns": ["a", "b"], "nulls": "drop"}}).rows == [(1, "a", 10)]


def test_pivot_sets_rows_of_other_values_aside_and_balances(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("a", 1, 5), ("a", 1, 6), ("a", 2, 7), ("b", 3, 8), ("b", None, 9), (None, 2, 1)],
        "who string, kind int, n int",
    )
    step = {"by": ["who"], "column": "kind", "values": {"1": "ones", "2": "twos"}, "aggregate": "sum(n)"}
    done = run(rows, {"pivot": step})
    assert done.columns == ["who", "ones", "twos"]
    assert sorted(done.rows, key=str) == [("a", 11, 7), (None, None, 1)]
    assert sorted(done.messages) == ["kind is '3', which no column is for", "kind is null, which no column is for"]
    assert sorted(row["n"] for row in done.raw) == [8, 9]
    dropped = run(rows, {"pivot": step | {"others": "drop"}})
    assert (dropped.counts.filtered, dropped.counts.quarantined) == (2, 0)
    assert sorted(dropped.rows, key=str) == sorted(done.rows, key=str)


def test_pivot_takes_aggregates_of_any_type_and_gives_null_where_there_is_nothing(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("a", "x", "p"), ("a", "x", "q"), ("b", "y", "r")], "who string, kind string, t string"
    )
    for aggregate, wanted in (
        ("sort_array(collect_list(t))", [("a", ["p", "q"], None), ("b", None, ["r"])]),
        ("max(t)", [("a", "q", None), ("b", None, "r")]),
        ("listagg(t, '+') WITHIN GROUP (ORDER BY t)", [("a", "p+q", None), ("b", None, "r")]),
    ):
        step = {"by": ["who"], "column": "kind", "values": ["x", "y"], "aggregate": aggregate}
        assert sorted(run(rows, {"pivot": step}).rows) == wanted


def test_pivot_has_its_columns_whatever_the_rows_hold(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("a", "x", 1)], "who string, kind string, n int")
    step = {"by": ["who"], "column": "kind", "values": ["who", "x"], "aggregate": "count(*)"}
    with pytest.raises(ConfigError, match="two columns are called 'who'"):
        run(rows, {"pivot": step})
    step["values"] = {"who": "w", "x": "y"}
    assert run(rows, {"pivot": step}).rows == [("a", None, 1)]
    assert run(rows.limit(0), {"pivot": step}).columns == ["who", "w", "y"]


def test_explode_gives_a_row_for_each_element(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, ["a", None], 5), (2, [], 6), (3, None, 7)], "id int, `i t` array<string>, n int")
    done = run(rows, {"explode": {"column": "i t", "as": "item", "position": "line"}})
    assert done.columns == ["id", "line", "item", "n"]
    assert done.rows == [(1, 0, "a", 5), (1, 1, None, 5), (2, None, None, 6), (3, None, None, 7)]
    assert run(rows, {"explode": {"column": "i t", "empty": "drop"}}).rows == [(1, "a", 5), (1, None, 5)]


def test_explode_of_a_map_gives_keys_and_values(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, {"a": 1})], "id int, m map<string,int>")
    done = run(rows, {"explode": {"column": "m", "key": "k", "as": "v", "position": "p"}})
    assert (done.columns, done.rows) == (["id", "p", "k", "v"], [(1, 0, "a", 1)])


def test_flatten_goes_down_and_keeps_rows_and_places(spark: SparkSession) -> None:
    kind = "id int, a struct<`b.c`:int,d:struct<e:string,f:array<int>>>, z int"
    rows = spark.createDataFrame([(1, (2, ("x", [1])), 3), (4, None, 5)], kind)
    done = run(rows, {"flatten": ["a"]})
    assert done.columns == ["id", "a_b.c", "a_d_e", "a_d_f", "z"]
    assert done.rows == [(1, 2, "x", [1], 3), (4, None, None, None, 5)]
    assert run(rows, {"flatten": {"columns": ["a"], "depth": 1, "separator": "."}}).columns == [
        "id",
        "a.b.c",
        "a.d",
        "z",
    ]


def test_rank_gives_places_and_looks_around(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("a", 1, 10), ("a", 1, 20), ("a", 2, 30), ("b", 1, 40)], "who string, at int, n int")
    values = {"place": "row_number()", "shared": "rank()", "dense": "dense_rank()", "before": "lag(n)", "all": "sum(n)"}
    done = run(rows, {"rank": {"by": ["who"], "order_by": ["at"], "values": values}})
    assert sorted(done.rows) == [
        ("a", 1, 10, 1, 1, 1, None, 10),
        ("a", 1, 20, 2, 1, 1, 10, 30),
        ("a", 2, 30, 3, 3, 2, 20, 60),
        ("b", 1, 40, 1, 1, 1, None, 40),
    ]


@pytest.mark.parametrize(
    ("frame", "sums"),
    [
        (None, [1, 3, 6]),
        ([-1, 0], [1, 3, 5]),
        ([0, None], [6, 5, 3]),
        ([None, None], [6, 6, 6]),
        ([1, 1], [2, 3, None]),
    ],
)
def test_the_frame_says_which_rows_an_aggregate_sees(spark: SparkSession, frame: Any, sums: list[int]) -> None:
    rows = spark.createDataFrame([(1,), (2,), (3,)], "n int")
    step = {"order_by": ["n"], "values": {"s": "sum(n)"}} | ({"frame": frame} if frame else {})
    assert [found for _, found in sorted(run(rows, {"rank": step}).rows)] == sums


@pytest.mark.parametrize("kind", ["timestamp", "timestamp_ntz", "date"])
def test_an_aggregate_sees_the_rows_of_the_time_before(spark: SparkSession, kind: str) -> None:
    days = [("2013-03-09", 1), ("2013-03-10", 2), ("2013-03-10", 4), ("2013-03-12", 8), (None, 16), (None, 32)]
    rows = spark.createDataFrame(days, "day string, n int").selectExpr(f"CAST(day AS {kind}) AS day", "n")
    values = {"s": "sum(n)", "place": "row_number()"}
    step = {"order_by": ["day"], "within": "86400s", "values": values}
    found = {row[1]: row[2:] for row in run(rows, {"rank": step}).rows}
    assert found == {1: (1, 3), 2: (7, 4), 4: (7, 5), 8: (8, 6), 16: (48, 1), 32: (48, 2)}
    half = {"order_by": ["day"], "within": "43200s", "values": {"s": "sum(n)"}}
    if kind == "date":
        with pytest.raises(ConfigError, match="expected a number of days"):
            run(rows, {"rank": half})
    with pytest.raises(ConfigError, match="'n', which is int"):
        run(rows, {"rank": step | {"order_by": ["n"]}})


def test_the_place_of_rows_that_tie_is_decided_by_what_they_hold(spark: SparkSession) -> None:
    rows = [(1, f"{number:03}") for number in range(200)]
    step = {"rank": {"order_by": ["at desc"], "values": {"place": "row_number()"}}}
    found = [
        sorted(run(spark.createDataFrame(given, "at int, id string").repartition(7), step).rows)
        for given in (rows, rows[::-1])
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"union": ["nosuch"]}, "unknown dataset 'nosuch'"),
        (
            {"union": ["texts"]},
            "column 'n' is int, and string in texts; expected one type for a column in all datasets",
        ),
        ({"union": {"with": ["wide"], "columns": "freeze"}}, "'more': not a column of both the incoming rows and wide"),
        ({"union": ["wide", "texts_more"]}, "column 'more' is int, and string in texts_more"),
        ({"union": ["cased"]}, "columns 'n' and 'N' collide"),
        ({"unpivot": {"columns": ["n", "who"]}}, "columns of different types: 'n' int, 'who' string"),
        ({"unpivot": {"columns": ["n"], "name": "who"}}, "two columns are called 'who'"),
        ({"unpivot": {"columns": ["m"]}}, "unknown column 'm'"),
        ({"pivot": {"by": ["m"], "column": "who", "values": ["a"], "aggregate": "sum(n)"}}, "unknown column 'm'"),
        ({"pivot": {"by": ["n"], "column": "m", "values": ["a"], "aggregate": "sum(n)"}}, "unknown column 'm'"),
        ({"pivot": {"by": ["n"], "column": "who", "values": ["a"], "aggregate": "n + 1"}}, ".aggregate"),
        ({"pivot": {"by": ["n"], "column": "who", "values": ["a"], "aggregate": "sum(x)"}}, "unknown column 'x'"),
        ({"explode": "n"}, "column 'n' is int; expected an array or a map"),
        ({"explode": {"column": "list", "key": "k"}}, "an array: its elements have no keys; leave key out"),
        ({"explode": "map"}, "a map: its entries have keys; say what they are called: key"),
        ({"explode": {"column": "list", "as": "N"}}, "columns 'n' and 'N' collide"),
        ({"flatten": ["n"]}, "column 'n' is int; expected a struct"),
        ({"rank": {"order_by": ["m"], "values": {"x": "rank()"}}}, "unknown column 'm'"),
        ({"rank": {"order_by": ["n"], "values": {"x": "n + 1"}}}, "[0].rank.values.x"),
        ({"rank": {"order_by": ["n"], "values": {"x": "nosuch()"}}}, "Cannot resolve routine `nosuch`"),
        ({"rank": {"order_by": ["n"], "values": {"who": "rank()"}}}, "two columns are called 'who'"),
        ({"rank": {"order_by": ["n"], "values": {"x": "sum(n) over ()"}}}, "[0].rank.values.x"),
    ],
)
def test_what_does_not_fit_is_an_error_with_its_place(spark: SparkSession, step: dict[str, Any], words: str) -> None:
    rows = spark.createDataFrame([], "n int, who string, list array<int>, map map<string,int>")
    others = {
        "texts": spark.createDataFrame([], "n string"),
        "wide": rows.withColumn("more", rows["n"]),
        "texts_more": spark.createDataFrame([], "more string"),
        "cased": spark.createDataFrame([], "N int"),
    }
    with pytest.raises(ConfigError) as error:
        run(rows, step, **others)
    assert words in str(error.value), str(error.value)
