"""The same by hand: `python -m benchmarks.pipeline.by_hand DATA COUNTRIES TABLE JARS HOW`.

HOW is `defaults`, what people write: no checks, no quarantine, no ledger, Spark's and Delta's defaults; or `tuned`,
with our session and statistics of the two columns that anybody would filter on; or `great_expectations`: `defaults`,
and then the twelve checks over what was written.
"""

from __future__ import annotations

import glob
import sys
from typing import TYPE_CHECKING

from benchmarks.pipeline.data import COLUMNS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def main(data: str, countries: str, table: str, jars: str, how: str) -> None:
    """Read, clean, deduplicate, filter, join, write."""
    spark = tuned(jars) if how == "tuned" else usual(jars)
    writer = wanted(spark, data, countries).write.format("delta").mode("overwrite")
    if how == "tuned":
        writer = writer.option("delta.dataSkippingStatsColumns", "order_id,ordered_at")
    writer.save(table)
    if how == "great_expectations":
        from benchmarks.pipeline.expectations import check

        check(spark.read.format("delta").load(table))
    spark.stop()


def usual(jars: str) -> SparkSession:
    """A session as the documentation of Delta has it."""
    from pyspark.sql import SparkSession

    return (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.jars", ",".join(sorted(glob.glob(f"{jars}/io.delta*.jar"))))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )


def tuned(jars: str) -> SparkSession:
    """The session that our runs get."""
    from benchmarks.pipeline.ours import ARCHIVE
    from spark_jobs.session import start

    return start("by hand", {"master": "local[2]", "memory": "4g", "jars": jars, "archive": str(ARCHIVE)})


def wanted(spark: SparkSession, data: str, countries: str) -> DataFrame:
    """The rows to be written."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    schema = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    orders = spark.read.csv(f"{data}/part-*.csv", schema=schema, header=True, nullValue="NULL")
    texts = [name for name, kind in COLUMNS.items() if kind == "string"]
    for name in texts:
        orders = orders.withColumn(name, F.when(F.trim(name) != "", F.trim(name)))
    newest = Window.partitionBy("order_id").orderBy(F.desc("updated_at"))
    orders = orders.withColumn("_n", F.row_number().over(newest)).where("_n = 1").drop("_n").where("status <> 'void'")
    known = spark.read.csv(countries, schema="country string, country_name string, region int", header=True)
    return orders.join(F.broadcast(known), "country", "left")


if __name__ == "__main__":
    main(*sys.argv[1:])
