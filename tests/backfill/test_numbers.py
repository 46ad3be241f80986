"""Given windows that share time, then a retry's number exceeds what a machine with a fast clock gave to another one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from airflow_provider_etl.hooks.ledger import newest_attempt
from spark_jobs.ledger import attempt_number
from tests.airflow.project import Project
from tests.backfill.conftest import pipeline_of


def test_a_retry_exceeds_the_number_of_a_window_beside_it_that_came_from_the_future(project: Project) -> None:
    import pyarrow as pa
    from deltalake import CommitProperties, Transaction, write_deltalake

    pipeline = pipeline_of(project)
    day = pipeline.window_of("2013-01-02")
    span = replace(day, start=day.start - timedelta(days=1), end=day.end + timedelta(days=1))
    [(unit, options)] = pipeline.units(day).values()
    future = attempt_number(pipeline.fingerprint, now=4_000_000_000)
    said = json.dumps({"etl": {"unit": unit.key, "number": future, "attempt": future}})
    properties = CommitProperties(
        app_transactions=[Transaction(unit.key, future)], custom_metadata={"userMetadata": said}
    )
    write_deltalake(options["path"], pa.table({"flight": [1]}), commit_properties=properties)
    assert newest_attempt(pipeline, day) == future
    assert newest_attempt(pipeline, span) is None, "the first try asks for its own unit alone"
    assert newest_attempt(pipeline, span, again=True) == future
