"""One step of a window by hand: `spark-submit by_hand.py STEP DAY DATA OUT`; extract, transform or load.

Each step is an application of its own, as a task of the community's SparkSubmitOperator is, and hands on Parquet files.
"""

from __future__ import annotations

import json
import sys
import time


def main(step: str, day: str, data: str, out: str) -> None:
    """Do the step, and leave the seconds that it worked beside what it wrote."""
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName(f"{step} {day}").getOrCreate()
    begun = time.monotonic()
    {"extract": extract, "transform": transform, "load": load}[step](spark, day, data, out)
    with open(f"{out}/work.jsonl", "a") as file:
        file.write(json.dumps(time.monotonic() - begun) + "\n")
    spark.stop()


def extract(spark, day, data, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Read the day's drop."""
    schema = "id bigint, at timestamp, customer int, amount double, note string"
    rows = spark.read.csv(f"{data}/{day}.csv", schema=schema, header=True)
    rows.write.mode("overwrite").parquet(f"{out}/extracted/{day}")


def transform(spark, day, data, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, ARG001
    """Deduplicate and derive."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    newest = Window.partitionBy("id").orderBy(F.desc("at"))
    rows = spark.read.parquet(f"{out}/extracted/{day}").withColumn("_n", F.row_number().over(newest))
    rows = rows.where("_n = 1").drop("_n").withColumns({"day": F.to_date("at"), "gross": F.expr("amount * 1.25")})
    rows.write.mode("overwrite").parquet(f"{out}/transformed/{day}")


def load(spark, day, data, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, ARG001
    """Replace the day."""
    rows = spark.read.parquet(f"{out}/transformed/{day}")
    writer = rows.write.format("delta").mode("overwrite").partitionBy("day")
    writer.option("replaceWhere", f"day = '{day}'").save(f"{out}/lake/events")


if __name__ == "__main__":
    main(*sys.argv[1:])
