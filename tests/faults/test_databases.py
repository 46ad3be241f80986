"""Given a database that keeps Spark waiting, when the task is ended, then nothing of it stays in the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.engines.application import Application
from airflow_provider_etl.engines.local import LocalEngine
from spark_jobs.connections import Connections
from spark_jobs.errors import InfrastructureError
from tests.faults.scene import Scene

pytestmark = [pytest.mark.prove, pytest.mark.spark]

PIPELINE = """
schedule: "@daily"
start: 2013-01-01
timezone: UTC
execution: fused
extract:
  orders:
    type: jdbc
    connection: shop
    query: SELECT g::int AS id, pg_sleep(60)::text AS slept FROM generate_series(1, 3) g
    window: all
load:
  lake: {type: delta, path: "${env.lake}/facts", write: {strategy: snapshot}}
"""
ASKED = """
SELECT pid FROM pg_stat_activity
WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()
"""


def test_f14_a_statement_ends_soon_after_the_task_that_waited_for_it(postgres: Any, tmp_path: Path) -> None:
    """As `timeout` ends a task: by an exception in the middle of reading its output."""
    scene = Scene.make(tmp_path, PIPELINE)
    scene.connections = Connections(postgres.connection("shop"))
    application, ended = Application(LocalEngine(), scene.job(1, "token")), list[BaseException]()

    def run() -> None:
        try:
            application.run(lambda _line: None)
        except InfrastructureError as error:
            ended.append(error)

    task = threading.Thread(target=run)
    task.start()
    assert until(lambda: postgres.rows(ASKED), 90), "the database is asked"
    application.cancel()
    task.join(30)
    assert "cancelled" in str(ended[0])
    assert until(lambda: not postgres.rows(ASKED), 20), "nobody waits for its answer"
    assert not scene.left()
    assert not (scene.project.folder / "data/lake/facts").exists()


def until(true: Callable[[], Any], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
