"""One load in a process of its own: `python -m benchmarks.load.one WHO STRATEGY PHASE DATA OUT`.

WHO is `ours` (a fused run without checks: ledger, quarantine and report with it), `delta` or `iceberg` (the plain
calls, the formats' defaults). PHASE `seed` loads the month, `work` what comes on top of it, `export` writes a table
as Parquet files for the comparison: by Spark, since deltalake reads no deletion vectors.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.harness.model import JARS, ROOT
from benchmarks.harness.running import tell
from benchmarks.load.data import COLUMNS, DAYS, NEXT, REPLACED
from benchmarks.load.plain import TABLE, plain

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

STRATEGIES: Final[dict[str, dict[str, Any]]] = {
    "replace_window": {"strategy": "replace_window", "column": "at"},
    "append": {"strategy": "append"},
    "merge": {"strategy": "merge", "keys": ["id"], "sequence": "at"},
    "scd2": {"strategy": "scd2", "keys": ["id"], "valid_from": "at"},
}
COMES: Final = {"replace_window": "replaced", "append": "next", "merge": "changed", "scd2": "changed"}
"""Strategy -> the folder of what comes on top of the month."""
LAID_OUT: Final = ("replace_window", "append")
"""The strategies whose tables are partitioned by day, as people lay out what comes by day."""


def session(who: str, out: Path) -> SparkSession:
    """Our session; or one as the format's documentation has it."""
    from pyspark.sql import SparkSession

    if who == "ours":
        from spark_jobs.session import start

        engine = {"master": "local[2]", "memory": "4g", "jars": str(JARS), "archive": str(ROOT / ".cache/spark.jsa")}
        return start("load", engine)
    jars = sorted(JARS.glob("io.delta*.jar" if who == "delta" else "*iceberg*.jar"))
    conf = {
        "delta": {
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        },
        "iceberg": {
            "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
            "spark.sql.catalog.lake.type": "hadoop",
            "spark.sql.catalog.lake.warehouse": str(out / "warehouse"),
        },
    }[who]
    known = {"spark.driver.memory": "4g", "spark.sql.session.timeZone": "UTC", "spark.jars": ",".join(map(str, jars))}
    return SparkSession.builder.master("local[2]").config(map=conf | known).getOrCreate()


def ours(spark: SparkSession, strategy: str, phase: str, data: Path, out: Path) -> None:
    """A fused run.

    Raises:
        SystemExit: it failed.
    """
    from spark_jobs.plan import Plan
    from spark_jobs.run import run
    from tests.spark_jobs.plans import attempt, day, plan

    window = day(1, DAYS) if phase == "seed" else day(REPLACED if strategy == "replace_window" else NEXT)
    columns = {name: {"type": kind} for name, kind in COLUMNS.items()}
    path = f"{data}/{'month' if phase == 'seed' else COMES[strategy]}/*.parquet"
    lake = {"from": "result", "type": "delta", "path": str(out / "table"), "write": STRATEGIES[strategy]}
    made = plan(out, window, attempt(1.0 if phase == "seed" else 2.0)).to_json() | {
        "verbs": ["extract", "transform", "check", "load"],
        "extract": {"rows": {"type": "files", "path": path, "format": "parquet", "columns": columns, "window": "all"}},
        "transform": {"result": {"from": "rows", "steps": []}},
        "load": {"lake": lake | ({"partition_by": ["day"]} if strategy in LAID_OUT else {})},
    }
    report = run(Plan.from_json(made), lambda *_: spark)
    if report.error is not None:
        sys.exit(f"our run failed: {report.error}")


def export(spark: SparkSession, who: str, out: Path) -> None:
    """Write a table's rows as Parquet files into `exported`."""
    rows = spark.table(TABLE) if who == "iceberg" else spark.read.format("delta").load(f"{out}/table")
    rows.write.parquet(f"{out}/exported")


def main(who: str, strategy: str, phase: str, data: str, out: str) -> None:
    """Start, work, tell how long the work took."""
    spark, rows, target = session(who, Path(out)), Path(data), Path(out)
    begun = time.monotonic()
    if phase == "export":
        export(spark, who, target)
    elif who == "ours":
        ours(spark, strategy, phase, rows, target)
    else:
        comes = "month" if phase == "seed" else COMES[strategy]
        plain(spark, who, strategy, phase, spark.read.parquet(str(rows / comes)), target)
    tell(work=time.monotonic() - begun)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
