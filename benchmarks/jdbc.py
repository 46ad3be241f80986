"""What loads into PostgreSQL take beside Spark's own JDBC writer at its defaults: a million rows of eight columns.

Each round runs every way once, one after the other, on the same files: so all of them meet the same machine. The tables
are compared at the end of every round. PostgreSQL and Spark share the cores, and the server doesn't wait for its disk
(fsync is off), which flatters whoever writes more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.connections import Connections
from spark_jobs.flow import Context
from spark_jobs.load.by_key import Merge
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.load.strategies import ReplaceWindow
from spark_jobs.session import start
from tests.servers.postgres import PostgreSQL, postgres_server
from tests.spark_jobs.plans import attempt, day, plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROOT: Final = Path(__file__).resolve().parent.parent
SPARKS: Final = "spark's own append"
COLUMNS: Final = (
    "id BIGINT, at TIMESTAMPTZ, customer INTEGER, amount NUMERIC(12,2), score DOUBLE PRECISION, status TEXT, note TEXT,"
    " paid BOOLEAN"
)
BY_TIME: Final = ReplaceWindow(strategy="replace_window", column="at")
BY_KEY: Final = Merge(strategy="merge", keys=("id",), sequence="at")


@dataclass(kw_only=True)
class Bench:
    """What is measured.

    Args:
        spark: a session.
        server: PostgreSQL.
        folder: where the files are.
        rows: how many there are.
    """

    spark: SparkSession
    server: PostgreSQL
    folder: Path
    rows: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    number: float = 0.0

    def prepare(self) -> None:
        """Write the files, as staging has them; let the server note no statement, of which Spark's way has many."""
        self.server.run(f"ALTER ROLE {self.server.user} SET log_statement = 'none'")
        made = self.spark.range(self.rows).selectExpr(
            "id",
            "TIMESTAMP '2013-01-01' + make_dt_interval(0, 0, 0, id % 86400) AS at",
            "CAST(id % 9973 AS INT) AS customer",
            "CAST(id % 100000 / 7 AS DECIMAL(12,2)) AS amount",
            "sqrt(id) AS score",
            "element_at(array('new', 'paid', 'sent', 'gone'), CAST(id % 4 + 1 AS INT)) AS status",
            "IF(id % 10 = 0, NULL, concat('note \"', sha2(CAST(id AS STRING), 256), '\"')) AS note",
            "id % 3 = 0 AS paid",
        )
        made.repartition(2).write.parquet(str(self.folder / "rows"))

    @property
    def frame(self) -> DataFrame:
        """The rows, to be read again each time."""
        return self.spark.read.parquet(str(self.folder / "rows"))

    def timed(self, way: str, work: Callable[[], object]) -> None:
        """Run a way, and keep how long it took."""
        begun = time.monotonic()
        work()
        self.seconds.setdefault(way, []).append(time.monotonic() - begun)
        print(f"  {way:34} {self.seconds[way][-1]:6.2f} s", flush=True)

    def sparks(self, key: str) -> None:
        """Spark's own writer, at its defaults, into an empty table."""
        self.server.run("DROP TABLE IF EXISTS sparks", f"CREATE TABLE sparks ({COLUMNS}{key})")
        url = f"jdbc:postgresql://{self.server.host}:{self.server.port}/{self.server.database}"
        who = {"user": self.server.user, "password": self.server.password, "driver": "org.postgresql.Driver"}
        way = f"{SPARKS}{', primary key' if key else ''}"
        self.timed(way, lambda: self.frame.write.jdbc(url, "sparks", mode="append", properties=who))

    def ours(self, way: str, table: str, write: Any, *, fresh: bool) -> None:
        """The destination `jdbc`."""
        if fresh:
            self.server.run(f"DROP TABLE IF EXISTS {table}, _etl_loads, _etl_owners")
        self.number += 1
        made = plan(self.folder, day(1), attempt(self.number))
        known = Connections(self.server.connection("pg"))
        context = Context(spark=self.spark, plan=made, where="load.mart", dataset="result", connections=known)
        destination = Jdbc(connection="pg", table=table, write=write)
        self.timed(way, lambda: destination.publish("mart", self.frame, self.rows, context))

    def compare(self, table: str) -> None:
        """End where a table doesn't hold what Spark's own has."""
        found = {name: self.server.rows(_DIGEST.format(table=name)) for name in ("sparks", table)}
        if found["sparks"] != found[table] or found[table][0][0] != self.rows:
            sys.exit(f"{table} differs: {found}")


_ROW: Final = "ROW(id, at, customer, amount, score, status, note, paid)::text"
_DIGEST: Final = f"SELECT count(*), sum(hashtextextended({_ROW}, 0)) FROM {{table}}"  # noqa: S608


def measure(bench: Bench) -> None:
    """One round."""
    bench.sparks("")
    bench.ours("replace_window, new table", "facts", BY_TIME, fresh=True)
    bench.compare("facts")
    bench.ours("replace_window, every row again", "facts", BY_TIME, fresh=False)
    bench.compare("facts")
    bench.sparks(", PRIMARY KEY (id)")
    bench.ours("merge, new table", "entities", BY_KEY, fresh=True)
    bench.compare("entities")
    bench.server.run("UPDATE entities SET at = at - interval '1 day', status = 'old'", "ANALYZE entities")
    bench.ours("merge, every row is newer", "entities", BY_KEY, fresh=False)
    bench.compare("entities")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jdbc", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    options = parser.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = start("bench", {"master": "local[2]", "memory": "2g", "jars": str(ROOT / "jars")})
    with tempfile.TemporaryDirectory(prefix="bench-jdbc-") as folder, postgres_server() as server:
        bench = Bench(spark=spark, server=server, folder=Path(folder), rows=options.rows)
        bench.prepare()
        for turn in range(options.rounds + 1):
            print("warming up" if not turn else f"round {turn} of {options.rounds}", flush=True)
            measure(bench)
            if not turn:
                bench.seconds.clear()
    spark.stop()
    print(
        f"\n{options.rows} rows of 8 columns, medians of {options.rounds} rounds, load average {os.getloadavg()[0]:.1f}"
    )
    for way, seconds in bench.seconds.items():
        base = bench.seconds[SPARKS if way.startswith("replace") else f"{SPARKS}, primary key"]
        ratio = (
            ""
            if way.startswith(SPARKS)
            else f"   {statistics.median(base) / statistics.median(seconds):5.1f} times as fast"
        )
        span = f"({min(seconds):.1f} to {max(seconds):.1f})"
        print(f"  {way:34} {statistics.median(seconds):6.2f} s {span:16}{ratio}")


if __name__ == "__main__":
    main()
