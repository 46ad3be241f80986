"""Orders `maintain`, `history` and `restore`: for the loads that they name, each by the upkeep of its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from spark_jobs.errors import ConfigError
from spark_jobs.orders import Order
from spark_jobs.upkeep.base import Subject, Upkeep, upkeep_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Say = Callable[[str], None]


def maintain(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Do what the `maintenance` blocks say; options: `loads`, `dry_run`."""
    dry = bool(order.options.get("dry_run"))
    tables = []
    for subject, upkeep in _chosen(spark, order, say):
        told = upkeep.maintain(dry=dry)
        say(f"maintain {subject.name}: {told['state']}")
        tables.append({"load": subject.name, "table": subject.destination.path, **told})
    return {"state": "shown" if dry else "done", "tables": tables}


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
