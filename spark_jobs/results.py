"""What every check of every window found: one Delta table per pipeline, beside its quarantine.

An attempt appends its rows once, when it has ended, and once before, where it asks a person; no run rewrites anything,
so that windows never conflict, and upkeep alone removes what is too old. Of a window those of the last attempt count,
and for checks that look back those of the last one that was published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.failures import classify
from spark_jobs.ledger import committing, last_version
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.orders import Order
    from spark_jobs.plan import Plan
    from spark_jobs.report import Report
    from spark_jobs.window import Window

SCHEMA: Final = """
pipeline string, dataset string, place int, kind string, name string, column string, window_start timestamp,
window_end timestamp, attempt bigint, state string, success boolean, on_fail string, severity string,
element_count bigint, unexpected_count bigint, unexpected_percent double, observed_value string, figure string,
value double, answered_by string, message string, fingerprint string, evaluated_at timestamp
"""
_FOLDER: Final = "-results"  # no pipeline's id begins so: it can't be one's quarantine
_COLUMNS: Final = tuple(part.split()[0] for part in SCHEMA.split(","))
_INSTANTS: Final = frozenset(part.split()[0] for part in SCHEMA.split(",") if part.split()[1] == "timestamp")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ROWS: Final = "rows"


@dataclass(frozen=True, kw_only=True)
class Results:
    """The results table of one pipeline.

    Args:
        folder: the environment's quarantine folder or URI.
        pipeline: the pipeline's id.
    """

    folder: str
    pipeline: str

    @property
    def path(self) -> str:
        """Where the Delta table is."""
        return f"{self.folder.rstrip('/')}/{_FOLDER}/{self.pipeline}"

    def append(self, spark: SparkSession, plan: Plan, report: Report, state: str) -> None:
        """Keep what an attempt found; a repeat of the same attempt that ends alike adds nothing."""
        # A unit per attempt and end: Delta drops a smaller number of one unit without a word.
        unit = f"etl:{plan.id}:results:{plan.window}:{plan.attempt.number}:{state}"
        rows = list(_rows(plan, report, state))
        committing(
            lambda: (
                spark.createDataFrame(rows, SCHEMA)
                .coalesce(1)
                .write.format("delta")
                .mode("append")
                .option("mergeSchema", "true")  # an older table lacks columns
                .option("txnAppId", unit)
                .option("txnVersion", str(plan.attempt.number))
                .save(self.path)
            )
        )

    def rows(self, spark: SparkSession) -> DataFrame | None:
        """All rows, whichever attempt's; None where nothing was kept yet."""
        if last_version(spark, self.path) is None:
            return None
        return spark.read.format("delta").load(self.path)

    def before(self, spark: SparkSession, window: Window, series: Mapping[str, str], last: int) -> list[float]:
        """A figure of the last published windows before one, in time, the newest first.

        Windows after it don't count, though they were loaded earlier: a repeat finds what the first run found.

        Args:
            spark: a classic session.
            window: before whose start they end.
            series: `dataset`, `figure` and `column` (empty where it has none).
            last: how many windows at most.
        """
        return [value for _, value in self.published(spark, series, last, window.start)]

    def published(
        self, spark: SparkSession, series: Mapping[str, str], last: int, until: datetime | None = None
    ) -> list[tuple[datetime, float]]:
        """The ends of the last published windows that have a figure, in UTC, and the figure; the newest first.

        Args:
            spark: a classic session.
            series: as for `before`.
            last: how many windows at most.
            until: when they have ended at the latest; None for no bound.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        rows = self.rows(spark)
        if rows is None:
            return []
        value = F.col("element_count").cast("double") if series["figure"] == ROWS else F.col("value")
        here = rows if until is None else rows.where(F.col("window_end") <= F.lit(until).cast("timestamp"))
        here = here.where((F.col("state") == "loaded") & (F.col("dataset") == series["dataset"]) & value.isNotNull())
        if series["figure"] == ROWS:
            here = here.where("kind <> 'expectation'")  # with a row_condition it counts a part of the rows
        else:
            here = here.where((F.col("figure") == series["figure"]) & (F.col("column") == series["column"]))
        newest = here.groupBy("window_start", "window_end").agg(F.max_by(value, "attempt").alias("value"))
        found = newest.orderBy(F.desc("window_end"), F.desc("window_start")).limit(last)
        # A timestamp that is collected is told by the clock of the machine, without its offset.
        told = found.select(F.unix_micros("window_end").alias("end"), "value").collect()
        return [(_EPOCH + timedelta(microseconds=row["end"]), float(row["value"])) for row in told]


def of(plan: Plan) -> Results:
    """The results table of a plan's pipeline."""
    return Results(folder=plan.quarantine, pipeline=plan.id)


