"""Iceberg tables as sources: by window, at a snapshot, as of a moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import DataError
from spark_jobs.extract.contract import WindowColumn
from spark_jobs.extract.iceberg import Iceberg
from tests.spark_jobs.load.test_iceberg import BY_TIME, Table, at
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark


def test_a_table_is_read_by_window_at_a_snapshot_and_as_of_a_moment(spark: Any, tmp_path: Path) -> None:
    facts = Table(spark, tmp_path, BY_TIME)
    first = facts.load(day(1), [(1, at(1)), (2, at(1, 23))], 1)
    time.sleep(0.01)
    moment = datetime.now(UTC).isoformat()
    time.sleep(0.01)
    facts.load(day(2), [(3, at(2, 0))], 2)

    def read(**options: Any) -> tuple[list[int], int]:
        source = Iceberg(catalog="lake", table="sales.orders", **options)
        flow = source.read(facts.context(day(1), 9))
        found = sorted(row.id for row in flow.rows.collect())
        return found, flow.counts().read

    by_time = WindowColumn(column="at")
    assert read(window=by_time) == ([1, 2], 2)
    assert read(window="all") == ([1, 2, 3], 3)
    assert read(window="all", version=first.version) == ([1, 2], 2)
    assert read(window="all", as_of=moment) == ([1, 2], 2)
    with pytest.raises(DataError, match="there is no snapshot 77"):
        read(window="all", version=77)
    with pytest.raises(DataError, match="there is no snapshot as of 2001-01-01"):
        read(window="all", as_of="2001-01-01")
    with pytest.raises(DataError, match="there is no such table"):
        Iceberg(catalog="lake", table="sales.gone", window="all").read(facts.context(day(1), 9))
