"""The quarantine: one table per pipeline that holds every refused row, raw, with its reasons.

Rows are appended before the data is committed and carry the attempt's number; only those whose number the ledger names
count (`visible`), so that the two can't disagree: rows of an attempt that never committed are there, and not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

from spark_jobs.aside import COLUMNS, COUNTED, WAITING, completed, error_type, retryable
from spark_jobs.earlier import continued
from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import committing, last_version
from spark_jobs.plan import Plan
from spark_jobs.session import Storage
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

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

        Args:
            refused: in the shape of REFUSED; it may be empty.
            plan: the attempt's.
        """
        self._write(lambda: self._continued(refused, plan), plan)

    def amend(self, refused: DataFrame, plan: Plan, chosen: str, rows: int) -> None:
        """Set aside, under the attempt's number, what the attempt that it adds to has set aside, as it is from now on.

        Args:
            refused: those of the chosen rows that are refused again, in the shape of REFUSED.
            plan: the attempt's.
            chosen: the rows that were run again, as a condition that is never null.
            rows: how many they were when they were read.

        Raises:
            InfrastructureError: some were dropped meanwhile, and would be loaded, or wait, all the same.
        """
        spark, before = refused.sparkSession, dict[str, int]()

        def amended() -> DataFrame:
            mine = self._amended(plan, spark, last_version(spark, self.path))
            before.clear()
            before.update(_states(mine))
            again = mine.where(chosen)
            if again.count() != rows:
                raise self._changed(f"{rows} rows that wait")
            own = continued(_set_aside(refused, plan), again, stays=True)
            return _of_attempt(mine.where(f"NOT ({chosen})").unionByName(own), plan)

        self._write(amended, plan)
        # From here on a drop finds the new rows too; one that came before they were there has found the old ones alone.
        if _states(self._amended(plan, spark)) != before:
            raise self._changed("rows that stay as they are")

    def _amended(self, plan: Plan, spark: SparkSession, version: int | None = None) -> DataFrame:
        """The rows of the attempt that this one adds to."""
        return self.rows(spark, version).where(f"{of_window(plan.window)} AND attempt = {plan.attempt.amends}")

    def _changed(self, expected: str) -> InfrastructureError:
        return InfrastructureError(
            "rows were dropped or expired, or their window was run, while they were run again",
            where=self.path,
            expected=expected,
            remedy="nothing was changed; run those that wait still",
        )

    def _write(self, rows: Callable[[], DataFrame], plan: Plan) -> None:
        # A unit per attempt: Delta drops a smaller number of one unit without a word, and this one may yet win.
        unit = f"etl:{plan.id}:quarantine:{plan.window}:{plan.attempt.number}"
        committing(
            lambda: (
                rows()  # anew for each try: rows may be dropped meanwhile
                .coalesce(1)
                .write.format("delta")
                .mode("append")
                .partitionBy(*_PARTITION)
                .option("mergeSchema", "true")  # an older table lacks columns
                .option("txnAppId", unit)
                .option("txnVersion", str(plan.attempt.number))
                .save(self.path)
            )
        )

    def _continued(self, refused: DataFrame, plan: Plan) -> DataFrame:
        """Refused rows with what the table knows of them from all earlier attempts: any of them may have died."""
        spark, rows = refused.sparkSession, _set_aside(refused, plan)
        if self.earlier(spark, plan) is None or last_version(spark, self.path) is None:
            return rows
        known = self.rows(spark).where(_before(plan.window, plan.attempt.number))
        return _of_attempt(continued(rows, known), plan)

    def earlier(self, spark: SparkSession, plan: Plan) -> int | None:
        """The last attempt before this one that has begun to set rows of its window aside; None where none has."""
        return self._older(spark, plan.window, plan.attempt.number)

    def sweep(self, spark: SparkSession, plan: Plan, named: int) -> None:
        """Remove this window's rows of attempts older than `named`, which the ledger can never name again."""
        if self._older(spark, plan.window, named) is None:
            return
        from delta import DeltaTable

        committing(lambda: DeltaTable.forPath(spark, self.path).delete(_before(plan.window, named)))

    def _older(self, spark: SparkSession, window: Window, number: int) -> int | None:
        """The last attempt before a number in the table's folder: asking the log would take a Spark job."""
        storage = Storage(spark, self.path)
        folder = f"{self.path}/{storage.partition_folder(_moments(window))}"
        there = [name.removeprefix("attempt=") for name, _ in storage.names(folder) if name.startswith("attempt=")]
        return max((int(name) for name in there if name.isdigit() and int(name) < number), default=None)

    def rows(self, spark: SparkSession, version: int | None = None) -> DataFrame:
        """All rows with all columns, whichever attempt's; at a version of the table, None for the newest."""
        reader = spark.read.format("delta")
        reader = reader if version is None else reader.option("versionAsOf", version)
        return completed(reader.load(self.path))

    def grow(self, spark: SparkSession) -> None:
        """Give an older release's table the columns that it lacks."""
        held = spark.read.format("delta").load(self.path)
        if set(COLUMNS) <= set(held.columns):
            return
        nothing = completed(held).where("false")
        committing(
            lambda: (
                nothing.write.format("delta").mode("append").partitionBy(*_PARTITION)
                .option("mergeSchema", "true").save(self.path)
            )
        )  # fmt: skip

    def visible(self, spark: SparkSession, window: Window, named: int | None) -> DataFrame:
        """The rows set aside by the attempt whose number the ledger names for a window; they are in no table."""
        mine = self.rows(spark).where(f"{of_window(window)} AND attempt = {named if named is not None else -1}")
        return mine.where(mine["state"].isin(*COUNTED))


