"""Given a file with `lookback`, then late rows come in with a later window, or are context for its steps."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_etl.hooks.ledger import newest_attempt
from airflow_provider_etl.spec import load_file
from spark_jobs.ledger import Ledger, attempt_number
from spark_jobs.orders import Order, execute
from spark_jobs.plan import VERBS, Attempt, Plan
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import Report
from spark_jobs.run import run
from tests.spec.conftest import Project, project

__all__ = ["project"]
pytestmark = pytest.mark.spark

Execution = Literal["fused", "staged"]
FILE = """\
schedule: "@daily"
start: 2013-01-01
lookback: 2d
extract:
  orders:
    type: files
    path: ${env.raw}/orders.csv
    format: csv
    window: {column: at}
    columns:
      id: {type: int, required: true}
      amount: {type: int}
      at: {type: timestamp, required: true}
transform:
  - from: orders
load:
  lake:
    type: delta
    path: ${env.lake}/orders
    write: {strategy: replace_window, column: at}
"""
APPEND = FILE.replace("{strategy: replace_window, column: at}", "{strategy: append}")
ROLLING = APPEND.replace(
    "  - from: orders\n",
    """\
  - from: orders
  - sql: >-
      SELECT id, at, sum(amount) OVER (ORDER BY at RANGE BETWEEN INTERVAL 2 DAYS PRECEDING AND CURRENT ROW) AS total
      FROM input
check:
  - row_count: {max: 2}
  - in_range: {column: total, min: 1, on_fail: quarantine}
""",
)
CHAIN = """\
transform:
  own: {from: orders}
  sums: {from: own, steps: [{aggregate: {by: [], values: {at: max(at), total: sum(amount)}}}]}
load:
  lake: {from: own, type: delta, path: "${env.lake}/orders", write: {strategy: append}}
  sums: {from: sums, type: delta, path: "${env.lake}/sums", write: {strategy: append}}
"""
TWO = """\
  days: {type: files, path: "${env.raw}/${window.key}.csv", format: csv}
transform:
  days_too: {from: days}
  result: {from: orders}
load:
  lake:
    from: result
    type: delta
    path: ${env.lake}/orders
    write: {strategy: replace_window, column: at}
  days: {from: days_too, type: delta, path: "${env.lake}/days", write: {strategy: append}}
