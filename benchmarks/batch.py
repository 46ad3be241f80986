"""What `backfill --batch` saves: a year of flights in jobs of many windows, and windows in jobs of their own.

Each part of the year is computed in one Spark job; then one of its windows is computed alone, into tables of its own,
so that both kinds are measured side by side all through the run. At the end the windows that were computed both ways
are compared row for row. Airflow isn't in it: its share of a window comes on top of the windows that run alone.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.backfill.batch import chunks
from airflow_provider_etl.backfill.jobs import Outcome, run_windows
from airflow_provider_etl.spec import load_file
from demo.prepare import prepare
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

ROOT: Final = Path(__file__).resolve().parent.parent
FIRST: Final = date(2013, 1, 1)


@dataclass(kw_only=True)
class Measured:
    """What was measured.

    Args:
        together: seconds a window of each job of many windows.
        alone: seconds of each window that had a job to itself.
        rows: rows that the jobs of many windows loaded.
        twice: the windows that were computed both ways.
    """

    together: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    rows: int = 0
    twice: list[Window] = field(default_factory=list)


def project(folder: Path) -> Pipeline:
    """The demo's flights in a folder of their own: the same drops, file and environment."""
    for place in ("jars", ".cache"):
        (folder / place).symlink_to(ROOT / place)
    shutil.copytree(ROOT / "config", folder / "config")
    prepare(folder / "data" / "raw")
    copy = folder / "pipelines" / "flights.yaml"
    copy.parent.mkdir()
    shutil.copy(ROOT / "dags" / "pipelines" / "flights.yaml", copy)
    pipeline = load_file(copy).pipeline
    if pipeline is None:
        sys.exit(f"{copy} has errors: airflow-etl lint {copy}")
    return pipeline


def measure(pipeline: Pipeline, other: Pipeline, parts: Sequence[Sequence[Window]]) -> Measured:
    """Each part in one job, and a window of it in a job of its own, whose tables are another pipeline's."""
    found = Measured()
    for number, part in enumerate(parts, 1):
        seconds, reports = _run(pipeline, part)
        found.together.append(seconds / len(part))
        found.rows += sum(load["rows_inserted"] for report in reports for load in report["loads"].values())
        one = part[len(part) // 2]
        found.alone.append(_run(other, [one])[0])
        found.twice.append(one)
        told = f"{len(part)} windows in {seconds:.0f} s, one alone in {found.alone[-1]:.1f} s"
        print(f"part {number} of {len(parts)}: {told}", flush=True)
    return found


def _run(pipeline: Pipeline, windows: Sequence[Window]) -> tuple[float, list[dict[str, Any]]]:
    begun, outcome = time.monotonic(), Outcome()
    run_windows(pipeline, windows, outcome)
    if outcome.failed or len(outcome.loaded) != len(windows):
        sys.exit(f"not loaded: {outcome.failed}")
    return time.monotonic() - begun, list(outcome.loaded.values())


def compare(pipeline: Pipeline, other: Pipeline, windows: Sequence[Window]) -> int:
    """Rows of the windows that were computed both ways; ends where the two tables differ in one of them."""
    from deltalake import DeltaTable

    rows = 0
    for window in windows:
        days = [("flight_date", "=", window.local_start.date())]
        one, two = (
            DeltaTable(str(item.units(window)["lake"][1]["path"])).to_pyarrow_table(filters=days)
            for item in (pipeline, other)
        )
        order = [(name, "ascending") for name in ("carrier", "flight", "origin", "time_hour")]
        if not one.num_rows or not one.sort_by(order).equals(two.sort_by(order)):
            sys.exit(f"{window.key}: {one.num_rows} rows in a job of many windows, {two.num_rows} alone; they differ")
        rows += one.num_rows
    return rows


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST, help=f"the first window (default: {FIRST})")
    parser.add_argument("--days", type=int, default=365, help="windows in all (default: 365)")
    parser.add_argument("--batch", type=int, default=30, help="windows a job (default: 30)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as folder, tempfile.TemporaryDirectory() as beside:
        pipeline, other = project(Path(folder)), project(Path(beside))
        windows = list(pipeline.windows(options.first, options.first + timedelta(days=options.days)))
        found = measure(pipeline, other, chunks(windows, timedelta(days=options.batch)))
        same = compare(pipeline, other, found.twice)
    together, alone = statistics.median(found.together), statistics.median(found.alone)
    print(f"\n{len(windows)} windows of flights, {found.rows} rows, in jobs of {options.batch}")
    print(f"  a window in such a job   {together:6.2f} s (median of {len(found.together)} jobs)")
    print(f"  a window in its own job  {alone:6.2f} s (median of {len(found.alone)})")
    print(f"  ratio                    {alone / together:6.1f}")
    print(f"  {len(found.twice)} windows computed both ways: {same} rows, the same in both tables")


if __name__ == "__main__":
    main()
