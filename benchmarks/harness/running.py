"""Contenders in turn, round after round: A B A B, each in a process of its own, each into a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.harness.model import ROOT, Benchmark, Case, Contender, Options, Turn
from benchmarks.harness.rows import Rows

FIGURES: Final = "BENCH_FIGURES"
"""The variable that names the file, in which a contender may leave figures of its own: JSON, name -> number."""
_HOUR: Final = 3600 / 1e6


class UnequalError(Exception):
    """Contenders did other work: no time is told. The text says who, and what differs."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A case that has run.

    Args:
        case: what ran.
        turns: contender -> its figures, one mapping a round.
        rows: what each of them left.
        load: the machine's load average before the first turn, and after each round.
    """

    case: Case
    turns: Mapping[str, Sequence[Turn]]
    rows: Rows
    load: Sequence[float]


def picked(benchmark: Benchmark, options: Options) -> Benchmark:
    """The benchmark with the contenders that were asked for, the one that others are compared with among them."""
    if not options.only:
        return benchmark
    cases = []
    for case in benchmark.cases:
        kept = [each for each in case.contenders if each.name in options.only]
        base = case.base if case.base in options.only else kept[0].name if kept else ""
        cases += [replace(case, contenders=kept, base=base)] if kept else []
    known = sorted({each.name for case in benchmark.cases for each in case.contenders})
    if not cases:
        sys.exit(f"{benchmark.name} has no contender {', '.join(options.only)}; it has {', '.join(known)}")
    return replace(benchmark, cases=cases)


def run(case: Case, rounds: int, warm: bool, options: Options) -> Measured:
    """Run a case.

    Args:
        case: what runs.
        rounds: how many are measured.
        warm: whether a round runs before them that isn't.
        options: where folders go.

    Raises:
        UnequalError: the contenders' rows differ.
        SystemExit: one failed, or its environment isn't there.
    """
    _ready(case)
    load, turns = [os.getloadavg()[0]], {each.name: list[Turn]() for each in case.contenders}
    for number in range(0 if warm and case.warms else 1, rounds + 1):
        print(f"{case.name}: {f'round {number} of {rounds}' if number else 'warming up'}", flush=True)
        found: dict[str, Rows] = {}
        for each in case.contenders:
            turn, found[each.name] = one(each, case, options.scratch)
            print(f"  {each.name:32} {turn['wall']:8.1f} s {turn['cpu']:8.1f} s of CPU", flush=True)
            turns[each.name] += [turn] if number else []
        rows = agreed(case, found)
        load.append(os.getloadavg()[0])
    return Measured(case=case, turns=turns, rows=rows, load=load)


def agreed(case: Case, found: Mapping[str, Rows]) -> Rows:
    """What all have left.

    Raises:
        UnequalError: one has left something else than the first.
    """
    (first, rows), *others = found.items()
    wrong = [f"{first} and {name}: {told}" for name, other in others if (told := rows.differs(other))]
    if wrong:
        raise UnequalError(f"{case.name}: the rows differ, so no time is told. {'; '.join(wrong)}")
    return rows


def one(contender: Contender, case: Case, scratch: Path) -> tuple[Turn, Rows]:
    """One turn; its folder goes with it."""
    folder = scratch / "turn"
    if contender.before:
        shutil.copytree(contender.before, folder, symlinks=True)
    folder.mkdir(exist_ok=True)
    try:
        turn = measured(contender, folder)
        rows = contender.rows(folder)
    finally:
        shutil.rmtree(folder)
    return {**turn, "rate": case.count / turn["wall"] * _HOUR}, rows


def measured(contender: Contender, folder: Path) -> dict[str, float]:
    """wall, cpu and memory of a contender, and what it tells itself.

    Raises:
        SystemExit: it failed; with its last words.
    """
    command, figures = contender.command(folder), folder / "figures.json"
    result, log = folder / "measured.json", folder / "log"
    figures.unlink(missing_ok=True)  # of whoever made the state that it finds
    environment = {**os.environ, "PYTHONPATH": str(ROOT), FIGURES: str(figures), **command.env}
    meter = [sys.executable, "-m", "benchmarks.harness.meter", str(result), str(log), *command.argv]
    subprocess.run(meter, check=True, cwd=folder, env=environment)
    told: dict[str, float] = json.loads(result.read_text(encoding="utf-8"))
    if code := told.pop("code"):
        sys.exit(f"{contender.name} ended with {code:g}:\n{log.read_text(errors='replace')[-4000:]}")
    return told | (json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {})


def tell(**figures: float) -> None:
    """What a contender calls to tell figures of its own: they stand beside those that were measured from outside."""
    if path := os.environ.get(FIGURES):
        Path(path).write_text(json.dumps(figures), encoding="utf-8")


def _ready(case: Case) -> None:
    missing = {each.name: each.python for each in case.contenders if each.python and not each.python.exists()}
    if missing:
        made = {str(python.parents[1].relative_to(ROOT) / ".made") for python in missing.values()}
        sys.exit(f"no environment for {', '.join(missing)}: make {' '.join(sorted(made))}")
