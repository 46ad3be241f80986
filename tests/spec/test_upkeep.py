"""What lint says of `maintenance`, and that it is no part of what a window's rows depend on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError
from tests.spark_jobs.plans import attempt
from tests.spec.conftest import PIPELINE, Project
from tests.spec.test_stores import ON_S3, STORES

BLOCK = 'maintenance: {schedule: "@weekly", zorder: [id], vacuum: {retain: 14d}, log: 30d, statistics: [id]}'
KEPT = PIPELINE.replace("strategy: append}", f"strategy: append}}\n    {BLOCK}")


def test_upkeep_lints_and_leaves_the_fingerprint_alone(project: Project) -> None:
    assert project.told(KEPT) == []
    assert project.pipeline(KEPT).fingerprint == project.pipeline(PIPELINE).fingerprint
    assert project.pipeline(KEPT).load["lake"][1].maintenance.vacuum.retain.days == 14


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"@weekly"', '"@weakly"', "invalid-schedule load.lake.maintenance.schedule"),
        ('"@weekly"', '"61 * * * *"', "invalid-schedule load.lake.maintenance.schedule"),
        ("retain: 14d", "retain: 2h", "load.lake.maintenance.vacuum.retain"),
        ("log: 30d", "log: 30d, target_mb: 0", "load.lake.maintenance.target_mb"),
        ("append}", "append}\n    partition_by: [id]", "zorder 'id': the table is laid out by it already"),
        (
            "statistics: [id]}",
            "statistics: [Day]}\n    partition_by: [day]",
            "statistics 'Day': folders are named by it",
        ),
    ],
)
def test_what_cannot_be(project: Project, old: str, new: str, told: str) -> None:
    found = project.told(KEPT.replace(old, new, 1))
    assert [line for line in found if told in line], found


def test_the_quarantine_is_kept_as_long_as_the_file_or_the_environment_says(project: Project) -> None:
    from airflow_provider_etl import upkeep

    said = project.pipeline("quarantine: {keep: 90d}\n" + PIPELINE)
    assert said.fingerprint == project.pipeline(PIPELINE).fingerprint, "no row of a table depends on it"
    order = upkeep.order(said, "maintain", upkeep.chosen(said, (), block=True))
    assert (order.options["keep_days"], order.options["loads"]) == (90, []), "there needn't be a maintenance block"
    with pytest.raises(ConfigError, match="nothing to keep up"):
        upkeep.chosen(project.pipeline(PIPELINE), (), block=True)
    [told] = project.told("quarantine: {keep: 2h}\n" + PIPELINE)
    assert "quarantine.keep" in told
    from tests.spec.conftest import ENVIRONMENT

    project.environment(ENVIRONMENT + "defaults: {quarantine: {keep: 30d}}\n")
    assert project.pipeline(PIPELINE).quarantine.keep == timedelta(days=30)


def test_how_much_may_be_set_aside_is_in_the_plan_alone(project: Project) -> None:
    from airflow_provider_etl.testing.order import _plan

    said = project.pipeline("quarantine: {max_share: 0.01, max_rows: 100}\n" + PIPELINE)
    assert said.fingerprint == project.pipeline(PIPELINE).fingerprint
    window = said.window_of("2013-01-01")
    assert said.plan(window, attempt(1)).set_aside == {"share": 0.01, "rows": 100}
    assert _plan(said, window, 1).set_aside == {}, "of a few sample rows most may be bad"
    assert project.pipeline(PIPELINE).plan(window, attempt(1)).set_aside == {}
    assert any("write 0.01" in line for line in project.told("quarantine: {max_share: 1%}\n" + PIPELINE))
    for wrong in ("max_share: 1%", "max_share: 1.5", "max_rows: -1", "max_rows: many"):
        assert any("quarantine.max_" in line for line in project.told(f"quarantine: {{{wrong}}}\n{PIPELINE}")), wrong


@pytest.mark.parametrize(
    ("said", "keeps", "days"),
    [
        ("results: {keep: 400d}", True, 400),
        ("results: true", True, None),
        ("results: false", False, None),
    ],
)
def test_results_of_checks_are_kept_as_long_as_is_said(
    project: Project, said: str, keeps: bool, days: int | None
) -> None:
    from airflow_provider_etl import upkeep

    pipeline = project.pipeline(f"{said}\n{PIPELINE}")
    assert (pipeline.keeps_results, pipeline.fingerprint) == (keeps, project.pipeline(PIPELINE).fingerprint)
    options = upkeep.order(pipeline, "maintain", ()).options
    assert options.get("results") == ({"keep_days": days} if keeps else None)
    assert "results" not in upkeep.order(pipeline, "history", ()).options
    if keeps:
        assert upkeep.chosen(pipeline, (), block=True) == [], "there needn't be a maintenance block"


@pytest.mark.parametrize("said", ["{keep: 2h}", "{}", "{for: 9d}", "90d"])
def test_results_that_are_kept_in_no_such_way(project: Project, said: str) -> None:
    assert [line for line in project.told(f"results: {said}\n{PIPELINE}") if "results" in line]


def test_a_column_that_is_not_there_is_found(project: Project) -> None:
    closed = KEPT.replace(
        "format: csv", "format: csv\n    new_columns: freeze\n    columns: {id: {type: int}, amount: {type: int}}"
    )
    assert project.told(closed) == []
    (told,) = project.told(closed.replace("zorder: [id]", "zorder: [idd]"))
    assert "unknown-column load.lake.maintenance.zorder" in told


def test_upkeep_gets_the_connections_of_its_stores_and_no_others(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_etl import upkeep
    from airflow_provider_etl.hooks import connections

    project.environment(ON_S3 + STORES)
    from_database = "type: jdbc\n    connection: crm\n    table: orders\n    window: all"
    old = KEPT[KEPT.index("type: files") : KEPT.index("transform:")].rstrip()
    pipeline = project.pipeline(KEPT.replace(old, from_database))
    found: list[dict[str, str]] = []
    monkeypatch.setattr(connections, "resolved", lambda places: found.append(dict(places)) or Connections())
    for name in ("maintain", "history", "restore"):
        upkeep.job(upkeep.order(pipeline, name, ["lake"]))
    assert found == [{"lake_store": "stores.s3a://lake.connection"}] * 3


def test_a_pipeline_cannot_be_called_as_its_upkeep_is(project: Project) -> None:
    (told,) = project.told(PIPELINE, "orders.maintenance.yaml")
    assert "invalid-name" in told
