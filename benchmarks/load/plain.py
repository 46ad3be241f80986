"""The plain calls, as the documentation of Delta and of Iceberg has them: no ledger, no repeat, no late rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.load.data import COLUMNS, REPLACED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TABLE: Final = "lake.bench.rows"
_DATA: Final = [name for name in COLUMNS if name not in {"id", "at"}]
_DIFFERS: Final = " OR ".join(f"t.{name} <> {{0}}.{name}" for name in _DATA)
_MERGE: Final = """
    MERGE INTO {table} t USING incoming s ON t.id = s.id
    WHEN MATCHED AND s.at > t.at THEN UPDATE SET *
    WHEN NOT MATCHED THEN INSERT *
"""
_SCD2: Final = f"""
    MERGE INTO {{table}} t USING (
        SELECT id AS _key, * FROM incoming
        UNION ALL
        SELECT NULL AS _key, s.* FROM incoming s JOIN {{table}} t ON s.id = t.id
        WHERE t.is_current AND ({_DIFFERS.format("s")})
    ) u ON t.id = u._key AND t.is_current
    WHEN MATCHED AND ({_DIFFERS.format("u")}) THEN UPDATE SET is_current = false, valid_to = u.at
    WHEN NOT MATCHED THEN INSERT ({", ".join(COLUMNS)}, valid_from, valid_to, is_current)
        VALUES ({", ".join(f"u.{name}" for name in COLUMNS)}, u.at, NULL, true)
"""  # noqa: S608 - our own columns


def plain(spark: SparkSession, who: str, strategy: str, phase: str, rows: DataFrame, out: Path) -> None:  # noqa: PLR0913, PLR0917
    """Make the table of the month, or bring what comes on top of it."""
    if phase == "seed":
        _seed(spark, who, strategy, rows, out)
    elif strategy in {"merge", "scd2"}:
        rows.createOrReplaceTempView("incoming")
        table = f"delta.`{out}/table`" if who == "delta" else TABLE
        spark.sql((_MERGE if strategy == "merge" else _SCD2).format(table=table))
    elif who == "delta":
        writer = rows.write.format("delta").partitionBy("day")
        if strategy == "replace_window":
            writer.mode("overwrite").option("replaceWhere", _day()).save(f"{out}/table")
        else:
            writer.mode("append").save(f"{out}/table")
    elif strategy == "replace_window":
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        rows.writeTo(TABLE).overwrite(F.expr(_day()))
    else:
        rows.writeTo(TABLE).append()


def _day() -> str:
    return f"day = DATE '2013-01-{REPLACED:02}'"


def _seed(spark: SparkSession, who: str, strategy: str, rows: DataFrame, out: Path) -> None:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    if strategy == "scd2":
        valid = {"valid_from": F.col("at"), "valid_to": F.expr("CAST(NULL AS TIMESTAMP)"), "is_current": F.lit(True)}
        rows = rows.withColumns(valid)
    laid_out = strategy in {"replace_window", "append"}
    if who == "delta":
        rows.write.format("delta").partitionBy(*(["day"] if laid_out else [])).save(f"{out}/table")
        return
    spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bench")
    writer = rows.sortWithinPartitions("day").writeTo(TABLE).using("iceberg")
    (writer.partitionedBy(F.col("day")) if laid_out else writer).create()