def _moments(window: Window) -> dict[str, str]:
    """The window's values of the partition columns, as Spark writes timestamps in the session's UTC."""
    pairs = (("window_start", window.start), ("window_end", window.end))
    return {column: f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for column, moment in pairs}


def of_window(window: Window) -> str:
    """The rows of a window, whichever attempt's, as a condition of Spark SQL."""
    return (
        f"window_start = TIMESTAMP '{window.start.isoformat(sep=' ')}' "
        f"AND window_end = TIMESTAMP '{window.end.isoformat(sep=' ')}'"
    )


def _states(rows: DataFrame) -> dict[str, int]:
    return {row["state"]: int(row["count"]) for row in rows.groupBy("state").count().collect()}


def _before(window: Window, number: int) -> str:
    return f"{of_window(window)} AND attempt < {number}"


def _set_aside(refused: DataFrame, plan: Plan) -> DataFrame:
    """Refused rows with all columns of the table, as if they were seen for the first time."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    told = {
        "pipeline": F.lit(plan.id),
        "first_seen": F.current_timestamp(),
        "error_type": error_type(),
        "retries": F.lit(0),
        "retryable": retryable(plan),
        "state": F.lit(WAITING),
    }
    return _of_attempt(completed(refused.withColumns(told)), plan)


def _of_attempt(rows: DataFrame, plan: Plan) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return rows.withColumns(
        {
            "window_start": F.lit(plan.window.start).cast("timestamp"),
            "window_end": F.lit(plan.window.end).cast("timestamp"),
            "attempt": F.lit(plan.attempt.number).cast("bigint"),
        }
    )


def lacking(refused: DataFrame, columns: Collection[str]) -> dict[str, int]:
    """How many rows a source has set aside because a required column has no value, the most first: {column: rows}."""
    from pyspark.sql import functions as F  # noqa: N812

    rules = {f"required {name}": name for name in columns}
    found = refused.select(F.explode("rules").alias("rule")).where(F.col("rule").isin(*rules))
    counted = found.groupBy("rule").count().orderBy(F.desc("count"), "rule")
    return {rules[row["rule"]]: int(row["count"]) for row in counted.collect()}


def reasons(refused: DataFrame, limit: int = 20) -> dict[str, int]:
    """The rules that refused rows, with how many each, most frequent first: {"dataset.stage rule": rows}."""
    from pyspark.sql import functions as F  # noqa: N812

    rule = F.concat_ws(" ", F.concat_ws(".", "dataset", "stage"), F.array_join("rules", ", "))
    counted = refused.groupBy(rule.alias("rule")).count().orderBy(F.desc("count"), "rule").limit(limit)
    return {str(row["rule"]): int(row["count"]) for row in counted.collect()}