"""


class Orders:
    """A pipeline over one CSV file, which changes."""

    def __init__(self, spark: Any, project: Project, text: str) -> None:
        self.spark, self.folder, self.last = spark, project.folder, 0
        loaded = load_file(project.write(text), expressions=True)
        assert loaded.pipeline is not None, [str(item) for item in loaded.diagnostics]
        self.pipeline = loaded.pipeline

    def drop(self, *rows: str) -> None:
        path = self.folder / "data/raw/orders.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["id,amount,at", *rows, ""]))

    def plan(self, window: str) -> Plan:
        """A plan of this moment; each is later than the one before."""
        self.last = attempt_number(self.pipeline.fingerprint, self.last)
        who = Attempt(number=self.last, token=f"t{self.last}", run=f"r{self.last}")
        return self.pipeline.plan(self.pipeline.window_of(window), who)

    def run(self, made: Plan, execution: Execution = "fused") -> Report:
        parts = [VERBS] if execution == "fused" else [(verb,) for verb in VERBS]
        report: Report | None = None
        for verbs in parts:
            previous = report.to_json() if report else None
            step = Plan.from_json(replace(made, verbs=verbs, previous=previous).to_json())
            report = run(step, lambda *_: self.spark.newSession())
        assert report is not None
        return report

    def load(self, window: str, execution: Execution = "fused") -> Report:
        report = self.run(self.plan(window), execution)
        assert report.error is None, report.error
        assert all(counts.missing == 0 for counts in report.datasets.values())
        return report

    def rows(self, *columns: str, table: str = "orders") -> list[tuple[Any, ...]]:
        frame = self.spark.read.format("delta").load(str(self.folder / "data/lake" / table))
        return sorted(tuple(row) for row in frame.select(*(columns or ("id", "amount"))).collect())


def edited(old: str, new: str, text: str = FILE) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize("execution", ["fused", "staged"])
def test_rows_that_come_late_are_loaded_with_a_later_window(spark: Any, project: Project, execution: Execution) -> None:
    orders = Orders(spark, project, FILE)
    orders.drop("1,10,2013-01-03 10:00:00", "2,20,2013-01-04 10:00:00")
    orders.load("2013-01-03", execution)
    orders.load("2013-01-04", execution)
    orders.drop(
        "0,1,2013-01-02 10:00:00",  # older than the next window looks
        "1,11,2013-01-03 10:00:00",  # changed
        "2,20,2013-01-04 10:00:00",
        "3,30,2013-01-04 23:00:00",  # late
        "5,50,2013-01-05 10:00:00",
        "6,60,2013-01-06 00:00:00",  # the next window's
    )
    report = orders.load("2013-01-05", execution)
    assert orders.rows() == [(1, 11), (2, 20), (3, 30), (5, 50)]
    source, result = report.datasets["orders"], report.datasets["result"]
    assert (source.read, source.filtered, source.rows) == (6, 2, 4)
    assert (result.read, result.filtered, result.rows) == (4, 0, 4)
    assert (report.loads["lake"].rows_inserted, report.loads["lake"].rows_deleted) == (4, 2)
    assert orders.load("2013-01-05", execution).loads["lake"].rows_deleted == 4


def test_rows_that_the_source_has_lost_go_from_the_whole_reach(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, FILE)
    orders.drop("1,10,2013-01-03 10:00:00", "2,20,2013-01-04 10:00:00", "4,40,2013-01-01 10:00:00")
    for window in ("2013-01-01", "2013-01-03", "2013-01-04"):
        orders.load(window)
    orders.drop("2,20,2013-01-04 10:00:00")
    orders.load("2013-01-05")
    assert orders.rows() == [(2, 20), (4, 40)]


def test_nothing_before_the_start_is_loaded_or_replaced(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, FILE)
    orders.drop("1,1,2012-12-31 10:00:00", "2,2,2013-01-01 10:00:00", "3,3,2013-01-02 10:00:00")
    report = orders.load("2013-01-02")
    assert orders.rows() == [(2, 2), (3, 3)]
    assert report.datasets["orders"].filtered == 1


def test_a_day_over_a_change_of_the_clock_reaches_whole_local_days(spark: Any, project: Project) -> None:
    text = edited("lookback: 2d", "lookback: 1d\ntimezone: America/New_York")
    orders = Orders(spark, project, text)
    rows = ["1,1,2013-03-09 23:59:59", "2,2,2013-03-10 00:00:00", "3,3,2013-03-11 23:59:59", "4,4,2013-03-12 00:00:00"]
    orders.drop(*rows)
    orders.load("2013-03-11")
    assert orders.rows() == [(2, 2), (3, 3)]  # 10 March has 23 hours
    orders.load("2013-03-10")
    assert orders.rows() == [(1, 1), (2, 2), (3, 3)]


def test_a_date_column_reaches_back_by_dates(spark: Any, project: Project) -> None:
    text = edited("at: {type: timestamp", "at: {type: date", edited("start", "timezone: America/New_York\nstart"))
    orders = Orders(spark, project, text)
    orders.drop(*(f"{number},{number},2013-03-{number:02}" for number in range(7, 13)))
    orders.load("2013-03-10")
    assert orders.rows() == [(8, 8), (9, 9), (10, 10)]


@pytest.mark.parametrize("execution", ["fused", "staged"])
def test_rows_before_the_window_are_context_for_the_steps(spark: Any, project: Project, execution: Execution) -> None:
    orders = Orders(spark, project, ROLLING)
    orders.drop(*(f"{number},{10**number},2013-01-0{number + 1} 10:00:00" for number in range(5)))
    for window in ("2013-01-01", "2013-01-02", "2013-01-03"):
        orders.load(window, execution)
    report = orders.load("2013-01-04", execution)
    assert orders.rows("id", "total") == [(0, 1), (1, 11), (2, 111), (3, 1110)]
    source, result = report.datasets["orders"], report.datasets["result"]
    assert (source.read, source.filtered, source.rows) == (5, 2, 3)
    assert (result.read, result.filtered, result.rows, result.quarantined) == (3, 2, 1, 0)
    assert [(check.name, check.observed) for check in report.checks] == [("row_count", 1), ("in_range", 1)]
    assert report.loads["lake"].rows_inserted == 1


def test_context_is_never_in_quarantine(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, ROLLING)
    orders.drop("1,-5,2013-01-02 10:00:00", "2,3,2013-01-03 09:00:00", "3,9,2013-01-03 10:00:00")
    orders.load("2013-01-02")
    report = orders.load("2013-01-03")
    assert orders.rows("id", "total") == [(3, 7)]
    counts = report.datasets["result"]
    assert (counts.read, counts.filtered, counts.quarantined, counts.rows) == (3, 1, 1, 1)
    table = Quarantine(folder=str(orders.folder / "data/quarantine"), pipeline="orders")
    seen = spark.read.format("delta").load(table.path).select("window_start", "raw").collect()
    assert sorted((row["window_start"].day, row["raw"][:7]) for row in seen) == [(2, '{"id":1'), (3, '{"id":2')]


def test_a_window_replaced_by_another_column_has_context_too(spark: Any, project: Project) -> None:
    text = edited(
        "column: at}\n",
        "column: day}\n",
        edited("  - from: orders\n", "  - from: orders\n  - derive: {day: to_date(at)}\n"),
    )
    text = text.replace("window: {column: day}", "window: {column: at}")
    orders = Orders(spark, project, text)
    orders.drop("1,1,2013-01-02 10:00:00", "2,2,2013-01-03 10:00:00")
    orders.load("2013-01-02")
    orders.drop("1,7,2013-01-02 10:00:00", "2,2,2013-01-03 10:00:00")
    assert orders.load("2013-01-03").datasets["result"].filtered == 1
    assert orders.rows() == [(1, 1), (2, 2)]


def test_a_dataset_that_starts_from_a_loaded_one_sees_its_context(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, FILE[: FILE.index("transform:")] + CHAIN)
    orders.drop("1,1,2013-01-02 10:00:00", "2,20,2013-01-03 10:00:00")
    report = orders.load("2013-01-03")
    assert orders.rows() == [(2, 20)]
    assert orders.rows("total", table="sums") == [(21,)]
    assert (report.datasets["own"].filtered, report.datasets["sums"].read) == (1, 2)


def test_a_snapshot_holds_the_windows_rows_alone(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, APPEND.replace("strategy: append", "strategy: snapshot"))
    orders.drop("1,1,2013-01-02 10:00:00", "2,2,2013-01-03 10:00:00")
    orders.load("2013-01-03")
    assert orders.rows() == [(2, 2)]


def test_a_dataset_of_a_source_without_a_window_column_is_as_ever(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, FILE[: FILE.index("transform:")] + TWO)
    orders.drop("1,1,2013-01-02 10:00:00", "2,2,2013-01-03 10:00:00")
    (orders.folder / "data/raw/2013-01-03.csv").write_text("id\n9\n")
    report = orders.load("2013-01-03")
    assert orders.rows() == [(1, 1), (2, 2)]
    assert orders.rows("id", table="days") == [("9",)]
    assert report.datasets["days_too"].filtered == 0


def test_a_dataset_without_the_windows_column_stops(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, APPEND)
    orders.drop("1,1,2013-01-02 10:00:00")
    made = orders.plan("2013-01-03")
    dropped = Plan.from_json(
        made.to_json() | {"transform": {"result": {"from": "orders", "steps": [{"drop": {"columns": ["at"]}}]}}}
    )
    report = orders.run(dropped)
    assert report.error is not None
    assert (report.error["kind"], report.error["where"]) == ("config", "transform.result")
    assert "has no column 'at'" in report.error["message"]


def test_a_run_that_read_before_another_publishes_nothing_over_it(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, FILE)
    orders.drop("1,1,2013-01-03 10:00:00")
    slow = replace(orders.plan("2013-01-03"), verbs=VERBS[:-1])
    read = run(slow, lambda *_: spark.newSession())
    orders.drop("1,2,2013-01-03 10:00:00", "2,2,2013-01-04 10:00:00")
    orders.load("2013-01-04")
    later = replace(orders.plan("2013-01-03").attempt, run=slow.attempt.run, since=slow.attempt.since)
    load = replace(slow, verbs=("load",), previous=read.to_json(), attempt=later)
    report = run(load, lambda *_: spark.newSession())
    assert report.error is not None
    assert report.error["kind"] == "data"
    assert "clear the run from its extract task on" in report.error["message"]
    assert orders.rows() == [(1, 2), (2, 2)]
    orders.load("2013-01-03")
    assert orders.rows() == [(1, 2), (2, 2)]


def test_a_clock_that_is_ahead_does_not_make_older_rows_newer(spark: Any, project: Project) -> None:
    """Two machines: what the one has published before the other reads is older, whatever its clock said."""
    orders = Orders(spark, project, FILE)
    orders.drop("1,1,2013-01-03 10:00:00")
    orders.last = attempt_number(orders.pipeline.fingerprint, now=time.time() + 3600)
    orders.load("2013-01-04")
    orders.drop("1,2,2013-01-03 10:00:00")
    asked = orders.pipeline.window_of("2013-01-03")
    last = newest_attempt(orders.pipeline, asked)
    assert last == orders.last
    number = attempt_number(orders.pipeline.fingerprint, last)
    report = orders.run(orders.pipeline.plan(asked, Attempt(number=number, token="other", run="other")))
    assert report.error is None, report.error
    assert orders.rows() == [(1, 2)]


@pytest.mark.prove
def test_a_refresh_rebuilds_reaches(spark: Any, project: Project) -> None:
    orders = Orders(spark, project, FILE)
    rows = [f"{number},{number},2013-01-0{number} 10:00:00" for number in range(1, 7)]
    orders.drop(*rows)
    for number in range(1, 7):
        orders.load(f"2013-01-0{number}")
    orders.drop(*(row.replace(",", ",7", 1) for row in rows))
    plans = tuple(orders.plan(f"2013-01-0{number}") for number in (4, 5))
    order = Order(name="refresh", plans=plans, options={"whole": False})
    report = execute(Order.from_json(order.to_json()), lambda *_: spark.newSession(), print)
    assert report["state"] == "done", report
    assert orders.rows() == [(1, 1), (2, 72), (3, 73), (4, 74), (5, 75), (6, 6)]
    whole = tuple(orders.plan(f"2013-01-0{number}") for number in range(1, 7))
    report = execute(Order(name="refresh", plans=whole, options={"whole": True}), lambda *_: spark.newSession(), print)
    assert report["state"] == "done", report
    assert orders.rows() == [(number, 70 + number) for number in range(1, 7)]
    other = orders.pipeline.window_of("2013-01-31")
    units = Ledger(spark, str(orders.pipeline.units(other)["lake"][1]["path"])).units(orders.pipeline.id, "lake")
    assert newest_attempt(orders.pipeline, other) == max(units.values()), "what a refresh has read counts too"
    assert orders.load("2013-01-05").loads["lake"].state == "loaded"


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(
        st.tuples(st.integers(min_value=1, max_value=5), st.dictionaries(st.integers(0, 40), st.integers(0, 9))),
        min_size=2,
        max_size=5,
    )
)
def test_in_any_order_the_table_holds_what_its_source_said_last(
    spark: Any, tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[int, dict[int, int]]]
) -> None:
    """Row: three-hour slot of five days -> amount. Whatever lies in a run's reach is as the source has it then."""
    orders = Orders(spark, Project(tmp_path_factory.mktemp("any")), FILE)
    wanted: dict[int, int] = {}
    for number, source in runs:
        orders.drop(
            *(
                f"{slot},{amount},2013-01-0{slot // 8 + 1} {slot % 8 * 3:02}:00:00"
                for slot, amount in source.items()
                if slot < 40
            )
        )
        orders.load(f"2013-01-0{number}")
        reach = range(8 * max(number - 3, 0), 8 * number)
        wanted = {slot: amount for slot, amount in wanted.items() if slot not in reach}
        wanted |= {slot: amount for slot, amount in source.items() if slot in reach}
        assert orders.rows() == sorted(wanted.items())
