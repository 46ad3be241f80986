"""Upkeep of a pipeline's tables, as the command and the operator order it: one code path, by Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.spec import Pipeline
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import attempt_number
from spark_jobs.orders import Order
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window


def kept_up(pipeline: Pipeline) -> list[str]:
    """The loads whose tables have a `maintenance` block."""
    return [name for name, (_, kind) in pipeline.load.items() if getattr(kind, "maintenance", None) is not None]


def known(pipeline: Pipeline) -> list[str]:
    """The loads of kinds that can be kept up."""
    return [name for name, (_, kind) in pipeline.load.items() if hasattr(kind, "upkeep")]


def chosen(pipeline: Pipeline, asked: Sequence[str], *, block: bool) -> list[str]:
    """The loads that are meant.

    Args:
        pipeline: whose.
        asked: names; empty for all that can be.
        block: whether, where none is named, only those with a `maintenance` block are meant; that may be none where the
            quarantine or results of checks are kept up.

    Raises:
        ConfigError: there is no such load, it can't be kept up, or there is none.
    """
    able = known(pipeline)
    for name in asked:
        if name not in able:
            there = f"one of {', '.join(able)}" if able else "a load of type delta or files"
            raise ConfigError(f"no load {name!r} that can be kept up", where=pipeline.name, expected=there)
    found = list(asked) or (kept_up(pipeline) if block else able)
    if not found and not (block and (pipeline.quarantine.keep or pipeline.keeps_results)):
        remedy = "add a maintenance block to a load, or name one with --load" if able else "only delta and files are"
        raise ConfigError("there is nothing to keep up", where=pipeline.name, remedy=remedy)
    return found


def order(pipeline: Pipeline, name: str, loads: Sequence[str], **options: Any) -> Order:
    """An order about tables.

    Args:
        pipeline: whose tables.
        name: maintain, history or restore.
        loads: which of its loads.
        options: the order's own.

    Raises:
        ConfigError: a load has a table for every window.
    """
    from airflow_provider_etl.spec.tables import one_table

    for load in loads:
        one_table(pipeline.name, load, pipeline.load[load][1])
    kept = dict(_kept(pipeline)) if name == "maintain" else {}
    return Order(name=name, plans=(_plan(pipeline, name),), options={"loads": list(loads), **kept, **options})


def _kept(pipeline: Pipeline) -> Iterator[tuple[str, Any]]:
    """What `maintain` is told of rows set aside and of results of checks."""
    day = timedelta(days=1)
    if pipeline.quarantine.keep:
        yield "keep_days", pipeline.quarantine.keep / day
    if pipeline.keeps_results:
        yield "results", {"keep_days": pipeline.results_keep / day if pipeline.results_keep else None}


def job(made: Order) -> Job:
    """An order as an engine takes it, with the connections of its loads and of the stores where they are.

    Raises:
        ConfigError: Airflow has no connection of an id.
    """
    from airflow_provider_etl.hooks.connections import connections_of

    loads = {name: made.plan.load[name] for name in made.options["loads"]}
    plan = replace(made.plan, verbs=("load",), load=loads)  # upkeep reads no source
    return Job(token=uuid4().hex, plan=made.to_json(), connections=connections_of([plan]))


def told(report: Mapping[str, Any]) -> Iterator[str]:
    """What `maintain` did, in words and a table."""
    for table in report.get("tables", ()):
        yield f"{table['load']}: {table['table']}, {table['state']}"
        if error := table.get("error"):
            yield f"  error[{error['kind']}]: {error['message']}"
        sizes = [(word, table[key]) for word, key in (("before", "before"), ("after", "after")) if key in table]
        if sizes:
            yield f"  {'':<8}{'files':>10}{'bytes':>18}{'rows':>16}"
        for word, size in sizes:
            yield f"  {word:<8}{size['files']:>10,}{size['bytes']:>18,}{size['rows']:>16,}"
        for action in table["actions"]:
            facts = ", ".join(f"{key} {_shown(value)}" for key, value in action.items() if key != "action")
            yield f"  {action['action']}: {facts}"
        yield from (f"  advice: {line}" for line in table["advice"])
    if aside := report.get("quarantine"):
        did = "are" if report["state"] == "shown" else "were"
        yield f"quarantine: {aside['table']}, rows seen first more than {aside['keep_days']:g} days ago"
        yield f"  {aside['waiting']:,} that still wait and {aside['dropped']:,} dropped {did} emptied of their records"
        yield f"  {aside['replayed']:,} marks of replayed rows {did} removed"
    if found := report.get("results"):
        yield from _told_results(found, dry=report["state"] == "shown")


def _told_results(found: Mapping[str, Any], *, dry: bool) -> Iterator[str]:
    days, did = found["keep_days"], "are" if dry else "were"
    yield f"results of checks: {found['table']}, kept {'for good' if days is None else f'for {days:g} days'}"
    files = f"{found['files_before']:,}" + (
        f" files, {found['files_after']:,} now" if "files_after" in found else " files"
    )
    yield f"  {found['removed']:,} {did} too old and {'go' if dry else 'have gone'}; {files}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)}" if len(value) > 5 else ", ".join(map(str, value)) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def quarantine_plan(pipeline: Pipeline) -> Plan:
    """A plan for what it says of the quarantine alone: no source and no table is needed."""
    return replace(_plan(pipeline, "quarantine"), extract={}, transform={}, check={}, load={})


def _plan(pipeline: Pipeline, name: str) -> Plan:
    """A plan for what it says of the tables: windows mean nothing here."""
    now, token = datetime.now(UTC), uuid4().hex
    attempt = Attempt(number=attempt_number(pipeline.fingerprint), token=token, run=f"{name}-{token[:12]}")
    return pipeline.plan(Window(start=now - timedelta(days=1), end=now), attempt)
