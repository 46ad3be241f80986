"""Who loads the orders, and what has to come of it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.harness.machine import PEERS
from benchmarks.harness.model import JARS, Benchmark, Case, Command, Contender, Figure, Goal, Options
from benchmarks.harness.rows import Rows, of_delta
from benchmarks.harness.running import measured
from benchmarks.pipeline import ours
from benchmarks.pipeline.data import COLUMNS, prepare

BARE: Final = "by hand"
TUNED: Final = "by hand, our tuning"
FUSED: Final = "fused, 12 checks"
STAGED: Final = "staged, 12 checks"
CHECKED: Final = "by hand, Great Expectations"
DLT: Final = "dlt"
DUCKDB: Final = "DuckDB, deltalake"
ABOUT: Final = (
    "CSV of 20 columns and about 900 bytes a record: texts trimmed, 3 % of the orders twice and the latest kept, a"
    " fifth filtered out, a dimension joined, loaded into a Delta table that holds a small state of the same day"
)
_SHOWN: Final = COLUMNS | {"country_name": "string", "region": "int"}
_DAY: Final = "2024-03-01"
_FEW: Final = 1000


def by_file(execution: str, data: Path, *, checks: bool) -> Callable[[Path], Command]:
    """The pipeline file: fused by `airflow-etl run`, staged in an application for each verb, as Airflow does it."""

    def command(folder: Path) -> Command:
        file = str(ours.project(folder, data, execution, checks=checks))
        if execution == "staged":
            return Command(argv=[sys.executable, "-m", "benchmarks.pipeline.staged", file, _DAY])
        return Command(argv=[sys.executable, "-m", "airflow_provider_etl.cli.main", "run", file, "--window", _DAY])

    return command


def by_hand(how: str, data: Path, python: Path) -> Callable[[Path], Command]:
    """The script of `by_hand`."""

    def command(folder: Path) -> Command:
        what = [str(data), str(data.parent / "countries.csv"), str(folder / "lake/orders"), str(JARS), how]
        argv = [str(python), "-m", "benchmarks.pipeline.by_hand", *what]
        return Command(argv=argv, env={"PYSPARK_PYTHON": str(python), "GX_ANALYTICS_ENABLED": "false"})

    return command


def without_spark(how: str, data: Path) -> Callable[[Path], Command]:
    """The script of `without_spark`."""

    def command(folder: Path) -> Command:
        what = [how, str(data), str(data.parent / "countries.csv"), str(folder / "lake")]
        return Command(argv=[str(PEERS), "-m", "benchmarks.pipeline.without_spark", *what])

    return command


def loaded(folder: Path) -> Rows:
    """The rows of the table."""
    return of_delta(folder / "lake/orders", _SHOWN)


def contenders(data: Path) -> list[Contender]:
    """All of them, for the records of a folder."""
    here = Path(sys.executable)
    made: list[tuple[str, str, Callable[[Path], Command], Path | None]] = [
        (
            BARE,
            "PySpark as people write it: no checks, Spark's and Delta's defaults",
            by_hand("defaults", data, here),
            None,
        ),
        (TUNED, "the same with our session and statistics of two columns", by_hand("tuned", data, here), None),
        ("fused, no checks", "ours, in one application", by_file("fused", data, checks=False), None),
        (FUSED, "ours, with checks, quarantine and ledger", by_file("fused", data, checks=True), None),
        (STAGED, "ours, an application for each verb", by_file("staged", data, checks=True), None),
        (CHECKED, "PySpark, and the same checks over what it wrote", by_hand("great_expectations", data, PEERS), PEERS),
        (DLT, "dlt to Delta, its work done by DuckDB; no checks", without_spark("dlt", data), PEERS),
        (DUCKDB, "what one would take on one machine; no checks", without_spark("duckdb", data), PEERS),
    ]
    return [
        Contender(name=name, about=about, command=command, rows=loaded, python=python)
        for name, about, command, python in made
    ]


def goals(case: str) -> list[Goal]:
    """What was promised."""

    def wall(who: str) -> Figure:
        return Figure(case=case, contender=who)

    rate = Figure(case=case, contender=FUSED, name="rate")
    return [
        _most("fused, beside PySpark by hand", wall(FUSED), wall(BARE), 1.0),
        _most("fused, beside the same by hand with our tuning", wall(FUSED), wall(TUNED), 1.1),
        _most("staged, beside PySpark by hand", wall(STAGED), wall(BARE), 1.5),
        _least("PySpark and Great Expectations, beside fused", wall(CHECKED), wall(FUSED), 2.0),
        _least("dlt, beside fused", wall(DLT), wall(FUSED), 2.0),
        _most("fused, beside DuckDB", wall(FUSED), wall(DUCKDB), 4.0),
        _least("fused, millions of records an hour on two cores", rate, None, 300.0),
    ]


def _most(says: str, figure: Figure, beside: Figure | None, value: float) -> Goal:
    return Goal(says=says, figure=figure, beside=beside, bound="at most", value=value)


def _least(says: str, figure: Figure, beside: Figure | None, value: float) -> Goal:
    return Goal(says=says, figure=figure, beside=beside, bound="at least", value=value)


@contextmanager
def opened(options: Options) -> Iterator[Benchmark]:
    """Three million records, and a table for each contender that holds a thousand of them."""
    count = options.size(3_000_000, 2_000)
    found = contenders(prepare(options.data, count))
    if not options.tiny:
        found = [
            _seeded(each, few, options)
            for each, few in zip(found, contenders(prepare(options.data, _FEW)), strict=True)
        ]
    name = f"pipeline of {count:,} records"
    yield Benchmark(
        name="pipeline",
        title="Pipeline: the whole way from CSV to Delta",
        about=f"{ABOUT}.",
        cases=[Case(name=name, about=ABOUT, count=count, base=BARE, contenders=found)],
        goals=goals(name),
    )


def _seeded(contender: Contender, few: Contender, options: Options) -> Contender:
    """With the table that it has made of a few records."""
    if options.only and contender.name not in options.only:
        return contender
    before = options.scratch / f"before {contender.name}"
    work = options.scratch / "turn"  # paths stand in the file that it writes: it has to be where the turns are
    work.mkdir()
    measured(few, work)
    shutil.move(work, before)
    return replace(contender, before=before)
