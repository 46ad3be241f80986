"""Contenders do the same work: in one Spark, on tiny data, what each leaves is compared. `prove` has the commands."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.spec import load_file
from benchmarks.harness.model import Options
from benchmarks.harness.rows import of_parquet
from benchmarks.load import cases as loads
from benchmarks.load import one
from benchmarks.load.data import prepare
from benchmarks.load.plain import plain
from benchmarks.pipeline import by_hand, ours
from benchmarks.pipeline import cases as pipelines
from benchmarks.pipeline import data as orders
from benchmarks.windows import by_hand as steps
from benchmarks.windows import project as windows
from spark_jobs.plan import Attempt
from spark_jobs.run import run

pytestmark = pytest.mark.spark
_ROWS = 600


def ran(spark: Any, file: Path, text: str) -> Any:
    """A window of a pipeline file, in this Spark."""
    pipeline = load_file(file).pipeline
    assert pipeline is not None
    plan = pipeline.plan(pipeline.window_of(text), Attempt(number=1, token="t", run="r"))
    report = run(plan, lambda *_: spark.newSession())
    assert report.error is None, report.error
    return report


def test_the_pipeline_file_does_what_the_script_does(spark: Any, tmp_path: Path) -> None:
    data = orders.prepare(tmp_path / "data", 500)
    report = ran(spark, ours.project(tmp_path, data, "fused", checks=True), "2024-03-01")
    assert len(report.checks) == 12
    wanted = by_hand.wanted(spark, str(data), str(data.parent / "countries.csv"))
    wanted.write.format("delta").save(str(tmp_path / "hand/lake/orders"))
    found = pipelines.loaded(tmp_path)
    assert found.count > 300
    assert found.differs(pipelines.loaded(tmp_path / "hand")) == ""


def test_small_windows_are_alike(spark: Any, tmp_path: Path) -> None:
    data = windows.drops(tmp_path / "data", 2, 50)
    file = windows.project(tmp_path, data, "local")
    for day in ("2020-01-01", "2020-01-02"):
        ran(spark, file, day)
        for step in (steps.extract, steps.transform, steps.load):
            step(spark, day, str(data), str(tmp_path / "hand"))
    found = windows.loaded(tmp_path)
    assert found.count == 100
    assert found.differs(windows.loaded(tmp_path / "hand")) == ""


@pytest.mark.parametrize(
    "strategy",
    ["replace_window", "scd2", *(pytest.param(each, marks=pytest.mark.prove) for each in ("append", "merge"))],
)
def test_a_strategy_leaves_what_the_plain_calls_leave(spark: Any, tmp_path: Path, strategy: str) -> None:
    data = prepare(tmp_path / "data", _ROWS)
    columns = loads.columns_of(strategy)
    session = spark.newSession()
    session.conf.set("spark.sql.runSQLOnFiles", "true")  # Spark's default, by which plain calls name a table's path
    session.conf.set("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
    session.conf.set("spark.sql.catalog.lake.type", "hadoop")
    session.conf.set("spark.sql.catalog.lake.warehouse", str(tmp_path / "warehouse"))
    for phase, comes in (("seed", "month"), ("work", one.COMES[strategy])):
        one.ours(session, strategy, phase, data, tmp_path / "ours")
        rows = session.read.parquet(str(data / comes))
        for who in ("delta", "iceberg"):
            plain(session, who, strategy, phase, rows, tmp_path / who)
    found = {}
    for who in ("ours", "delta", "iceberg"):
        one.export(session, who, tmp_path / who)
        found[who] = of_parquet(map(str, (tmp_path / who / "exported").glob("*.parquet")), columns)
    assert found["ours"].count == {"replace_window": 600, "append": 620, "merge": 600, "scd2": 606}[strategy]
    assert {who: found["ours"].differs(rows) for who, rows in found.items()} == dict.fromkeys(found, "")


def test_a_database_gets_the_same_rows(
    spark: Any, postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.load import postgres as into

    data = prepare(tmp_path / "data", _ROWS)
    found = {}
    for who in ("spark", "rewritten", "copy", "ours"):
        contender = loads.into(postgres, who, data)
        command = contender.command(tmp_path)
        server = json.loads(command.env[into.SERVER])
        assert server["password"] not in " ".join(command.argv)
        if who == "copy":
            monkeypatch.setenv(into.SERVER, command.env[into.SERVER])
            into.main(*command.argv[3:])
            assert into.SERVER not in os.environ
        elif who == "ours":
            into.ours(spark.newSession(), data, tmp_path, server)
        else:
            into.sparks(spark, data, server, rewritten=who == "rewritten")
        found[who] = contender.rows(tmp_path)
    first = found["spark"]
    assert first.count == _ROWS
    assert {who: rows.differs(first) for who, rows in found.items()} == dict.fromkeys(found, "")


def test_cases_are_as_the_issue_has_them(tmp_path: Path) -> None:
    """Without their states: nobody is asked to run."""
    options = Options(data=tmp_path, scratch=tmp_path, tiny=True, only=("nobody",))
    with ExitStack() as until:
        whole = until.enter_context(pipelines.opened(options))
        names = {each.name for each in whole.cases[0].contenders}
    assert len(names) == 8
    asked = {figure.contender for goal in whole.goals for figure in (goal.figure, goal.beside) if figure}
    assert asked <= names
