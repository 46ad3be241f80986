"""Given tables that no pipeline of ours has made, when a DAG by hand checks them, then its tasks say what is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from typing import Any

import pytest

from tests.airflow.project import FLIGHTS, ROOT, Project
from tests.airflow.test_operators import reports, run_dag, states

pytestmark = [pytest.mark.airflow, pytest.mark.spark]

DAG = """
from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from airflow_provider_etl import CheckOperator

DAILY = CronDataIntervalTimetable("@daily", timezone="America/New_York")
LAKE = {"table": {"path": "data/lake/audited"}}
COLUMNS = {"id": {"type": "int"}, "amount": {"type": "double"}}
DROPS = {"files": {"path": "data/raw/audited/*.csv", "format": "csv", "columns": COLUMNS}}

with DAG("audit", schedule=DAILY, start_date=datetime(2013, 1, 1, 5, tzinfo=UTC), catchup=False):
    CheckOperator(
        task_id="lake",
        source=LAKE,
        checks=[{"not_null": ["id"]}, {"expect_column_values_to_be_between": {
            "column": "amount", "min_value": 0, "on_fail": "warn"}}],
    )
    CheckOperator(
        task_id="shop",
        source={"jdbc": {"connection": "shop", "table": "audited", "window": {"column": "at"}, "settle": "0s"}},
        window="{{ data_interval_start }}/{{ data_interval_end }}",
        datasets={"lake": LAKE},
        checks=[{"unique": ["id"]}, {"references": {"column": "id", "dataset": "lake", "key": "id"}}],
    )
    CheckOperator(
        task_id="drops",
        source=DROPS,
        checks=[{"row_count": {"min": 3}}, {"in_range": {"column": "amount", "min": 0, "on_fail": "warn"}}],
    )
    CheckOperator(
        task_id="books",
        environment="books",
        source={"iceberg": {"catalog": "books", "table": "air.flights"}},
        datasets={"drops": DROPS},
        checks=[{"not_null": ["carrier"]}, {"references": {"column": "flight", "dataset": "drops", "key": "id"}}],
    )
"""
ICEBERG = FLIGHTS.replace(
    "type: delta\n    path: ${env.lake}/flights", "type: iceberg\n    catalog: books\n    table: air.flights"
)


def iceberg_table(deployed: Project) -> None:
    """A table of the catalog of another environment, as a pipeline has left it."""
    known = (deployed.folder / "config/environments/local.yaml").read_text()
    books = "catalogs: {books: {type: hadoop, warehouse: data/iceberg}}\n"
    environment = deployed.write("config/environments/books.yaml", known + books)
    file = deployed.write("books/flights.yaml", ICEBERG)
    command = [sys.executable, "-m", "airflow_provider_etl.cli.main", "run", str(file), "--window", "2013-01-01"]
    subprocess.run(
        [*command, "--environment", str(environment)],
        cwd=deployed.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip


def test_tables_files_and_a_database_are_checked_by_a_dag_of_one_s_own(
    deployed: Project, postgres: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    table = pa.table({"id": [1, 2, 3], "amount": [5.0, -7.0, 9.0]})
    write_deltalake(deployed.folder / "data/lake/audited", table)
    deployed.write("data/raw/audited/1.csv", "id,amount\n1,5\n2,-7\n")
    deployed.write("data/raw/audited/2.csv", "id,amount\n3,9\n")
    iceberg_table(deployed)
    postgres.run(
        "DROP TABLE IF EXISTS audited",
        "CREATE TABLE audited (id bigint, at timestamptz)",
        "INSERT INTO audited VALUES (1, '2013-01-01T12:00-05:00'), (77, '2013-01-01T13:00-05:00'),"
        " (99, '2013-01-02T13:00-05:00')",  # of another window
    )
    known = asdict(postgres.connection("shop"))
    told = {key: value for key, value in known.items() if key not in {"id", "kind"}}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": known["kind"], **told}))
    deployed.write("dags/audit.py", DAG)
    run = run_dag(deployed, "audit", 1, file="audit.py")
    said = capfd.readouterr().out
    assert states(run) == {"lake": "success", "shop": "failed", "drops": "success", "books": "failed"}
    found = reports(run)
    drops, books = found["drops"], found["books"]
    assert (drops["state"], drops["rows"], drops["passed"], drops["warned"]) == ("passed", 3, 1, 1)
    assert (books["state"], books["rows"], books["passed"], books["failed"]) == ("failed", 3, 1, 1)
    assert books["checks"][1]["unexpected_count"] == 3, "no flight is in the drops"
    lake, shop = found["lake"], found["shop"]
    assert (lake["state"], lake["window"], lake["rows"]) == ("passed", None, 3)
    assert (lake["passed"], lake["failed"], lake["warned"]) == (1, 0, 1)
    assert [check["unexpected_count"] for check in lake["checks"]] == [0, 1]
    assert (shop["state"], shop["rows"], shop["failed"]) == ("failed", 2, 1), "of the window's two rows, one is strange"
    assert shop["window"]["start"] == "2013-01-01T05:00:00Z"
    assert re.search(r"\[etl\]   references +id +failed +2 +1 +1 of 2 values", said)
    assert re.search(r"AirflowFailException: check\.source: 1 of 2 checks failed: references\(id\)", said)
    assert postgres.password not in said + str(found)
    assert "77" not in str(found), "no rows by XCom"
    left = [path for path in (deployed.folder / "data/staging").glob("check-*/**/*") if path.is_file()]
    assert not left, "nobody goes on with what was staged: it is gone, after the failure too"


def test_the_example_is_parsed(deployed: Project) -> None:
    from airflow.dag_processing.dagbag import BundleDagBag

    (deployed.dags / "weather_audit.py").write_text((ROOT / "dags/weather_audit.py").read_text())
    file = str(deployed.dags / "weather_audit.py")
    bag = BundleDagBag(dag_folder=file, bundle_path=deployed.dags, bundle_name="dags-folder")
    assert not bag.import_errors
    assert bag.dags["weather_audit"].task_ids == ["day"]
