"""Checks together: what fails a run, what is set aside, and that nothing is lost on the way."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spark_jobs.check.apart import Apart, set_aside
from spark_jobs.check.flow import check
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.statistics import Known, Statistics
from tests.spark_jobs.check.checking import built, checks
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1, "a"), (2, None), (3, "zz"), (3, "b")], "`i.d` int, t string")


@pytest.mark.parametrize(
    ("options", "success"),
    [
        ({}, False),
        ({"mostly": 0.66}, True),
        ({"mostly": 0.67}, False),
        ({"mostly": 0}, True),
        ({"on_fail": "warn"}, False),
        ({"on_fail": "quarantine"}, True),
        ({"on_fail": "quarantine", "mostly": 0.66}, True),
        ({"on_fail": "quarantine", "mostly": 0.67}, False),
    ],
)
def test_mostly_is_the_share_of_rows_with_a_value_that_must_pass(
    rows: DataFrame, options: dict[str, Any], success: bool
) -> None:
    done = checks(rows, {"matches": {"column": "t", "regex": "^.$"} | options})
    assert done.numbers == [(3, 1, success)]
    assert done.results[0].on_fail == options.get("on_fail", "stop")
    assert bool(done.results[0].message) is not success


def test_a_row_that_fails_several_checks_is_set_aside_once_with_all_that_it_broke(rows: DataFrame) -> None:
    done = checks(
        rows,
        {"unique": {"columns": ["i.d"], "on_fail": "quarantine", "name": "one of each"}},
        {"matches": {"column": "t", "regex": "^.$", "on_fail": "quarantine"}},
        {"not_null": {"columns": ["t"], "on_fail": "warn"}},
        {"in_range": {"column": "i.d", "max": 99, "on_fail": "quarantine"}},
    )
    assert sorted(done.kept or [], key=repr) == [(1, "a"), (2, None)]
    found = {row["raw"]: (row["rules"], row["message"], row["stage"], row["dataset"]) for row in done.refused}
    assert found == {
        '{"i.d":3,"t":"zz"}': (
            ["one of each", "matches"],
            "i.d: '3' is not unique; t: 'zz' doesn't match ^.$",
            "check",
            "result",
        ),
        '{"i.d":3,"t":"b"}': (["one of each"], "i.d: '3' is not unique", "check", "result"),
    }


def test_a_check_of_several_columns_names_its_rule_once(rows: DataFrame) -> None:
    both = rows.selectExpr("t", "t AS u")
    done = checks(both, {"not_null": {"columns": ["t", "u"], "on_fail": "quarantine"}})
    assert [(row["rules"], row["message"]) for row in done.refused] == [(["not_null"], "t is null; u is null")]
    assert done.raw == [{"t": None, "u": None}]


def test_nothing_is_set_aside_where_nothing_fails_or_the_run_stops_anyway(rows: DataFrame) -> None:
    aside = {"matches": {"column": "t", "regex": "^.$", "on_fail": "quarantine"}}
    assert checks(rows, {"matches": {"column": "t", "regex": ".", "on_fail": "quarantine"}}).kept is None
    assert checks(rows, aside, {"row_count": {"min": 9}}).kept is None
    assert checks(rows, aside, {"row_count": {"min": 9, "on_fail": "warn"}}).kept is not None


def test_results_stand_in_the_order_of_the_file_under_their_own_names(rows: DataFrame) -> None:
    done = checks(
        rows, {"row_count": {"min": 1}}, {"unique": {"columns": ["t"], "name": "mine"}}, {"not_null": ["i.d", "t"]}
    )
    assert [(result.name, result.column, result.dataset) for result in done.results] == [
        ("row_count", None, "result"),
        ("mine", "t", "result"),
        ("not_null", "i.d", "result"),
        ("not_null", "t", "result"),
    ]
    json.dumps([vars(result) for result in done.results])


def test_values_stay_out_of_the_report(rows: DataFrame) -> None:
    done = checks(rows, {"matches": {"column": "t", "regex": "^.$"}})
    assert "zz" not in done.results[0].message


def test_files_that_changed_since_they_were_staged_are_noticed(rows: DataFrame) -> None:
    from spark_jobs.check.not_null import NotNull

    with pytest.raises(InfrastructureError, match="4 rows were read, 5 were staged"):
        check((("not_null", NotNull(columns=("t",))),), rows, 5, context(rows))


def test_a_check_of_somebody_else_needs_no_severity(rows: DataFrame) -> None:
    from spark_jobs.check.rule import Question

    class Theirs:
        """As it was written before there was one."""

        mostly, on_fail, name = None, "warn", None

        def measure(self, given: DataFrame, _context: Any) -> tuple[Question, ...]:
            nothing = given["t"].isNull()
            return (Question(column="t", failing=nothing, counted=None, reason=given["t"], says="are null"),)

    (result,) = check((("theirs", Theirs()),), rows, 4, context(rows)).results
    assert (result.severity, result.kind, result.unexpected_count) == ("critical", "theirs", 1)


def known(rows: DataFrame, *names: str) -> Statistics:
    """What files of rows would know of some columns."""
    there, columns = rows.collect(), {}
    for name in names:
        values = [row[name].encode() if isinstance(row[name], str) else row[name] for row in there]
        held = [value for value in values if value is not None]
        least, greatest = (pick(held, default=None) for pick in (min, max))
        columns[name] = Known(nulls=len(values) - len(held), least=least, greatest=greatest)
    return Statistics(rows=len(there), columns=columns)


NAN = float("nan")
ASIDE = {"on_fail": "quarantine"}


@pytest.mark.parametrize(
    ("wanted", "apart"),
    [("t = 'zz' OR t = 'b'", True), ("t = 'zz'", False), ("t IS NOT NULL", False), ("t IS NULL", False)],
)
def test_files_of_refused_rows_are_taken_only_where_they_hold_just_those(
    rows: DataFrame, wanted: str, apart: bool
) -> None:
    both = built(
        [{"in_range": {"column": "i.d", "max": 2} | ASIDE}, {"not_in_set": {"column": "t", "values": ["zz"]} | ASIDE}]
    )
    others = known(rows.where(f"NOT coalesce({wanted}, false)"), "i.d", "t")
    done = check(both, rows, 4, context(rows), apart=Apart(failed=rows.where(wanted), passed=lambda _names: others))
    assert done.apart is apart
    assert [item.unexpected_count for item in done.results] == [2, 1]
    assert done.kept is not None
    assert done.refused is not None
    assert (done.kept.count(), done.refused.count()) == (2, 2)


def test_rows_that_passed_while_they_were_written_are_not_read_again_and_answers_are_alike(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [
            (1, 0.5, "a", None),
            (2, None, None, "x"),
            (3, 7.0, "zz", "x"),
            (4, float("nan"), "b", "y"),
            (5, 1.0, "c", "y"),
        ],
        "i int, n double, t string, u string",
    )
    asked = built(
        [
            {"in_range": {"column": "n", "max": 2} | ASIDE},
            {"matches": {"columns": ["t", "u"], "regex": "^.$"} | ASIDE},
            {"compare": {"column": "i", "is": "greater_or_equal", "other": "n"} | ASIDE},
            {"in_set": {"column": "u", "values": ["x", "y"]}},
            {"not_null": {"columns": ["i", "t"], "on_fail": "warn"}},
            {"length": {"column": "t", "max": 1, "on_fail": "warn"}},
            {"mean": {"column": "i", "min": 0}},
        ]
    )
    fails = "n > 2 OR isnan(n) OR length(t) > 1 OR i < n"
    passed, failed = rows.where(f"NOT coalesce({fails}, false)"), rows.where(fails)
    apart = Apart(failed=failed, passed=lambda _names: known(passed, "i", "n", "t", "u"))
    read, told = (check(asked, rows, 5, context(rows), apart=each) for each in (None, apart))
    assert told.apart
    assert [replace(item, answered_by="aggregate") for item in told.results] == read.results
    unread = rows.selectExpr("i + CAST(assert_true(false) AS int) i", "n", "t", "u")
    done = check(asked[:2], unread, 5, context(rows), apart=apart)
    assert done.results == told.results[:3]
    clean = check(asked[:2], unread, 3, context(rows), apart=replace(apart, failed=None))
    assert [(item.observed, item.unexpected_count) for item in clean.results] == [(2, 0), (2, 0), (2, 0)]


def test_what_a_row_alone_tells_is_told_before_it_is_written(rows: DataFrame) -> None:
    aside = {"on_fail": "quarantine"}

    def told(*items: dict[str, Any]) -> list[Any] | None:
        found = set_aside(built(items), rows, context(rows))
        return None if found is None else [row[0] for row in rows.select(found).collect()]

    assert told({"matches": {"column": "t", "regex": "^.$"} | aside}) == [False, False, True, False]
    assert told({"not_null": {"columns": ["t"]} | aside}, {"in_range": {"column": "i.d", "max": 2} | aside}) == [
        False,
        True,
        True,
        True,
    ]
    assert told({"matches": {"column": "t", "regex": "^.$"}}, {"row_count": {"min": 9}}) is None, "nothing is set aside"
    assert told({"unique": {"columns": ["i.d"]} | aside}, {"not_null": {"columns": ["t"]} | aside}) is None
    stops = {"in_set": {"column": "t", "values": ["a", "zz"]}}
    late = {"not_null": {"columns": ["t"], "mostly": 0.5}}, {"in_range": {"column": "i.d", "min": 9, "on_fail": "warn"}}
    assert told({"matches": {"column": "t", "regex": "^.$"} | aside}, stops, *late) == [False, False, True, True]
    called = {"python": {"function": "tests.spark_jobs.check.functions:many"} | aside}
    assert told(called) is None, "a function may run an action, and nothing is written yet: it isn't asked"


def test_a_check_that_cant_be_asked_ahead_says_its_place(rows: DataFrame) -> None:
    items = built([{"row_count": {"min": 1}}, {"not_null": {"columns": ["nosuch"], "on_fail": "quarantine"}}])
    with pytest.raises(ConfigError, match=r"check\.result\[1\]\.not_null"):
        set_aside(items, rows, context(rows))


def test_no_checks_no_action(rows: DataFrame) -> None:
    broken = rows.selectExpr("assert_true(false) AS boom")
    assert check((), broken, 4, context(rows)).results == []


_VALUE = st.one_of(st.none(), st.integers(-3, 3), st.just(float("nan")))
_ROW = st.tuples(st.sampled_from([None, 1, 2, 3]), _VALUE, st.sampled_from([None, "a", "b", "ab", ""]))


def _expected(data: list[tuple[Any, ...]]) -> list[tuple[int, int]]:
    """A plain recount: (rows that count, rows that fail)."""
    ids, numbers, texts = ([row[place] for row in data if row[place] is not None] for place in range(3))
    return [
        (len(data), len(data) - len(ids)),
        (len(ids), sum(count for count in Counter(ids).values() if count > 1)),
        (len(numbers), sum(not -1 <= number <= 1 for number in numbers)),
        (len(texts), sum(text not in {"a", "b"} for text in texts)),
        (len(texts), sum("a" not in text for text in texts)),
        (len(ids), sum(number not in {1, 2} for number in ids)),
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(_ROW, max_size=12), fails=st.lists(st.sampled_from(["warn", "quarantine"]), min_size=6, max_size=6)
)
def test_counts_equal_a_plain_recount_and_no_row_is_lost(
    spark: SparkSession, data: list[tuple[Any, ...]], fails: list[str]
) -> None:
    typed = [(one, None if two is None else float(two), three) for one, two, three in data]
    rows = spark.createDataFrame(typed, "i int, n double, t string")
    items: list[dict[str, dict[str, Any]]] = [
        {"not_null": {"columns": ["i"]}},
        {"unique": {"columns": ["i"]}},
        {"in_range": {"column": "n", "min": -1, "max": 1}},
        {"in_set": {"column": "t", "values": ["a", "b"]}},
        {"matches": {"column": "t", "regex": "a"}},
        {"references": {"column": "i", "dataset": "other"}},
    ]
    asked = [
        {kind: options | {"on_fail": fail}}
        for item, fail in zip(items, fails, strict=True)
        for kind, options in item.items()
    ]
    done = checks(rows, *asked, other=spark.createDataFrame([(1,), (2,), (2,)], "i int"))
    assert [numbers[:2] for numbers in done.numbers] == _expected(data)
    kept = typed if done.kept is None else done.kept
    aside = [(raw["i"], None if raw["n"] is None else float(raw["n"]), raw["t"]) for raw in done.raw]
    assert sorted(map(repr, [*kept, *aside])) == sorted(map(repr, typed))
