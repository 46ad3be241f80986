"""What checks found, kept for every window; checks that look back at it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_etl import upkeep
from spark_jobs import results
from spark_jobs.check.anomaly import Anomaly
from spark_jobs.check.earlier import Earlier
from spark_jobs.check.flow import check
from spark_jobs.orders import Order, execute
from spark_jobs.plan import Plan
from spark_jobs.report import CheckResult, LoadReceipt, Report
from spark_jobs.results import kept_as
from tests.spark_jobs import plans
from tests.spark_jobs.check.checking import built
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_a_score_is_how_far_a_value_is_from_what_is_usual() -> None:
    usual = Earlier(values=[10, 11, 12, 13, 14], needed=3)
    assert usual.score(12) == 0
    assert usual.score(14) == pytest.approx(0.6745 * 2)
    assert usual.score(2) == pytest.approx(-6.745)


def test_where_half_are_alike_the_mean_distance_is_the_measure() -> None:
    assert Earlier(values=[5, 5, 5, 5, 9], needed=3).score(9) == pytest.approx(0.7979 * 4 / 0.8)
    alike = Earlier(values=[5, 5, 5], needed=3)
    assert (alike.score(5), alike.score(6), alike.score(4)) == (0, float("inf"), float("-inf"))


def test_what_rounding_makes_of_a_figure_is_no_difference() -> None:
    alike = Earlier(values=[2.3, 2.3, 2.3], needed=3)
    assert (alike.score(2.3000000000000003), alike.score(2.301)) == (0, float("inf"))
    rounded = Earlier(values=[2.3, 2.3000000000000003, 2.2999999999999998, 2.3, 2.3], needed=3)
    assert (rounded.score(2.2999999999999994), rounded.score(2.299)) == (0, float("-inf"))
    assert Earlier(values=[0, 0, 0], needed=3).score(1e-12) == float("inf")


def test_too_few_windows_say_nothing() -> None:
    assert Earlier(values=[1, 2], needed=7).lacking == "no history yet: 2 of 7 windows"
    assert Earlier(values=[1, 2], needed=2).lacking == ""


@pytest.mark.parametrize(
    ("value", "needed", "verdict"),
    [
        (None, 3, (True, "no history yet: 2 of 3 windows")),
        (float("nan"), 3, (True, "no history yet: 2 of 3 windows")),
        (None, 2, (False, "there is no value, so the mean can't be compared")),
        (float("nan"), 2, (False, "the mean is NaN, which can't be compared")),
    ],
)
def test_a_mean_of_nothing_passes_while_there_is_no_history_and_never_becomes_one(
    value: float | None, needed: int, verdict: tuple[bool, str]
) -> None:
    told = Anomaly(of="mean", column="a")._judge(value, Earlier(values=[1, 2], needed=needed))
    assert (told.success, told.message) == verdict
    assert told.observed is None


def found(rows: int, share: float, *, success: bool = True) -> list[CheckResult]:
    return [
        CheckResult(
            name="anomaly",
            kind="anomaly",
            dataset="result",
            column="a",
            success=success,
            observed=share,
            observed_value=share,
            element_count=rows,
            figure="null_share",
        ),
    ]


def of_a_part(rows: int) -> CheckResult:
    """Great Expectations' own: with a row_condition it counts the rows that this leaves."""
    return CheckResult(
        name="largest",
        kind="expectation",
        dataset="result",
        column="a",
        success=True,
        observed=None,
        element_count=rows,
        answered_by="great_expectations",
    )


def reported(plan: Plan, rows: int, share: float, state: Any = "loaded", load: Any = "loaded") -> Report:
    report = Report.begun(plan)
    report.state, report.checks = state, found(rows, share, success=state == "loaded")
    report.loads = {"lake": LoadReceipt(strategy="append", state=load, table="t")}
    return report


ASKED: Any = {"state": "asked", "checks": ["anomaly"], "by": None, "at": None}


