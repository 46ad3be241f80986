"""The same by hand, as people write it: no checks, no quarantine, no ledger, Spark's and Delta's defaults.

`python -m benchmarks.pipeline.bare DATA COUNTRIES TABLE JARS`
"""

from __future__ import annotations

import glob
import sys

from benchmarks.pipeline.data import COLUMNS


def main(data: str, countries: str, table: str, jars: str) -> None:
    """Read, clean, deduplicate, filter, join, write."""
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.jars", ",".join(sorted(glob.glob(f"{jars}/io.delta*.jar"))))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    schema = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    orders = spark.read.csv(f"{data}/part-*.csv", schema=schema, header=True, nullValue="NULL")
    texts = [name for name, kind in COLUMNS.items() if kind == "string"]
    for name in texts:
        orders = orders.withColumn(name, F.when(F.trim(name) != "", F.trim(name)))
    newest = Window.partitionBy("order_id").orderBy(F.desc("updated_at"))
    orders = orders.withColumn("_n", F.row_number().over(newest)).where("_n = 1").drop("_n").where("status <> 'void'")
    known = spark.read.csv(countries, schema="country string, country_name string, region int", header=True)
    orders.join(F.broadcast(known), "country", "left").write.format("delta").mode("overwrite").save(table)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
