"""What twelve checks cost beside a write alone: `python -m benchmarks.quality`, with `--help` for the options.

Each round runs every contender once, each in a process of its own, one after the other. Medians of CPU seconds of the
whole process tree, and their ratio to the write alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.quality.data import prepare
from benchmarks.quality.one import CONTENDERS

ROOT: Final = Path(__file__).resolve().parents[2]
PEERS: Final = ROOT / ".venv-airflow/bench-quality/bin/python"
ALONE: Final = "write alone"
_FEW: Final = 100_000
_UNTOLD: Final = -1  # who says that something is wrong, and not how much


def one(name: str, warm: Path, data: Path, loads: int) -> dict[str, Any]:
    """Run a contender."""
    python = str(PEERS) if name.endswith("pandera") else sys.executable
    with tempfile.TemporaryDirectory(prefix="bench-quality-") as out:
        command = [python, "-m", "benchmarks.quality.one", name, str(warm), str(data), out]
        command += [str(ROOT / "jars"), str(loads)]
        environment = {**os.environ, "PYSPARK_PYTHON": python, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=out)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr[-3000:]}{done.stdout[-1000:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def agree(found: dict[str, dict[str, Any]], rows: int) -> None:
    """End where contenders that looked at the same rows saw other ones."""
    wrong = {name: told["wrong"] for name, told in found.items() if told["wrong"] != _UNTOLD}
    if len(set(wrong.values())) > 1:
        sys.exit(f"they found other numbers of wrong values: {wrong}")
    for name, told in found.items():
        aside = max(told["wrong"], 0) if name.endswith("set aside") else 0
        if told["rows"] + aside != rows:
            sys.exit(f"{name}: {told['rows']} rows written of {rows}")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows (default: 10000000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3)")
    parser.add_argument("--bad", type=float, default=0.0, help="share of rows with an amount out of range (default: 0)")
    parser.add_argument("--warm", type=int, default=_FEW, help=f"rows that warm up each process (default: {_FEW})")
    parser.add_argument("--loads", type=int, default=1, help="how often those are loaded before (default: 1)")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), help="contenders")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    # Wrong rows would stop a load whose checks set nothing aside.
    stopped = [name for name in CONTENDERS if name.startswith("ours") and not name.endswith(("no checks", "set aside"))]
    kept = [name for name in options.only if not options.bad or name not in stopped]
    names = [ALONE, *(name for name in kept if name != ALONE)]
    folder = ROOT / ".cache/benchmark"
    warm, data = (prepare(folder, rows, options.bad) for rows in (options.warm, options.rows))
    costs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for turn in range(options.rounds):
        print(f"round {turn + 1} of {options.rounds}", flush=True)
        found: dict[str, dict[str, Any]] = {}
        for name in names:
            found[name] = one(name, warm, data, options.loads)
            costs[name].append(found[name])
            print(f"  {name:28} {found[name]['wall']:7.1f} s, {found[name]['cpu']:7.1f} s of CPU", flush=True)
        agree(found, options.rows)
    tell(costs, options)


def tell(costs: dict[str, list[dict[str, Any]]], options: argparse.Namespace) -> None:
    """Print the table, and write it where it was asked for."""
    print(
        f"\n{options.rows} rows of 8 columns, {options.bad:.1%} of them wrong; {os.cpu_count()} cores,"
        f" {platform.platform()}; load {os.getloadavg()[0]:.1f};"
        f" each after {options.loads} loads of {options.warm} rows in its process"
    )
    print(f"{'':28} {'wall s':>8} {'CPU s':>8} {'beside a write':>15}")
    told = []
    for name, each in costs.items():
        wall, cpu = (statistics.median(cost[key] for cost in each) for key in ("wall", "cpu"))
        ratio = statistics.median(a["cpu"] / b["cpu"] for a, b in zip(each, costs[ALONE], strict=True))
        told.append({"contender": name, "wall": wall, "cpu": cpu, "ratio": ratio})
        print(f"{name:28} {wall:8.1f} {cpu:8.1f} {ratio:14.2f}x")
    if options.json:
        options.json.write_text(json.dumps({"rows": options.rows, "bad": options.bad, "table": told}, indent=2))


if __name__ == "__main__":
    main()
