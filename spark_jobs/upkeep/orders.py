"""Orders `maintain`, `history` and `restore`: for the loads that they name, each by the upkeep of its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from spark_jobs.errors import ConfigError
from spark_jobs.failures import classify
from spark_jobs.giving_up import expire
from spark_jobs.orders import Order
from spark_jobs.quarantine import Quarantine
from spark_jobs.upkeep.base import Subject, Upkeep, upkeep_of
from spark_jobs.upkeep.results import kept_up

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Say = Callable[[str], None]


def maintain(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Do what the `maintenance` blocks say, and for how long rows set aside and results of checks are kept.

    Options: `loads`, `dry_run`, `keep_days` of the quarantine; `results`, {keep_days: days or None}, where they are
    kept. One that fails keeps no other table from its upkeep; the report's error is the first one.
    """
    dry = bool(order.options.get("dry_run"))
    aside, found = _aside(spark, order, say, dry=dry), _results(spark, order, say, dry=dry)
    tables = [
        {"load": subject.name, "table": subject.destination.path, **_maintained(subject, upkeep, dry=dry)}
        for subject, upkeep in list(_chosen(spark, order, say))
    ]
    failed = next((item["error"] for item in (*tables, aside or {}, found or {}) if item.get("error")), None)
    beside = {"quarantine": aside, "results": found}
    told = {"tables": tables} | {name: item for name, item in beside.items() if item and not item.get("error")}
    if failed is not None:
        return {"state": "failed", "error": failed, **told}
    return {"state": "shown" if dry else "done", **told}


def _aside(spark: SparkSession, order: Order, say: Say, *, dry: bool) -> dict[str, Any] | None:
    """What became of rows in quarantine that are too old; None where they are kept for good."""
    days = order.options.get("keep_days")
    if not days:
        return None
    table = Quarantine(folder=order.plan.quarantine, pipeline=order.plan.id)
    try:
        found = expire(spark.newSession(), table, timedelta(days=days), dry=dry)
    except Exception as error:  # noqa: BLE001 - whatever happened becomes the quarantine's error
        known = classify(error, "quarantine")
        say(f"maintain quarantine: error[{known.kind}]: {known}")
        return {"error": known.to_json()}
    say(f"maintain quarantine: {sum(found.values())} rows are too old")
    return {"table": table.path, "keep_days": days, **found}


def _maintained(subject: Subject, upkeep: Upkeep, *, dry: bool) -> Mapping[str, Any]:
    try:
        told = upkeep.maintain(dry=dry)
    except Exception as error:  # noqa: BLE001 - whatever happened becomes the table's error
        known = classify(error, f"load.{subject.name}")
        subject.say(f"maintain {subject.name}: error[{known.kind}]: {known}")
        return {"state": "failed", "error": known.to_json(), "actions": [], "advice": []}
    subject.say(f"maintain {subject.name}: {told['state']}")
    return told


def _results(spark: SparkSession, order: Order, say: Say, *, dry: bool) -> dict[str, Any] | None:
    """What became of results of checks; None where the pipeline keeps none, or has none yet."""
    options = order.options.get("results")
    if options is None:
        return None
    days = options["keep_days"]
    try:
        found = kept_up(spark.newSession(), order.plan, timedelta(days=days) if days else None, dry=dry)
    except Exception as error:  # noqa: BLE001 - whatever happened becomes the results' error
        known = classify(error, "results")
        say(f"maintain results: error[{known.kind}]: {known}")
        return {"error": known.to_json()}
    if found is None:
        return None
    say(f"maintain results: {found['removed']} are too old")
    return {"keep_days": days, **found}


def history(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Tell the last versions; options: `loads`, `limit`."""
    limit = int(order.options.get("limit", 20))
    tables = [
        {"load": subject.name, "table": subject.destination.path, "versions": upkeep.history(limit)}
        for subject, upkeep in _chosen(spark, order, say)
    ]
    return {"state": "done", "tables": tables}


def restore(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Make a table what it was at a version; options: `loads` (one), `version`, `dry_run`."""
    dry = bool(order.options.get("dry_run"))
    [(subject, upkeep)] = _chosen(spark, order, say)
    told = upkeep.restore(int(order.options["version"]), dry=dry)
    return {"load": subject.name, "table": subject.destination.path, "to": order.options["version"], **told}


def _chosen(spark: SparkSession, order: Order, say: Say) -> Iterator[tuple[Subject, Upkeep]]:
    for name in order.options["loads"]:
        if name not in order.plan.load:
            raise ConfigError(f"there is no load {name!r}", expected=f"one of {', '.join(order.plan.load)}")
        _, destination = order.plan.load[name]
        subject = Subject(spark=spark.newSession(), plan=order.plan, name=name, destination=destination, say=say)
        yield subject, upkeep_of(subject)
