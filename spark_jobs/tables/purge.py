"""Purge: an entity's rows leave every table of a pipeline, its quarantine and its staging; a report says what went.

The ledger stays as it is: windows count as loaded, without those rows. The report names no value, only columns: it is
kept, and the entity shall be gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs import results
from spark_jobs.columns import listed
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import Ledger, committing
from spark_jobs.load import scope
from spark_jobs.load.delta import Delta
from spark_jobs.load.delta_lake import DeltaLake
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.load.side import EVENTS, TOMBSTONES, Side
from spark_jobs.load.strategies import text
from spark_jobs.orders import Order
from spark_jobs.plan import Plan
from spark_jobs.quarantine import Quarantine
from spark_jobs.session import Storage
from spark_jobs.staging import staged_datasets
from spark_jobs.tables.databases.held import Held
from spark_jobs.tables.databases.purge import DatabasePlace, places_of, staged_beside
from spark_jobs.tables.entity import Entity, parsed
from spark_jobs.tables.shadow import shadow_of
from spark_jobs.vacuum import vacuum

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Say = Callable[[str], None]
_CONF: Final = {
    "spark.sql.runSQLOnFiles": "true",  # REORG knows a table by its path; no query of a pipeline file runs here
    # A deletion vector would hide the rows and leave them in the live files.
    "spark.databricks.delta.merge.deletionVectors.persistent": "false",
    "spark.databricks.delta.delete.deletionVectors.persistent": "false",
}
_UNITS: Final = {"week": timedelta(weeks=1), "day": timedelta(days=1), "hour": timedelta(hours=1)}
_FILES: Final = ("delta.deletedFileRetentionDuration", timedelta(days=7))
_LOG: Final = ("delta.logRetentionDuration", timedelta(days=30))


@dataclass(frozen=True, kw_only=True)
class Place:
    """A table in which the entity is looked for.

    Args:
        name: what it is, in words.
        path: the Delta table.
        inside: Spark SQL: the rows that are the pipeline's own; empty where all are.
        raw: whether it holds raw records, in which the values are looked for as text.
    """

    name: str
    path: str
    inside: str = ""
    raw: bool = False


def purge(spark: SparkSession, order: Order, say: Say) -> dict[str, Any]:
    """Remove an entity everywhere.

    Options of the order: `keys`, column -> value; `dry_run`; `vacuum`, hours of history to keep, or None.

    Args:
        spark: the session.
        order: whose plan names the tables.
        say: takes one line of progress.

    Returns:
        `{"state", "keys": columns, "tables": [{name, table, state, rows, version, files_until, log_until}], "staging":
        [{path, rows}], "unfinished": [path], "kept": [{name, table}]}`; a table's state is `purged`, `clean`, `found`
        (dry run), `absent` or `not_searched` (it lacks a key column); what is kept holds no rows.

    Raises:
        ConfigError: no table has the key's columns, or a value isn't of its column's type.
    """
    own = spark.newSession()
    for key, value in _CONF.items():
        own.conf.set(key, value)
    own.conf.set("spark.databricks.delta.commitInfo.userMetadata", json.dumps({"etl": {"purge": order.plan.id}}))
    entity, dry = Entity(keys=order.options["keys"]), bool(order.options.get("dry_run"))
    held = _databases(own, order)
    places, beside = list(_places(own, order.plan)), [place for item in held for place in places_of(item)]
    entity = _known(own, [*places, *beside], entity)
    tables = [place.purge(own, entity, dry=dry, say=say) for place in beside]
    tables += [_purge(own, place, entity, order.options, say) for place in places]
    staging, unfinished = _staging(own, order.plan, entity, dry=dry)
    unfinished += dict.fromkeys(path for item in held for path in staged_beside(item))
    for run in staging:
        say(f"purge staging: {run['rows']} rows in {run['path']}")
    return {
        "state": "shown" if dry else "done",
        "keys": list(entity.keys),
        "tables": tables,
        "staging": staging,
        "unfinished": unfinished,
        "kept": list(_kept(own, order.plan)),
    }


def _kept(spark: SparkSession, plan: Plan) -> Iterator[dict[str, str]]:
    """What says nothing of an entity: checks' results are counts and figures of whole windows."""
    path = results.of(plan).path
    if Ledger(spark, path).version() is not None:
        yield {"name": "results of checks", "table": path}


