"""One of several who append to one Delta table on S3, each with a driver of its own.

`python -m tests.spark_jobs.object_store.racing ENGINE NAME COMMITS`; its connection is handed over as engines do it.
It comes with a wrong secret first, and prints what it is told: a driver that stays warm may see a key change.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

from spark_jobs.connections import Connections, received
from spark_jobs.failures import classify
from spark_jobs.ledger import committing
from spark_jobs.run import admitted
from spark_jobs.session import Shared

TABLE = "s3a://lake/race"


def main() -> None:
    engine, name, commits = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    spark, known = Shared(), received()
    wrong = Connections(*(replace(item, password=f"{item.password}?") for item in known.values()))
    try:
        admitted(spark.session, wrong)(name, engine).read.format("delta").load(TABLE)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        sys.stdout.write(json.dumps(classify(error, "extract.race").to_json()) + "\n")
    session = admitted(spark.session, known)(name, engine)
    for number in range(commits):
        rows = session.range(1).selectExpr(f"'{name}' AS name", f"{number} AS number")
        append = rows.write.format("delta").mode("append")
        committing(lambda append=append: append.save(TABLE))  # the first one makes the table, which both try
    spark.stop()


if __name__ == "__main__":
    main()
