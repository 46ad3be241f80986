"""What a pipeline costs beside the same by hand: `python -m benchmarks.pipeline [--records N] [--rounds N]`.

Each round runs every contender once, each in a process of its own, one after the other, into a table that holds an
earlier, small state of the same day (`--new`: into none); then the tables are compared. Medians over the rounds, and
their ratios to the job by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.pipeline import ours
from benchmarks.pipeline.data import COLUMNS, prepare
from benchmarks.pipeline.process import Cost, measured

ROOT: Final = Path(__file__).resolve().parents[2]
JARS: Final = ROOT / "jars"
BY_HAND: Final = "by hand"
_FEW: Final = 1000
_SHOWN: Final = [*COLUMNS, "country_name", "region"]


def by_hand(folder: Path, data: Path) -> list[str]:
    """The job without checks, ledger or quarantine."""
    target, countries = str(folder / "lake/orders"), str(data.parent / "countries.csv")
    return [sys.executable, "-m", "benchmarks.pipeline.bare", str(data), countries, target, str(JARS)]


def by_file(execution: str, checks: bool) -> Callable[[Path, Path], list[str]]:
    """The pipeline file."""

    def command(folder: Path, data: Path) -> list[str]:
        file = ours.project(folder, data, JARS, execution, checks=checks)
        return [str(Path(sys.executable).with_name("airflow-etl")), "run", str(file), "--window", "2024-03-01"]

    return command


CONTENDERS: Final[dict[str, Callable[[Path, Path], list[str]]]] = {
    BY_HAND: by_hand,
    "fused, no checks": by_file("fused", checks=False),
    "fused, 12 checks": by_file("fused", checks=True),
    "staged, 12 checks": by_file("staged", checks=True),
}


def digest(folder: Path) -> tuple[int, int]:
    """Rows of a table, and a sum over their hashes: equal for equal rows in any order."""
    import pyarrow as pa
    from deltalake import DeltaTable

    rows, total = 0, 0
    for batch in DeltaTable(folder / "lake/orders").to_pyarrow_dataset().to_batches(columns=_SHOWN):
        frame = pa.Table.from_batches([batch]).to_pandas()
        from pandas.util import hash_pandas_object

        total = (total + int(hash_pandas_object(frame, index=False).to_numpy().sum(dtype="uint64"))) % 2**64
        rows += len(frame)
    return rows, total


def seed(names: Sequence[str], data: Path, work: Path) -> None:
    """Let each contender load a few records, which stand there before each round."""
    for name in names:
        print(f"  {name}: the table before", flush=True)
        (work / "now").mkdir()
        measured(CONTENDERS[name](work / "now", data), work / "log")
        shutil.move(work / "now", work / f"before {name}")


def one_round(names: Sequence[str], data: Path, work: Path) -> dict[str, Cost]:
    """Run each contender once; their tables must be equal."""
    costs, digests = {}, {}
    for name in names:
        folder = work / "now"
        if (work / f"before {name}").exists():
            shutil.copytree(work / f"before {name}", folder)
        folder.mkdir(exist_ok=True)
        costs[name] = measured(CONTENDERS[name](folder, data), work / "log")
        digests[name] = digest(folder)
        shutil.rmtree(folder)
        print(f"  {name:20} {costs[name].wall:7.1f} s, {costs[name].cpu:7.1f} s of CPU", flush=True)
    if len(set(digests.values())) > 1:
        sys.exit(f"the tables differ: {digests}")
    print(f"  {next(iter(digests.values()))[0]} rows each, equal", flush=True)
    return costs


def table(costs: dict[str, list[Cost]], records: int) -> list[dict[str, Any]]:
    """Medians, and ratios to the job by hand."""
    made = []
    for name, each in costs.items():
        median = {field: statistics.median(getattr(cost, field) for cost in each) for field in asdict(each[0])}
        ratio = statistics.median(a.wall / b.wall for a, b in zip(each, costs[BY_HAND], strict=True))
        cpu = statistics.median(a.cpu / b.cpu for a, b in zip(each, costs[BY_HAND], strict=True))
        hourly = records / median["wall"] * 3600 / 1e6
        made.append({"contender": name, **median, "ratio": ratio, "cpu_ratio": cpu, "millions_an_hour": hourly})
    return made


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=3_000_000, help="records (default: 3000000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds after the one that warms up (default: 3)")
    parser.add_argument("--bad", type=float, default=0.0, help="share of rows whose amount is wrong (default: 0)")
    parser.add_argument("--new", action="store_true", help="load into tables that aren't there yet")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="contenders")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    names = [BY_HAND, *(name for name in options.only if name != BY_HAND)]
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory(prefix="bench-pipeline-") as scratch:
        data = prepare(ROOT / ".cache/benchmark", options.records, options.bad)
        costs: dict[str, list[Cost]] = {name: [] for name in names}
        if not options.new:
            seed(names, prepare(data.parent, _FEW, options.bad), Path(scratch))
        for turn in range(options.rounds + 1):
            print("warming up" if not turn else f"round {turn} of {options.rounds}", flush=True)
            for name, cost in one_round(names, data, Path(scratch)).items():
                costs[name] += [cost] if turn else []
    told = table(costs, options.records)
    tell(told, options)


def tell(told: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Print the table, and write it where it was asked for."""
    print(f"\n{options.records} records, {os.cpu_count()} cores, {platform.platform()}; load {os.getloadavg()[0]:.1f}")
    print(f"{'':20} {'wall s':>8} {'CPU s':>8} {'MiB':>8} {'wall':>6} {'CPU':>6} {'M records/h':>12}")
    for row in told:
        print(
            f"{row['contender']:20} {row['wall']:8.1f} {row['cpu']:8.1f} {row['memory']:8.0f}"
            f" {row['ratio']:5.2f}x {row['cpu_ratio']:5.2f}x {row['millions_an_hour']:12.0f}"
        )
    if options.json:
        options.json.write_text(json.dumps({"records": options.records, "table": told}, indent=2))


if __name__ == "__main__":
    main()
