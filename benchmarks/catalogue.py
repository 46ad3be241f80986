"""All benchmarks by name: those of the harness, and those that measure something that no process tree shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from benchmarks.harness.model import Benchmark, Options

Opened = Callable[[Options], AbstractContextManager[Benchmark]]
SHARED: Final = ("pipeline", "scale", "windows", "load")
"""Each is a module `benchmarks.NAME.cases` with `opened(options)`."""


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A benchmark with an instrument of its own, run as `python -m MODULE ARGUMENTS`.

    Args:
        title: on the page.
        module: what is run.
        full: its arguments.
        tiny: its arguments where only correctness is asked for.
    """

    title: str
    module: str
    full: Sequence[str] = ()
    tiny: Sequence[str] = ()


FOREIGN: Final = {
    "factory": Foreign(
        title="The factory: 500 pipelines parsed, stored, started",
        module="benchmarks.factory",
        tiny=("--pipelines", "3", "--rounds", "1"),
    ),
    "factory-scale": Foreign(
        title="The factory: 500 to 5,000 pipelines",
        module="benchmarks.factory",
        full=("--scale", "--rounds", "3"),
        tiny=("--pipelines", "3", "--rounds", "1"),
    ),
    "quality": Foreign(
        title="Quality: what twelve checks cost beside a write alone",
        module="benchmarks.quality",
        tiny=("--rows", "2000", "--warm", "100", "--rounds", "1", "--only", "ours, 11 checks"),
    ),
    "concurrency": Foreign(
        title="Concurrency: pipelines that are due at once",
        module="benchmarks.concurrency",
        full=("--pipelines", "500"),
        tiny=("--pipelines", "2", "--rounds", "1"),
    ),
    "capacity": Foreign(
        title="Capacity: what 100 million records an hour need, by the measured figures",
        module="airflow_provider_etl.cli.main",
        full=("capacity", "--records-per-hour", "100M", "--record-bytes", "1000"),
        tiny=("capacity", "--records-per-hour", "100M", "--record-bytes", "1000"),
    ),
    "jdbc": Foreign(
        title="Loads into PostgreSQL inside one warm Spark",
        module="benchmarks.jdbc",
        tiny=("--rows", "1000", "--rounds", "1"),
    ),
    "batch": Foreign(
        title="Backfill in jobs of many windows: flights",
        module="benchmarks.batch",
        full=("--days", "60"),
        tiny=("--days", "4", "--batch", "2"),
    ),
}
ISSUE: Final = (
    "pipeline",
    "scale",
    "windows",
    "factory",
    "factory-scale",
    "quality",
    "load",
    "concurrency",
    "capacity",
)
"""What `make bench` runs, in this order."""


def names() -> list[str]:
    """All that can be asked for."""
    return [*SHARED, *FOREIGN]


def opened(name: str) -> Opened:
    """What makes a benchmark of the harness ready, servers and data too."""
    made: Opened = import_module(f"benchmarks.{name}.cases").opened
    return made
