"""A process of its own that loads windows of one Iceberg table: as tasks of a local engine do.

`python -m tests.spark_jobs.load.iceberg_writer FOLDER FIRST ROUNDS`: in each round the shared window of day 1, and a
window of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from spark_jobs.load.strategies import ReplaceWindow
from tests.spark_jobs.plans import day

TABLE = "sales.raced"


def write(spark: Any, folder: Path, first: int, rounds: int) -> None:
    """Load windows one after the other.

    Args:
        spark: a classic session.
        folder: the catalog's warehouse is in it.
        first: the day of the first window of its own; the rows of the shared one carry it.
        rounds: how often.
    """
    from tests.spark_jobs.load.test_iceberg import Table, at

    facts = Table(spark, folder, ReplaceWindow(strategy="replace_window", column="at"), table=TABLE)
    for number in range(rounds):
        own = first + number
        facts.load(day(1), [(100 * first + number, at(1))], own + number / 10)
        facts.load(day(own), [(own, at(own))], own)


if __name__ == "__main__":
    from spark_jobs.session import start

    root = Path(__file__).resolve().parents[3]
    session = start("writer", {"master": "local[1]", "memory": "1g", "jars": str(root / "jars"), "small": True})
    Path(sys.argv[1], "ready").touch()
    write(session, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    session.stop()
