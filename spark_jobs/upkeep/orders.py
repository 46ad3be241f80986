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

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Say = Callable[[str], None]


def maintain(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Do what the `maintenance` blocks say, and `quarantine.keep`; options: `loads`, `dry_run`, `keep_days`.

    One that fails keeps no other table from its upkeep; the report's error is the first one.
    """
    dry = bool(order.options.get("dry_run"))
    aside = _aside(spark, order, say, dry=dry)
    tables = [
        {"load": subject.name, "table": subject.destination.path, **_maintained(subject, upkeep, dry=dry)}
        for subject, upkeep in list(_chosen(spark, order, say))
    ]
    failed = next((item["error"] for item in (*tables, aside or {}) if item.get("error")), None)
    told = {"tables": tables} | ({"quarantine": aside} if aside and not aside.get("error") else {})
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
