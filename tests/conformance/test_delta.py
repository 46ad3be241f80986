"""The promise of every strategy on Delta, by random schedules."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from spark_jobs.load.by_key import Cdc, Merge, Scd2
from spark_jobs.load.delta import Delta
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from tests.conformance.drawing import HOW_OFTEN
from tests.conformance.harness import Subject
from tests.conformance.promise import CASES, prove

pytestmark = pytest.mark.spark

STRATEGIES = {
    "replace_window": ReplaceWindow(strategy="replace_window", column="at"),
    "append": Append(strategy="append"),
    "snapshot": Snapshot(strategy="snapshot"),
    "merge": Merge(strategy="merge", keys=("id",), sequence="seq", delete_when="op = 'd'"),
    "merge by window": Merge(strategy="merge", keys=("id",), delete_when="op = 'd'"),
    "scd2": Scd2(
        strategy="scd2", keys=("id",), valid_from="at", sequence="seq", track=("name",), delete_when="op = 'd'"
    ),
    "cdc": Cdc(strategy="cdc", keys=("id",), sequence="seq", operation="op"),
}
STRATEGIES |= {
    "replace_window evolving": STRATEGIES["replace_window"],
    "merge evolving": STRATEGIES["merge"],
    "merge softly": Merge(strategy="merge", keys=("id",), sequence="seq", delete_when="op = 'd'", soft_delete=True),
    "cdc of envelopes": Cdc(
        strategy="cdc", keys=("id",), sequence="seq", operation="op", before="before", after="after"
    ),
    "snapshot in a scope": STRATEGIES["snapshot"],
    "merge in a scope": STRATEGIES["merge"],
}
# The harder ones: what the others do, these do too; the others are for `make prove`, and run here elsewhere.
QUICK = (
    "replace_window evolving",
    "append",
    "snapshot in a scope",
    "merge evolving",
    "merge softly",
    "scd2",
    "cdc of envelopes",
)


def subject(spark: Any) -> Subject:
    def make(folder: Path, write: Any) -> Delta:
        return Delta(path=str(folder / "table"), write=write)

    def read(destination: Any) -> list[dict[str, Any]]:
        return [row.asDict() for row in spark.read.format("delta").load(destination.path).collect()]

    return Subject(make=make, read=read)


@pytest.mark.parametrize("rounds", HOW_OFTEN)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.prove) for name in STRATEGIES]
)
def test_any_schedule_ends_as_a_plain_run_in_order(spark: Any, tmp_path: Path, name: str, rounds: int) -> None:
    prove(spark, subject(spark), STRATEGIES[name], CASES[name], lambda: Path(mkdtemp(dir=tmp_path)), rounds)
