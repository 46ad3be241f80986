"""A pipeline whose table is Iceberg's: run twice by the command line, and asked for without Spark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.project import FLIGHTS, Project
from tests.airflow.test_database_tables import etl, files_with, variable

pytestmark = [pytest.mark.airflow, pytest.mark.spark]

ICEBERG = "type: iceberg\n    catalog: books\n    table: air.flights\n    partition_by: [days(time_hour)]"
LAKE = FLIGHTS.replace("type: delta\n    path: ${env.lake}/flights", ICEBERG)
CATALOG = "catalogs:\n  books: {type: jdbc, connection: mart, warehouse: data/iceberg}\ndefaults:"


def test_a_window_is_run_twice_and_the_ledger_tells_without_spark(
    project: Project, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_etl.backfill.held import held
    from airflow_provider_etl.hooks.ledger import already_done, newest_attempt
    from airflow_provider_etl.hooks.tables import ledger_of
    from airflow_provider_etl.spec import load_file
    from spark_jobs.ledger import attempt_number
    from spark_jobs.plan import Attempt

    postgres.run("DROP TABLE IF EXISTS iceberg_tables", "DROP TABLE IF EXISTS iceberg_namespace_properties")
    conf = "conf: {spark.eventLog.enabled: 'true', spark.eventLog.dir: EVENTS}".replace("EVENTS", str(project.folder))
    environment = project.folder / "config/environments/local.yaml"
    told = environment.read_text().replace("small: true", f"small: true, {conf}").replace("defaults:", CATALOG)
    environment.write_text(told)
    file: Path = project.pipeline("flights", LAKE)
    for name, value in variable(postgres).items():
        monkeypatch.setenv(name, value)
    pipeline = load_file(file).pipeline
    assert pipeline is not None
    window = pipeline.window_of("2013-01-01")
    assert held([pipeline], [window]) == {window: "missing"}

    arguments = ("run", str(file), "--window", "2013-01-01", "--json", "report.json")
    first = etl(project, postgres, *arguments)
    assert first.returncode == 0, first.stdout + first.stderr
    receipt = json.loads((project.folder / "report.json").read_text())["loads"]["lake"]
    assert (receipt["state"], receipt["table"], receipt["rows_inserted"]) == ("loaded", "books.air.flights", 3)
    again = etl(project, postgres, *arguments)
    assert again.returncode == 0, again.stdout + again.stderr
    report = json.loads((project.folder / "report.json").read_text())
    repeated = report["loads"]["lake"]
    assert (repeated["rows_inserted"], repeated["rows_deleted"]) == (3, 3)
    for said in (first, again):
        assert postgres.password not in said.stdout + said.stderr
    assert files_with(project.folder, postgres.password) == []

    number = newest_attempt(pipeline, window)
    assert number == report["attempt"]["number"]
    attempt = Attempt(number=attempt_number(pipeline.fingerprint, number), token="t", run="r")
    done = already_done(pipeline, window, attempt)
    assert done is not None
    assert done.loads["lake"].table == "books.air.flights"
    assert held([pipeline], [window]) == {window: "loaded"}
    unit, options = pipeline.units(window)["lake"]
    assert ledger_of(options).windows(unit.pipeline, unit.destination) == [(window.start, window.end)]
