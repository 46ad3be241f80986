"""What OpenLineage is told: datasets by the names that its specification gives them, and what checks found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.operators.datasets import place_of_path, places_of
from airflow_provider_etl.operators.lineage import lineage_of
from spark_jobs.extract.jdbc import Jdbc
from spark_jobs.load.delta import Delta
from spark_jobs.load.iceberg import Iceberg
from spark_jobs.load.strategies import Snapshot
from spark_jobs.plan import Plan
from spark_jobs.report import CheckResult, DatasetCounts, LoadReceipt, Report
from tests.spark_jobs import plans

pytestmark = pytest.mark.airflow


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/data/lake/orders", ("file", "/data/lake/orders")),
        ("file:///data/lake/orders", ("file", "/data/lake/orders")),
        ("/data/raw/2013-01-*/orders.csv", ("file", "/data/raw")),
        ("s3a://lake/silver/orders", ("s3://lake", "silver/orders")),
        ("s3://lake/*.csv", ("s3://lake", "/")),
        ("gs://lake/orders/", ("gs://lake", "orders")),
        ("hdfs://names:8020/lake/orders", ("hdfs://names:8020", "/lake/orders")),
        ("/data/C#/orders", ("file", "/data/C#/orders")),
        ("s3a://KEY:SECRET@lake/x#y", ("s3://lake", "x#y")),
        ("abfss://lake@there.dfs.core.windows.net/orders", ("abfss://lake@there.dfs.core.windows.net", "orders")),
    ],
)
def test_a_path_is_a_dataset_of_its_store(path: str, place: tuple[str, str]) -> None:
    assert place_of_path(path) == place


@pytest.mark.parametrize(
    ("uri", "of", "places"),
    [
        ("postgres://me:secret@db:6543/shop", {"table": "orders"}, [("postgres://db:6543", "shop.public.orders")]),
        ("postgres://db/shop", {"table": "sales.orders"}, [("postgres://db:5432", "shop.sales.orders")]),
        ("mysql://db/shop", {"table": "orders"}, [("mysql://db:3306", "shop.orders")]),
        ("jdbc://thin%3Asecret%40host/", {"table": "orders"}, [("jdbc://shop", "orders")]),
        (
            "postgres://db/shop",
            {"query": "WITH x AS (SELECT 1) SELECT * FROM a.b JOIN c ON true, x"},
            [("postgres://db:5432", "shop.a.b"), ("postgres://db:5432", "shop.public.c")],
        ),
        (
            "postgres://db/shop",
            {"query": "SELECT * FROM ONLY Orders o, generate_series(1, 2), jsonb_to_recordset('[]') WHERE o.d @> '{}'"},
            [("postgres://db:5432", "shop.public.orders")],
        ),
        ("mysql://db/shop", {"query": "SELECT * FROM `Orders`"}, [("mysql://db:3306", "shop.Orders")]),
        ("postgres://db/shop", {"query": "SELECT ((FROM"}, []),
        ("postgres://db/shop", {"query": "SELECT " + 3000 * "("}, []),
        ("", {"table": "orders"}, [("shop", "orders")]),
    ],
)
def test_a_table_is_a_dataset_of_its_server(
    uri: str, of: dict[str, str], places: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    if uri:
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", uri)
    assert places_of(Jdbc(connection="shop", **of)) == places


def test_an_iceberg_table_goes_by_its_catalog_and_what_has_no_name_is_left_out() -> None:
    lake = Iceberg(catalog="lake", table="silver.orders", write=Snapshot(strategy="snapshot"))
    assert places_of(lake) == [("iceberg://lake", "silver.orders")]
    assert places_of(object()) == []


def windows(folder: Path) -> list[Plan]:
    """Two windows of a pipeline with one source and one load."""
    load = ("result", Delta(path=str(folder / "table"), write=Snapshot(strategy="snapshot")))
    source = Jdbc(connection="shop", table="orders", window="all")
    made = [plans.plan(folder, plans.day(number), plans.attempt(number)) for number in (1, 2)]
    return [replace(plan, extract={"orders": source}, load={"lake": load}) for plan in made]


def checked(name: str, dataset: str, **told: Any) -> CheckResult:
    return CheckResult(name=name, kind=name, dataset=dataset, column="id", success=False, observed=7, **told)


def test_windows_of_one_run_tell_of_each_dataset_once(tmp_path: Path) -> None:
    made = windows(tmp_path)
    told = []
    for number, plan in enumerate(made, start=1):
        report = Report.begun(plan)
        report.datasets["orders"] = DatasetCounts(read=number, rows=number)
        report.checks = [checked("unique", "orders"), checked("not_null", "result", on_fail="warn")]
        report.checks += [checked("matches", "between", severity="info")]
        report.loads["lake"] = LoadReceipt(strategy="append", state="loaded", table="t", rows_inserted=number)
        told.append(report.to_json())
    found = lineage_of(made, told)
    [read], [written] = found.inputs, found.outputs
    assert read.inputFacets["dataQualityMetrics"].rowCount == 3
    of_source = read.inputFacets["dataQualityAssertions"].assertions
    assert [(item.assertion, item.severity, item.column, item.actual) for item in of_source] == [
        ("unique", "error", "id", "7"),
        ("unique", "error", "id", "7"),
    ]
    assert written.outputFacets["outputStatistics"].rowCount == 3
    of_result = written.facets["dataQualityAssertions"].assertions
    assert [(item.assertion, item.severity) for item in of_result] == [("not_null", "warn"), ("matches", "info")] * 2


def test_checks_of_a_source_are_told_by_the_task_that_asked_them_and_rows_of_a_join_by_none(tmp_path: Path) -> None:
    made = [replace(plan, verbs=("check",)) for plan in windows(tmp_path)]
    report = Report.begun(made[0])
    report.datasets["orders"] = DatasetCounts(read=5, rows=5)
    report.checks = [checked("unique", "orders"), checked("condition", "result")]
    report.checks[1].column = "amount > 0"
    source, table = lineage_of(made[:1], [report.to_json()]).inputs
    assert [item.assertion for item in source.inputFacets["dataQualityAssertions"].assertions] == ["unique"]
    assert set(source.inputFacets) == {"dataQualityAssertions"}, "it was read by another task"
    [condition] = table.inputFacets["dataQualityAssertions"].assertions
    assert (condition.assertion, condition.column) == ("condition", None), "a condition is no column"
    joined = Jdbc(connection="shop", query="SELECT * FROM a JOIN b ON true", window="all")
    both = [replace(plan, extract={"orders": joined}) for plan in windows(tmp_path)]
    told = [replace(report, checks=report.checks[:1]).to_json()] * 2
    for item in lineage_of(both, told).inputs:
        assert set(item.inputFacets) == {"dataQualityAssertions"}
        assert len(item.inputFacets["dataQualityAssertions"].assertions) == 2


def test_a_window_that_was_not_reached_is_not_told_of(tmp_path: Path) -> None:
    made = windows(tmp_path)
    report = Report.begun(made[0])
    report.state, report.error = "failed", {"kind": "data", "message": "no file", "where": "extract"}
    found = lineage_of(made, [report.to_json()])
    assert [item.outputFacets for item in found.outputs] == [{}], "nothing was loaded"
    assert [item.inputFacets for item in found.inputs] == [{}]
    assert lineage_of(made, []).inputs == []
