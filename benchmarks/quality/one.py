"""One contender in a process of its own: `python -m benchmarks.quality.one NAME WARM DATA OUT JARS TIMES`; prints JSON.

Spark starts and runs the contender that many times over few rows; only what comes then is measured.
"""

from __future__ import annotations

import glob
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.quality.contenders import (
    Bench,
    alone,
    by_hand,
    great_expectations,
    observed,
    ours,
    pandera,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONTENDERS: Final[dict[str, Callable[[Bench], int]]] = {
    "write alone": alone,
    "write, aggregate by hand": by_hand,
    "write, observed by hand": observed,
    "ours, no checks": ours(checks=False),
    "ours, 11 checks": ours(),
    "ours, 12 checks (unique)": ours(unique=True),
    "ours, 11 checks, set aside": ours(on_fail="quarantine"),
    "write, Great Expectations": great_expectations,
    "write, pandera": pandera,
}


def session(jars: str) -> SparkSession:
    """The same session for all."""
    from pyspark.sql import SparkSession

    return (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.jars", ",".join(sorted(glob.glob(f"{jars}/io.delta*.jar"))))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.databricks.delta.snapshotPartitions", "2")
        .getOrCreate()
    )


def spent() -> float:
    """CPU seconds of this process and all that it has started."""
    import psutil

    me = psutil.Process()
    found = [me, *me.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in found) + sum(me.cpu_times()[2:4])


def main(name: str, warm: str, data: str, out: str, jars: str, times: str) -> None:  # noqa: PLR0913, PLR0917 - a command line
    """Warm up, measure, tell."""
    spark = session(jars)
    spark.sparkContext.setLogLevel("ERROR")
    run, loads = CONTENDERS[name], int(times)

    def place(number: int) -> Path:  # ours goes on with the table that its first load has made
        return Path(out) if name.startswith("ours") else Path(out) / str(number)

    for number in range(1, loads + 1):
        run(Bench(spark=spark, data=Path(warm), out=place(number), number=number))
    table = place(loads + 1)
    begun, cpu = time.monotonic(), spent()
    wrong = run(Bench(spark=spark, data=Path(data), out=table, number=loads + 1))
    told = {"wall": time.monotonic() - begun, "cpu": spent() - cpu, "wrong": wrong}
    told["rows"] = spark.read.format("delta").load(str(table / "table")).count()
    print(json.dumps(told), flush=True)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
