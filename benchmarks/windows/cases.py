"""Who runs thirty windows of ten thousand rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.harness.model import Benchmark, Case, Command, Contender, Figure, Goal, Options
from benchmarks.windows.project import drops, loaded, project

SUBMITS: Final = "a spark-submit per step"
LOCAL: Final = "ours, local"
WARM: Final = "ours, local_warm"
BATCH: Final = "ours, batched backfill"
_ABOUT: Final = (
    "a CSV file a day, deduplicated, two columns derived, loaded into a Delta table that is partitioned by day"
)


def here(data: Path, kind: str, how: str, count: int) -> Callable[[Path], Command]:
    """The pipeline file, without a scheduler."""

    def command(folder: Path) -> Command:
        file = str(project(folder, data, kind))
        argv = [sys.executable, "-m", "benchmarks.windows.here", file, how, "0", str(count)]
        return Command(argv=argv, env={"AIRFLOW_HOME": str(folder / "airflow")})

    return command


def submits(data: Path, count: int) -> Callable[[Path], Command]:
    """The script by hand."""

    def command(folder: Path) -> Command:
        argv = [sys.executable, "-m", "benchmarks.windows.submits", str(data), str(folder), str(count)]
        return Command(argv=argv, env={"PYSPARK_PYTHON": sys.executable})

    return command


@contextmanager
def opened(options: Options) -> Iterator[Benchmark]:
    """Thirty windows; two where it is tiny."""
    count, rows = (2, 200) if options.tiny else (30, options.records or 10_000)
    data = drops(options.data, count, rows)
    told = [
        (
            SUBMITS,
            "three tasks a window, each a spark-submit as the community's operator runs it",
            submits(data, count),
        ),
        (LOCAL, "a fused task a window, its Spark started for it", here(data, "local", "each", count)),
        (WARM, "a fused task a window, in a Spark that stays", here(data, "local_warm", "each", count)),
        (BATCH, "all windows in one Spark job, as `backfill --batch` does it", here(data, "local", "batch", count)),
    ]
    found = [Contender(name=name, about=about, command=made, rows=loaded) for name, about, made in told]
    name = f"{count} windows of {rows:,} rows"
    yield Benchmark(
        name="windows",
        title="Small windows: starts and ends",
        about=f"{_ABOUT}. `work` and `start_up` are seconds of one window: what Spark did, and all that was around it."
        " Airflow's own share comes on top of each task, for all of them: `concurrency` measures that.",
        cases=[Case(name=name, about=_ABOUT, count=count * rows, base=SUBMITS, contenders=found)],
        goals=[
            Goal(
                says=f"{mine}, beside a spark-submit per step",
                figure=Figure(case=name, contender=mine),
                beside=Figure(case=name, contender=SUBMITS),
                bound="at most",
                value=1.0,
            )
            for mine in (LOCAL, WARM, BATCH)
        ],
    )
