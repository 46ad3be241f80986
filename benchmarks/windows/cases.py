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
CONNECT: Final = "ours, local_connect"
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


def scheduled(data: Path, how: str, count: int) -> Callable[[Path], Command]:
    """A backfill on an Airflow of its own."""

    def command(_folder: Path) -> Command:
        argv = [sys.executable, "-m", "benchmarks.windows.scheduled", how, str(data), str(count)]
        return Command(argv=argv)

    return command


@contextmanager
def opened(options: Options) -> Iterator[Benchmark]:
    """Thirty windows, and ten by Airflow; two and one where it is tiny."""
    count, rows = (2, 200) if options.tiny else (30, options.records or 10_000)
    less = 1 if options.tiny else 10
    data = drops(options.data, count, rows)
    alone, timed = f"{count} windows of {rows:,} rows", f"{less} of them, by Airflow"
    yield Benchmark(
        name="windows",
        title="Small windows: starts and ends",
        about=f"{_ABOUT}. Seconds of one window are told in parts: `work` is what Spark's reports say, `start_up` all"
        " that is around it in a task, `airflow` what a run takes from its start to its end beside its tasks; `window`"
        " is the sum. A case by Airflow takes longer as a whole, since each contender starts a scheduler of its own.",
        cases=[
            _case(alone, count * rows, _alone(data, count)),
            _case(timed, less * rows, _timed(data, less)),
        ],
        goals=[
            *(_beside(alone, mine, "wall") for mine in (LOCAL, WARM, CONNECT, BATCH)),
            *(_beside(timed, mine, "window") for mine in (LOCAL, WARM, CONNECT)),
        ],
    )


def _case(name: str, count: int, contenders: list[Contender]) -> Case:
    return Case(name=name, about=_ABOUT, count=count, base=SUBMITS, contenders=contenders, warms=False)


def _alone(data: Path, count: int) -> list[Contender]:
    """Without a scheduler."""
    told = [
        (
            SUBMITS,
            "three tasks a window, each a spark-submit as the community's operator runs it",
            submits(data, count),
        ),
        (LOCAL, "a fused task a window, its Spark started for it", here(data, "local", "each", count)),
        (WARM, "a fused task a window, in a Spark that stays", here(data, "local_warm", "each", count)),
        (CONNECT, "a thin client a window, of a server that stays", here(data, "local_connect", "each", count)),
        (BATCH, "all windows in one Spark job, as `backfill --batch` does it", here(data, "local", "batch", count)),
    ]
    return [Contender(name=name, about=about, command=made, rows=loaded) for name, about, made in told]


def _timed(data: Path, count: int) -> list[Contender]:
    """By Airflow, one window after the other."""
    told = [
        (SUBMITS, "a DAG by hand, SparkSubmitOperator for each step", scheduled(data, "submits", count)),
        (LOCAL, "the pipeline file, a fused task a window", scheduled(data, "local", count)),
        (WARM, "the same, in a Spark that stays", scheduled(data, "local_warm", count)),
        (CONNECT, "the same, by a thin client", scheduled(data, "local_connect", count)),
    ]
    return [Contender(name=name, about=about, command=made, rows=loaded) for name, about, made in told]


def _beside(case: str, mine: str, figure: str) -> Goal:
    return Goal(
        says=f"{mine}, beside a spark-submit per step: {case}",
        figure=Figure(case=case, contender=mine, name=figure),
        beside=Figure(case=case, contender=SUBMITS, name=figure),
        bound="at most",
        value=1.0,
    )
