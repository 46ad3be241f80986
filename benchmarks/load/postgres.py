"""One load into PostgreSQL in a process of its own: `python -m benchmarks.load.postgres WHO DATA OUT`.

The server is in `BENCH_SERVER` (JSON). Into a new table with a primary key, each time. WHO is `ours` (a fused run,
replace_window), `spark` (Spark's JDBC writer at its defaults), `rewritten` (with batches that the driver rewrites into
inserts of many rows, 10,000 rows each) or `copy` (psycopg by hand, without Spark).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.harness.model import JARS, ROOT
from benchmarks.harness.running import tell
from benchmarks.load.data import COLUMNS, DAYS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SERVER: Final = "BENCH_SERVER"
CREATE: Final = (
    "CREATE TABLE facts (id BIGINT PRIMARY KEY, at TIMESTAMPTZ, customer INTEGER, amount DOUBLE PRECISION, status TEXT,"
    " note TEXT, day DATE)"
)


def ours(spark: SparkSession, data: Path, out: Path, server: dict[str, Any]) -> None:
    """A fused run.

    Raises:
        SystemExit: it failed.
    """
    from spark_jobs.connections import Connection, Connections
    from spark_jobs.plan import Plan
    from spark_jobs.run import run
    from tests.spark_jobs.plans import attempt, day, plan

    columns = {name: {"type": kind} for name, kind in COLUMNS.items()}
    path, write = f"{data}/month/*.parquet", {"strategy": "replace_window", "column": "at"}
    made = plan(out, day(1, DAYS), attempt(1.0)).to_json() | {
        "verbs": ["extract", "transform", "check", "load"],
        "extract": {"rows": {"type": "files", "path": path, "format": "parquet", "columns": columns, "window": "all"}},
        "transform": {"result": {"from": "rows", "steps": []}},
        "load": {"mart": {"from": "result", "type": "jdbc", "connection": "pg", "table": "facts", "write": write}},
    }
    known = Connections(Connection(id="pg", kind="postgres", **server))
    report = run(Plan.from_json(made), lambda *_: spark, known)
    if report.error is not None:
        sys.exit(f"our run failed: {report.error}")


def sparks(spark: SparkSession, data: Path, server: dict[str, Any], *, rewritten: bool) -> None:
    """Spark's own writer."""
    url = f"jdbc:postgresql://{server['host']}:{server['port']}/{server['schema']}"
    who = {"user": server["login"], "password": server["password"], "driver": "org.postgresql.Driver"}
    if rewritten:
        who |= {"reWriteBatchedInserts": "true", "batchsize": "10000"}
    spark.read.parquet(f"{data}/month").write.jdbc(url, "facts", mode="append", properties=who)


def copy(data: Path, server: dict[str, Any]) -> None:
    """COPY by hand: one stream, CSV that pyarrow makes."""
    import io

    import psycopg
    import pyarrow.dataset as ds
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    with (
        psycopg.connect(
            host=server["host"],
            port=server["port"],
            user=server["login"],
            password=server["password"],
            dbname=server["schema"],
        ) as made,
        made.cursor() as cursor,
        cursor.copy(f"COPY facts ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv)") as stream,
    ):
        for batch in ds.dataset(f"{data}/month").to_batches(columns=list(COLUMNS)):
            text = io.BytesIO()
            csv.write_csv(batch, text, write_options=options)
            stream.write(text.getbuffer())


def main(who: str, data: str, out: str) -> None:
    """Start, load, tell how long the load took."""
    server = json.loads(os.environ.pop(SERVER))
    if who == "copy":
        begun = time.monotonic()
        copy(Path(data), server)
        tell(work=time.monotonic() - begun)
        return
    from spark_jobs.session import start

    archive = str(ROOT / ".cache/spark.jsa")
    spark = start("load", {"master": "local[2]", "memory": "2g", "jars": str(JARS), "archive": archive})
    begun = time.monotonic()
    if who == "ours":
        ours(spark, Path(data), Path(out), server)
    else:
        sparks(spark, Path(data), server, rewritten=who == "rewritten")
    tell(work=time.monotonic() - begun)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