def keep(spark: SparkSession, plan: Plan, report: Report) -> dict[str, str] | None:
    """Keep an attempt's results, where the plan says so; what goes wrong is told, and changes no verdict.

    Returns:
        `{"state": "kept" | "lost", "table", "message"}`; None where nothing is to be kept.
    """
    state = kept_as(plan, report)
    if state is None:
        return None
    table = of(plan)
    try:
        table.append(spark, plan, report, state)
    except Exception as error:  # noqa: BLE001 - the run has ended as it has; the loss is told
        known = classify(error, "results")
        return {"state": "lost", "table": table.path, "message": f"results of checks weren't kept: {known}"}
    return {"state": "kept", "table": table.path, "message": ""}


def tell(spark: SparkSession, order: Order, _say: Any) -> dict[str, Any]:
    """The order `checks`: the last attempt's results of the newest windows; options: `first`, `last` (ISO), `windows`.

    Returns:
        `{"state": "done", "table", "rows": [{column: value}]}`, by window, then as in the pipeline file.
    """
    from pyspark.sql import Window as Over
    from pyspark.sql import functions as F  # noqa: N812

    table, options = of(order.plan), order.options
    rows = table.rows(spark)
    if rows is None:
        return {"state": "done", "table": table.path, "rows": []}
    bounds = (("first", F.col("window_start").__ge__), ("last", F.col("window_start").__le__))
    for option, holds in bounds:
        if options.get(option):
            rows = rows.where(holds(F.lit(datetime.fromisoformat(options[option])).cast("timestamp")))
    # A failed try and the one that loaded after it may have one number; so has what was asked before it was answered.
    tries = (F.desc("attempt"), F.desc(F.col("state") == "loaded"), F.desc("evaluated_at"))
    last = Over.partitionBy("window_start", "window_end").orderBy(*tries)
    newest = Over.orderBy(F.desc("window_start"), F.desc("window_end"))
    chosen = rows.withColumn("_attempt", F.dense_rank().over(last)).where("_attempt = 1")
    chosen = chosen.withColumn("_window", F.dense_rank().over(newest)).where(F.col("_window") <= options["windows"])
    # Microseconds since 1970: a timestamp that is collected is told by the clock of the machine, without its offset.
    wanted = [F.unix_micros(name).alias(name) if name in _INSTANTS else F.col(name) for name in _COLUMNS]
    found = chosen.orderBy("window_start", "window_end", "place").select(*wanted).collect()
    return {"state": "done", "table": table.path, "rows": [_json(row.asDict()) for row in found]}


def kept_as(plan: Plan, report: Report) -> str | None:
    """How an attempt stands, where what it found is kept: it has ended, or asks a person; None elsewhere.

    Returns:
        `loaded`, `skipped`, `failed`; `superseded`: it has published nothing; `asked`: nobody has answered yet.
    """
    asked = report.state == "running" and report.approval is not None
    ended = report.state == "failed" or "load" in plan.verbs
    if not (plan.results and report.checks and (asked or ended)):
        return None
    superseded = any(receipt.state == "superseded" for receipt in report.loads.values())
    return "asked" if asked else "superseded" if report.state == "loaded" and superseded else report.state


def _rows(plan: Plan, report: Report, state: str) -> Iterator[tuple[Any, ...]]:
    now = datetime.now(UTC)
    for place, result in enumerate(report.checks):
        value = _number(result.observed_value)
        told: dict[str, Any] = {
            **{name: getattr(result, name, None) for name in _COLUMNS},
            "pipeline": plan.id,
            "place": place,
            "column": result.column or "",
            "window_start": plan.window.start,
            "window_end": plan.window.end,
            "attempt": plan.attempt.number,
            "state": state,
            "unexpected_percent": float(result.unexpected_percent),
            "observed_value": None if result.observed_value is None else json.dumps(result.observed_value),
            "figure": _figure(result) if value is not None else None,
            "value": value,
            "fingerprint": plan.fingerprint,
            "evaluated_at": now,
        }
        yield tuple(told[name] for name in _COLUMNS)


def _figure(result: CheckResult) -> str:
    """What the observed value is: checks of other kinds may look back at it."""
    return result.figure or (ROWS if result.kind == "row_count" else result.kind)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its instants as ISO texts in UTC; they come as microseconds since 1970."""
    return {name: _text(value) if name in _INSTANTS else value for name, value in row.items()}


def _text(micros: int | None) -> str | None:
    return None if micros is None else (_EPOCH + timedelta(microseconds=micros)).isoformat()
