"""What the factory costs beside a loop written by hand, and beside dag-factory: `make bench-factory`.

Every measurement is a process of its own (measure.py). The cases of a round run one after the other, the first round is
thrown away, and a ratio or a difference is taken within a round: printed are the medians over the rounds, and from
least to most. All cases have five tasks, one per verb and the one that ends a run, with the same operators:

- `factory`: a YAML file per pipeline.
- `usual loop`: a loop that hands the form for the window to `DAG(params=...)`, as Airflow's documentation does. Airflow
  then gives every task a copy of it.
- `loop`: the same, with the form set after the tasks, which spares them the copies: the factory's very DAGs, to the
  byte, in the cheapest way that we know.
- `bare loop`: without the form; nobody could run a window by hand there.
- `dag-factory`: as near as its language allows.

No loop checks anything; the factory reads and checks its files.
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
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.generate import generate

ROOT: Final = Path(__file__).resolve().parent.parent
OTHER: Final = ROOT / ".venv-airflow/dag-factory/bin/python"
CASES: Final = {
    "factory": "etl.py",
    "usual loop": "usual_loop.py",
    "loop": "loop.py",
    "bare loop": "bare_loop.py",
    "dag-factory": "dag_factory.py",
}
LOOPS: Final = ("usual loop", "loop", "bare loop")
SCALE: Final = (500, 1000, 2000, 5000)
Figures = Mapping[str, Any]
Round = Mapping[str, Figures]


def measure(folder: Path, case: str, *more: str) -> Figures:
    """One measurement in a new process."""
    python = str(OTHER) if case == "dag-factory" else sys.executable
    # Bytecode is kept, as that of an installed package is.
    left = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "PYTHONDONTWRITE"))}
    environment = {
        **left, "AIRFLOW_HOME": str(folder.parent / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT), "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }  # fmt: skip
    command = [python, "-m", "benchmarks.measure", str(folder / "dags" / CASES[case]), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    if done.returncode != 0:
        sys.exit(f"{case}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rounds_of(folder: Path, cases: Sequence[str], rounds: int, *more: str) -> list[Round]:
    """Case -> its figures, for each round but the first, which warms the disk's cache up and compiles."""
    return [{case: measure(folder, case, *more) for case in cases} for _ in range(rounds + 1)][1:]


def spread(rounds: Sequence[Round], figure: Callable[[Round], float], form: str = ".2f") -> str:
    """The median of a figure over the rounds, and from where to where it goes."""
    found = [figure(item) for item in rounds]
    return f"{statistics.median(found):{form}} ({min(found):{form}}-{max(found):{form}})"


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipelines", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", action="store_true", help=f"the factory and the loop with {SCALE} pipelines instead")
    options = parser.parse_args()
    cases = [case for case in CASES if case != "dag-factory" or OTHER.exists()]
    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        if options.scale:
            line(Path(scratch), options.rounds)
            return
        folder = made(Path(scratch), options.pipelines)
        parsed(rounds_of(folder, cases, options.rounds))
        # A task's start is short and its noise is large: more rounds, of the two that are compared.
        start = rounds_of(folder, ["factory", "loop"], 3 * options.rounds, f"p{options.pipelines // 2:04}")
        started(start, options.pipelines)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


def made(scratch: Path, count: int) -> Path:
    """A project with so many pipelines."""
    folder = scratch / f"project_{count}"
    (scratch / "home").mkdir(exist_ok=True)
    generate(folder, count)
    return folder


def machine() -> str:
    """Where the figures come from."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    versions = f"Python {platform.python_version()}, Airflow {version('apache-airflow')}"
    return f"{platform.machine()}, {cores} cores, load {load:.1f}, {versions}"


def cpu(case: str, *keys: str) -> Callable[[Round], float]:
    """Milliseconds of CPU time that a case took in a round."""
    return lambda found: 1000 * sum(found[case][key]["cpu"] for key in keys)


def ratio(case: str, other: str) -> Callable[[Round], float]:
    """How many times as long as another case one takes to parse."""
    return lambda found: cpu(case, "parse")(found) / cpu(other, "parse")(found)


def more(*keys: str) -> Callable[[Round], float]:
    """Milliseconds that the factory takes more than the loop."""
    return lambda found: cpu("factory", *keys)(found) - cpu("loop", *keys)(found)


def parsed(rounds: Sequence[Round]) -> None:
    """A line per case, and what the factory takes of each loop's time and room."""
    last = rounds[-1]
    if last["factory"]["digest"] != last["loop"]["digest"]:
        sys.exit("the loop doesn't build the factory's DAGs: nothing to compare")
    print(f"{last['factory']['dags']} DAGs, {last['factory']['tasks']} tasks: milliseconds of CPU, median (least-most)")
    for case, figures in last.items():
        parse, serialise = (spread(rounds, cpu(case, key), ".0f") for key in ("parse", "serialise"))
        print(f"{case:>12}: parse {parse}, serialise {serialise}, size {figures['bytes'] / 1e6:.2f} MB")
    pairs = [("factory", case) for case in LOOPS] + [("dag-factory", case) for case in LOOPS if "dag-factory" in last]
    for case, other in pairs:
        size = last[case]["bytes"] / last[other]["bytes"]
        print(f"{case} : {other}: parse {spread(rounds, ratio(case, other))}x, size {size:.2f}x")


def started(rounds: Sequence[Round], count: int) -> None:
    """The start of a task of one of the DAGs, of which the file of the loop builds one alone too."""
    print(f"start of a task of one of {count}: milliseconds of CPU, our imports included, median (least-most)")
    for case in rounds[0]:
        parse, read, warm = (spread(rounds, cpu(case, key), ".1f") for key in ("parse", "read", "warm"))
        print(f"{case:>12}: its DAG {parse}, then its pipeline {read}; the DAG once more {warm}")
    print(f"factory - loop, until the DAG is there: {spread(rounds, more('parse'), '.1f')}")
    print(f"factory - loop, until the task has its pipeline: {spread(rounds, more('parse', 'read'), '.1f')}")


def line(scratch: Path, rounds: int) -> None:
    """Whether a pipeline costs the same, however many there are."""
    for count in SCALE:
        folder = made(scratch, count)
        found = rounds_of(folder, ["factory", "loop"], rounds, "-")
        start = rounds_of(folder, ["factory", "loop"], rounds, f"p{count // 2:04}")
        each = {case: statistics.median(map(cpu(case, "parse"), found)) / count for case in found[0]}
        print(
            f"{count:>6} pipelines: {each['factory']:.2f} ms each, loop {each['loop']:.2f}: "
            f"{spread(found, ratio('factory', 'loop'))}x; "
            f"start of a task {spread(start, more('parse'), '.1f')} ms more than the loop's"
        )


if __name__ == "__main__":
    main()
