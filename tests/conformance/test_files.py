"""The promise of both strategies on folders of files, by the random schedules that Delta stands too."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from spark_jobs.load.files import Files
from spark_jobs.load.filesets.catalog import Catalog
from spark_jobs.load.filesets.layout import read as rows_of
from tests.conformance.drawing import HOW_OFTEN
from tests.conformance.harness import Subject
from tests.conformance.promise import CASES, prove
from tests.conformance.test_delta import STRATEGIES

pytestmark = pytest.mark.spark


def subject(spark: Any, form: Any) -> Subject:
    def make(folder: Path, write: Any) -> Files:
        return Files(path=str(folder / "table"), format=form, write=write)

    def read(destination: Any) -> list[dict[str, Any]]:
        held = Catalog(spark, destination.path).newest()
        assert held is not None
        return [row.asDict() for row in rows_of(spark, destination.path, held.layout, held.slices).collect()]

    return Subject(make=make, read=read)


@pytest.mark.parametrize("rounds", HOW_OFTEN)
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("replace_window", "parquet"),
        ("snapshot", "csv"),
        pytest.param("replace_window", "csv", marks=pytest.mark.prove),
        pytest.param("snapshot", "parquet", marks=pytest.mark.prove),
    ],
)
def test_any_schedule_ends_as_a_plain_run_in_order(
    spark: Any, tmp_path: Path, name: str, form: str, rounds: int
) -> None:
    prove(spark, subject(spark, form), STRATEGIES[name], CASES[name], lambda: Path(mkdtemp(dir=tmp_path)), rounds)
