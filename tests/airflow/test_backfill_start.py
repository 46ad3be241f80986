"""The start of a backfill in a metadata database that others write too."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_etl.backfill.dates import starts
from airflow_provider_etl.backfill.facts import Order
from tests.airflow.project import Project

pytestmark = pytest.mark.airflow

_DATES = starts("2013-01-01", "2013-01-03", "America/New_York")


@pytest.fixture
def backend(deployed: Project) -> Any:
    """An Airflow that knows `flights`, and no backfill of it."""
    from airflow_provider_etl.backfill.airflow3 import Airflow3

    assert (deployed.dags / "pipelines/flights.yaml").exists()
    subprocess.run([sys.executable, "-m", "airflow", "dags", "reserialize"], check=True, capture_output=True)
    return Airflow3()


def order(backend: Any, reprocess: Any) -> Order:
    slots = backend.slots(backend.dag("flights"), _DATES.first, _DATES.last)
    return Order(dag="flights", slots=slots, max_active=1, reprocess=reprocess)


def test_a_start_that_others_disturb_leaves_every_run_that_was_there(
    backend: Any, airflow_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one lock: who takes it between two runs of a start must neither end it half-way nor cost a run."""
    from airflow.models import backfill as model

    first = backend.start(order(backend, "none"))
    backend.cancel(first)
    before = backend.runs(backend.dag("flights"), order(backend, "none").slots)
    assert len(before) == 3
    tried: list[str] = []

    def create(**arguments: Any) -> Any:
        made = own(**arguments)
        with sqlite3.connect(airflow_home / "airflow.db", timeout=0) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
                tried.append("another writes")
            except sqlite3.OperationalError as error:
                tried.append(str(error))
        return made

    own = model._create_backfill_dag_run_non_partitioned
    monkeypatch.setattr(model, "_create_backfill_dag_run_non_partitioned", create)
    second = backend.start(order(backend, "failed"))
    assert tried == ["database is locked"] * 3
    assert [part.state for part in backend.progress(second).parts] == ["queued"] * 3
    after = backend.runs(backend.dag("flights"), order(backend, "none").slots)
    assert [run.run_id for run in after.values()] == [run.run_id for run in before.values()]
    backend.cancel(second)


def test_a_start_that_fails_leaves_neither_a_backfill_nor_a_run_changed(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.models import backfill as model
    from sqlalchemy.exc import OperationalError

    first = backend.start(order(backend, "none"))
    backend.cancel(first)
    calls: list[datetime] = []

    def create(**arguments: Any) -> Any:
        calls.append(datetime.now(UTC))
        if len(calls) == 2:
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        return own(**arguments)

    own = model._create_backfill_dag_run_non_partitioned
    monkeypatch.setattr(model, "_create_backfill_dag_run_non_partitioned", create)
    second = backend.start(order(backend, "failed"))
    assert len(calls) == 5, "the second try makes all three"
    found = backend.progress(second)
    assert (found.id, [part.again for part in found.parts]) == (second, [True] * 3), "they are the runs that were there"
    backend.cancel(second)
