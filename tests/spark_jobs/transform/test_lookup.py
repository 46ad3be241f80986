"""`lookup`, `surrogate_key`: one row stays one row; a member has one key, whether it came before its facts or after."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.failures import classify
from tests.spark_jobs.transform.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
ON = {"who.id": "id"}


def hashed(*natural: str | None) -> str:
    """The digest of a key as docs say it is made: of the dimension's name and the natural key's texts."""
    parts = ["-," if text is None else f"{len(text.encode())}:{text}," for text in natural]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def key(*natural: str | None) -> int:
    return int(hashed(*natural)[:16], 16) & (2**63 - 1)


@pytest.fixture
def sales(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1, 7), (2, 8), (3, None), (4, 7), (5, 9)], "n int, `who.id` int")


@pytest.fixture
def people(spark: SparkSession) -> DataFrame:
    rows = [(7, "Ann", 1.5, {"a": 1}), (9, None, None, None), (None, "none", 0.0, None), (10, "Zoë", 0.0, None)]
    return spark.createDataFrame(rows, "id bigint, `na me` string, score double, more map<string,int>")


def test_each_row_stays_one_with_what_is_found_or_what_stands_in_its_place(sales: DataFrame, people: DataFrame) -> None:
    default = {"na me": "it's 'unknown'", "score": 0}
    done = run(sales, {"lookup": {"with": "people", "on": ON, "default": default}}, people=people)
    assert done.columns == ["n", "who.id", "na me", "score", "more"]
    assert sorted(done.rows) == [
        (1, 7, "Ann", 1.5, {"a": 1}),
        (2, 8, "it's 'unknown'", 0.0, None),
        (3, None, "it's 'unknown'", 0.0, None),
        (4, 7, "Ann", 1.5, {"a": 1}),
        (5, 9, None, None, None),  # a match, whose name isn't known
    ]
    assert done.counts.reshaped == []


@pytest.mark.parametrize("unmatched", ["drop", "quarantine"])
def test_rows_without_a_match_go_and_are_counted(sales: DataFrame, people: DataFrame, unmatched: str) -> None:
    step = {"lookup": {"with": "people", "on": ON, "columns": ["na me"], "unmatched": unmatched}}
    done = run(sales, {"filter": "n < 5"}, step, people=people)
    assert (done.columns, sorted(done.rows)) == (["n", "who.id", "na me"], [(1, 7, "Ann"), (4, 7, "Ann")])
    if unmatched == "drop":
        assert done.counts.filtered == 3
    else:
        assert (done.counts.filtered, done.counts.quarantined) == (1, 2)
        assert sorted(done.raw, key=repr) == [{"n": 2, "who.id": 8}, {"n": 3, "who.id": None}]
        assert sorted(done.messages) == ["no match in people for who.id: '8'", "no match in people for who.id: null"]
        assert done.refused[0]["rules"] == ["lookup people"]


@pytest.mark.parametrize("columns", [None, ["na me"], []])
def test_a_second_row_of_a_key_ends_the_run_even_where_no_row_asks_for_it(
    sales: DataFrame, people: DataFrame, columns: list[str] | None
) -> None:
    step = {"lookup": {"with": "people", "on": ON, "columns": columns}}
    with pytest.raises(Exception, match="USER_RAISED") as caught:
        run(sales, step, people=people.unionByName(people.where("id = 10")))
    told = classify(caught.value, "transform.result")
    assert isinstance(told, DataError)
    words = "transform.result[0].lookup: people has 2 rows of one key, id '10'; expected one, or order_by"
    assert words in str(told)


def test_order_by_says_which_row_counts_and_ties_are_decided_by_content(spark: SparkSession, sales: DataFrame) -> None:
    many = [(7, f"v{place:03}", place // 100) for place in range(200)]
    step = {"lookup": {"with": "many", "on": ON, "columns": ["v"], "order_by": ["at desc"], "unmatched": "drop"}}
    for given in (many, many[::-1]):
        done = run(sales, step, many=spark.createDataFrame(given, "id int, v string, at int").repartition(5))
        assert sorted(done.rows) == [(1, 7, "v100"), (4, 7, "v100")]


@pytest.mark.parametrize("unmatched", ["keep", "drop", "quarantine"])
def test_rows_are_counted_to_the_last_where_the_other_side_ends_early(spark: SparkSession, unmatched: str) -> None:
    """Spark makes a left join and a filter behind it an inner one, which stops where the other side ends."""
    rows = spark.range(2000).selectExpr("id AS k", "'v' AS v").repartition(3)
    few = spark.range(2).selectExpr("id AS k", "'w' AS w")
    lookup = {"lookup": {"with": "few", "on": ["k"], "unmatched": unmatched}}
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    try:
        done = run(rows, {"dedupe": {"keys": ["k"]}}, lookup, {"filter": "w IS NOT NULL"}, few=few)
    finally:
        spark.conf.unset("spark.sql.autoBroadcastJoinThreshold")
    assert (done.counts.deduplicated, done.counts.filtered + done.counts.quarantined, len(done.rows)) == (0, 1998, 2)


@pytest.fixture(params=["narrow", "wide"])
def inferring(request: pytest.FixtureRequest, spark: SparkSession) -> Iterator[None]:
    """Spark as it is, and as a feed of thousands of columns leaves it: it infers nothing of what must hold."""
    spark.conf.set("spark.sql.constraintPropagation.enabled", str(request.param == "narrow").lower())
    yield
    spark.conf.unset("spark.sql.constraintPropagation.enabled")


@pytest.mark.parametrize("form", ["bigint", "hex"])
@pytest.mark.usefixtures("inferring")
def test_a_member_that_comes_late_gets_the_key_that_its_facts_have_already(
    sales: DataFrame, people: DataFrame, form: str
) -> None:
    made = {"surrogate_key": {"dimension": "person", "keys": ["id"], "as": "key", "form": form}}
    dimension = run(people, made)
    spark = sales.sparkSession
    kind = "bigint" if form == "bigint" else "string"
    wide = spark.createDataFrame(
        dimension.rows, f"id bigint, `na me` string, score double, more map<string,int>, key {kind}"
    )
    lookup = {"with": "people", "on": ON, "columns": ["key", "na me"], "infer": {"dimension": "person", "key": "key"}}

    def expected(natural: int | None) -> int | str:
        text = None if natural is None else str(natural)
        return key("person", text) if form == "bigint" else hashed("person", text)[:32]

    early = run(sales, {"lookup": lookup | {"default": {"na me": "?"}}}, people=wide.where("id = 7"))
    late = run(sales, {"lookup": lookup}, people=wide)
    assert early.columns == ["n", "who.id", "key", "na me", "_inferred"]
    assert sorted(early.rows) == [
        (1, 7, expected(7), "Ann", False),
        (2, 8, expected(8), "?", True),
        (3, None, expected(None), "?", True),
        (4, 7, expected(7), "Ann", False),
        (5, 9, expected(9), "?", True),
    ]
    assert [row[:3] for row in sorted(early.rows)] == [row[:3] for row in sorted(late.rows)]
    assert [row[4] for row in sorted(late.rows)] == [False, True, True, False, False]


def test_a_dimension_with_other_keys_ends_the_run(spark: SparkSession, sales: DataFrame) -> None:
    people = spark.createDataFrame([(7, 1)], "id int, key bigint")
    step = {"lookup": {"with": "people", "on": ON, "infer": {"dimension": "person", "key": "key"}}}
    with pytest.raises(Exception, match="key is a key that would not be inferred"):
        run(sales, step, people=people)


def test_a_key_is_made_of_texts_that_do_not_depend_on_types(spark: SparkSession) -> None:
    at = datetime.fromisoformat("2013-01-01T05:00:00.120")
    values: list[tuple[Any, str, str | None]] = [
        (5, "int", "5"),
        (5, "bigint", "5"),
        (Decimal("5.00"), "decimal(10,2)", "5"),
        (Decimal("-0.50"), "decimal(10,2)", "-0.5"),
        (Decimal("0.00"), "decimal(10,2)", "0"),
        (Decimal(100), "decimal(20,0)", "100"),
        (Decimal("0.0000001"), "decimal(10,7)", "0.0000001"),
        ("5", "string", "5"),
        ('ü"\\\n\t/€😀', "string", 'ü"\\\n\t/€😀'),
        ("", "string", ""),
        (None, "string", None),
        ("null", "string", "null"),
        (True, "boolean", "true"),
        (date(2013, 1, 1), "date", "2013-01-01"),
        (at, "timestamp_ntz", "2013-01-01 05:00:00.12"),
        (bytearray(b"\xff\x00"), "binary", "ff00"),
    ]
    kinds = ", ".join(f"`c.{place}` {kind}" for place, (_, kind, _) in enumerate(values))
    rows = spark.createDataFrame([tuple(value for value, _, _ in values)], kinds)
    steps = [
        {"surrogate_key": {"dimension": "d", "keys": [f"c.{place}"], "as": f"k{place}"}} for place in range(len(values))
    ]
    both = {"surrogate_key": {"dimension": "d", "keys": ["c.0", "c.10"], "as": "both"}}
    back = {"surrogate_key": {"dimension": "d", "keys": ["c.10", "c.0"], "as": "back"}}
    (found,) = run(rows, *steps, both, back).rows
    assert list(found[len(values) : -2]) == [key("d", text) for _, _, text in values]
    assert found[-2:] == (key("d", "5", None), key("d", None, "5"))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"lookup": {"with": "peple", "on": ON}}, "did you mean 'people'?"),
        (
            {"lookup": {"with": "people", "on": {"who.id": "na me"}}},
            "key 'who.id' is int, 'na me' of the other dataset",
        ),
        ({"lookup": {"with": "people", "on": {"who.id": "idd"}}}, "unknown column of people 'idd'"),
        ({"lookup": {"with": "people", "on": {}}}, "there is no key to look up"),
        ({"lookup": {"with": "people", "on": ON, "default": {"score": "x"}}}, "'x' is no double"),
        ({"lookup": {"with": "people", "on": ON, "default": {"nosuch": 1}}}, "unknown taken column 'nosuch'"),
        (
            {"lookup": {"with": "people", "on": ON, "default": {"score": 1}, "unmatched": "drop"}},
            "leaves no row without a match",
        ),
        (
            {"lookup": {"with": "people", "on": ON, "infer": {"dimension": "p", "key": "score"}}},
            "double is no type of a surrogate key",
        ),
        ({"lookup": {"with": "people", "on": ON, "order_by": ["sccore"]}}, "did you mean 'score'?"),
        ({"surrogate_key": {"dimension": "d", "keys": ["nn"], "as": "k"}}, "unknown column 'nn'"),
        ({"surrogate_key": {"dimension": "d", "keys": ["n"], "as": "N"}}, "columns 'n' and 'N' collide"),
        ({"surrogate_key": {"dimension": "d", "keys": ["f"], "as": "k"}}, "column 'f' is double"),
    ],
)
def test_what_does_not_fit_is_an_error_of_the_file(
    sales: DataFrame, people: DataFrame, step: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        run(sales.selectExpr("*", "1.5D AS f"), step, people=people)
    assert words in str(error.value)
