"""Rows that were set aside, run again alone: without the rest of their window."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from airflow_provider_etl.hooks.quarantine import QuarantineHook, Wanted
from airflow_provider_etl.spec import Pipeline
from spark_jobs.alone.fitting import way
from spark_jobs.errors import DataError
from spark_jobs.ledger import amending_number
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window

NAME: Final = "rows"


def refuse(pipeline: Pipeline) -> None:
    """See that rows alone can be loaded.

    Raises:
        ConfigError: they can't, with the reason.
    """
    way(pipeline, pipeline.name, reaches_back=pipeline.lookback is not None)


def plan(pipeline: Pipeline, window: Window) -> Plan:
    """The plan of a run of a window's rows: its attempt adds to the one that the ledger names.

    Raises:
        DataError: no row of the window is set aside any more.
    """
    wanted = Wanted(first=window.start, last=window.start, until=window.end)
    hook = QuarantineHook(pipeline)
    named = hook.attempts(wanted).get(window)
    if not named:
        raise DataError("no row is set aside any more", where=f"{pipeline.name} {window.key}", expected="some")
    token, amends = uuid4().hex, max(named)
    number = amending_number(amends, hook.begun(window))
    return pipeline.plan(window, Attempt(number=number, token=token, run=f"{NAME}-{token[:12]}", amends=amends))


def options(wanted: Wanted) -> dict[str, Any]:
    """What an order says of the rows that are meant."""
    return {"rule": wanted.rule, "dataset": wanted.dataset}
