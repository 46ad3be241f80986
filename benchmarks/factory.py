"""What the factory costs beside a loop written by hand, and beside dag-factory: `make bench-factory`.

Every measurement is a process of its own that has read another DAG before (Airflow is warm, our modules are not); the
cases alternate, the first round is thrown away, medians of the others are printed. Compared are DAGs of four tasks,
one per verb, with the same operators. `loop` has the form for the window too, as the factory's DAGs have, `bare loop`
has none: nobody could run a window by hand there.
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
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.generate import generate

ROOT: Final = Path(__file__).resolve().parent.parent
OTHER: Final = ROOT / ".venv-airflow/dag-factory/bin/python"
CASES: Final = {"factory": "etl.py", "loop": "loop.py", "bare loop": "bare_loop.py", "dag-factory": "dag_factory.py"}
Figures = Mapping[str, Any]


def measure(folder: Path, case: str, home: Path, *more: str) -> dict[str, Any]:
    """One measurement in a new process."""
    python = str(OTHER) if case == "dag-factory" else sys.executable
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(ROOT),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }  # fmt: skip
    command = [python, "-m", "benchmarks.measure", str(folder / "dags" / CASES[case]), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if done.returncode != 0:
        sys.exit(f"{case}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if not found["dags"]:
        sys.exit(f"{case} made no DAG: {done.stdout[-2000:]}")
    return found


def medians(rounds: list[Figures]) -> dict[str, float]:
    """Of several measurements, seconds of CPU time and on the clock."""
    return {
        "parse": statistics.median(found["parse"]["cpu"] for found in rounds),
        "wall": statistics.median(found["parse"]["wall"] for found in rounds),
        "serialise": statistics.median(found["serialise"]["cpu"] for found in rounds),
        "bytes": rounds[-1]["bytes"],
        "dags": rounds[-1]["dags"],
        "tasks": rounds[-1]["tasks"],
    }


def alternating(folder: Path, home: Path, cases: list[str], rounds: int, *more: str) -> dict[str, dict[str, float]]:
    """Case -> its medians; one more round warms the disk's cache up."""
    found: dict[str, list[Figures]] = {case: [] for case in cases}
    for number in range(rounds + 1):
        for case in cases:
            figures = measure(folder, case, home, *more)
            if number:
                found[case].append(figures)
    return {case: medians(figures) for case, figures in found.items()}


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipelines", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--line", type=int, nargs="*", default=[1000, 2000, 5000], help="more sizes, of the factory")
    options = parser.parse_args()
    cases = [case for case in CASES if case != "dag-factory" or OTHER.exists()]
    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        folder = made(Path(scratch), options.pipelines)
        told(alternating(folder, home, cases, options.rounds))
        task, other = f"p{options.pipelines // 2:04}", str(folder / "dags/pipelines/p0000.yaml")
        started("all", alternating(folder, home, ["factory", "loop"], options.rounds, task))
        started("without imports", alternating(folder, home, ["factory", "loop"], options.rounds, task, other))
        for count in options.line:
            figures = alternating(made(Path(scratch), count), home, ["factory"], min(options.rounds, 3))["factory"]
            each = 1000 * figures["parse"] / count
            print(f"{count:>6} pipelines: {figures['parse']:.2f} s of CPU, {each:.2f} ms each")


def made(scratch: Path, count: int) -> Path:
    """A project with so many pipelines."""
    folder = scratch / f"project_{count}"
    generate(folder, count)
    return folder


def machine() -> str:
    """Where the figures come from."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    versions = f"Python {platform.python_version()}, Airflow {version('apache-airflow')}"
    return f"{platform.machine()}, {cores} cores, load {load:.1f}, {versions}"


def told(found: Mapping[str, Mapping[str, float]]) -> None:
    """A line per case, with its ratios to the loop that builds the same DAGs."""
    base = found["loop"]
    print(f"{base['dags']} DAGs, {base['tasks']} tasks; seconds of CPU (on the clock), ratios to the loop")
    for case, figures in found.items():
        parse, size, serialise = (figures[key] / base[key] for key in ("parse", "bytes", "serialise"))
        print(
            f"{case:>12}: parse {figures['parse']:.2f} ({figures['wall']:.2f}) = {parse:.2f}x, "
            f"size {figures['bytes'] / 1e6:.2f} MB = {size:.2f}x, "
            f"serialise {figures['serialise']:.2f} = {serialise:.2f}x"
        )


def started(what: str, found: Mapping[str, Mapping[str, float]]) -> None:
    """The start of a task of one of the DAGs."""
    for case, figures in found.items():
        cpu, wall = 1000 * figures["parse"], 1000 * figures["wall"]
        print(f"{case:>12}: start of a task, {what}: {cpu:.1f} ms of CPU, {wall:.1f} ms on the clock")


if __name__ == "__main__":
    main()