def _databases(spark: SparkSession, order: Order) -> list[Held]:
    """The loads into tables of databases."""
    return [
        Held(spark=spark, plan=order.plan, name=name, destination=kind, connections=order.connections)
        for name, (_, kind) in order.plan.load.items()
        if isinstance(kind, Jdbc)
    ]


def _places(spark: SparkSession, plan: Plan) -> Iterator[Place]:
    """Every Delta table of the pipeline: its loads', a refresh's that was left half done, its quarantine."""
    for name, (_, destination) in plan.load.items():
        if isinstance(destination, Jdbc):
            continue
        yield Place(name=f"load {name}", path=destination.path, inside=_inside(spark, destination, plan, name))
        yield from _beside(spark, destination, plan, name)
        yield Place(name=f"load {name}, refresh under way", path=shadow_of(destination.path, plan.id, name))
    path = Quarantine(folder=plan.quarantine, pipeline=plan.id).path
    yield Place(name="quarantine", path=path, raw=True)


def _beside(spark: SparkSession, destination: Delta, plan: Plan, name: str) -> Iterator[Place]:
    """What a strategy by key keeps beside the table: deleted keys, and the events that histories are made from."""
    for kind, what in ((EVENTS, "events"), (TOMBSTONES, "tombstones")):
        table = DeltaLake(spark=spark, path=destination.path)
        side = Side(table=table, kind=kind, pipeline=plan.id, load=name)
        if side.exists():
            yield Place(name=f"load {name}, {what}", path=side.path)


def _inside(spark: SparkSession, destination: Delta, plan: Plan, name: str) -> str:
    """The pipeline's own part of a table that others load too."""
    if Ledger(spark, destination.path).version() is None:
        return ""
    table = spark.read.format("delta").load(destination.path)
    parts = [scope.condition(destination.scope, table.schema, f"load.{name}")] if destination.scope else []
    if destination.write.rows_carry_pipeline and "_pipeline" in table.columns:
        parts.append(f"_pipeline = {text(plan.id)}")
    return " AND ".join(parts)


def _known(spark: SparkSession, places: Sequence[Place | DatabasePlace], entity: Entity) -> Entity:
    """The entity as the tables have it; refused before anything is removed where a column or a value is none.

    A misspelt column must not pass for an entity that isn't there.
    """
    columns, searched, tables = dict[str, None](), False, False
    for place in places:
        rows = _rows(spark, place)
        if rows is None:
            continue
        tables = True
        columns |= dict.fromkeys(rows.columns)
        if not entity.missing(rows):
            entity, searched = entity.seen_in(spark, rows, place.path), True
    if tables and not searched:
        raise ConfigError(
            f"no table has the columns {listed(list(entity.keys))}",
            where="purge",
            expected=f"columns among {listed(list(columns))}",
        )
    return entity


def _rows(spark: SparkSession, place: Place | DatabasePlace) -> DataFrame | None:
    """A table's rows, or at least its columns; None where there is none, or where it holds raw records."""
    if isinstance(place, DatabasePlace):
        return place.rows(spark)
    if place.raw or Ledger(spark, place.path).version() is None:
        return None
    return spark.read.format("delta").load(place.path)


