"""The promise of every strategy on Iceberg, in a Hadoop catalog on disk, by the random schedules of Delta."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from spark_jobs.connections import Connections
from spark_jobs.iceberg.attaching import attach
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.load.iceberg import Iceberg
from tests.conformance.drawing import HOW_OFTEN
from tests.conformance.harness import Subject
from tests.conformance.promise import CASES, prove
from tests.conformance.test_delta import STRATEGIES

pytestmark = pytest.mark.spark
QUICK = ("replace_window", "scd2")  # the code of the others is that of Delta too: they are for `make prove`


def subject(spark: Any, warehouse: Path) -> Subject:
    """A catalog for all schedules, a table for each: Spark knows a catalog by its name."""
    catalog = Catalog(name="lake", type="hadoop", warehouse=str(warehouse))

    def make(folder: Path, write: Any) -> Iceberg:
        return Iceberg(catalog="lake", table=f"sales.{folder.name}", write=write)

    def read(destination: Any) -> list[dict[str, Any]]:
        session = spark.newSession()
        attach(session, catalog, Connections())
        return [row.asDict() for row in session.table(destination.place).collect()]

    return Subject(make=make, read=read, catalogs=lambda _folder: {"lake": catalog.to_json()})


@pytest.mark.parametrize("rounds", HOW_OFTEN)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.prove) for name in STRATEGIES]
)
def test_any_schedule_ends_as_a_plain_run_in_order(spark: Any, tmp_path: Path, name: str, rounds: int) -> None:
    under_test = subject(spark, tmp_path / "warehouse")
    prove(spark, under_test, STRATEGIES[name], CASES[name], lambda: Path(mkdtemp(dir=tmp_path)), rounds)