@pytest.fixture(scope="module")
def kept(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven days; the third failed after it was loaded, the fourth never was published, the fifth was loaded twice.

    Of the last somebody was asked first.
    """
    folder = tmp_path_factory.mktemp("kept")
    told: list[tuple[int, int, int, float, str, str]] = [
        (1, 1, 100, 0.1, "loaded", "loaded"),
        (2, 2, 110, 0.1, "loaded", "loaded"),
        (3, 3, 90, 0.2, "loaded", "loaded"),
        (3, 4, 5, 0.9, "failed", "loaded"),
        (4, 5, 6, 0.9, "failed", "loaded"),
        (4, 5, 7, 0.9, "loaded", "superseded"),  # the same attempt, and later
        (5, 6, 1, 0.9, "failed", "loaded"),
        (5, 6, 1, 0.9, "loaded", "loaded"),
        (5, 7, 105, 0.1, "loaded", "loaded"),
        (5, 7, 999, 0.1, "loaded", "loaded"),  # the same attempt again: nothing is added
        (9, 8, 4999, 0.5, "asked", "loaded"),
        (9, 8, 5000, 0.5, "loaded", "loaded"),  # after the window that is asked about
    ]
    for day, second, rows, share, state, load in told:
        plan = plans.plan(folder, plans.day(day), plans.attempt(second), results=True)
        report = reported(plan, rows, share, "running" if state == "asked" else state, load)
        if state == "asked":
            plan, report.approval = replace(plan, verbs=("check",)), ASKED
        if day == 1:
            report.checks.append(of_a_part(40))
        assert results.keep(spark, plan, report) is not None
    return folder


def test_what_was_found_is_kept_at_an_attempt_s_end_and_where_a_person_is_asked(tmp_path: Path) -> None:
    whole = plans.plan(tmp_path, plans.day(1), plans.attempt(1), results=True)
    checks = replace(whole, verbs=("check",))
    assert kept_as(checks, reported(whole, 1, 0.0, "running")) is None
    assert kept_as(checks, replace(reported(whole, 1, 0.0, "running"), approval=ASKED)) == "asked"
    assert kept_as(whole, replace(reported(whole, 1, 0.0, "failed"), approval=ASKED)) == "failed"
    approved = ASKED | {"state": "approved"}
    assert kept_as(whole, replace(reported(whole, 1, 0.0), approval=approved)) == "loaded"
    assert kept_as(replace(whole, results=False), reported(whole, 1, 0.0)) is None


@pytest.mark.spark
def test_published_windows_before_count_each_once(spark: SparkSession, kept: Path) -> None:
    plan = plans.plan(kept, plans.day(6), plans.attempt(9))
    table = results.of(plan)

    def before(figure: str, column: str = "", last: int = 10, day: int = 6) -> list[float]:
        series = {"dataset": "result", "figure": figure, "column": column}
        return table.before(spark, plans.day(day), series, last)

    assert before("rows") == [105, 90, 110, 100]
    assert before("rows", last=2) == [105, 90]
    assert before("rows", day=3) == [110, 100], "a window that is run again finds what it found the first time"
    assert before("null_share", "a") == [0.1, 0.2, 0.1, 0.1]
    assert before("null_share", "b") == []


@pytest.mark.spark
def test_checks_look_back(spark: SparkSession, kept: Path) -> None:
    rows = spark.range(150).selectExpr("id", "IF(id < 60, NULL, id) a")
    here = context(rows)
    here = replace(here, plan=replace(here.plan, window=plans.day(6), quarantine=f"{kept}/quarantine", id="flights"))
    wanted = built(
        [
            {"row_count": {"last": 4, "tolerance": "50%"}},
            {"row_count": {"last": 4, "tolerance": "40%"}},
            {"row_count": {"last": 4, "tolerance": 49, "middle": "mean"}},
            {"row_count": {"last": 7, "tolerance": "1%"}},
            {"anomaly": {"last": 4, "needs": 4, "z": 7}},
            {"anomaly": {"last": 4, "needs": 4}},
            {"anomaly": {"of": "null_share", "column": "a", "last": 4}},
            {"anomaly": {"of": "mean", "column": "a"}},
        ]
    )
    done = check(wanted, rows, 150, here)
    before, limit = "4 windows before have a median of", "at most 3.5 is usual"
    assert [(item.success, item.message) for item in done.results] == [
        (True, ""),
        (False, "150 rows, the median of 4 windows before is 102.5 (± 40%)"),
        (True, ""),
        (True, "no history yet: 4 of 7 windows"),
        (True, ""),
        (False, f"the number of rows is 150, {before} 102.5: a score of 6.41, {limit}"),
        (False, f"the share of nulls is 0.4, {before} 0.1: a score of 9.57, {limit}"),
        (True, "no history yet: 0 of 7 windows"),
    ]
    assert [item.answered_by for item in done.results] == ["history"] * 4 + ["aggregate"] * 4
    assert [item.figure for item in done.results] == ["rows"] * 6 + ["null_share", "mean"]


@pytest.fixture
def clock_elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's clock shows another zone than the windows'."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.spark
def test_the_order_tells_the_last_attempt_of_each_window(
    spark: SparkSession, kept: Path, clock_elsewhere: None
) -> None:
    plan = plans.plan(kept, plans.day(6), plans.attempt(9))
    told = results.tell(spark, Order(name="checks", plans=(plan,), options={"windows": 4}), None)
    assert [(row["window_start"], row["state"], row["element_count"]) for row in told["rows"]] == [
        ("2013-01-03T00:00:00+00:00", "failed", 5),
        ("2013-01-04T00:00:00+00:00", "superseded", 7),
        ("2013-01-05T00:00:00+00:00", "loaded", 105),
        ("2013-01-09T00:00:00+00:00", "loaded", 5000),
    ]
    span = {"windows": 9, "first": "2013-01-02T00:00:00+00:00", "last": "2013-01-02T23:59:59+00:00"}
    some = results.tell(spark, Order(name="checks", plans=(plan,), options=span), None)["rows"]
    assert [(row["attempt"], row["observed_value"], row["figure"], row["value"]) for row in some] == [
        (plans.attempt(2).number, "0.1", "null_share", 0.1)
    ]


@pytest.mark.spark
def test_upkeep_removes_old_results_that_no_check_looks_back_at(
    spark: SparkSession, kept: Path, tmp_path: Path
) -> None:
    from pyspark.sql import functions as F  # noqa: N812

    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    looks = (("anomaly", Anomaly(last=3)), ("anomaly", Anomaly(of="mean", column="b")))  # the second has no history
    plan = replace(plans.plan(tmp_path, plans.day(10), plans.attempt(9)), check={"result": looks})
    table = results.of(plan)
    series = {"dataset": "result", "figure": "rows", "column": ""}
    before = table.before(spark, plan.window, series, 3)
    # A year of runs: many small files.
    aged = spark.read.format("delta").load(table.path).crossJoin(spark.range(8).select()).localCheckpoint()
    long_ago = "IF(window_start < '2013-01-09', TIMESTAMP '2020-01-01', evaluated_at)"
    aged = aged.withColumn("evaluated_at", F.expr(long_ago)).repartition(40)
    aged.write.format("delta").mode("overwrite").save(table.path)
    options = {"loads": [], "results": {"keep_days": 400}, "dry_run": True}
    order = Order(name="maintain", plans=(plan,), options=options)
    shown = execute(order, lambda *_: spark, lambda _: None)
    assert (shown["error"], shown["state"], shown["results"]["removed"]) == (None, "shown", 2 * 8)
    assert shown["results"]["files_before"] > 32
    done = execute(replace(order, options=options | {"dry_run": False}), lambda *_: spark, lambda _: None)
    assert (done["results"]["removed"], done["results"]["files_after"]) == (2 * 8, 1)
    assert any("kept for 400 days" in line for line in upkeep.told(done))
    rows = table.rows(spark)
    assert rows is not None
    # A repeat of the newest window sees day 2.
    assert {row[0].day for row in rows.select("window_start").distinct().collect()} == {2, 3, 4, 5, 9}, (
        "a repeat of the newest sees day 2"
    )
    assert table.before(spark, plan.window, series, 3) == before == [5000, 105, 90]
    assert results.keep(spark, replace(plan, results=True), reported(plan, 1, 0.0)) is not None, "runs go on"
    free = replace(order, plans=(replace(plan, check={}),), options=options | {"dry_run": False})
    assert execute(free, lambda *_: spark, lambda _: None)["results"]["removed"] == 8 * 8
    nothing = replace(plan, quarantine=f"{tmp_path}/elsewhere")
    assert "results" not in execute(replace(order, plans=(nothing,)), lambda *_: spark, lambda _: None)


@pytest.mark.spark
def test_results_that_cannot_be_kept_are_told_and_change_nothing(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "quarantine").write_text("a file where a folder should be")
    plan = plans.plan(tmp_path, plans.day(1), plans.attempt(1), results=True)
    told = results.keep(spark, plan, reported(plan, 1, 0.0))
    assert told is not None
    assert told["state"] == "lost"
    assert told["message"].startswith("results of checks weren't kept: ")
    assert results.keep(spark, replace(plan, results=False), reported(plan, 1, 0.0)) is None
    assert Plan.from_json(plan.to_json()).results