def _purge(spark: SparkSession, place: Place, entity: Entity, options: Any, say: Say) -> dict[str, Any]:
    ledger = Ledger(spark, place.path)
    told: dict[str, Any] = {"name": place.name, "table": place.path, "state": "absent", "rows": 0, "version": None}
    if ledger.version() is None:
        return told
    rows = spark.read.format("delta").load(place.path)
    if not place.raw and (missing := entity.missing(rows)):
        return told | {"state": "not_searched", "missing": missing, "version": ledger.version()}
    source = entity.patterns(spark) if place.raw else entity.source(spark, rows, place.path)
    condition = entity.mentioned("t.raw", "t.message", parsed("t.raw")) if place.raw else entity.condition()
    whole = f"{condition} AND {place.inside}" if place.inside else condition
    found = rows.alias("t").join(source.alias("s"), _expression(whole), "left_semi").count()
    told |= {"state": "found" if found else "clean", "rows": found}
    if not options.get("dry_run"):
        if found:
            committing(lambda: _delete(spark, place.path, source, whole))
            told["state"] = "purged"
        if ledger.properties().get("delta.enableDeletionVectors") == "true":
            spark.sql(f"REORG TABLE {_named(place.path)} APPLY (PURGE)")  # rows that older commits only hid
        if options.get("vacuum") is not None:
            vacuum(spark, place.path, float(options["vacuum"]))
    say(f"purge {place.name}: {found} rows in {place.path}")
    return told | {"version": ledger.version()} | _held(ledger, options.get("vacuum"), bool(found))


def _expression(condition: str) -> Any:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return F.expr(condition)


def _named(path: str) -> str:
    escaped = path.replace("`", "``")
    return f"delta.`{escaped}`"


def _delete(spark: SparkSession, path: str, source: DataFrame, condition: str) -> None:
    from delta import DeltaTable

    table = DeltaTable.forPath(spark, path).alias("t")
    table.merge(source.alias("s"), condition).whenMatchedDelete().execute()


def _held(ledger: Ledger, vacuum: float | None, found: bool) -> dict[str, str | None]:
    """Until when older versions still hold the rows: their files, and the statistics in the log."""
    if not found:
        return {}
    now, properties = datetime.now(UTC), ledger.properties()
    files = None if vacuum == 0 else _later(now, properties.get(_FILES[0]), _FILES[1])
    return {"files_until": files, "log_until": _later(now, properties.get(_LOG[0]), _LOG[1])}


def _later(now: datetime, said: str | None, default: timedelta) -> str:
    """An instant after one of Delta's intervals (`interval 2 weeks`)."""
    match = re.fullmatch(r"(?:interval\s+)?(\d+)\s+(week|day|hour)s?", (said or "").strip().lower())
    length = int(match[1]) * _UNITS[match[2]] if match else default
    return (now + length).isoformat(timespec="seconds")


def _staging(spark: SparkSession, plan: Plan, entity: Entity, *, dry: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """Staged runs that hold the entity, removed whole; and what isn't finished and can't be searched."""
    storage, found, unfinished = Storage(spark, plan.staging), [], []
    runs: dict[str, int] = {}
    for run, path, rows in staged_datasets(spark, plan):
        if rows is None:
            unfinished.append(path)
            continue
        runs[run] = runs.get(run, 0) + _staged(spark, rows, entity, path)
    for run, count in runs.items():
        if count:
            found.append({"path": run, "rows": count})
            if not dry:
                storage.delete(run)
    return found, [path for path in unfinished if not any(path.startswith(f"{run['path']}/") for run in found)]


def _staged(spark: SparkSession, rows: DataFrame, entity: Entity, path: str) -> int:
    """How many rows of a staged dataset are the entity's: by its columns where they are there, and as text."""
    patterns, mentioned = entity.patterns(spark), entity.mentioned("t._etl_row")
    source, condition = patterns, mentioned
    if not entity.missing(rows):
        with suppress(ConfigError):  # a column that can't have the value yet is searched as text alone
            values = entity.source(spark, rows, path)
            source, condition = values.crossJoin(patterns), entity.condition()
            condition += "" if entity.told_by_columns(rows) else f" OR {mentioned}"
    texts = rows.selectExpr("*", "to_json(struct(*)) AS _etl_row").alias("t")
    return texts.join(source.alias("s"), _expression(condition), "left_semi").count()
