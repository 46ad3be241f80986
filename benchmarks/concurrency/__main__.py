"""What so many pipelines cost that are due at once: `python -m benchmarks.concurrency [--pipelines N] [--rounds N]`.

Each round runs every contender once, each on an Airflow of its own with LocalExecutor and PostgreSQL, one after the
other. Their tasks find nothing to do, so that all that is measured is overhead: Airflow's own is that of the loop
without us. No time is told unless each DAG ran exactly once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.concurrency.dags import CONTENDERS, PLAIN
from benchmarks.concurrency.once import Outcome, measured

_FIGURES: Final = ("known", "wall", "cpu", "queued", "task")
_WIDTHS: Final = (9, 8, 8, 6, 7, 6, 6, 6)


def one_round(names: Sequence[str], count: int, parallelism: int) -> dict[str, Outcome]:
    """Run each contender once.

    Raises:
        SystemExit: a DAG of one didn't run exactly once.
    """
    found = {}
    for name in names:
        with tempfile.TemporaryDirectory(prefix="bench-concurrency-") as scratch:
            found[name] = measured(Path(scratch), name, count, parallelism)
        if found[name].faults:
            sys.exit(f"{name}: {'; '.join(found[name].faults[:5])}")
        print(f"  {name:20} {found[name].wall:7.1f} s, {found[name].cpu:7.1f} s of CPU", flush=True)
    return found


def table(rounds: Sequence[Mapping[str, Outcome]], count: int) -> list[dict[str, Any]]:
    """Medians, ratios to the loop without us taken within each round, and what is ours of a run's CPU seconds."""
    made = []
    for name in rounds[0]:
        each = [found[name] for found in rounds]
        median = {figure: statistics.median(getattr(item, figure) for item in each) for figure in _FIGURES}
        plain = [found.get(PLAIN, found[name]) for found in rounds]
        pairs = list(zip(each, plain, strict=True))
        made.append(
            {
                "contender": name,
                **median,
                "ratio": statistics.median(a.wall / b.wall for a, b in pairs),
                "cpu_ratio": statistics.median(a.cpu / b.cpu for a, b in pairs),
                "cpu_each": median["cpu"] / count,
                "share": statistics.median((a.cpu - b.cpu) / a.cpu for a, b in pairs),
            }
        )
    return made


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.concurrency", description=__doc__.splitlines()[0])
    parser.add_argument("--pipelines", type=int, default=50, help="how many are due at once (default: 50)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    parser.add_argument("--parallelism", type=int, default=4, help="tasks that may run at once (default: 4)")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="contenders")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    names = [*(name for name in options.only if name != PLAIN), PLAIN]
    rounds = []
    for turn in range(options.rounds):
        print(f"round {turn + 1} of {options.rounds}", flush=True)
        rounds.append(one_round(names, options.pipelines, options.parallelism))
    told = table(rounds, options.pipelines)
    tell(told, options)


def tell(told: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Print the table, and write it where it was asked for."""
    versions = f"Airflow {version('apache-airflow')}, Python {platform.python_version()}, PostgreSQL"
    print(f"\n{options.pipelines} pipelines due at once, {options.parallelism} tasks at a time, {os.cpu_count()} cores")
    print(f"{versions}; {platform.platform()}; load {os.getloadavg()[0]:.1f}")
    heads = ("all known", "all ran", "CPU s", "each", "task s", "wall", "CPU", "ours")
    print(f"{'':20} " + " ".join(head.rjust(width) for head, width in zip(heads, _WIDTHS, strict=True)))
    for row in told:
        print(
            f"{row['contender']:20} {row['known']:8.1f}s {row['wall']:7.1f}s {row['cpu']:8.1f} {row['cpu_each']:6.2f}"
            f" {row['task']:7.2f} {row['ratio']:5.2f}x {row['cpu_ratio']:5.2f}x {row['share']:6.0%}"
        )
    if options.json:
        figures = {"pipelines": options.pipelines, "parallelism": options.parallelism, "table": told}
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
