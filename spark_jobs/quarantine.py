"""The quarantine: one table per pipeline that holds every refused row, raw, with its reasons.

Rows are appended before the data is committed and carry the attempt's number; only those whose number the ledger names
count (`visible`), so that the two can't disagree: rows of an attempt that never committed are there, and not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

from spark_jobs.ledger import committing
from spark_jobs.plan import Plan
from spark_jobs.session import Storage
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

REFUSED: Final = (
    "raw STRING, dataset STRING, stage STRING, rules ARRAY<STRING>, message STRING, "
    "source_file STRING, source_line BIGINT"
)
"""The columns of a refused row; whoever refuses it fills them."""
_PARTITION: Final = ("window_start", "window_end", "attempt")


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """The quarantine table of one pipeline.

    Args:
        folder: the environment's quarantine folder or URI.
        pipeline: the pipeline's id.
    """

    folder: str
    pipeline: str

    @property
    def path(self) -> str:
        """Where the Delta table is."""
        return f"{self.folder.rstrip('/')}/{self.pipeline}"

    def append(self, refused: DataFrame, plan: Plan) -> None:
        """Set rows aside under the attempt's number; a repeat of the same attempt adds nothing.

        The table is partitioned by window and attempt: windows never conflict, and dead attempts go without a read.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        rows = refused.select(
            *_columns(),
            F.lit(plan.id).alias("pipeline"),
            F.lit(plan.window.start).cast("timestamp").alias("window_start"),
            F.lit(plan.window.end).cast("timestamp").alias("window_end"),
            F.lit(plan.attempt.number).cast("bigint").alias("attempt"),
            F.current_timestamp().alias("first_seen"),
        )
        # A unit per attempt: Delta drops a smaller number of one unit without a word, and this one may yet win.
        unit = f"etl:{plan.id}:quarantine:{plan.window}:{plan.attempt.number}"
        committing(
            lambda: (
                rows.coalesce(1)
                .write.format("delta")
                .mode("append")
                .partitionBy(*_PARTITION)
                .option("txnAppId", unit)
                .option("txnVersion", str(plan.attempt.number))
                .save(self.path)
            )
        )

    def sweep(self, spark: SparkSession, plan: Plan, named: int) -> None:
        """Remove this window's rows of attempts older than `named`, which the ledger can never name again."""
        storage = Storage(spark, self.path)
        folder = f"{self.path}/{storage.partition_folder(_moments(plan.window))}"
        there = [name.removeprefix("attempt=") for name, _ in storage.names(folder) if name.startswith("attempt=")]
        if not any(attempt.isdigit() and int(attempt) < named for attempt in there):
            return
        from delta import DeltaTable

        older = f"{_of_window(plan.window)} AND attempt < {named}"
        committing(lambda: DeltaTable.forPath(spark, self.path).delete(older))

    def visible(self, spark: SparkSession, window: Window, named: int | None) -> DataFrame:
        """The rows set aside by the attempt whose number the ledger names for a window."""
        rows = spark.read.format("delta").load(self.path)
        return rows.where(f"{_of_window(window)} AND attempt = {named if named is not None else -1}")


def _moments(window: Window) -> dict[str, str]:
    """The window's values of the partition columns, as Spark writes timestamps in the session's UTC."""
    pairs = (("window_start", window.start), ("window_end", window.end))
    return {column: f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for column, moment in pairs}


def _of_window(window: Window) -> str:
    return (
        f"window_start = TIMESTAMP '{window.start.isoformat(sep=' ')}' "
        f"AND window_end = TIMESTAMP '{window.end.isoformat(sep=' ')}'"
    )


def _columns() -> list[Column]:
    from pyspark.sql import functions as F  # noqa: N812

    return [F.col(part.split()[0]) for part in REFUSED.split(", ")]


def reasons(refused: DataFrame, limit: int = 20) -> dict[str, int]:
    """The rules that refused rows, with how many each, most frequent first: {"dataset.stage rule": rows}."""
    from pyspark.sql import functions as F  # noqa: N812

    rule = F.concat_ws(" ", F.concat_ws(".", "dataset", "stage"), F.array_join("rules", ", "))
    counted = refused.groupBy(rule.alias("rule")).count().orderBy(F.desc("count"), "rule").limit(limit)
    return {str(row["rule"]): int(row["count"]) for row in counted.collect()}
