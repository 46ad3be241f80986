"""The pipeline with ever more records, and one more window of a table with ever more windows."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.harness.model import Benchmark, Case, Command, Contender, Figure, Goal, Options
from benchmarks.harness.running import measured
from benchmarks.pipeline.cases import ABOUT, BARE, FUSED, contenders
from benchmarks.pipeline.data import prepare
from benchmarks.windows.project import drops, loaded, project

RECORDS: Final = (300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000)
WINDOWS: Final = (1, 10, 100, 1000)
MORE: Final = "one more window"
_ROWS: Final = 1000


@contextmanager
def opened(options: Options) -> Iterator[Benchmark]:
    """Five sizes, and four ages of a table; two of each where it is tiny. `--records` is the largest size."""
    sizes = (200, 400) if options.tiny else _sizes(options.records or RECORDS[-1])
    ages = (1, 3) if options.tiny else WINDOWS
    large, aged = [_records(options, count) for count in sizes], [_windows(options, count) for count in ages]
    yield Benchmark(
        name="scale",
        title="Scale: records and windows",
        about="The pipeline's work at ever more records, into a new table; and one more small window of a table that"
        " holds ever more of them: ledger, log and staging are what could grow.",
        cases=[*large, *aged],
        goals=[
            _flat("a record costs no more where there are most of them", large, FUSED, "rate", at_least=1.0),
            _flat(
                "peak memory where records are most, beside a tenth of them", large[-3:], FUSED, "memory", at_most=1.25
            ),
            _flat("one more window after most windows, beside after one", aged, MORE, "wall", at_most=1.1),
            _flat("its CPU, likewise", aged, MORE, "cpu", at_most=1.1),
        ],
        curve=("wall", "cpu", "memory", "rate"),
    )


def _sizes(largest: int) -> tuple[int, ...]:
    return tuple(count for count in RECORDS if count <= largest) or (largest,)


def _records(options: Options, count: int) -> Case:
    chosen = [each for each in contenders(prepare(options.data, count)) if each.name in (BARE, FUSED)]
    return Case(
        name=f"{count:,} records", about=f"{ABOUT}; here into a new one", count=count, base=BARE, contenders=chosen
    )


def _windows(options: Options, count: int) -> Case:
    """A table with so many windows is made first, in one job; that isn't measured."""
    data = drops(options.data, count + 1, _ROWS)

    def command(folder: Path, how: str = "each", first: int = count, windows: int = 1) -> Command:
        file = str(project(folder, data, "local"))
        return Command(argv=[sys.executable, "-m", "benchmarks.windows.here", file, how, str(first), str(windows)])

    more = Contender(name=MORE, about="a fused run of one window", command=command, rows=loaded)
    before = options.scratch / f"before {count}"
    if not options.only or MORE in options.only:
        turn = options.scratch / "turn"  # paths stand in the file: it has to be where the turns are
        turn.mkdir()
        seed = Contender(name="seed", about="", command=lambda at: command(at, "batch", 0, count), rows=loaded)
        measured(seed, turn)
        shutil.move(turn, before)
        more = Contender(name=MORE, about=more.about, command=command, rows=loaded, before=before)
    about = f"one more window of {_ROWS:,} rows for a table that holds {count:,}"
    named = {"axis": "windows", "place": count}
    return Case(name=f"after {count:,} windows", about=about, count=_ROWS, base=MORE, contenders=[more], **named)


def _flat(says: str, cases: list[Case], who: str, figure: str, **bound: float) -> Goal:
    """The last case beside the first."""
    ((side, value),) = bound.items()
    return Goal(
        says=says,
        figure=Figure(case=cases[-1].name, contender=who, name=figure),
        beside=Figure(case=cases[0].name, contender=who, name=figure),
        bound="at most" if side == "at_most" else "at least",
        value=value,
    )
